"""Building what comes after the rows: keys, indexes, foreign keys, sequences.

Each is a transaction of its own that also writes its fate. A build that the
server refuses costs that object and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import psycopg

from core.plan import Build, BuildKind, Fate, ObjectFate, Plan
from core.server.connection import Connection
from core.transfer.events import Built
from core.transfer.ledger import Ledger

# Refusals that concern the object: its data, its definition, its size.
_OBJECT_CLASSES = ("0A", "22", "23", "42", "54")
_NO_RIGHT = "42501"


def build_all(
    connection: Connection, ledger: Ledger, run: UUID, plan: Plan, tell: Callable[[Built], None]
) -> None:
    """Make every object of the plan that has no fate yet."""
    waiting = ledger.unbuilt(run)
    for number, build in enumerate(plan.builds, start=1):
        if number in waiting:
            fate = _build(connection, ledger, run, number, build)
            carried = fate.fate is not Fate.NOT_CARRIED
            tell(Built(kind=build.kind.value, name=build.name, carried=carried))


def _build(
    connection: Connection, ledger: Ledger, run: UUID, number: int, build: Build
) -> ObjectFate:
    began = time.monotonic()
    try:
        with connection.transaction():
            connection.execute(build.sql.encode())
            fate = build.fate
            if build.kind is BuildKind.FOREIGN_KEY:
                fate = _validated(connection, build)
            ledger.set_fate(run, number, fate, seconds=time.monotonic() - began)
            return fate
    except psycopg.Error as refused:
        if not concerns_object(refused):
            raise
        fate = _refused(build, refused)
        seconds = time.monotonic() - began
        ledger.set_fate(run, number, fate, seconds=seconds, sqlstate=refused.sqlstate)
        return fate


def concerns_object(error: psycopg.Error) -> bool:
    """Whether the server refused because of the object that was to be made."""
    state = error.sqlstate or ""
    return state.startswith(_OBJECT_CLASSES) and state != _NO_RIGHT


def _validated(connection: Connection, build: Build) -> ObjectFate:
    """The foreign key's fate after looking at its rows: orphans leave it NOT VALID."""
    try:
        with connection.transaction():
            connection.execute(build.validate.encode())
        return build.fate
    except psycopg.errors.ForeignKeyViolation:
        return replace(build.fate, fate=Fate.REWRITTEN, reason="not_valid", counts=True)


def _refused(build: Build, error: psycopg.Error) -> ObjectFate:
    # A duplicate's DETAIL holds values of rows; the primary message does not.
    said = error.diag.message_primary or ""
    facts = {"sqlstate": error.sqlstate or "", "detail": said}
    return replace(
        build.fate, fate=Fate.NOT_CARRIED, reason="build_refused", facts=facts, counts=True
    )
