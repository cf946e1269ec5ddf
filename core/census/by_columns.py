"""The scan by columns: the same census, counted by Arrow a batch at a time.

A thread reads the next batch while this one is counted. Where a batch holds what only
the exact tally can tell apart, its rows are read and counted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import apsw

from core.census.classes import Classified, classified
from core.census.columns import ColumnCounter
from core.census.table import TableTally
from core.source.ahead import Ahead
from core.source.batches import BatchReader, Unsure, readable
from core.source.rows import Row, TableSource, origin, quoted, read_chunk, which
from core.values.declared import Kind

_BATCH_ROWS, _BATCH_BYTES = 8_192, 16 << 20
_DOUBT_ROWS = 10_000


class ColumnScan:
    """A snapshot, open for both ways of reading: ``connection`` is for the exact one."""

    def __init__(self, connection: apsw.Connection, snapshot: Path) -> None:
        self._connection = connection
        self._reader = BatchReader(snapshot)

    def __enter__(self) -> ColumnScan:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def can(self, source: TableSource) -> bool:
        """Whether the table can be read by columns at all."""
        return readable(source) and bool(source.columns)

    def count(
        self,
        source: TableSource,
        kinds: Mapping[str, frozenset[Kind]],
        range_rows: int,
        tell: Callable[[int], None],
    ) -> TableTally[ColumnCounter]:
        """Count the table; ``tell`` hears of the rows of each batch."""
        counters = {name: ColumnCounter(wanted) for name, wanted in kinds.items()}
        tally = TableTally(source, counters, range_rows)
        batch_rows = min(self._batch_rows(source), range_rows)
        after: Row | None = None
        while True:
            try:
                batches = classified(self._reader, source, after, batch_rows)
                with closing(Ahead(batches, "reader")) as coming:
                    for found in coming:
                        _add(tally, found)
                        after = found.batch.hi
                        tell(found.batch.rows)
                return tally
            except Unsure:
                chunk = read_chunk(
                    self._connection,
                    source,
                    after,
                    max_rows=min(_DOUBT_ROWS, range_rows),
                    max_bytes=_BATCH_BYTES,
                )
                tally.add(chunk)
                tell(len(chunk.rows))
                if chunk.last:
                    return tally
                after = chunk.hi

    def _batch_rows(self, source: TableSource) -> int:
        """How many rows a batch may have, however large they are."""
        try:
            widest = self._widest_stored(source) or self._widest_computed(source)
        except apsw.SQLError:  # too many columns for one expression, or one without a value
            return 1
        return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, widest)))

    def _widest_stored(self, source: TableSource) -> int:
        """The size of the largest row as it lies in the file, which each page says of itself;
        0 where that says nothing: SQLite was built without it, or columns are computed."""
        try:
            ((widest, computed),) = self._connection.execute(
                "SELECT (SELECT max(mx_payload) FROM dbstat WHERE name = ?1),"
                " (SELECT count(*) FROM pragma_table_xinfo(?1) WHERE hidden = 2)",
                (source.table,),
            ).fetchall()
        except apsw.SQLError:
            return 0
        return 0 if computed else int(widest or 0)

    def _widest_computed(self, source: TableSource) -> int:
        """The same, by the length of each value, which SQLite knows without reading it."""
        lengths = " + ".join(f"ifnull(octet_length({c}), 0)" for c in map(quoted, source.columns))
        sql = f"SELECT max({lengths}) FROM {origin(source)}{which(source)}"
        ((widest,),) = self._connection.execute(sql).fetchall()
        return int(widest or 0)


def _add(tally: TableTally[ColumnCounter], found: Classified) -> None:
    for counter, column, integers in zip(
        tally.tallies.values(), found.columns, found.integers, strict=True
    ):
        counter.add_array(column, integers)
    tally.passed(found.batch.rows, found.batch.bytes, found.batch.hi)
