"""What a literal default really stores, asked of SQLite itself."""

from __future__ import annotations

import apsw

from core.source.rows import (
    KeyKind,
    RowKey,
    SqliteValue,
    TableSource,
    read_row,
)


def default_value(declared_type: str, expression: str) -> SqliteValue:
    """The value that ``DEFAULT expression`` stores in a column of ``declared_type``.

    Affinity is applied: ``DEFAULT '5'`` on an INTEGER column stores 5. An expression that
    is no literal stands in parentheses. Raises apsw.Error when SQLite refuses it.
    """
    memory = apsw.Connection(":memory:")
    try:
        column = f'"value" {declared_type} DEFAULT {expression}'
        memory.execute(f"CREATE TABLE one ({column})")
        memory.execute("INSERT INTO one DEFAULT VALUES")
        key = RowKey(kind=KeyKind.ROWID, columns=("rowid",))
        row = read_row(memory, TableSource(table="one", columns=("value",), key=key), (1,))
        return None if row is None else row[0]
    finally:
        memory.close()


def is_constant(declared_type: str, expression: str) -> bool:
    """Whether ``expression`` always stores the same value. SQLite says so: it lets no
    generated column depend on the clock or on chance."""
    memory = apsw.Connection(":memory:")
    try:
        memory.execute(f'CREATE TABLE one (a, "value" {declared_type} AS ({expression}) STORED)')
        memory.execute("INSERT INTO one (a) VALUES (NULL)")
        return True
    except apsw.Error:
        return False
    finally:
        memory.close()
