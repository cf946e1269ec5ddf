"""What people start: a run from the beginning or from where it stands, or a part in one.

The order is the promise: tables and ledger are made in one transaction; each chunk
commits with its line; what is built commits with its fate. So at whatever moment a
process dies, the ledger says what is done, and the next call goes on from there.
"""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from core.errors import RunNotAtWork
from core.plan import Plan, from_json
from core.server.connection import Connection, connect, translated
from core.server.preflight import preflight
from core.source.opening import SourceFile
from core.source.snapshot import discard_snapshot, take_snapshot
from core.source.unchanged import still_holds
from core.transfer.adopting import Survey, put_back, survey
from core.transfer.begin import Request, begin, refuse_occupied, refuse_other
from core.transfer.engine import Party, carry_on, go_on, require_snapshot
from core.transfer.events import Tell
from core.transfer.lease import is_held, momentary
from core.transfer.ledger import Ledger
from core.transfer.membership import who
from core.transfer.model import EXIT_DONE, EXIT_NO, Run, RunReport
from core.transfer.report import count_rows, run_report, table_reports
from core.transfer.states import ENDED, WORKING, Status
from core.transfer.steering import Asked, Place, RunRequest, steer


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
        earlier = ledger.live_run(request.schema) if ledger.exists() else None
        if earlier is not None and earlier.status is Status.CANCELLED:
            put_back(connection, earlier)  # whoever cancelled it may have died over it
        if earlier is None or request.replace or _emptied(connection, request, earlier):
            run = begin(connection, request, tell, earlier)
        else:
            run = earlier
            refuse_other(run, request)
            if run.status is Status.COMPLETE:
                return _repeat(connection, run, request)
            if run.status is Status.PAUSED:
                return _resting(connection, run)
            _take_up(connection, request, run)
    party = Party(
        target=target,
        run=run,
        snapshot=Path(run.snapshot_path),
        workers=request.workers,
        limits=request.limits,
        way=request.way,
    )
    if run is earlier:
        return carry_on(party, tell, resumed=True)
    return go_on(party, tell, resumed=False)  # its snapshot was made just now


def _emptied(connection: Connection, request: Request, earlier: Run) -> bool:
    """Whether an earlier run into the application's own tables is over, and somebody has
    emptied them since to begin anew: such tables are never replaced."""
    plan = from_json(Plan, earlier.plan)
    if not (request.adopts and plan.adopted and earlier.status in ENDED):
        return False
    return any(t.rows for t in plan.tables) and not any(
        count_rows(connection, plan.schema, table) for table in plan.tables
    )


def check_target(request: Request) -> Survey | None:
    """All that :func:`migrate` would refuse about the target, and nothing written; what
    stands there, for a run that adopts it."""
    target = request.target
    with connect(target, autocommit=True) as connection, translated(target):
        preflight(connection, target, request.schema)
        ledger = Ledger(connection)
        run = ledger.live_run(request.schema) if ledger.exists() else None
        if run is not None and not request.replace:
            refuse_other(run, request)
        elif not request.adopts:
            refuse_occupied(connection, request, earlier=run)
        return survey(connection, request.schema) if request.adopts else None


def _take_up(connection: Connection, request: Request, run: Run) -> None:
    """Go on with a run that an error stopped. Raises RunCancelled."""
    if run.status is Status.CANCELLED:
        raise Ledger(connection).cancelled(run.run)
    if run.status is not Status.FAILED:
        return
    with momentary(connection, run.run, seconds=request.limits.lease, by=who()) as lease:
        if lease is not None:  # else somebody else is just doing the same
            lease.move(connection, Status.COPYING)


def _resting(connection: Connection, run: Run) -> RunReport:
    """A paused run does nothing until somebody resumes it."""
    tables = table_reports(connection, run, from_json(Plan, run.plan))
    return run_report(connection, run, tables, EXIT_DONE, status=Status.PAUSED, resumed=True)


def _repeat(connection: Connection, run: Run, request: Request) -> RunReport:
    """A complete run does nothing again; it says whether its source has moved since."""
    moved = source_moved(run, request.source, request.home)
    exit_code = EXIT_NO if moved else run.exit_code or EXIT_DONE
    tables = table_reports(connection, run, from_json(Plan, run.plan))
    return run_report(connection, run, tables, exit_code, repeated=True, moved=moved)


def source_moved(run: Run, source: SourceFile, home: Path) -> bool:
    """Whether the source is no longer what the run's snapshot holds."""
    if still_holds(source, Path(run.snapshot_path), run.snapshot_sha256):
        return False
    path = home / "snapshots" / f"{uuid4()}.sqlite"
    try:
        return take_snapshot(source, path).sha256 != run.snapshot_sha256
    finally:
        discard_snapshot(path)


# --- taking part ---------------------------------------------------------------------------


def resume(party: Party, note: str, tell: Tell = lambda _: None) -> RunReport:
    """Go on with a run that is paused, that an error stopped, or that was left behind by
    processes that died. Raises ArrowRefused for any other, and SnapshotLost first of all:
    then it stays as it is."""
    require_snapshot(party)
    if not _left_behind(party):
        place = Place(target=party.target, run=party.run.run, limits=party.limits)
        steer(place, RunRequest(run=place.run, kind=Asked.RESUME, asked_by=who(), note=note))
    return go_on(party, tell, resumed=True)


def join(party: Party, tell: Tell = lambda _: None) -> RunReport:
    """Take part in a run beside those who are at it. One that is complete already is only
    reported. Raises RunCancelled, and RunNotAtWork for any other that is not at work."""
    with connect(party.target, autocommit=True) as connection, translated(party.target):
        run = Ledger(connection).run(party.run.run)
        if run.status is Status.COMPLETE:
            tables = table_reports(connection, run, from_json(Plan, run.plan))
            return run_report(connection, run, tables, run.exit_code or EXIT_DONE, repeated=True)
        if run.status is Status.CANCELLED:
            raise Ledger(connection).cancelled(run.run)
        if run.status not in WORKING:
            raise RunNotAtWork(run=run.run, status=run.status)
    return carry_on(party, tell, resumed=True)


def _left_behind(party: Party) -> bool:
    """Whether the run is to be at work, and nobody living is at it."""
    with connect(party.target, autocommit=True) as connection, translated(party.target):
        status = Ledger(connection).orders(party.run.run).status
        return status in WORKING and not is_held(connection, party.run.run)
