"""What a SQLite database says it holds: the rows of sqlite_schema, and who answers questions.

Text is fetched as bytes and decoded here: a schema may hold text that is not
valid in the database's own encoding, and asking for it as text would fail the
whole answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apsw

from core.errors import SourceSchemaUnreadable
from core.schema.model import TableKind
from core.schema.names import fold
from core.schema.notes import NoteReason, SchemaNote

_CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A row of sqlite_schema; ``intact`` is false when its SQL is not valid text."""

    kind: str
    name: str
    table: str
    sql: str
    intact: bool


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A row of ``PRAGMA table_list``; a view is listed too, with no kind of table."""

    kind: TableKind | None
    without_rowid: bool
    strict: bool


class Catalogue:
    """The objects of the main database, and the notes of this reading.

    Raises :class:`SourceSchemaUnreadable` when SQLite cannot load the schema at all.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.notes: list[SchemaNote] = []
        try:
            self.encoding = _encoding(connection)
        except (apsw.CorruptError, apsw.SQLError, apsw.NotADBError) as error:
            path = connection.db_filename("main")
            raise SourceSchemaUnreadable(path=path, detail=str(error)) from error
        self._codec = _CODECS[self.encoding]
        self._stored = [stored for row in self._stored_rows() if (stored := self._stored_row(*row))]
        self.listed = self._read_listed()
        self.index_sql = {s.name: s for s in self._stored if s.kind == "index"}

    def rows(self, sql: str, *bindings: str) -> list[tuple[Any, ...]]:
        """All rows that ``sql`` answers."""
        return list(self.connection.execute(sql, bindings))

    def number(self, sql: str) -> int:
        """The one number that ``sql`` answers."""
        return int(self.rows(sql)[0][0])

    def text(self, raw: bytes) -> str:
        """``raw`` as a name; raises UnicodeDecodeError."""
        return raw.decode(self._codec)

    def lenient(self, raw: bytes | None) -> str:
        """``raw`` as text to look at, with replacement signs."""
        return (raw or b"").decode(self._codec, errors="replace")

    def note(self, kind: str, name: str, reason: NoteReason, detail: str = "") -> None:
        """Keep in mind that something could not be read."""
        self.notes.append(SchemaNote(kind=kind, object=name, reason_id=reason, detail=detail))

    def objects(self, kind: str) -> Iterator[Stored]:
        """The objects of this kind, in the order of their making.

        A table or view that SQLite could not load leaves a note instead.
        """
        for stored in self._stored:
            if stored.kind != kind:
                continue
            if kind in ("table", "view") and stored.name not in self.listed:
                self.note(kind, stored.name, NoteReason.OBJECT_MALFORMED)
            else:
                yield stored

    def _stored_rows(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT CAST(type AS BLOB), CAST(name AS BLOB), CAST(tbl_name AS BLOB),"
            " CAST(sql AS BLOB) FROM main.sqlite_schema ORDER BY rowid"
        )

    def _stored_row(self, kind: bytes, name: bytes, table: bytes, sql: bytes) -> Stored | None:
        """None for SQLite's own objects and for names that are not text."""
        said_kind, said_sql = self.lenient(kind), self.lenient(sql)
        try:
            called, of = self.text(name), self.text(table)
        except UnicodeDecodeError:
            self.note(said_kind, self.lenient(name), NoteReason.NAME_NOT_TEXT)
            return None
        if fold(called).startswith("sqlite_"):
            return None
        intact = said_sql.encode(self._codec) == (sql or b"")
        if not intact:
            self.note(said_kind, called, NoteReason.SQL_NOT_TEXT)
        return Stored(kind=said_kind, name=called, table=of, sql=said_sql, intact=intact)

    def _read_listed(self) -> dict[str, Listed]:
        rows = self.rows(
            "SELECT CAST(name AS BLOB), type, wr, strict FROM pragma_table_list"
            " WHERE schema = 'main'"
        )
        return {
            self.lenient(name): Listed(
                kind=None if kind == "view" else TableKind(kind),
                without_rowid=bool(without_rowid),
                strict=bool(strict),
            )
            for name, kind, without_rowid, strict in rows
        }


def _encoding(connection: apsw.Connection) -> str:
    """The first question that makes SQLite load the schema."""
    question = "PRAGMA main.encoding"
    try:
        return str(connection.execute(question).get)
    except apsw.CorruptError:
        # Not by the pragma of that name, which a defensive connection ignores.
        connection.config(apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1)
        return str(connection.execute(question).get)
