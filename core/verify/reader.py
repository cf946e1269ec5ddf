"""The source's side of the quick proof, in a process of its own.

Python lets one thread work at a time: with the target's rows coming in one by one, the
source would be encoded in the pauses. So the program of this module does it beside.
What it is asked comes as lines of JSON on its standard input, what it answers are
blocks on its standard output: how many rows, how many bytes, and the tuples. A block
of no rows ends a table; one of no rows and NOT_SURE bytes says that it went wrong.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from core.plan import TablePlan, from_json, to_json
from core.source.ahead import Ahead
from core.source.batches import BatchReader, Unsure
from core.values.columns import proof_way
from core.values.wire import Wire

HEAD = struct.Struct("!qq")
NOT_SURE = -1
_BATCH_ROWS = 8_192
_BATCH_BYTES = 16 << 20


@dataclass(frozen=True)
class Errand:
    """A table to read from a snapshot; in the order of its source's key."""

    snapshot: str
    table: TablePlan

    def to_line(self) -> bytes:
        """The errand as one line."""
        return to_json(self).encode() + b"\n"


class SourceProcess:
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

    def blocks(self, errand: Errand) -> Generator[tuple[int, bytes], None, None]:
        """The table's rows, encoded; one who does not want them all closes the generator.
        Raises Unsure."""
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        is_whole = False
        try:
            self._process.stdin.write(errand.to_line())
            self._process.stdin.flush()
            yield from _blocks(self._process.stdout)
            is_whole = True
        except Unsure:
            is_whole = True
            raise
        except BrokenPipeError as gone:
            raise Unsure("the reader is gone") from gone
        finally:
            if not is_whole:
                self.stop()

    def stop(self) -> None:
        """End it, whatever it is doing: it only reads."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _blocks(stdout: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    while True:
        head = stdout.read(HEAD.size)
        if len(head) < HEAD.size:
            raise Unsure("the reader is gone")
        rows, size = HEAD.unpack(head)
        if size == NOT_SURE:
            raise Unsure("the reader was not sure")
        if rows == 0:
            return
        yield rows, stdout.read(size)


# --- the program -------------------------------------------------------------------------


def main() -> None:
    """Answer errands until standard input ends."""
    with os.fdopen(os.dup(1), "wb", buffering=0) as stdout, suppress(BrokenPipeError):
        for line in sys.stdin.buffer:
            _answer(from_json(Errand, line.decode()), stdout)


def _answer(errand: Errand, stdout: BinaryIO) -> None:
    try:
        with closing(Ahead(tuples(errand), "encoder")) as blocks:
            for rows, block in blocks:
                _write(stdout, HEAD.pack(rows, len(block)), block)
    except Unsure:
        _write(stdout, HEAD.pack(0, NOT_SURE))
    else:
        _write(stdout, HEAD.pack(0, 0))


def tuples(errand: Errand) -> Generator[tuple[int, bytes], None, None]:
    """The source's rows as the server would send them, batch by batch. Raises Unsure."""
    table = errand.table
    ways = [proof_way(column.conversion, column.purity) for column in table.columns]
    wire = Wire([c.type for c in table.columns], [way for way in ways if way is not None])
    widest = max(1, sum(column.bytes_max for column in table.columns))
    rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES // widest))
    with (
        BatchReader(Path(errand.snapshot)) as reader,
        closing(Ahead(reader.batches(table.source, None, None, rows), "reader")) as batches,
    ):
        for batch in batches:
            yield batch.rows, b"".join(wire.tuples([batch.columns]))


def _write(stdout: BinaryIO, *parts: bytes) -> None:
    """All of it: what is not buffered may take only a part."""
    for part in parts:
        left = memoryview(part)
        while left:
            left = left[stdout.write(left) :]


if __name__ == "__main__":
    main()
