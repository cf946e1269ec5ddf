"""How whoever moves a shop keeps it from being written: what the shop must honour."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

SEARCH = "product_search"
"""FTS5's table takes no triggers; it changes with the products alone."""
GUARD = """
CREATE FUNCTION mover_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'MIGRATION_FROZEN';
END $$
"""


def freeze(url: str) -> None:
    """From now on, every write of a row is refused."""
    if url.startswith("sqlite"):
        with _file(url) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for table in _tables(connection):
                for verb in ("INSERT", "UPDATE", "DELETE"):
                    connection.execute(
                        f'CREATE TRIGGER "frozen_{verb}_{table}" BEFORE {verb} ON "{table}" '
                        "BEGIN SELECT RAISE(ABORT, 'MIGRATION_FROZEN'); END"
                    )
            connection.execute("COMMIT")
        return
    with psycopg.connect(plain(url)) as connection:
        connection.execute(GUARD)
        for (table,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall():
            connection.execute(
                sql.SQL(
                    "CREATE TRIGGER frozen BEFORE INSERT OR UPDATE OR DELETE ON {} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION mover_guard()"
                ).format(sql.Identifier(table))
            )


def make_read_only(url: str) -> None:
    """The other way of PostgreSQL: transactions that begin from now on may only read."""
    name = make_url(url).database
    assert name is not None
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
                sql.Identifier(name)
            )
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def rows(url: str) -> dict[str, list[Any]]:
    """All rows of all tables, to see whether anything was written."""
    if url.startswith("sqlite"):
        with _file(url) as connection:
            return {
                table: sorted(connection.execute(f'SELECT * FROM "{table}"'), key=repr)
                for table in _tables(connection)
            }
    with psycopg.connect(plain(url)) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return {
            table: sorted(
                connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))),
                key=repr,
            )
            for (table,) in tables
        }


def plain(url: str) -> str:
    """The address as libpq knows it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


@contextmanager
def _file(url: str) -> Iterator[sqlite3.Connection]:
    name = make_url(url).database
    assert name is not None
    with closing(sqlite3.connect(name, timeout=30, isolation_level=None)) as connection:
        yield connection


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return sorted(n for (n,) in found if not n.startswith(("sqlite_", SEARCH)))
