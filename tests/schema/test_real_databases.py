"""Every database of the data folder, where there is one: nothing in it goes unseen."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from core.schema import Reading, Table, TableKind, read_sqlite
from core.source.rows import quoted

PATTERNS = ("real/*.sqlite", "peers/*/*.db", "peers/*/*.sqlite", "traps/*.db")


def open_immutable(path: Path) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    connection = apsw.Connection(f"{path.as_uri()}?immutable=1", flags=flags)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    return connection


def test_every_object_is_accounted_for(subtests: pytest.Subtests, data_folder: Path | None) -> None:
    found = [data_folder.glob(pattern) for pattern in PATTERNS] if data_folder else []
    for path in sorted(path for paths in found for path in paths):
        with subtests.test(path.name):
            connection = open_immutable(path)
            reading = read_sqlite(connection)
            assert_complete(connection, reading)
            for table in reading.database.tables:
                assert_columns(connection, table)
                assert_indexes(connection, table)
            connection.close()


def assert_complete(connection: apsw.Connection, reading: Reading) -> None:
    """Each row of sqlite_schema is read or noted; no SQL was beyond us."""
    database = reading.database
    read = {("table", table.name) for table in database.tables}
    read |= {("index", index.name) for table in database.tables for index in table.indexes}
    read |= {("view", view.name) for view in database.views}
    read |= {("trigger", trigger.name) for trigger in database.triggers}
    noted = {(note.kind, note.object) for note in reading.notes}
    stored = set(
        connection.execute(
            "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
    )
    assert stored <= read | noted
    assert {note.reason_id for note in reading.notes} <= {"module_missing", "view_broken"}


def assert_columns(connection: apsw.Connection, table: Table) -> None:
    if table.kind is TableKind.VIRTUAL:
        return
    # Joined to one row, because an answer without rows has no description.
    cursor = connection.execute(f"SELECT * FROM (SELECT 1) LEFT JOIN {quoted(table.name)} ON 0")
    described = [name for name, *_ in cursor.get_description()]
    assert described[1:] == [column.name for column in table.columns]
    if table.rowid_name is not None:
        name = quoted(table.rowid_name)
        connection.execute(f"SELECT {name} FROM {quoted(table.name)} LIMIT 1").fetchall()


def assert_indexes(connection: apsw.Connection, table: Table) -> None:
    """What was read of an index is enough to make it again."""
    for index in table.indexes:
        assert all((term.column is None) != (term.expression is None) for term in index.terms)
        assert (index.where is not None) == (" WHERE " in (index.sql or "").upper())
