"""SQLite's side: its objects and its rows, read with apsw from a copy of the judge's own."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from benchmarks.scoreboard.comparer.declared import Check, checks, deferrals
from benchmarks.scoreboard.comparer.meaning import Stored, Text

PATIENCE = 20.0
"""Seconds that one query may take."""


def quoted(name: str) -> str:
    """A name as SQL writes it, on both sides."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; ``generated`` when a rule computes it."""

    name: str
    declared: str
    not_null: bool
    default: str | None
    generated: bool
    collation: str


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index: its terms are (column, or None for an expression; descending; collation)."""

    name: str
    unique: bool
    origin: str
    partial: bool
    terms: tuple[tuple[str | None, bool, str], ...]
    sql: str


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key; ``to`` is () where it means the parent's primary key."""

    columns: tuple[str, ...]
    parent: str
    to: tuple[str, ...]
    on_update: str
    on_delete: str
    deferrable: bool
    deferred: bool


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table. ``alias`` is its INTEGER PRIMARY KEY; ``rowid`` the name that reads its
    rowid, None without one; ``sequence`` what sqlite_sequence remembers; ``content`` the table
    whose rows a full-text table finds, if it has none of its own."""

    name: str
    virtual: bool
    sql: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    alias: str | None
    rowid: str | None
    indexes: tuple[Index, ...]
    references: tuple[Reference, ...]
    checks: tuple[Check, ...]
    sequence: int | None
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Other:
    """A view or a trigger; ``broken``: SQLite itself cannot run the view."""

    kind: str
    name: str
    table: str
    sql: str = ""
    broken: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row: its rowid (None without one), its place in the scan from 1, its values."""

    rowid: int | None
    place: int
    values: tuple[Stored, ...]


MOST = 100_000
"""A view of so many rows is judged by its columns alone: hostile ones multiply without end."""


_CONTENT = re.compile(
    r"using\s+fts[345]\b.*?\bcontent\s*=\s*['\"`\[]?([^'\"`\],)\s]+)", re.IGNORECASE | re.DOTALL
)


def _content(sql: str) -> str:
    """The table that ``content=`` names."""
    found = _CONTENT.search(sql)
    return found[1] if found else ""


class Source:
    """One open SQLite database. ``unread`` names the tables that SQLite cannot read."""

    def __init__(self, path: Path) -> None:
        self.connection = apsw.Connection(str(path))
        self._until = 0.0
        # A view may go on for ever.
        self.connection.set_progress_handler(lambda: time.monotonic() > self._until, 100_000)
        try:
            self._encoding = str(self.connection.pragma("encoding"))
        except apsw.CorruptError:  # an object that SQLite cannot load: then it passes over it
            self.connection.execute("PRAGMA writable_schema = ON")
            self._encoding = str(self.connection.pragma("encoding"))
        self.unread: dict[str, str] = {}

    def close(self) -> None:
        """Be done with it."""
        self.connection.close()

    # --- objects --------------------------------------------------------------------------

    def tables(self) -> tuple[Table, ...]:
        """All tables but SQLite's own and those behind virtual ones."""
        return tuple(self._tables())

    def _tables(self) -> Iterator[Table]:
        listed = self.ask("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'")
        for name, kind, without_rowid in listed:
            if kind not in ("table", "virtual") or name.startswith("sqlite_"):
                continue
            try:
                yield self._table(
                    name, virtual=kind == "virtual", without_rowid=bool(without_rowid)
                )
            except apsw.Error as refused:
                self.unread[name] = str(refused)

    def _table(self, name: str, *, virtual: bool, without_rowid: bool) -> Table:
        sql = (
            self.one("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", name) or ""
        )
        columns = tuple(self._columns(name))
        key = tuple(
            column
            for column, place in self.ask(
                "SELECT name, pk FROM pragma_table_xinfo(?) ORDER BY pk", name
            )
            if place
        )
        taken = {c.name.lower() for c in columns}
        free = [each for each in ("rowid", "_rowid_", "oid") if each not in taken]
        alias = None if without_rowid or virtual else self._alias(name, key)
        return Table(
            name=name,
            virtual=virtual,
            sql=sql,
            columns=columns,
            key=key,
            alias=alias,
            rowid=alias or (None if without_rowid or not free else free[0]),
            indexes=() if virtual else tuple(self._indexes(name)),
            references=() if virtual else tuple(self._references(name, sql)),
            checks=() if virtual else checks(sql),
            sequence=self._sequence(name),
            content=_content(sql) if virtual else "",
        )  # fmt: skip

    def _columns(self, table: str) -> Iterator[Column]:
        query = 'SELECT name, type, "notnull", dflt_value, hidden, pk FROM pragma_table_xinfo(?)'
        for name, declared, not_null, default, hidden, _ in self.ask(query, table):
            if hidden == 1:
                continue
            try:
                collation = self.connection.column_metadata("main", table, name)[1]
            except apsw.Error:
                collation = "BINARY"
            yield Column(
                name=name,
                declared=declared or "",
                not_null=bool(not_null),
                default=default,
                generated=hidden in (2, 3),
                collation=(collation or "BINARY").upper(),
            )

    def _alias(self, table: str, key: tuple[str, ...]) -> str | None:
        """The INTEGER PRIMARY KEY: the key that has no index of its own."""
        has_index = self.one("SELECT count(*) FROM pragma_index_list(?) WHERE origin = 'pk'", table)
        return key[0] if len(key) == 1 and not has_index else None

    def _indexes(self, table: str) -> Iterator[Index]:
        for name, unique, origin, partial in self.ask(
            'SELECT name, "unique", origin, partial FROM pragma_index_list(?)', table
        ):
            terms = self.ask(
                'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno',
                name,
            )
            yield Index(
                name=name,
                unique=bool(unique),
                origin=origin,
                partial=bool(partial),
                terms=tuple((n, bool(d), (c or "BINARY").upper()) for n, d, c in terms),
                sql=self.one(
                    "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", name
                )
                or "",
            )

    def _references(self, table: str, sql: str) -> Iterator[Reference]:
        query = 'SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq'
        grouped: dict[int, list[tuple[str, ...]]] = {}
        for number, *rest in self.ask(query, table):
            grouped.setdefault(number, []).append(tuple(rest))
        waits = deferrals(sql)
        for number, parts in grouped.items():
            # SQLite numbers them from the last one written to the first.
            place = len(grouped) - 1 - number
            deferrable, deferred = waits[place] if len(waits) == len(grouped) else (False, False)
            yield Reference(
                columns=tuple(p[1] for p in parts),
                parent=parts[0][0],
                to=tuple(p[2] for p in parts if p[2] is not None),
                on_update=parts[0][3],
                on_delete=parts[0][4],
                deferrable=deferrable,
                deferred=deferred,
            )

    def _sequence(self, table: str) -> int | None:
        if not self.one("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'"):
            return None
        found = self.one(
            "SELECT max(CAST(seq AS INTEGER)) FROM sqlite_sequence WHERE name = ?", table
        )
        return None if found is None else int(found)

    def others(self) -> tuple[Other, ...]:
        """Views and triggers."""
        return tuple(
            Other(
                kind=kind, name=name, table=table or "", sql=sql or "",
                broken=kind == "view" and self._is_broken(name),
            )
            for kind, name, table, sql in self.ask(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')"
            )
        )  # fmt: skip

    def _is_broken(self, view: str) -> bool:
        try:
            self.ask(f"SELECT count(*) FROM (SELECT * FROM main.{quoted(view)} LIMIT {MOST})")
        except (apsw.Error, UnicodeDecodeError):
            return True
        return False

    # --- rows -------------------------------------------------------------------------------

    def rows(self, table: Table) -> list[Row]:
        """Every row of a table, all its columns. Raises apsw errors where SQLite cannot."""
        names = [c.name for c in table.columns]
        number = f"{quoted(table.rowid)}" if table.rowid and not table.virtual else "NULL"
        found = self._values(f"FROM main.{quoted(table.name)}", names, number)
        return [
            Row(rowid=rowid, place=place, values=values)
            for place, (rowid, values) in enumerate(found, 1)
        ]

    def view(self, name: str) -> tuple[list[str], list[tuple[Stored, ...]]]:
        """The columns of a view, and its rows; MOST rows when it has more."""
        names = [n for (n,) in self.ask("SELECT name FROM pragma_table_xinfo(?)", name)]
        found = self._values(f"FROM main.{quoted(name)} LIMIT {MOST}", names, "NULL")
        return names, [v for _, v in found]

    def _values(
        self, source: str, names: list[str], number: str
    ) -> Iterator[tuple[int | None, tuple[Stored, ...]]]:
        terms = "".join(
            f", typeof({n}), CASE typeof({n}) WHEN 'text' THEN CAST({n} AS BLOB) ELSE {n} END"
            for n in map(quoted, names)
        )
        for rowid, *cells in self.ask(f"SELECT {number}{terms} {source}"):
            values = zip(cells[::2], cells[1::2], strict=True)
            yield rowid, tuple(self._stored(kind, value) for kind, value in values)  # type: ignore[arg-type]

    def _stored(self, kind: str, value: Stored) -> Stored:
        if kind != "text":
            return value
        assert isinstance(value, bytes)
        if self._encoding == "UTF-8":
            return Text(value)
        return Text(
            value.decode(self._order, errors="surrogatepass").encode(errors="surrogatepass")
        )

    @property
    def _order(self) -> str:
        return "utf-16-le" if self._encoding == "UTF-16le" else "utf-16-be"

    def as_stored(self, text: Text) -> bytes:
        """A text's bytes as they lie in the file, in the file's own encoding."""
        if self._encoding == "UTF-8":
            return bytes(text)
        return text.decode(errors="surrogatepass").encode(self._order, errors="surrogatepass")

    # --- asking ---------------------------------------------------------------------------------

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All that a query answers, within ``PATIENCE`` seconds. Raises apsw errors."""
        self._until = time.monotonic() + PATIENCE
        return self.connection.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: Any) -> Any:
        """The first value of the first row, None for no row."""
        found = self.ask(query, *parameters)
        return found[0][0] if found else None
