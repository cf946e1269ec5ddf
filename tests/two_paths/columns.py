"""One column in a real file, down both paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from core.census.tally import ColumnTally
from core.plan.columns import purity
from core.plan.decide import fits
from core.source.batches import Batch, BatchReader, Unsure
from core.source.rows import KeyKind, RowKey, SqliteValue, TableSource, bound
from core.transfer.convert import copy_tuple
from core.values.columns import column_way
from core.values.declared import Kind
from core.values.exact import converter
from core.values.types import Conversion, Purity, Reject
from core.values.wire import Wire

SOURCE = TableSource(table="t", columns=("c",), key=RowKey(kind=KeyKind.ROWID, columns=("id",)))


@contextmanager
def stored(path: Path, values: Sequence[SqliteValue]) -> Iterator[BatchReader]:
    """The values in a column without affinity: each keeps its storage class."""
    path.unlink(missing_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").fetchall()
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, c)")
    with connection:
        for value in values:
            (mark,), (bindings) = bound((value,))
            connection.execute(f"INSERT INTO t (c) VALUES ({mark})", bindings)
    connection.close()
    with BatchReader(path) as reader:
        yield reader


def counted(conversion: Conversion, values: Sequence[SqliteValue]) -> Purity:
    """What the plan would say of the column's purity."""
    tally = ColumnTally(frozenset(Kind))
    tally.add(values)
    census = tally.result()
    is_moment_number = conversion.rule.startswith("epoch:")
    if not is_moment_number and fits(conversion, census) != census.values:
        return Purity.MIXED
    return purity(census)


def by_rows(conversion: Conversion, values: Sequence[SqliteValue]) -> list[bytes | Reject]:
    """What the exact path makes of each value: a tuple, or a refusal."""
    outcomes = map(converter(conversion), values)
    return [o if isinstance(o, Reject) else copy_tuple([o]) for o in outcomes]


def by_columns(
    reader: BatchReader, conversion: Conversion, known: Purity, batch_rows: int
) -> list[bytes | None]:
    """What the Arrow path makes of each batch: its tuples, or None where it was not sure;
    [] where the column has no such way."""
    way = column_way(conversion, known)
    if way is None:
        return []
    wire = Wire([conversion.type], [way])
    made: list[bytes | None] = []
    with closing(reader.batches(SOURCE, None, None, batch_rows)) as batches:
        try:
            for batch in batches:
                made.append(_tuples(wire, batch))  # noqa: PERF401 - until it is not sure
        except Unsure:
            made.append(None)
    return made


def _tuples(wire: Wire, batch: Batch) -> bytes | None:
    try:
        return b"".join(wire.tuples([batch.columns]))
    except Unsure:
        return None
