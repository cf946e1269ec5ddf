"""Whether the target's schema still is what its plan made of it.

What the plan makes is made once more, in a schema of its own and a transaction that is
rolled back, and read by the reader that reads the target: so both sides are in the server's
own words. Nothing of the target is touched or locked.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from core.errors import OtherSource
from core.plan import (
    NO_CHOICES,
    Build,
    BuildKind,
    Choices,
    ColumnPlan,
    Fate,
    ObjectFate,
    Plan,
    TablePlan,
    digest,
    from_json,
    write_document,
)
from core.plan.ddl import comments, create_table, elsewhere, qualified
from core.plan.diff import Difference, Facts, Numbering, differences
from core.schema import Column, Database, Table, read_postgres
from core.server.connection import Connection, Target, connect, translated
from core.source.opening import SourceFile
from core.source.rows import quoted
from core.transfer.build import concerns_object
from core.transfer.events import Event
from core.transfer.ledger import Ledger
from core.transfer.model import Run
from core.transfer.prepare import prepare

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be compared. ``choices``: of a plan file; with one, or where nothing was
    migrated yet, the plan is made from the source."""

    source: SourceFile
    target: Target
    schema: str = "public"
    choices: Choices | None = None
    choices_path: str = ""


@dataclass(frozen=True, kw_only=True)
class SchemaReport:
    """The result. ``run``: the run whose plan it is, None for a plan made just now."""

    run: UUID | None
    plan_sha256: str
    differences: tuple[Difference, ...]


def compare_schema(
    request: Request, tell: Callable[[Event], None] = lambda _: None
) -> SchemaReport:
    """Compare the target's schema with its plan. Raises MudanzaError when that cannot be
    done; that they differ is the report's to say.

    OtherSource: the schema's run began from another source. TargetPrivilege: the role may
    not make a schema in the database.
    """
    target = request.target
    with connect(target, autocommit=True) as connection, translated(target):
        ledger = Ledger(connection)
        run = _run(ledger, request)
        plan = _plan(run, request, tell)
        fates = {} if run is None else _fates(ledger, run)
        # Nothing that is made here stays.
        with connection.transaction(force_rollback=True):
            found = _Target(connection, plan, fates, migrated=run is not None).differences()
    return SchemaReport(
        run=None if run is None else run.run,
        plan_sha256=digest(write_document(plan)),
        differences=found,
    )


def _run(ledger: Ledger, request: Request) -> Run | None:
    """The run that counts for the schema. Raises OtherSource."""
    run = ledger.live_run(request.schema) if ledger.exists() else None
    if run is not None and run.source_path != str(request.source.path):
        raise OtherSource(run=run.run, was=run.source_path, now=str(request.source.path))
    return run


def _plan(run: Run | None, request: Request, tell: Callable[[Event], None]) -> Plan:
    """The run's plan; without one, or with a plan file, a plan made from the source."""
    if run is not None and request.choices is None:
        return from_json(Plan, run.plan)
    with tempfile.TemporaryDirectory(prefix="mudanza-") as folder:
        return prepare(
            request.source,
            Path(folder) / "snapshot.sqlite",
            schema=request.schema,
            choices=request.choices or NO_CHOICES,
            choices_path=request.choices_path,
            tell=tell,
        ).plan


Fates = Mapping[tuple[BuildKind, str, str], ObjectFate]
"""What became of each build of a run, by its kind, its table and its name."""


def _fates(ledger: Ledger, run: Run) -> Fates:
    builds = from_json(Plan, run.plan).builds
    made = ledger.build_fates(run.run, len(builds))
    named = {number: _key(build) for number, build in enumerate(builds, start=1)}
    return {named[number]: fate for number, fate in made.items()}


def _key(build: Build) -> tuple[BuildKind, str, str]:
    return build.kind, build.table, build.name


class _Target:
    """One target, its plan, and what became of the plan's objects. ``migrated``: by a run,
    so that it holds rows."""

    def __init__(self, connection: Connection, plan: Plan, fates: Fates, *, migrated: bool) -> None:
        self._connection = connection
        self._plan = plan
        self._fates = fates
        self._migrated = migrated

    def differences(self) -> tuple[Difference, ...]:
        wanted = self._wanted()
        found = read_postgres(self._connection, self._plan.schema, qualified=True)
        return differences(self._plan, wanted, found, self._facts(found))

    # --- what the plan makes

    def _wanted(self) -> Database:
        """What the plan's statements make, as the server prints it in the plan's schema."""
        scratch = f"mudanza_{secrets.token_hex(8)}"
        self._connection.execute(f"CREATE SCHEMA {scratch}".encode())
        for table in self._plan.tables:
            for statement in (
                create_table(self._plan.schema, table),
                *comments(self._plan.schema, table),
            ):
                self._execute(statement, scratch)
        for build in self._plan.builds:
            self._build(build, scratch)
        made = read_postgres(self._connection, scratch, qualified=True)
        (printed,) = self._one("SELECT quote_ident(%s)", self._plan.schema)
        return restated(made, f"{scratch}.", f"{printed}.")

    def _build(self, build: Build, scratch: str) -> None:
        """Make one object, unless the run could not: what the server refuses costs it alone,
        here as there."""
        fate = self._fates.get(_key(build), build.fate)
        if build.kind is BuildKind.SEQUENCE or fate.fate is Fate.NOT_CARRIED:
            return
        unproven = fate.reason in ("not_valid", "not_valid_by_letters", "check_broken")
        try:
            with self._connection.transaction():
                self._execute(build.statement(self._connection.info.server_version), scratch)
                if build.validate and not unproven:
                    self._execute(build.validate, scratch)
        except psycopg.Error as refused:
            if not concerns_object(refused):
                raise

    def _execute(self, statement: str, scratch: str) -> None:
        said = elsewhere(statement, self._plan.schema, scratch)
        self._connection.execute(said.encode())

    # --- what is asked of the target beside its schema

    def _facts(self, found: Database) -> Facts:
        here = {table.name: table for table in found.tables}
        (schema_there,) = self._one(
            "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL", self._plan.schema
        )
        return Facts(
            schema_there=bool(schema_there),
            numberings=tuple(self._numberings(here)),
            populated=frozenset(self._populated(here)),
        )

    def _numberings(self, here: Mapping[str, Table]) -> Iterator[Numbering]:
        """How far each sequence of the plan is. Numbers that were handed out before the
        move are not to come again; in a schema without rows nobody has had them."""
        for table in self._plan.tables:
            for planned in table.columns:
                if planned.identity and not self._sequence_refused(table, planned):
                    column = _column(here.get(table.target), planned.target)
                    handed_out = table.last_sequence if self._migrated else None
                    highest = None if column is None else self._highest(table, column)
                    yield Numbering(
                        table=table.target,
                        column=planned.target,
                        following=None if column is None else self._following(column),
                        needed=max(handed_out or 0, highest or 0),
                    )

    def _sequence_refused(self, table: TablePlan, column: ColumnPlan) -> bool:
        name = f"{table.name}.{column.source}"
        fate = self._fates.get((BuildKind.SEQUENCE, table.name, name))
        return fate is not None and fate.fate is Fate.NOT_CARRIED

    def _highest(self, table: TablePlan, column: Column) -> int | None:
        """The highest number in use, None for none or for what is no number any more."""
        if column.declared_type not in _INTEGERS:
            return None
        place = qualified(self._plan.schema, table.target)
        return _number(self._one(f"SELECT max({quoted(column.name)}) FROM {place}"))

    def _following(self, column: Column) -> int | None:
        if not column.identity or column.sequence is None:
            return None
        place = qualified(self._plan.schema, column.sequence)
        return _number(self._one(f"SELECT last_value::numeric + is_called::int FROM {place}"))

    def _populated(self, here: Mapping[str, Table]) -> Iterator[str]:
        """Tables with rows, among those that lack a column."""
        for table in self._plan.tables:
            found = here.get(table.target)
            if found is None or {c.target for c in table.columns} <= {
                c.name for c in found.columns
            }:
                continue
            place = qualified(self._plan.schema, table.target)
            (populated,) = self._one(f"SELECT EXISTS (SELECT FROM {place})")
            if populated:
                yield table.target

    def _one(self, query: str, *values: object) -> tuple[object, ...]:
        row = self._connection.execute(query.encode(), values or None).fetchone()
        assert row is not None
        return row


_INTEGERS = ("smallint", "integer", "bigint")


def _column(table: Table | None, name: str) -> Column | None:
    columns = () if table is None else table.columns
    return next((column for column in columns if column.name == name), None)


def _number(row: tuple[object, ...]) -> int | None:
    return None if row[0] is None else int(str(row[0]))


def restated(value: T, was: str, now: str) -> T:
    """A frozen value with ``was`` replaced by ``now`` in every text of it: a schema's texts
    as if it had another name, if nothing else is called ``was``."""
    said: Any = value
    if type(value) is str:  # an enumeration's value is a text too, and stays
        said = said.replace(was, now)
    elif isinstance(value, tuple):
        said = tuple(restated(item, was, now) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        said = replace(
            value, **{f.name: restated(getattr(value, f.name), was, now) for f in fields(value)}
        )
    made: T = said
    return made
