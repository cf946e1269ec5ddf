"""Engines: one database each, with its pool, its timeouts, and how its transactions begin."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event

WRITES = "shop_writes"
"""The execution option of a connection whose transaction will write."""


class Limits(Protocol):
    """The settings that an engine obeys; times in seconds."""

    @property
    def pool_size(self) -> int:
        """Connections that are kept."""

    @property
    def pool_overflow(self) -> int:
        """Connections beyond them."""

    @property
    def pool_timeout(self) -> float:
        """How long a request waits for one."""

    @property
    def pool_recycle(self) -> float:
        """How old one may get."""

    @property
    def statement_timeout(self) -> float:
        """How long one statement may run; PostgreSQL alone."""

    @property
    def lock_timeout(self) -> float:
        """How long one may wait for a lock; on SQLite, for the writers before it."""

    @property
    def sqlite_synchronous(self) -> str:
        """FULL survives a loss of power, NORMAL may lose what was just committed."""


def make_engine(url: URL, limits: Limits, *, name: str = "shop-web") -> Engine:
    """The engine of one database. ``name``: what PostgreSQL shows as the application.

    It does not connect.
    """
    backend = url.get_backend_name()
    engine = create_engine(
        url,
        pool_size=limits.pool_size,
        max_overflow=limits.pool_overflow,
        pool_timeout=limits.pool_timeout,
        pool_recycle=int(limits.pool_recycle) or 1,
        pool_pre_ping=backend == "postgresql",
        pool_use_lifo=True,
        connect_args=_for_postgresql(limits, name) if backend == "postgresql" else {},
        hide_parameters=True,  # an error of the driver's must not show what people typed
    )
    if backend == "sqlite":
        _prepare_sqlite(engine, limits)
    return engine


def _for_postgresql(limits: Limits, name: str) -> dict[str, Any]:
    options = {
        "statement_timeout": limits.statement_timeout,
        "lock_timeout": limits.lock_timeout,
        "idle_in_transaction_session_timeout": 15,
    }
    return {
        "application_name": name,
        "connect_timeout": 5,
        "options": " ".join(f"-c {key}={int(value * 1000)}" for key, value in options.items())
        + " -c timezone=UTC",
    }


def _prepare_sqlite(engine: Engine, limits: Limits) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions, not the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(limits.lock_timeout * 1000)}")
        _keep_a_log(cursor, limits.lock_timeout)
        cursor.execute(f"PRAGMA synchronous = {limits.sqlite_synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A transaction that reads first and writes later can fail at once when another has
        # written between: it asks for the writer's place at its beginning.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _keep_a_log(cursor: sqlite3.Cursor, seconds: float) -> None:
    """Readers beside the writer. The first to ask must be alone, and for this SQLite does not
    wait by itself."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as refused:
            if refused.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
