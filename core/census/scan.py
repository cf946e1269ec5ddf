"""The scan itself: every row of every ordinary table, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from core.census.model import Census, TableCensus
from core.census.table import TableTally
from core.census.tally import ColumnTally
from core.schema.model import Database, Table, TableKind
from core.schema.reading import ColumnRef, joined_columns, table_source
from core.source.rows import TableSource, quoted, scan
from core.values.declared import Kind, declared

if TYPE_CHECKING:
    from core.census.by_columns import ColumnScan
    from core.census.columns import ColumnCounter

OnRows = Callable[[str, int], None]
RANGE_ROWS = 500_000
_SCAN_ROWS = 10_000


def take_census(
    connection: apsw.Connection,
    database: Database,
    on_rows: OnRows | None = None,
    *,
    range_rows: int = RANGE_ROWS,
    by_columns: bool = False,
) -> Census:
    """Count what every column of ``database`` holds.

    ``connection`` reads a snapshot; ``on_rows(table, rows)`` hears of each batch.
    Tables are cut after at least ``range_rows`` rows or RANGE_BYTES of text and blobs.
    ``by_columns``: let Arrow count where it can; the census is the same.
    """
    with _column_scan(connection) if by_columns else _nothing() as columns:
        census = _Scan(connection, database, on_rows or _tell_nobody, range_rows, columns)
        ordinary = [t for t in database.tables if t.kind is TableKind.ORDINARY]
        return Census(tables={t.name: census.table(t) for t in ordinary})


@contextmanager
def _column_scan(connection: apsw.Connection) -> Iterator[ColumnScan | None]:
    from core.census.by_columns import ColumnScan  # noqa: PLC0415  # Arrow takes long to load

    with ColumnScan(connection, Path(connection.filename)) as columns:
        yield columns


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def _tell_nobody(_table: str, _rows: int) -> None:
    pass


class _Scan:
    """A database on its way through the census."""

    def __init__(
        self,
        connection: apsw.Connection,
        database: Database,
        on_rows: OnRows,
        range_rows: int,
        columns: ColumnScan | None,
    ) -> None:
        self._connection = connection
        self._encoding = database.encoding
        self._wanted = _wanted_kinds(database)
        self._on_rows = on_rows
        self._range_rows = range_rows
        self._columns = columns

    def table(self, table: Table) -> TableCensus:
        """The census of one table."""
        unreadable = _unreadable(self._connection, table)
        names = [c.name for c in table.columns if c.name not in unreadable]
        source = table_source(table, self._encoding, names)
        kinds = {name: self._wanted[table.name, name] for name in names}

        def tell(rows: int) -> None:
            self._on_rows(table.name, rows)

        tally: TableTally[ColumnTally] | TableTally[ColumnCounter]
        if self._columns is not None and self._columns.can(source):
            tally = self._columns.count(source, kinds, self._range_rows, tell)
        else:
            tally = self._by_rows(source, kinds, tell)
        return tally.result(unreadable)

    def _by_rows(
        self, source: TableSource, kinds: Mapping[str, frozenset[Kind]], tell: Callable[[int], None]
    ) -> TableTally[ColumnTally]:
        tally = TableTally(source, {n: ColumnTally(k) for n, k in kinds.items()}, self._range_rows)
        for chunk in scan(self._connection, source, max_rows=min(_SCAN_ROWS, self._range_rows)):
            tally.add(chunk)
            tell(len(chunk.rows))
        return tally


def _wanted_kinds(database: Database) -> Mapping[ColumnRef, frozenset[Kind]]:
    """Per column, the kinds to look for: its own and those of its foreign-key group."""
    own = {
        (table.name, column.name): frozenset(
            {declared(column.declared_type, strict=table.strict).kind}
        )
        for table in database.tables
        for column in table.columns
    }
    wanted = dict(own)
    for group in joined_columns(database):
        kinds = frozenset().union(*(own[member] for member in group))
        wanted.update(dict.fromkeys(group, kinds))
    return wanted


def _unreadable(connection: apsw.Connection, table: Table) -> Mapping[str, str]:
    """Generated columns that cannot be computed here, for some row or at all."""
    found: dict[str, str] = {}
    for column in table.columns:
        if column.generated is None:
            continue
        try:
            name = quoted(column.name)
            connection.execute(f"SELECT max({name}) FROM {quoted(table.name)}").fetchall()
        except UnicodeDecodeError:
            continue
        except apsw.SQLError as refused:
            found[column.name] = str(refused)
    return found
