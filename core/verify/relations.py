"""Keys, checks, foreign keys, indexes, sequences and triggers of the plan: do they hold in the target?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.plan import Build, BuildKind, Fate, ObjectFate, Plan, TablePlan
from core.plan.ddl import qualified
from core.schema.model import Database, Table
from core.server.connection import Connection
from core.source.rows import quoted
from core.transfer.adopting import UNPROVEN, said_again
from core.values.types import TargetType
from core.verify.model import Relation


def compare_relations(
    connection: Connection, plan: Plan, fates: Mapping[int, ObjectFate], found: Database
) -> Iterator[Relation]:
    """One relation per build of the plan that the ledger says was made.

    ``fates``: by the number of the build, from 1; ``found``: the target's schema.
    """
    tables = {table.name: table for table in found.tables}
    for number, build in enumerate(plan.builds, start=1):
        fate = fates.get(number)
        if fate is None or fate.fate is Fate.NOT_CARRIED:
            continue
        if build.kind is BuildKind.VIEW:
            continue  # its rows are compared: core.verify.views
        if build.kind is BuildKind.TRIGGER and not build.asks:
            yield _trigger(build, plan, found)
            continue
        table = plan.table(build.table)
        target = tables.get(table.target)
        if build.asks:
            yield _put_up(connection, build, fate)
        elif target is None:
            yield _relation(build, False, "table missing")
        elif build.kind is BuildKind.SEQUENCE:
            yield _sequence(connection, plan, build, table)
        elif build.kind is BuildKind.FOREIGN_KEY:
            yield _foreign_key(build, target, validated=not fate.reason.startswith("not_valid"))
        elif build.kind is BuildKind.CHECK:
            yield _check(build, target, validated=fate.reason != "check_broken")
        elif build.kind is BuildKind.SEARCH:
            made = any(index.name == build.name for index in target.indexes)
            yield _relation(build, made, "" if made else "missing")
        elif build.kind is BuildKind.GENERATED:
            yield _generated(build, table, target)
        elif build.kind is BuildKind.PRIMARY_KEY:
            wanted = tuple(table.column(n).target for n, _ in build.terms if n is not None)
            # An application's own key may have columns that the source does not.
            holds = target.primary_key == wanted if wanted else bool(target.primary_key)
            yield _relation(build, holds, "" if holds else f"found {target.primary_key}")
        else:
            yield _index(build, table, target)


def _put_up(connection: Connection, build: Build, fate: ObjectFate) -> Relation:
    """What the application had made stands again, word for word; a sequence of its is past
    every number in use."""
    said = said_again(connection, build)
    if build.kind is BuildKind.SEQUENCE:
        return _relation(build, said == "True", "" if said == "True" else "behind")
    unproven = fate.reason in UNPROVEN
    wanted = build.definition + (" NOT VALID" if unproven else "")
    printed = fate.facts.get("sql")  # of the same words, once the server had read them
    holds = said in (build.definition, wanted, printed) or fate.reason == "restored_otherwise"
    return _relation(build, holds, fate.reason if holds and unproven else said)


def shape_problems(table: TablePlan, found: Table | None) -> list[str]:
    """Columns of the target's table that are not what the plan made them."""
    if found is None:
        return ["table missing"]
    types = {column.name: column.declared_type for column in found.columns}
    problems: list[str] = []
    for column in table.columns:
        wanted = _formatted(column.type)
        if column.target not in types:
            problems.append(f"{column.target} missing")
        elif types[column.target] != wanted:
            problems.append(f"{column.target} is {types[column.target]}, not {wanted}")
    return problems


def _formatted(kind: TargetType) -> str:
    """The type as the server's own catalogue names it."""
    if kind.given:
        return kind.given
    name, parenthesis, length = kind.sql.partition("(")
    return _FORMATTED.get(name, name) + parenthesis + length


_FORMATTED = {
    "varchar": "character varying",
    "char": "character",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}


def _index(build: Build, table: TablePlan, target: Table) -> Relation:
    made = next((i for i in target.indexes if build.name in (i.name, i.constraint)), None)
    if made is None:
        return _relation(build, False, "missing")
    unique = build.kind is BuildKind.UNIQUE
    if made.unique != unique:
        return _relation(build, False, "not unique" if unique else "unique")
    if (made.where is not None) != bool(build.where):
        return _relation(build, False, "not partial" if build.where else "partial")
    # A column whose collation is kept stands in an expression.
    wanted = [
        table.column(name).target if name is not None and not collation else None
        for name, collation in build.terms
    ]
    found = [term.column for term in made.terms]
    return _relation(build, found == wanted, "" if found == wanted else f"found {found}")


def _foreign_key(build: Build, target: Table, *, validated: bool) -> Relation:
    key = next((k for k in target.foreign_keys if k.name == build.name), None)
    if key is None:
        return _relation(build, False, "missing")
    holds = key.validated or not validated
    detail = "" if key.validated else "not valid: orphans in the source"
    return _relation(build, holds, detail)


def _check(build: Build, target: Table, *, validated: bool) -> Relation:
    made = next((c for c in target.checks if c.name == build.name), None)
    if made is None:
        return _relation(build, False, "missing")
    detail = "" if made.validated else "not valid: rows of the source break it"
    return _relation(build, made.validated or not validated, detail)


def _trigger(build: Build, plan: Plan, found: Database) -> Relation:
    """Of a table or a view."""
    place = plan.targets.get(build.table, ""), build.name
    made = next((t for t in found.triggers if (t.table, t.name) == place), None)
    if made is None:
        return _relation(build, False, "missing")
    if made.function != build.function:
        return _relation(build, False, f"calls {made.function}")
    return _relation(build, made.enabled, "" if made.enabled else "disabled")


def _generated(build: Build, table: TablePlan, target: Table) -> Relation:
    wanted = [table.column(name).target for name, _ in build.terms if name is not None]
    made = next((c for c in target.columns if c.name in wanted), None)
    holds = made is not None and made.generated is not None
    return _relation(build, holds, "" if holds else "a plain column")


def _sequence(connection: Connection, plan: Plan, build: Build, table: TablePlan) -> Relation:
    """The next number must be past every number in use, and past the last handed out."""
    column = next(c for c in table.columns if c.identity)
    name = qualified(plan.schema, table.target)
    highest = _number(connection, f"SELECT max({quoted(column.target)}) FROM {name}")
    serial = connection.execute(
        "SELECT pg_get_serial_sequence(%s, %s)", (name, column.target)
    ).fetchone()
    if serial is None or serial[0] is None:
        return _relation(build, False, "missing")
    following = _number(connection, f"SELECT last_value::numeric + is_called::int FROM {serial[0]}")
    needed = max(highest or 0, table.last_sequence or 0)
    holds = following is not None and following > needed
    return _relation(build, holds, f"next {following}, in use up to {needed}")


def _number(connection: Connection, sql: str) -> int | None:
    row = connection.execute(sql.encode()).fetchone()
    return None if row is None or row[0] is None else int(str(row[0]))


def _relation(build: Build, holds: bool, detail: str) -> Relation:
    return Relation(
        kind=build.kind.value, name=build.name, table=build.table, holds=holds, detail=detail
    )
