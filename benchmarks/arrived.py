"""What arrived in a target: rows, values, and what was promised of them.

The values of a column are compared by the sum of their hashes, each value brought into
the type that Mudanza gave the column: a number that lost digits on its way differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from core.plan import Plan, TablePlan
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.source.rows import quoted


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """What a target holds: rows by table, a digest by table and column ("" when its values
    cannot be compared), and how many of each kind of promise."""

    rows: dict[str, int]
    digests: dict[tuple[str, str], str]
    promises: dict[str, int]


def arrived(connection: Connection, plan: Plan, *, values: bool) -> Arrived:
    """Look at a target; without ``values`` rows alone are counted."""
    rows: dict[str, int] = {}
    digests: dict[tuple[str, str], str] = {}
    for table in plan.tables:
        rows[table.name] = _rows(connection, plan, table)
        if values:
            digests.update(_digests(connection, plan, table))
    return Arrived(rows=rows, digests=digests, promises=_promises(connection) if values else {})


def lacking(wanted: Arrived, found: Arrived, *, constraints: bool) -> Iterator[str]:
    """What differs, in words. ``constraints``: whether they were to be made at all."""
    lost = {t: n for t, n in found.rows.items() if n != wanted.rows[t]}
    for table, rows in lost.items():
        yield f"{table}: {rows:,} of {wanted.rows[table]:,} rows"
    if not lost:
        yield f"all {sum(found.rows.values()):,} rows"
    if found.digests:
        changed = [f"{t}.{c}" for (t, c), d in found.digests.items() if d != wanted.digests[t, c]]
        columns = f"all {len(found.digests)} columns"
        yield f"values differ in {', '.join(changed)}" if changed else f"equal values in {columns}"
    if constraints and found.promises:
        yield from _broken(wanted.promises, found.promises)


def _broken(wanted: dict[str, int], found: dict[str, int]) -> Iterator[str]:
    for promise, count in wanted.items():
        if found[promise] != count:
            yield f"{promise}: {found[promise]} instead of {count}"


def _rows(connection: Connection, plan: Plan, table: TablePlan) -> int:
    try:
        found = connection.execute(f"SELECT count(*) FROM {_name(plan, table)}".encode()).fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    return int(str(found[0])) if found else 0


def _digests(
    connection: Connection, plan: Plan, table: TablePlan
) -> Iterator[tuple[tuple[str, str], str]]:
    sums = ", ".join(_digest(column.target, column.type.sql) for column in table.columns)
    try:
        found = connection.execute(f"SELECT {sums} FROM {_name(plan, table)}".encode()).fetchone()
    except psycopg.Error:  # a column or a table is not there, or cannot be cast
        found = None
    values = found or [""] * len(table.columns)
    for column, digest in zip(table.columns, values, strict=True):
        yield (table.name, column.source), str(digest)


def _digest(column: str, type_sql: str) -> str:
    return f"sum(hashtextextended({quoted(column)}::{type_sql}::text, 0))"


def _name(plan: Plan, table: TablePlan) -> str:
    return qualified(plan.schema, table.target)


def _promises(connection: Connection) -> dict[str, int]:
    found = connection.execute(_PROMISES).fetchall()
    return {str(kind): int(str(count)) for kind, count in found}


_PROMISES = """
WITH own AS (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'),
columns AS (SELECT a.* FROM pg_attribute a JOIN own ON own.oid = attrelid
            WHERE attnum > 0 AND NOT attisdropped)
SELECT 'columns NOT NULL', count(*) FROM columns WHERE attnotnull
UNION ALL SELECT 'columns with a length limit', count(*) FROM columns
    WHERE atttypid = 'varchar'::regtype AND atttypmod > 0
UNION ALL SELECT 'primary keys', count(*) FROM pg_constraint JOIN own ON own.oid = conrelid
    WHERE contype = 'p'
UNION ALL SELECT 'foreign keys', count(*) FROM pg_constraint JOIN own ON own.oid = conrelid
    WHERE contype = 'f'
UNION ALL SELECT 'unique indexes', count(*) FROM pg_index JOIN own ON own.oid = indrelid
    WHERE indisunique
UNION ALL SELECT 'other indexes', count(*) FROM pg_index JOIN own ON own.oid = indrelid
    WHERE NOT indisunique
"""
