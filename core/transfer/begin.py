"""The beginning of a run: everything that could stop it is asked before anything is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from core import __version__
from core.errors import OtherSource, PlanChanged, RunHeld, TargetNotEmpty
from core.failpoints import failpoint
from core.plan import (
    NO_CHOICES,
    Choices,
    Plan,
    digest,
    from_json,
    overlaid,
    parse_document,
    to_json,
    write_document,
)
from core.plan.ddl import comments, create_schema, create_table, qualified
from core.server.account import own_name
from core.server.connection import Connection, Target
from core.source.opening import SourceFile
from core.source.rows import Row
from core.source.snapshot import discard_snapshot
from core.transfer.adopting import survey, take_apart
from core.transfer.collisions import find_collisions
from core.transfer.events import Tell
from core.transfer.lease import is_held, take
from core.transfer.ledger import Ledger
from core.transfer.membership import who
from core.transfer.model import DEFAULT_BOUNDS, DEFAULT_LIMITS, Bounds, Limits, Run, Way
from core.transfer.prepare import Narrow, Prepared, prepare, snapshot_connection
from core.transfer.standing import coordinator
from core.transfer.states import Status


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for. ``home`` holds the snapshots; ``choices`` is None when no
    plan file was given. ``replace``: drop what an earlier run made, then begin anew.
    ``workers``: how many processes copy; 1 is this one alone. ``way``: which path."""

    source: SourceFile
    target: Target
    home: Path
    schema: str = "public"
    choices: Choices | None = None
    choices_path: str = ""
    narrow: Narrow | None = None
    replace: bool = False
    bounds: Bounds = DEFAULT_BOUNDS
    limits: Limits = DEFAULT_LIMITS
    workers: int = 1
    way: Way = Way.AUTO

    @property
    def adopts(self) -> bool:
        """Whether the rows are to go into the application's own tables."""
        return self.choices is not None and self.choices.adopt


def begin(connection: Connection, request: Request, tell: Tell, earlier: Run | None) -> Run:
    """A new run, in place of an ``earlier`` one: what that one made stays until all that
    could stop this one has been asked. The caller holds the schema."""
    ledger = Ledger(connection)
    there = None
    if request.adopts:
        there = survey(connection, request.schema)
    else:
        refuse_occupied(connection, request, earlier)
    if earlier is not None and is_held(connection, earlier.run):
        raise _held(connection, earlier)
    number = uuid4()
    path = request.home / "snapshots" / f"{number}.sqlite"
    try:
        prepared = prepare(
            request.source,
            path,
            schema=request.schema,
            choices=request.choices or NO_CHOICES,
            choices_path=request.choices_path,
            narrow=request.narrow,
            range_rows=request.bounds.range_rows,
            way=request.way,
            there=there,
            tell=tell,
        )
        failpoint("begin.prepared")
        run = _described(number, path.resolve(), request, prepared)
        collisions = _collisions(path, prepared.plan, run.run)
        with connection.transaction():
            if earlier is not None:
                _drop(connection, request, earlier)
            ledger.ensure()
            if there is None:
                _make_target(connection, prepared.plan)
            else:
                take_apart(connection, prepared.plan, there)
            failpoint("begin.tables")
            ledger.begin(run, prepared.plan, request.bounds, _cuts(prepared), collisions)
            failpoint("begin.written")
    except BaseException:
        # With the connection lost, the run may be there all the same, and need its snapshot.
        if not connection.broken:
            discard_snapshot(path)
        raise
    failpoint("begin.committed")
    if earlier is not None:
        discard_snapshot(Path(earlier.snapshot_path))
    return run


def refuse_occupied(connection: Connection, request: Request, earlier: Run | None) -> None:
    """Refuse a schema that holds anything, but for what extensions put there and what
    the ``earlier`` run made."""
    own = [] if earlier is None else list(_made_by(from_json(Plan, earlier.plan)))
    found = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
        " AND c.relname <> ALL (%s)"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"
        " AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1 LIMIT 6",
        (request.schema, own),
    ).fetchall()
    if found:
        names = ", ".join(str(name) for (name,) in found[:5]) + (", …" if len(found) > 5 else "")
        raise TargetNotEmpty(target=request.target.shown, schema=request.schema, names=names)


def refuse_other(run: Run, request: Request) -> None:
    """Refuse to go on with a run that was begun from another source or under another plan."""
    if run.source_path != str(request.source.path):
        raise OtherSource(run=run.run, was=run.source_path, now=str(request.source.path))
    was = parse_document(run.plan_document, "ledger")
    now = overlaid(was, request.choices or NO_CHOICES)
    if request.narrow is not None:
        now = overlaid(now, request.narrow(list(was.tables)))
    if now != was:
        given = request.choices_path or "--only / --skip / --where / --fold / --adopt / --zone"
        raise PlanChanged(run=run.run, was=run.plan_sha256, now=given)


# --- what a run is made of --------------------------------------------------------------


def _described(number: UUID, path: Path, request: Request, prepared: Prepared) -> Run:
    document = write_document(prepared.plan)
    return Run(
        run=number,
        target_schema=request.schema,
        source_path=str(request.source.path),
        snapshot_path=str(path),
        snapshot_sha256=prepared.snapshot.sha256,
        snapshot_bytes=prepared.snapshot.bytes,
        plan=to_json(prepared.plan),
        plan_document=document,
        plan_sha256=digest(document),
        status=Status.COPYING,
        exit_code=None,
        version=__version__,
        started_by=own_name(),
        started_at=datetime.now(UTC),
        finished_at=None,
    )


def _collisions(path: Path, plan: Plan, run: UUID) -> Mapping[int, Sequence[bytes]]:
    with snapshot_connection(path, run=str(run)) as snapshot:
        found = find_collisions(snapshot, plan)
    return {number: tuple(collisions) for number, collisions in found.items()}


def _cuts(prepared: Prepared) -> Mapping[str, Sequence[Row]]:
    return {name: census.cuts for name, census in prepared.census.tables.items()}


def _make_target(connection: Connection, plan: Plan) -> None:
    """The bare tables, in the caller's transaction."""
    connection.execute(create_schema(plan).encode())
    for table in plan.tables:
        for statement in (create_table(plan.schema, table), *comments(plan.schema, table)):
            connection.execute(statement.encode())


def _made_by(plan: Plan) -> Iterator[str]:
    """The names of the relations that a plan makes, indexes apart."""
    for table in () if plan.adopted else plan.tables:
        yield table.target
        yield from (column.sequence for column in table.columns if column.identity)
    yield from (view.target for view in plan.views)


# --- in place of an earlier run -----------------------------------------------------------


def _held(connection: Connection, run: Run) -> RunHeld:
    return RunHeld(run=run.run, pid=coordinator(connection, run.run))


def _drop(connection: Connection, request: Request, run: Run) -> None:
    """Drop the tables and views that the run made, and nothing else, in the caller's
    transaction.

    All of a kind in one statement: they refer to each other. What somebody else hung on them
    is not ours to drop. Raises TargetNotEmpty, and RunHeld while somebody works on them.
    """
    lease = take(connection, run.run, uuid4(), seconds=request.limits.lease, by=who())
    if lease is None:
        raise _held(connection, run)
    plan = from_json(Plan, run.plan)
    made = () if plan.adopted else plan.tables
    names = ", ".join(qualified(plan.schema, table.target) for table in made)
    functions = _functions(connection, plan)
    views = ", ".join(qualified(plan.schema, view.target) for view in plan.views)
    try:
        if views:
            connection.execute(f"DROP VIEW IF EXISTS {views}".encode())
        if names:
            connection.execute(f"DROP TABLE IF EXISTS {names}".encode())
        for function in functions:
            connection.execute(f"DROP FUNCTION {function}".encode())
    except psycopg.errors.DependentObjectsStillExist as refused:
        hung = refused.diag.message_detail or ""
        raise TargetNotEmpty(
            target=request.target.shown, schema=request.schema, names=hung
        ) from refused
    lease.move(connection, Status.REPLACED)


def _functions(connection: Connection, plan: Plan) -> list[str]:
    """The functions that the run made: those that its triggers on its tables call."""
    made = [(b.name, plan.targets[b.table], b.function) for b in plan.builds if b.function]
    found = connection.execute(
        "SELECT DISTINCT t.tgfoid::regprocedure::text FROM pg_trigger t"
        " JOIN pg_class r ON r.oid = t.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace"
        " JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = r.relnamespace"
        " WHERE n.nspname = %s AND (t.tgname, r.relname, p.proname) IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]))",
        (plan.schema, *([row[n] for row in made] for n in range(3))),
    ).fetchall()
    return [str(function) for (function,) in found]
