"""The application's own schema: looked at, taken down before the rows, put up again.

What is taken down is in the plan, and so in the ledger, word for word, by the very
transaction that takes it down. Each thing is put up again by a build like any other,
when the rows it speaks of are in; after a cancelling, by whoever finds it missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import apsw
import psycopg

from core.errors import AdoptMoved, AdoptTypeRefused, AdoptVersionsDiffer
from core.failpoints import failpoint
from core.plan import Build, BuildKind, Fate, ObjectFate, Plan, TablePlan, from_json
from core.plan.counterparts import VERSION_TABLES, is_version_table
from core.plan.ddl import qualified, take_down
from core.schema.found import FoundSchema, read_found
from core.schema.model import Database, TableKind
from core.schema.names import fold
from core.server.connection import Connection
from core.server.faults import concerns_object
from core.source.rows import quoted, scan
from core.transfer.ledger import Ledger
from core.transfer.model import Run
from core.values.exact import converter

Versions = Mapping[str, tuple[str, ...]]
"""By the folded name of a table of migrations, how far they are."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What stands in a target schema, and how far its application's migrations are."""

    found: FoundSchema
    versions: Versions


def survey(connection: Connection, schema: str) -> Survey:
    """Look at the schema, as of one moment."""
    with connection.transaction():
        found = read_found(connection, schema)
        versions: dict[str, tuple[str, ...]] = {}
        for table in found.tables:
            if is_version_table(table.name):
                name = qualified(schema, table.name)
                sql = _versions(name, table.name, (c.name for c in table.columns))
                versions[fold(table.name)] = _words(connection.execute(sql.encode()))
    return Survey(found=found, versions=versions)


def source_versions(snapshot: apsw.Connection, database: Database) -> Versions:
    """How far the application's migrations are in the source."""
    return {
        fold(table.name): _words(
            snapshot.execute(
                _versions(quoted(table.name), table.name, (c.name for c in table.columns))
            )
        )
        for table in database.tables
        if table.kind is TableKind.ORDINARY and is_version_table(table.name)
    }


def _versions(table: str, name: str, has: Iterable[str]) -> str:
    """What asks a table of migrations for its columns that say how far they are."""
    wanted = VERSION_TABLES[fold(name)]
    known = {fold(column): column for column in has}
    columns = ", ".join(quoted(known[c]) if c in known else "NULL" for c in wanted)
    return f"SELECT {columns} FROM {table}"


def _words(rows: Iterable[Iterable[object]]) -> tuple[str, ...]:
    return tuple(sorted(".".join(str(part) for part in row) for row in rows))


def refuse_other_versions(ours: Versions, theirs: Versions) -> None:
    """Refuse a target whose application is not as far as the source's.
    Raises AdoptVersionsDiffer."""
    for table in sorted(ours.keys() & theirs.keys()):
        if ours[table] != theirs[table]:
            mine, others = set(ours[table]), set(theirs[table])
            raise AdoptVersionsDiffer(
                table=table,
                source=_few(sorted(mine - others)),
                target=_few(sorted(others - mine)),
            )


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if names[3:] else "") or "-"


def refuse_holding_nothing(snapshot: apsw.Connection, plan: Plan) -> None:
    """Refuse columns of whose values not one becomes their target's type.
    Raises AdoptTypeRefused."""
    named = [
        f"{table.target}.{column.target} ({column.type.sql})"
        for table in plan.tables
        for column in table.columns
        if column.misfits
        or column.type.given
        or column.type.length
        or column.type.scale
        or column.purity == "mixed"
        if _holds_nothing(snapshot, table, column.source)
    ]
    if named:
        raise AdoptTypeRefused(schema=plan.schema, names=", ".join(named))


def _holds_nothing(snapshot: apsw.Connection, table: TablePlan, column: str) -> bool:
    """Whether the column has values, and its conversion takes none of them."""
    convert = converter(table.column(column).conversion)
    source = replace(table.source, columns=(column,), alias="")
    has_values = False
    for chunk in scan(snapshot, source):
        for (value,) in chunk.rows:
            if value is not None:
                has_values = True
                if isinstance(convert(value), bytes):
                    return False
    return has_values


def still_down(connection: Connection, run: Run) -> tuple[Build, ...]:
    """What the application had made and does not stand, or not again, in the plan's order."""
    plan = from_json(Plan, run.plan)
    fates = Ledger(connection).build_fates(run.run, len(plan.builds))
    return tuple(
        build
        for number, build in enumerate(plan.builds, start=1)
        if build.drop and (number not in fates or fates[number].reason == "not_restored")
    )


# --- down and up ---------------------------------------------------------------------------


def take_apart(connection: Connection, plan: Plan, looked_at: Survey) -> None:
    """Take down what would hinder the rows, in the caller's transaction, which writes the
    plan into the ledger. Raises AdoptMoved when the schema is not what was looked at."""
    names = ", ".join(qualified(plan.schema, table.target) for table in plan.tables)
    connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE".encode())
    failpoint("adopt.locked")
    if survey(connection, plan.schema) != looked_at:
        raise AdoptMoved(schema=plan.schema)
    for statement in take_down(plan):
        connection.execute(statement.encode())
    failpoint("adopt.down")


def put_back(connection: Connection, run: Run) -> None:
    """Put up again what a run that is over for good had taken down; nothing where nothing
    is down. Whoever else does so at the same time is waited for."""
    plan = from_json(Plan, run.plan)
    ledger = Ledger(connection)
    for number, build in enumerate(plan.builds, start=1):
        if not build.drop:
            continue
        with connection.transaction():
            if ledger.lock_open_build(run.run, number):
                ledger.close_build(run.run, number, put_up(connection, build))
                failpoint("adopt.up")


def put_up(connection: Connection, build: Build) -> ObjectFate:
    """Put one thing up again, in the caller's transaction; what became of it. Raises
    psycopg.Error for what has nothing to do with the thing itself, such as a lock."""
    try:
        with connection.transaction():
            connection.execute(build.sql.encode())
    except psycopg.Error as refused:
        if not concerns_object(refused):
            raise
        return not_restored(build, refused)
    if build.validate:
        try:
            with connection.transaction():
                connection.execute(build.validate.encode())
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation):
            return unproven(build)
    return compared(connection, build, build.fate)


def unproven(build: Build) -> ObjectFate:
    """The fate of a constraint that rows break: it stands, NOT VALID."""
    reason = "check_broken" if build.kind == "check" else "not_valid"
    return replace(build.fate, fate=Fate.REWRITTEN, reason=reason, counts=True)


def not_restored(build: Build, refused: psycopg.Error) -> ObjectFate:
    """The fate of what the server did not take back; its DDL is at hand."""
    facts = {
        "sqlstate": refused.sqlstate or "",
        "detail": refused.diag.message_primary or "",
        "sql": build.sql,
    }
    return replace(
        build.fate, fate=Fate.NOT_CARRIED, reason="not_restored", facts=facts, counts=True
    )


def compared(connection: Connection, build: Build, fate: ObjectFate) -> ObjectFate:
    """``fate``, if the server's text of what stands again is word for word the same, or is how
    it prints those words once it has read them: ``facts['sql']`` then."""
    if not build.definition:
        return fate
    unproven = " NOT VALID" if fate.reason in UNPROVEN else ""
    said = said_again(connection, build)
    if said == build.definition + unproven:
        return fate
    facts = {**fate.facts, "sql": said}
    if said.removesuffix(" NOT VALID") == _printed_anew(connection, build):
        return replace(fate, facts=facts)
    return replace(fate, fate=Fate.REWRITTEN, reason="restored_otherwise", facts=facts, counts=True)


UNPROVEN = ("not_valid", "check_broken")
"""Reasons of what stands without being held by the rows."""


def _printed_anew(connection: Connection, build: Build) -> str:
    """A check's saved text as the server prints it of a table that nobody else sees; '' for
    other things. PostgreSQL moves the casts of ``varchar IN (…)`` when it reads what it wrote."""
    if build.kind is not BuildKind.CHECK:
        return ""
    head, _, _ = build.sql.partition(" ADD CONSTRAINT ")
    table = head.removeprefix("ALTER TABLE ").removeprefix("ONLY ")
    with connection.transaction(force_rollback=True):
        connection.execute(f"CREATE TEMP TABLE mudanza_printed (LIKE {table})".encode())
        connection.execute(
            f"ALTER TABLE mudanza_printed ADD CONSTRAINT c {build.definition}".encode()
        )
        connection.execute("SELECT set_config('search_path', '', true)")
        row = connection.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'pg_temp.mudanza_printed'::regclass AND conname = 'c'"
        ).fetchone()
    return "" if row is None else str(row[0])


def said_again(connection: Connection, build: Build) -> str:
    """The server's text of it now, '' if it is not there."""
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('search_path', '', true)")
        row = connection.execute(build.asks.encode()).fetchone()
    return "" if row is None or row[0] is None else str(row[0])
