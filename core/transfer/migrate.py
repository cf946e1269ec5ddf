"""A run from beginning to end: begin or resume, copy, build, finish.

The order is the promise: tables and ledger are made in one transaction; each
chunk commits with its line; what is built afterwards commits with its fate. So
at whatever moment the process dies, the ledger says what is done, and the next
call goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg

from core import __version__
from core.errors import CountsDisagree, OtherSource, PlanChanged, TargetNotEmpty
from core.plan import (
    NO_CHOICES,
    Choices,
    Plan,
    TablePlan,
    digest,
    from_json,
    overlaid,
    parse_document,
    to_json,
    write_document,
)
from core.plan.ddl import create_schema, create_table, qualified
from core.server.account import own_name
from core.server.connection import Connection, Target, connect, translated
from core.server.preflight import preflight
from core.source.opening import SourceFile
from core.source.snapshot import discard_snapshot, take_snapshot, verify_snapshot
from core.transfer.build import build_all
from core.transfer.copying import DEFAULT_BOUNDS, Bounds, Work, copy_all
from core.transfer.events import Event, RunBegun
from core.transfer.ledger import Ledger
from core.transfer.model import Run, RunReport, Status, TableReport
from core.transfer.prepare import Narrow, prepare

EXIT_DONE, EXIT_PARTIAL, EXIT_NO = 0, 3, 4

Tell = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for. ``home`` holds the snapshots; ``choices`` is None when no
    plan file was given. ``replace``: drop what an earlier run made, then begin anew."""

    source: SourceFile
    target: Target
    home: Path
    schema: str = "public"
    choices: Choices | None = None
    choices_path: str = ""
    narrow: Narrow | None = None
    replace: bool = False
    bounds: Bounds = DEFAULT_BOUNDS


def migrate(request: Request, tell: Tell = lambda _: None) -> RunReport:
    """Carry the source into the target, or go on with the run that began to.

    Raises MudanzaError for what stops a run; rows and objects that cannot be
    carried do not: they are in the report.
    """
    target = request.target
    with connect(target, autocommit=True) as connection, translated(target):
        preflight(connection, target, request.schema)
        ledger = Ledger(connection)
        ledger.hold(request.schema)
        run = ledger.live_run(request.schema) if ledger.exists() else None
        if run is None or request.replace:
            return _begin(connection, ledger, request, tell, earlier=run)
        _refuse_other(run, request)
        work = Work(connection=connection, ledger=ledger, run=run, plan=from_json(Plan, run.plan))
        if run.status is Status.COMPLETE:
            return _repeat(work, request)
        return _resume(work, request, tell)


def check_target(request: Request) -> None:
    """All that :func:`migrate` would refuse about the target, and nothing written."""
    target = request.target
    with connect(target, autocommit=True) as connection, translated(target):
        preflight(connection, target, request.schema)
        ledger = Ledger(connection)
        run = ledger.live_run(request.schema) if ledger.exists() else None
        if run is None or request.replace:
            _refuse_occupied(connection, request, earlier=run)
        else:
            _refuse_other(run, request)


# --- beginning ------------------------------------------------------------------


def _begin(
    connection: Connection, ledger: Ledger, request: Request, tell: Tell, *, earlier: Run | None
) -> RunReport:
    """A new run, in place of an ``earlier`` one: what that one made stays until all that
    could stop this one has been asked."""
    _refuse_occupied(connection, request, earlier)
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
            tell=tell,
        )
        document = write_document(prepared.plan)
        run = Run(
            run=number,
            target_schema=request.schema,
            source_path=str(request.source.path),
            snapshot_path=str(path.resolve()),
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
        with connection.transaction():
            if earlier is not None:
                _drop(connection, ledger, request, earlier)
            _make_target(connection, ledger, run, prepared.plan)
    except BaseException:
        discard_snapshot(path)
        raise
    if earlier is not None:
        discard_snapshot(Path(earlier.snapshot_path))
    work = Work(connection=connection, ledger=ledger, run=run, plan=prepared.plan)
    return _work(work, request, tell, resumed=False)


def _make_target(connection: Connection, ledger: Ledger, run: Run, plan: Plan) -> None:
    """Tables and ledger, in the caller's transaction: either both are there or neither."""
    ledger.ensure()
    connection.execute(create_schema(plan).encode())
    for table in plan.tables:
        connection.execute(create_table(plan.schema, table).encode())
    ledger.begin(run, plan)


def _refuse_occupied(connection: Connection, request: Request, earlier: Run | None) -> None:
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


def _made_by(plan: Plan) -> Iterator[str]:
    """The names of the relations that a plan makes, indexes apart."""
    for table in plan.tables:
        yield table.target
        yield from (column.sequence for column in table.columns if column.identity)


def _drop(connection: Connection, ledger: Ledger, request: Request, run: Run) -> None:
    """Drop the tables that the run made, and nothing else, in the caller's transaction.

    All in one statement: they refer to each other. What somebody else hung on them
    is not ours to drop. Raises TargetNotEmpty.
    """
    plan = from_json(Plan, run.plan)
    names = ", ".join(qualified(plan.schema, table.target) for table in plan.tables)
    try:
        if names:
            connection.execute(f"DROP TABLE IF EXISTS {names}".encode())
    except psycopg.errors.DependentObjectsStillExist as refused:
        hung = refused.diag.message_detail or ""
        raise TargetNotEmpty(
            target=request.target.shown, schema=request.schema, names=hung
        ) from refused
    ledger.set_status(run.run, Status.REPLACED)


# --- going on -------------------------------------------------------------------


def _refuse_other(run: Run, request: Request) -> None:
    if run.source_path != str(request.source.path):
        raise OtherSource(run=run.run, was=run.source_path, now=str(request.source.path))
    was = parse_document(run.plan_document, "ledger")
    now = overlaid(was, request.choices or NO_CHOICES)
    if request.narrow is not None:
        now = overlaid(now, request.narrow(list(was.tables)))
    if now != was:
        given = request.choices_path or "--only / --skip"
        raise PlanChanged(run=run.run, was=run.plan_sha256, now=given)


def _resume(work: Work, request: Request, tell: Tell) -> RunReport:
    run = work.run
    verify_snapshot(Path(run.snapshot_path), run.snapshot_sha256, run=str(run.run))
    return _work(work, request, tell, resumed=True)


def _repeat(work: Work, request: Request) -> RunReport:
    """A complete run does nothing again; it says whether its source has moved since."""
    moved = source_moved(work.run, request.source, request.home)
    exit_code = EXIT_NO if moved else work.run.exit_code or EXIT_DONE
    return _report(work, exit_code, repeated=True, moved=moved)


def source_moved(run: Run, source: SourceFile, home: Path) -> bool:
    """Whether a fresh copy of the source differs from the run's snapshot."""
    path = home / "snapshots" / f"{uuid4()}.sqlite"
    try:
        return take_snapshot(source, path).sha256 != run.snapshot_sha256
    finally:
        discard_snapshot(path)


# --- the work -------------------------------------------------------------------


def _work(work: Work, request: Request, tell: Tell, *, resumed: bool) -> RunReport:
    done = sum(r.rows_read for r in work.ledger.ranges(work.run.run))
    rows = sum(t.rows for t in work.plan.tables)
    tell(RunBegun(run=work.run.run, rows=rows, rows_done=done, resumed=resumed))
    if work.run.status is Status.COPYING:
        copy_all(work, request.bounds, tell)
        work.ledger.set_status(work.run.run, Status.BUILDING)
    build_all(work.connection, work.ledger, work.run.run, work.plan, tell)
    for table in work.plan.tables:
        work.connection.execute(f"ANALYZE {qualified(work.plan.schema, table.target)}".encode())
    return _finish(work, resumed=resumed)


def _finish(work: Work, *, resumed: bool) -> RunReport:
    """Count both sides, decide the exit code, and write both down."""
    tables = _table_reports(work)
    for table in tables:
        if table.rows_source != table.rows_target + table.rows_quarantined:
            raise CountsDisagree(
                table=table.name,
                source=table.rows_source,
                target=table.rows_target,
                quarantined=table.rows_quarantined,
            )
    partial = any(t.rows_quarantined for t in tables) or any(
        o.counts for o in work.ledger.objects(work.run.run)
    )
    exit_code = EXIT_PARTIAL if partial else EXIT_DONE
    work.ledger.set_status(work.run.run, Status.COMPLETE, exit_code)
    return _report(work, exit_code, resumed=resumed)


def _table_reports(work: Work) -> tuple[TableReport, ...]:
    quarantined = work.ledger.quarantine(work.run.run).counts()
    ranges = {r.table_number: r for r in work.ledger.ranges(work.run.run)}
    return tuple(
        TableReport(
            name=table.name,
            target=table.target,
            rows_source=table.rows,
            rows_target=count_rows(work.connection, work.plan.schema, table),
            rows_quarantined=quarantined.get(table.number, 0),
            seconds=ranges[table.number].seconds,
        )
        for table in work.plan.tables
    )


def count_rows(connection: Connection, schema: str, table: TablePlan) -> int:
    """How many rows the target's table has."""
    found = connection.execute(
        f"SELECT count(*) FROM {qualified(schema, table.target)}".encode()
    ).fetchone()
    return int(str(found[0])) if found else 0


def _report(
    work: Work,
    exit_code: int,
    *,
    resumed: bool = False,
    repeated: bool = False,
    moved: bool = False,
) -> RunReport:
    seconds = work.ledger.seconds(work.run.run)
    tables = _table_reports(work)
    rows = sum(t.rows_source for t in tables)
    return RunReport(
        run=work.run.run,
        status=Status.COMPLETE,
        exit_code=exit_code,
        seconds=seconds,
        rows_per_second=rows / seconds if seconds else 0.0,
        tables=tables,
        objects=work.ledger.objects(work.run.run),
        resumed=resumed,
        repeated=repeated,
        moved=moved,
    )
