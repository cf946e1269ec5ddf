"""Reading and encoding a table's rows by the Arrow path, here or in a process beside.

Whoever copies has threads do it: the libraries let go of Python's lock while they work.
Whoever verifies takes the target's rows one by one, each through Python, and would wait
for the encoder at every one: there this module's program does it.
What it is asked comes as lines of JSON on its standard input; what it answers are lots
on its standard output: four numbers (rows, whether it is the last, the sizes of key and
block), the key, the block. A lot of no rows ends an errand; one with NOT_SURE for a size
says that only the exact path can go on.
"""

from __future__ import annotations

import os
import signal
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
from core.source.batches import Batch, BatchReader, Unsure, readable
from core.source.rows import Row, TableSource
from core.values.columns import ColumnWay, column_way, proof_way
from core.values.storage import pack, unpack
from core.values.wire import Wire

BATCH_ROWS = 8_192
# Until the first lot is there, nobody has anything to send.
_FIRST_ROWS = 1_024
_HEAD = struct.Struct("!qqqq")
_NOT_SURE = -1


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What is to be read from a snapshot: the rows of ``table`` past the packed key
    ``after`` and up to ``until`` (both in hex, None: from the start, to the end), in lots of
    at most so many ``rows`` and about so many bytes (``size``); for ``proof`` as the server hands
    them back, else as it takes them."""

    snapshot: str
    table: TablePlan
    after: str | None
    until: str | None
    rows: int
    size: int
    proof: bool = False

    def to_line(self) -> bytes:
        """The errand as one line."""
        return to_json(self).encode() + b"\n"


@dataclass(frozen=True)
class Lot:
    """Some rows, encoded: up to the packed key ``hi``; ``last`` when none follows."""

    rows: int
    hi: bytes
    last: bool
    block: bytes


def goes_by_columns(table: TablePlan) -> bool:
    """Whether all columns of the table can go the Arrow path."""
    return readable(table.source) and all(_ways(table, proof=False))


def lots(errand: Errand) -> Generator[Lot, None, None]:
    """The rows of an errand. Raises Unsure."""
    table = errand.table
    ways = [way for way in _ways(table, proof=errand.proof) if way is not None]
    wire = Wire([column.type for column in table.columns], ways)
    widest = max(1, sum(column.bytes_max for column in table.columns))
    rows = max(1, min(BATCH_ROWS, errand.rows, errand.size // widest))
    with BatchReader(Path(errand.snapshot)) as reader:
        read = _batches(reader, table.source, _key(errand.after), _key(errand.until), rows)
        with closing(Ahead(read, "reader", depth=2)) as batches:
            for held, last in _portions(batches, errand):
                block = b"".join(wire.tuples(batch.columns for batch in held))
                yield Lot(sum(batch.rows for batch in held), pack(held[-1].hi), last, block)


def _ways(table: TablePlan, *, proof: bool) -> list[ColumnWay | None]:
    way = proof_way if proof else column_way
    return [way(column.conversion, column.purity) for column in table.columns]


def _key(packed: str | None) -> Row | None:
    return None if packed is None else unpack(bytes.fromhex(packed))


def _batches(
    reader: BatchReader, source: TableSource, after: Row | None, until: Row | None, rows: int
) -> Generator[Batch, None, None]:
    """The rows in key order, a few of them first."""
    with closing(reader.batches(source, after, until, min(rows, _FIRST_ROWS))) as few:
        first = next(few, None)
    if first is not None:
        yield first
        yield from reader.batches(source, first.hi, until, rows)


def _portions(batches: Iterator[Batch], errand: Errand) -> Iterator[tuple[list[Batch], bool]]:
    """The batches by lots, small ones first, and whether none follows."""
    held: list[Batch] = []
    rows = _FIRST_ROWS
    coming = next(batches, None)
    while coming is not None:
        held.append(coming)
        coming = next(batches, None)
        count = sum(batch.rows for batch in held)
        full = sum(batch.bytes for batch in held) >= errand.size
        if coming is None or full or count + coming.rows > min(rows, errand.rows):
            yield held, coming is None
            held, rows = [], 4 * rows


# --- the process, as whoever started it sees it --------------------------------------------


class ReaderProcess:
    """The process, started when it is first asked, and anew after a broken answer."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it load its libraries meanwhile."""
        self._process = self._process or subprocess.Popen(
            [sys.executable, "-m", "core.transfer.reader"],
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
            self._process.stdin.write(errand.to_line())
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
