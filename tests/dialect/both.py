"""One database on both engines: as SQLite has it, and as its plan makes it in PostgreSQL.

Statements that both engines read alike are run on both; afterwards both must hold the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

import apsw
import psycopg

from core.census import take_census
from core.plan import Plan, make_plan
from core.plan.ddl import create_table, qualified
from core.schema import read_sqlite
from core.source.rows import quoted
from core.values.canonical import literal
from core.values.exact import converter
from core.values.types import Reject

NOW = "now"
_RECENT = re.compile(r"202[4-9]-.*|20[3-9]\d-.*")
Rows = list[tuple[object, ...]]


class Both:
    """A source in memory and a target in a schema of its own, which the caller drops."""

    def __init__(self, statements: str, target: psycopg.Connection, schema: str) -> None:
        self.source = apsw.Connection(":memory:")
        self.source.execute("PRAGMA foreign_keys = ON")
        self.source.execute(statements)
        found = read_sqlite(self.source)
        census = take_census(self.source, found.database)
        self.plan = make_plan(found.database, census, schema=schema, notes=found.notes)
        self.target, self.schema = target, schema
        target.execute(f"CREATE SCHEMA {schema}".encode())
        target.execute(f"SET search_path = {schema}".encode())
        self._carry(self.plan)

    def _carry(self, plan: Plan) -> None:
        for table in plan.tables:
            self.target.execute(create_table(plan.schema, table).encode())
            columns = ", ".join(quoted(c.source) for c in table.columns)
            kinds = [c.type for c in table.columns]
            makers = [converter(c.conversion) for c in table.columns]
            for row in self.source.execute(f"SELECT {columns} FROM {quoted(table.name)}"):
                wires = [make(value) for make, value in zip(makers, row, strict=True)]
                assert not any(isinstance(wire, Reject) for wire in wires), row
                said = ", ".join(literal(k, w) for k, w in zip(kinds, wires, strict=True))  # type: ignore[arg-type]
                name = qualified(plan.schema, table.target)
                self.target.execute(f"INSERT INTO {name} VALUES ({said})".encode())
        for build in plan.builds:
            made = build.statement(self.target.info.server_version)
            self.target.execute(made.encode())

    def run(self, statement: str) -> tuple[str | None, str | None]:
        """What each side complains of, None for nothing."""
        return self._in_sqlite(statement), self._in_postgres(statement)

    def _in_sqlite(self, statement: str) -> str | None:
        try:
            self.source.execute(statement)
        except apsw.Error as refused:
            return str(refused).removeprefix("ConstraintError: ")
        return None

    def _in_postgres(self, statement: str) -> str | None:
        try:
            self.target.execute(statement.encode())
        except psycopg.Error as refused:
            return refused.diag.message_primary
        return None

    def rows(self) -> Iterator[tuple[str, Rows, Rows]]:
        """Each table's name, and what either side holds, in one order."""
        for table in self.plan.tables:
            sources = ", ".join(quoted(c.source) for c in table.columns)
            targets = ", ".join(quoted(c.target) for c in table.columns)
            with closing(self.source.execute(f"SELECT {sources} FROM {quoted(table.name)}")) as c:
                ours = [tuple(map(_plain, row)) for row in c]
            name = qualified(self.schema, table.target)
            found = self.target.execute(f"SELECT {targets} FROM {name}".encode())
            theirs = [tuple(map(_plain, row)) for row in found]
            yield table.name, sorted(ours, key=repr), sorted(theirs, key=repr)

    def close(self) -> None:
        self.source.close()
        self.target.execute(f"DROP SCHEMA {self.schema} CASCADE".encode())


def _plain(value: object) -> object:
    """A value as both engines may show it; a moment of this year is now."""
    match value:
        case bool():
            return int(value)
        case Decimal() | float():
            return int(value) if value == int(value) else float(value)
        case datetime():
            value = value.isoformat(" ")
        case date():
            value = value.isoformat()
    if isinstance(value, str) and _RECENT.fullmatch(value):
        return NOW
    return value
