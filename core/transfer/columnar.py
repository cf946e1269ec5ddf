"""A range by columns: read and encoded by threads of their own, ahead of the writer.

Three things go on at once: one thread reads batches from the snapshot, one makes
tuples of them, and the member sends the chunk before and commits it. The libraries
that do the work let go of Python's lock meanwhile.

In doubt nothing is made here: the rows go the exact path.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.plan import TablePlan
from core.source.ahead import Ahead
from core.source.batches import Batch, BatchReader, Unsure, readable
from core.source.rows import Row, TableSource
from core.transfer.model import Bounds, RangeClaim
from core.values.columns import ColumnWay, column_way
from core.values.storage import unpack
from core.values.wire import Wire

BATCH_ROWS = 8_192
# Until the first chunk is there, nobody has anything to send.
_FIRST_ROWS = 1_024
DOUBT_ROWS = 10_000
"""How many rows go the exact path where a chunk could not be made."""


@dataclass(frozen=True)
class Lot:
    """A chunk as it is sent: its rows up to the key ``hi`` as blocks of tuples; ``last``
    when no row of the range follows."""

    rows: int
    hi: Row
    last: bool
    blocks: Sequence[bytes]


def column_path(snapshot: Path, table: TablePlan) -> ColumnPath | None:
    """The Arrow path of a table, None if one of its columns has none."""
    found = [column_way(column.conversion, column.purity) for column in table.columns]
    ways = [way for way in found if way is not None]
    if not readable(table.source) or len(ways) < len(found):
        return None
    return ColumnPath(snapshot, table, ways)


class ColumnPath:
    """The Arrow path of one table's ranges. Used by one thread, which closes it."""

    def __init__(self, snapshot: Path, table: TablePlan, ways: Sequence[ColumnWay]) -> None:
        self._snapshot = snapshot
        self._table = table
        self._wire = Wire([c.type for c in table.columns], ways)
        self._widest = max(1, sum(c.bytes_max for c in table.columns))
        self._doubted = 0
        self._lots: Ahead[Lot] | None = None
        self._next: tuple[bytes | None, Bounds] | None = None

    def next(self, claim: RangeClaim, bounds: Bounds) -> Lot | None:
        """The chunk past the range's watermark, None where the exact path is to make it."""
        if self._doubted > 0:
            return None
        if self._lots is None or self._next != (claim.done_to, bounds):
            self.close()
            self._lots = Ahead(self._made(claim, bounds), "encoder")
        # Only :meth:`sent` says that what follows this chunk comes next: if its commit is
        # lost, the same rows do.
        self._next = None
        try:
            return next(self._lots, None)
        except Unsure:
            self.doubt(DOUBT_ROWS)
            return None

    def sent(self, done_to: bytes | None, bounds: Bounds) -> None:
        """The chunk is in, and the range stands at ``done_to``."""
        self._next = done_to, bounds

    def doubt(self, rows: int) -> None:
        """Let the next ``rows`` go the exact path."""
        self._doubted = rows
        self.close()

    def passed(self, rows: int) -> None:
        """So many rows have gone the exact path."""
        self._doubted -= rows

    def close(self) -> None:
        """Make no more."""
        if self._lots is not None:
            self._lots.close()
            self._lots = None

    def _made(self, claim: RangeClaim, bounds: Bounds) -> Generator[Lot, None, None]:
        after = None if claim.done_to is None else unpack(claim.done_to)
        until = None if claim.hi is None else unpack(claim.hi)
        rows = max(1, min(BATCH_ROWS, bounds.rows, bounds.bytes // self._widest))
        with BatchReader(self._snapshot) as reader:
            read = _batches(reader, self._table.source, after, until, rows)
            with closing(Ahead(read, "reader")) as batches:
                for held, last in _portions(batches, bounds):
                    blocks = self._wire.tuples(batch.columns for batch in held)
                    yield Lot(sum(batch.rows for batch in held), held[-1].hi, last, blocks)


def _batches(
    reader: BatchReader, source: TableSource, after: Row | None, until: Row | None, rows: int
) -> Generator[Batch, None, None]:
    """The rows of a range, a few of them first."""
    with closing(reader.batches(source, after, until, min(rows, _FIRST_ROWS))) as few:
        first = next(few, None)
    if first is not None:
        yield first
        yield from reader.batches(source, first.hi, until, rows)


def _portions(batches: Iterator[Batch], bounds: Bounds) -> Iterator[tuple[list[Batch], bool]]:
    """The batches by chunks, small ones first, and whether none follows."""
    held: list[Batch] = []
    rows = _FIRST_ROWS
    coming = next(batches, None)
    while coming is not None:
        held.append(coming)
        coming = next(batches, None)
        count = sum(batch.rows for batch in held)
        full = sum(batch.bytes for batch in held) >= bounds.bytes
        if coming is None or full or count + coming.rows > min(rows, bounds.rows):
            yield held, coming is None
            held, rows = [], 4 * rows
