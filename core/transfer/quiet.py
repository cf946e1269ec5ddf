"""Triggers keep quiet while rows of the source come late: what they would do for such a row,
they have done in the source, and it was carried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.plan import BuildKind, Plan
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.source.rows import quoted


@contextmanager
def triggers_quiet(connection: Connection, plan: Plan) -> Iterator[None]:
    """The plan's triggers that fire do not, within the caller's transaction."""
    firing = [
        (place, quoted(name)) for place, name in _planned(plan) if _fires(connection, place, name)
    ]
    for place, name in firing:
        connection.execute(f"ALTER TABLE {place} DISABLE TRIGGER {name}".encode())
    yield
    for place, name in firing:
        connection.execute(f"ALTER TABLE {place} ENABLE TRIGGER {name}".encode())


def _planned(plan: Plan) -> Iterator[tuple[str, str]]:
    """The plan's triggers on tables: the table, qualified and quoted, and the name."""
    targets = {table.name: qualified(plan.schema, table.target) for table in plan.tables}
    for build in plan.builds:
        if build.kind is BuildKind.TRIGGER and build.table in targets:
            yield targets[build.table], build.name


def _fires(connection: Connection, place: str, name: str) -> bool:
    row = connection.execute(
        "SELECT FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = %s"
        " AND tgenabled = 'O'",
        (place, name),
    ).fetchone()
    return row is not None
