"""The scan itself: every row of every table that is copied, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import TYPE_CHECKING

import apsw

from core.census.model import Census, TableCensus
from core.census.table import TableTally
from core.census.tally import ColumnTally
from core.schema.model import Database, Table
from core.schema.reading import ColumnRef, joined_columns, table_source
from core.source.reading import reading
from core.source.rows import TableSource, count_rows, quoted, scan
from core.source.snapshot import accept_collations, open_snapshot
from core.values.declared import Kind, declared

if TYPE_CHECKING:
    from core.census.by_columns import ColumnScan
    from core.census.columns import ColumnCounter

OnRows = Callable[[str, int], None]
RANGE_ROWS = 500_000
NO_FILTERS: Mapping[str, str] = {}
NOTHING_MORE: Mapping[ColumnRef, Kind] = {}
_SCAN_ROWS = 10_000


def take_census(
    connection: apsw.Connection,
    database: Database,
    on_rows: OnRows | None = None,
    *,
    range_rows: int = RANGE_ROWS,
    by_columns: bool = False,
    filters: Mapping[str, str] = NO_FILTERS,
    also: Mapping[ColumnRef, Kind] = NOTHING_MORE,
) -> Census:
    """Count what every column of ``database`` holds.

    ``connection`` reads a snapshot; ``on_rows(table, rows)`` hears of each batch.
    Tables are cut after at least ``range_rows`` rows or RANGE_BYTES of text and blobs.
    ``by_columns``: let Arrow count where it can; the census is the same. ``filters``: by
    table, the expression that its rows must fulfil to be counted. ``also``: what to look for
    in columns beside what their declared types ask.
    """
    ordinary = [t for t in database.tables if t.is_copied]
    scan_ = _Scan(database, range_rows, filters, also)
    tell = on_rows or _tell_nobody
    if by_columns:
        largest_first = sorted(ordinary, key=lambda t: -_about_rows(connection, t))
        found = _at_once(scan_, Path(connection.filename), largest_first, tell)
    else:
        found = {t.name: scan_.table(t, connection, None, tell) for t in ordinary}
    return Census(tables={t.name: found[t.name] for t in ordinary})


def _about_rows(connection: apsw.Connection, table: Table) -> int:
    """How many rows there may be; what is quickest to ask."""
    asked = "count(*)" if table.rowid_name is None else f"max({quoted(table.rowid_name)})"
    ((rows,),) = connection.execute(f"SELECT {asked} FROM {quoted(table.name)}").fetchall()
    return int(rows or 0)


def _tell_nobody(_table: str, _rows: int) -> None:
    pass


# --- two tables at a time ----------------------------------------------------------------

_AT_ONCE = 2
_LISTEN_SECONDS = 0.1


class _Enough(Exception):
    """Nobody waits for the census any more."""


def _at_once(
    scan_: _Scan, snapshot: Path, tables: list[Table], on_rows: OnRows
) -> dict[str, TableCensus]:
    """Some tables at a time, each by a thread with readers of its own; what they tell is
    told here, by the thread that asked."""
    from core.census.by_columns import ColumnScan  # noqa: PLC0415  # Arrow takes long to load

    told: SimpleQueue[tuple[str, int]] = SimpleQueue()
    enough = Event()

    def tell(table: str, rows: int) -> None:
        if enough.is_set():
            raise _Enough
        told.put((table, rows))

    def count(table: Table) -> TableCensus:
        with closing(open_snapshot(snapshot)) as connection, reading(snapshot):
            accept_collations(connection)
            with ColumnScan(connection, snapshot) as columns:
                return scan_.table(table, connection, columns, tell)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="census") as pool:
        coming = {pool.submit(count, table): table.name for table in tables}
        try:
            while not all(future.done() for future in coming) or not told.empty():
                with suppress(Empty):
                    on_rows(*told.get(timeout=_LISTEN_SECONDS))
        except BaseException:
            enough.set()
            pool.shutdown(cancel_futures=True)
            raise
        return {name: future.result() for future, name in coming.items()}


class _Scan:
    """A database on its way through the census."""

    def __init__(
        self,
        database: Database,
        range_rows: int,
        filters: Mapping[str, str],
        also: Mapping[ColumnRef, Kind],
    ) -> None:
        self._filters = filters
        self._encoding = database.encoding
        self._wanted = _wanted_kinds(database, also)
        self._range_rows = range_rows

    def table(
        self,
        table: Table,
        connection: apsw.Connection,
        columns: ColumnScan | None,
        on_rows: OnRows,
    ) -> TableCensus:
        """The census of one table."""
        unreadable = _unreadable(connection, table)
        names = [c.name for c in table.columns if c.name not in unreadable]
        where = self._filters.get(table.name, "")
        source = table_source(table, self._encoding, names, where=where)
        kinds = {name: self._wanted[table.name, name] for name in names}

        def tell(rows: int) -> None:
            on_rows(table.name, rows)

        tally: TableTally[ColumnTally] | TableTally[ColumnCounter]
        if columns is not None and columns.can(source):
            tally = columns.count(source, kinds, self._range_rows, tell)
        else:
            tally = self._by_rows(connection, source, kinds, tell)
        found = tally.result(unreadable)
        if not where:
            return found
        return replace(found, left_out=_all_rows(connection, source) - found.rows)

    def _by_rows(
        self,
        connection: apsw.Connection,
        source: TableSource,
        kinds: Mapping[str, frozenset[Kind]],
        tell: Callable[[int], None],
    ) -> TableTally[ColumnTally]:
        tally = TableTally(source, {n: ColumnTally(k) for n, k in kinds.items()}, self._range_rows)
        for chunk in scan(connection, source, max_rows=min(_SCAN_ROWS, self._range_rows)):
            tally.add(chunk)
            tell(len(chunk.rows))
        return tally


def _all_rows(connection: apsw.Connection, source: TableSource) -> int:
    return count_rows(connection, replace(source, where=""))


def _wanted_kinds(
    database: Database, also: Mapping[ColumnRef, Kind]
) -> Mapping[ColumnRef, frozenset[Kind]]:
    """Per column, the kinds to look for: its own, what ``also`` says, and those of its
    foreign-key group."""
    own = {
        (table.name, column.name): frozenset(
            {declared(column.declared_type, strict=table.strict).kind}
            | ({also[table.name, column.name]} if (table.name, column.name) in also else set())
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
