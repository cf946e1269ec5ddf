"""The scan itself: every row of every ordinary table, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import apsw

from core.census.model import Census, TableCensus
from core.census.tally import ColumnTally
from core.schema.model import Database, Table, TableKind
from core.schema.reading import ColumnRef, joined_columns, table_source
from core.source.rows import KeyKind, Row, RowChunk, TableSource, quoted, scan
from core.values.declared import Kind, declared

OnRows = Callable[[str, int], None]
RANGE_ROWS, RANGE_BYTES = 100_000, 128 << 20
_SCAN_ROWS = 10_000


def take_census(
    connection: apsw.Connection,
    database: Database,
    on_rows: OnRows | None = None,
    *,
    range_rows: int = RANGE_ROWS,
) -> Census:
    """Count what every column of ``database`` holds.

    ``connection`` reads a snapshot; ``on_rows(table, rows)`` hears of each batch.
    Tables are cut after at least ``range_rows`` rows or RANGE_BYTES of text and blobs.
    """
    wanted = _wanted_kinds(database)
    ordinary = [t for t in database.tables if t.kind is TableKind.ORDINARY]
    counted = (
        _count(connection, t, database.encoding, wanted, on_rows, range_rows) for t in ordinary
    )
    return Census(tables={census.table: census for census in counted})


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


def _count(
    connection: apsw.Connection,
    table: Table,
    encoding: str,
    wanted: Mapping[ColumnRef, frozenset[Kind]],
    on_rows: OnRows | None,
    range_rows: int,
) -> TableCensus:
    unreadable = _unreadable(connection, table)
    names = [c.name for c in table.columns if c.name not in unreadable]
    tallies = {name: ColumnTally(wanted[table.name, name]) for name in names}
    rows = 0
    source = table_source(table, encoding, names)
    cuts = _Cuts(source, range_rows)
    for chunk in scan(connection, source, max_rows=min(_SCAN_ROWS, range_rows)):
        rows += len(chunk.rows)
        cuts.add(chunk)
        for tally, column in zip(tallies.values(), zip(*chunk.rows, strict=True), strict=False):
            tally.add(column)
        if on_rows is not None:
            on_rows(table.name, len(chunk.rows))
    columns = {name: tally.result() for name, tally in tallies.items()}
    return TableCensus(
        table=table.name,
        rows=rows,
        columns=columns,
        unreadable=unreadable,
        cuts=tuple(cuts.found),
    )


class _Cuts:
    """The keys at which enough rows have gone by, none at the table's end."""

    def __init__(self, source: TableSource, range_rows: int) -> None:
        self.found: list[Row] = []
        # Paging by position from the middle would read all that lies before.
        self._possible = source.key.kind is not KeyKind.POSITION
        self._range_rows = range_rows
        self._rows = self._bytes = 0

    def add(self, chunk: RowChunk) -> None:
        self._rows += len(chunk.rows)
        self._bytes += chunk.size
        enough = self._rows >= self._range_rows or self._bytes >= RANGE_BYTES
        if enough and self._possible and chunk.hi is not None and not chunk.last:
            self.found.append(chunk.hi)
            self._rows = self._bytes = 0


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
