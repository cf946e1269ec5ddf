"""Read the schema of a SQLite database.

Names, types, keys and indexes come from PRAGMAs and from
``sqlite3_table_column_metadata`` (https://sqlite.org/pragma.html), so they mean
what SQLite makes of them; checks, generation rules and the names of constraints
come from the text (:mod:`core.schema.declarations`). An object that cannot be
read costs that object and leaves a note.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import apsw

from core.schema.catalogue import Catalogue, Stored
from core.schema.declarations import parses
from core.schema.model import Database, ForeignKey, Sequence, Table, Trigger, View
from core.schema.names import fold
from core.schema.notes import NoteReason, SchemaNote
from core.schema.tables import read_table
from core.source.rows import quoted


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A schema, and what could not be read of it."""

    database: Database
    notes: tuple[SchemaNote, ...]


def read_sqlite(connection: apsw.Connection) -> Reading:
    """The schema of the connection's main database.

    If the stored schema holds an object that SQLite cannot load, the connection
    is switched to a "writable schema", under which SQLite passes over such
    objects (https://sqlite.org/pragma.html#pragma_writable_schema), and left so:
    otherwise the other tables could not be read through it either. Nothing is
    written, and a defensive connection still refuses to.

    Raises :class:`~core.errors.SourceSchemaUnreadable` when SQLite cannot load
    the schema at all.
    """
    catalogue = Catalogue(connection)
    tables = _with_parents(_tables(catalogue))
    database = Database(
        tables=tables,
        views=tuple(_view(catalogue, stored) for stored in catalogue.objects("view")),
        triggers=tuple(_trigger(catalogue, stored) for stored in catalogue.objects("trigger")),
        sequences=_sequences(catalogue, {table.name for table in tables}),
        encoding=catalogue.encoding,
        user_version=catalogue.number("PRAGMA main.user_version"),
        application_id=catalogue.number("PRAGMA main.application_id"),
    )
    _note_lost_indexes(catalogue, tables)
    return Reading(database=database, notes=tuple(catalogue.notes))


def _tables(catalogue: Catalogue) -> list[Table]:
    found = (_try_table(catalogue, stored) for stored in catalogue.objects("table"))
    return [table for table in found if table is not None]


def _try_table(catalogue: Catalogue, stored: Stored) -> Table | None:
    try:
        return read_table(catalogue, stored)
    except UnicodeDecodeError as error:
        catalogue.note("table", stored.name, NoteReason.NAME_NOT_TEXT, str(error))
    except apsw.Error as error:
        catalogue.note("table", stored.name, NoteReason.OBJECT_UNREADABLE, str(error))
    return None


def _view(catalogue: Catalogue, stored: Stored) -> View:
    try:
        # EXPLAIN compiles the view and runs nothing of it.
        catalogue.rows(f"EXPLAIN SELECT * FROM main.{quoted(stored.name)}")
    except UnicodeDecodeError:
        pass  # of the program's text, which nobody needs
    except apsw.Error as error:
        catalogue.note("view", stored.name, NoteReason.VIEW_BROKEN, str(error))
        return View(name=stored.name, sql=stored.sql)
    return View(name=stored.name, sql=stored.sql, columns=_view_columns(catalogue, stored.name))


def _view_columns(catalogue: Catalogue, view: str) -> tuple[str, ...]:
    found = catalogue.rows("SELECT CAST(name AS BLOB) FROM pragma_table_info(?, 'main')", view)
    return tuple(catalogue.lenient(name) for (name,) in found)


def _trigger(catalogue: Catalogue, stored: Stored) -> Trigger:
    """SQLite lists no triggers, so whether it could load this one is not known from it."""
    if not parses(stored.sql):
        catalogue.note("trigger", stored.name, NoteReason.SQL_UNPARSED)
    return Trigger(name=stored.name, table=stored.table, sql=stored.sql)


def _sequences(catalogue: Catalogue, tables: set[str]) -> tuple[Sequence, ...]:
    """The rows of sqlite_sequence, which anyone may write: tidied, and only of known tables."""
    if "sqlite_sequence" not in catalogue.listed:
        return ()
    rows = catalogue.rows(
        "SELECT CAST(name AS BLOB), max(CAST(seq AS INTEGER)) FROM main.sqlite_sequence"
        " WHERE name IS NOT NULL AND seq IS NOT NULL GROUP BY name ORDER BY min(rowid)"
    )
    named = [(catalogue.lenient(name), last) for name, last in rows]
    return tuple(Sequence(table=table, last=last) for table, last in named if table in tables)


def _note_lost_indexes(catalogue: Catalogue, tables: Iterable[Table]) -> None:
    """SQLite leaves an index it cannot load out of its lists without a word."""
    read = {index.name for table in tables for index in table.indexes}
    tables_read = {table.name for table in tables}
    for stored in catalogue.objects("index"):
        if stored.table not in tables_read:
            catalogue.note("index", stored.name, NoteReason.TABLE_UNREAD, stored.table)
        elif stored.name not in read:
            catalogue.note("index", stored.name, NoteReason.OBJECT_MALFORMED)


def _with_parents(tables: list[Table]) -> tuple[Table, ...]:
    """Spell the parents of foreign keys as they are called, and fill in what is implied."""
    known = {fold(table.name): table for table in tables}
    return tuple(
        replace(table, foreign_keys=tuple(_resolved(key, known) for key in table.foreign_keys))
        for table in tables
    )


def _resolved(key: ForeignKey, tables: dict[str, Table]) -> ForeignKey:
    parent = tables.get(fold(key.parent))
    if parent is None:
        return key
    spelled = {fold(column.name): column.name for column in parent.columns}
    named = tuple(spelled.get(fold(column), column) for column in key.parent_columns)
    return replace(key, parent=parent.name, parent_columns=named or parent.primary_key)
