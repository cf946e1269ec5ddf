"""The source's side of the quick proof, in a process of its own.

The target's rows come one by one, each through Python; beside a thread that encodes the
source, each of them would wait for it. So the program of this module does it. What it is
asked comes as lines of JSON on its standard input; what it answers are lots on its
standard output: four numbers (rows, whether it is the last, the sizes of key and block),
the key, the block. A lot of no rows ends an errand; one with NOT_SURE for a size says
that only the exact path can go on.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, suppress
from typing import IO, BinaryIO

from core.plan import from_json, to_json
from core.source.ahead import Ahead
from core.source.batches import Unsure
from core.transfer.lots import Errand, Lot, lots

_HEAD = struct.Struct("!qqqq")
_NOT_SURE = -1


class ReaderProcess:
    """The process, started when it is first asked, and anew after a broken answer."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it load its libraries meanwhile."""
        self._process = self._process or subprocess.Popen(
            [sys.executable, "-m", "core.verify.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def lots(self, errand: Errand) -> Generator[Lot, None, None]:
        """The rows of an errand; one who does not want them all closes the generator.
        Raises Unsure."""
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        is_answered = False
        try:
            self._process.stdin.write(to_json(errand).encode() + b"\n")
            self._process.stdin.flush()
            is_sure = yield from _received(self._process.stdout)
            is_answered = True
            if not is_sure:
                raise Unsure("the reader is not sure")
        except OSError as gone:
            raise Unsure("the reader is gone") from gone
        finally:
            if not is_answered:
                self.close()

    def close(self) -> None:
        """End it, whatever it is doing: it only reads."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _received(stdout: IO[bytes]) -> Generator[Lot, None, bool]:
    """The lots of an answer; whether it was sure to the end."""
    while True:
        head = stdout.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise BrokenPipeError
        rows, last, key, size = _HEAD.unpack(head)
        if rows == 0:
            return bool(size != _NOT_SURE)
        hi, block = stdout.read(key), stdout.read(size)
        if len(block) < size:
            raise BrokenPipeError
        yield Lot(rows, hi, bool(last), block)


# --- the program ---------------------------------------------------------------------------


def main() -> None:
    """Answer errands until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sent us decides when we end
    with os.fdopen(os.dup(1), "wb", buffering=0) as stdout, suppress(BrokenPipeError):
        for line in sys.stdin.buffer:
            _answer(from_json(Errand, line.decode()), stdout)


def _answer(errand: Errand, stdout: BinaryIO) -> None:
    size = 0
    try:
        with closing(Ahead(lots(errand), "encoder", depth=2)) as found:
            for lot in found:
                head = _HEAD.pack(lot.rows, lot.last, len(lot.hi), len(lot.block))
                _write(stdout, head, lot.hi, lot.block)
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001  # a defect's message may show values; the exact path goes on
        size = _NOT_SURE
    _write(stdout, _HEAD.pack(0, 0, 0, size))


def _write(stdout: BinaryIO, *parts: bytes) -> None:
    """All of it: what is not buffered may take only a part."""
    for part in parts:
        left = memoryview(part)
        while left:
            left = left[stdout.write(left) :]


if __name__ == "__main__":
    main()
