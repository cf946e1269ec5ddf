"""Rows that are written once, however many try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def inserted(session: Session, table: type[DeclarativeBase], values: Mapping[str, Any]) -> bool:
    """Whether this call wrote the row: False when one with its key is there.

    Whoever else is at it is waited for: PostgreSQL's unique index holds the second until the
    first has ended, on SQLite there is one writer at a time.
    """
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    made: Any = postgresql.insert(table) if is_postgresql else sqlite.insert(table)
    key = inspect(table).primary_key[0]
    written = made.values(dict(values)).on_conflict_do_nothing().returning(key)
    return session.execute(written).first() is not None
