"""SQLite's own check of a snapshot, and what it means for a migration.

``PRAGMA integrity_check`` and ``quick_check`` speak of two things. Damage of the trees that hold
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


def check_integrity(
    connection: apsw.Connection, path: Path, *, quick: bool = False
) -> tuple[str, ...]:
    """Check everything; return SQLite's words on what is odd yet readable, () for all well.
    ``quick``: all but whether indexes agree with their tables, which takes longest, and which
    no reader of a table sees; a table WITHOUT ROWID is an index, and is looked at in full.

    After ``MOST_NOTES`` messages SQLite stops looking. Raises SourceCorrupt,
    SourceSchemaUnreadable. Where an index or a check needs a function or a
    collation that only the source's application has, its table gets a note and
    the others are checked one by one.
    """
    with reading(path):
        try:
            messages = _check(connection, "quick_check" if quick else "integrity_check")
            for name in _trees_by_key(connection) if quick else ():
                messages += _check(connection, "integrity_check", name)
        except apsw.SQLError:
            messages = _check_table_by_table(connection)
    if damage := [message for message in messages if message.startswith(_DAMAGE)]:
        raise errors.SourceCorrupt(path=path, detail="; ".join(damage[:3]))
    return tuple(messages)


def _trees_by_key(connection: apsw.Connection) -> list[str]:
    """The names of the tables WITHOUT ROWID."""
    tables = "SELECT CAST(name AS BLOB) FROM pragma_table_list WHERE wr AND schema = 'main'"
    return _texts(connection, tables)


def _check_table_by_table(connection: apsw.Connection) -> list[str]:
    tables = "SELECT CAST(name AS BLOB) FROM sqlite_schema WHERE type = 'table'"
    messages: list[str] = []
    for name in _texts(connection, tables):
        try:
            messages += _check(connection, "integrity_check", name)
        except apsw.SQLError as error:
            messages.append(f"not checked: {name}: {error}")
    return messages


def _check(connection: apsw.Connection, check: str, table: str | None = None) -> list[str]:
    """The messages on one table, or on all up to the limit. Raises apsw errors."""
    what = str(MOST_NOTES) if table is None else "'" + table.replace("'", "''") + "'"
    try:
        rows = connection.execute(f"PRAGMA {check}({what})").fetchall()
        messages = [str(message) for (message,) in rows]
    except UnicodeDecodeError:  # a damaged name; as a function the check stops at 100 messages
        argument = "" if table is None else f"({what})"
        query = f"SELECT CAST({check} AS BLOB) FROM pragma_{check}{argument}"
        messages = _texts(connection, query)
    return [message for message in messages if message != "ok"]


def _texts(connection: apsw.Connection, query: str) -> list[str]:
    """The one column of ``query``, read as bytes: a damaged name need not be valid text."""
    encoding = str(connection.pragma("encoding"))
    rows = connection.execute(query).fetchall()
    return [cast("bytes", raw).decode(encoding, errors="replace") for (raw,) in rows]
