"""Reading and encoding a table's rows by the Arrow path, a lot at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.plan import TablePlan
from core.source.ahead import Ahead
from core.source.batches import Batch, BatchReader, readable
from core.source.rows import Row, TableSource
from core.values.columns import ColumnWay, column_way, proof_way
from core.values.storage import pack, unpack
from core.values.wire import Wire

BATCH_ROWS = 8_192
# Until the first lot is there, nobody has anything to send.
_FIRST_ROWS = 1_024


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
