"""SQLite's own full check of a snapshot, and what it means for a migration.

``PRAGMA integrity_check`` speaks of two things. Damage of the trees that hold
the rows (pages, cells, the order of keys) may hide rows from every reader: that
ends the work. A row that breaks a constraint, or an index that disagrees with
its table, hides nothing from a scan of the table: that is a note.
A page that no tree claims counts as damage, because rows may lie on it. CHECKs are
not among the notes: SQLite does not even load them on a read-only connection.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import apsw

from core import errors
from core.source.reading import reading

MOST_NOTES = 10_000
_DAMAGE = ("*** in database", "row not in PRIMARY KEY order")


def check_integrity(connection: apsw.Connection, path: Path) -> tuple[str, ...]:
    """Check everything; return SQLite's words on what is odd yet readable, () for all well.

    After ``MOST_NOTES`` messages SQLite stops looking. Raises SourceCorrupt,
    SourceSchemaUnreadable. Where an index or a check needs a function or a
    collation that only the source's application has, its table gets a note and
    the others are checked one by one.
    """
    with reading(path):
        try:
            messages = _check(connection, str(MOST_NOTES))
        except apsw.SQLError:
            messages = _check_table_by_table(connection)
    if damage := [message for message in messages if message.startswith(_DAMAGE)]:
        raise errors.SourceCorrupt(path=path, detail="; ".join(damage[:3]))
    return tuple(messages)


def _check_table_by_table(connection: apsw.Connection) -> list[str]:
    tables = "SELECT CAST(name AS BLOB) FROM sqlite_schema WHERE type = 'table'"
    messages: list[str] = []
    for name in _texts(connection, tables):
        try:
            messages += _check(connection, "'" + name.replace("'", "''") + "'")
        except apsw.SQLError as error:
            messages.append(f"not checked: {name}: {error}")
    return messages


def _check(connection: apsw.Connection, what: str) -> list[str]:
    """The messages on ``what``: all with a limit, or one table in quotes. Raises apsw errors."""
    try:
        rows = connection.execute(f"PRAGMA integrity_check({what})").fetchall()
        messages = [str(message) for (message,) in rows]
    except UnicodeDecodeError:  # a damaged name; as a function the check stops at 100 messages
        argument = f"({what})" if what.startswith("'") else ""
        query = f"SELECT CAST(integrity_check AS BLOB) FROM pragma_integrity_check{argument}"
        messages = _texts(connection, query)
    return [message for message in messages if message != "ok"]


def _texts(connection: apsw.Connection, query: str) -> list[str]:
    """The one column of ``query``, read as bytes: a damaged name need not be valid text."""
    encoding = str(connection.pragma("encoding"))
    rows = connection.execute(query).fetchall()
    return [cast("bytes", raw).decode(encoding, errors="replace") for (raw,) in rows]
