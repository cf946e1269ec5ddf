"""Carrying a run on, in this process and the workers it starts, until it ends or rests.

Many processes may do so for one run, on one host or on several: each has its
coordinator, one of which holds the lease, and its members, which share the ranges.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import psycopg

from core.errors import (
    ArrowRefused,
    MudanzaError,
    RunCancelled,
    RunStopped,
    SnapshotLost,
    written,
)
from core.failpoints import failpoint
from core.plan import Plan, from_json
from core.plan.ddl import qualified
from core.server.connection import Connection, Target
from core.server.faults import Fault
from core.source.snapshot import discard_snapshot, verify_snapshot
from core.transfer.claims import Claims
from core.transfer.coordinator import Coordinator
from core.transfer.events import ChunkCommitted, Event, RunBegun, Tell
from core.transfer.hand import Errand, second_hand
from core.transfer.lease import Lease
from core.transfer.ledger import Ledger
from core.transfer.member import take_part
from core.transfer.membership import Member, Patience, Pulse, Session, persist
from core.transfer.model import (
    EXIT_DONE,
    Limits,
    Run,
    RunReport,
    TableReport,
    Way,
)
from core.transfer.prepare import snapshot_connection
from core.transfer.report import exit_code_of, require_agreement, run_report, table_reports
from core.transfer.standing import progress, silent
from core.transfer.states import WORKING, Status
from core.transfer.work import Work
from core.transfer.workers import Workers

T = TypeVar("T")

_LOOK_SECONDS = 0.2
_LOOK_AT_OTHERS_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Party:
    """A process that takes part in a run, with so many ``workers``; ``snapshot`` is where
    the run's snapshot lies on this host."""

    target: Target
    run: Run
    snapshot: Path
    workers: int
    limits: Limits
    way: Way = Way.AUTO


def carry_on(party: Party, tell: Tell, *, resumed: bool) -> RunReport:
    """Take part in the run until it is complete or paused.

    Raises RunCancelled, RunStopped when another process met what stops it, and
    MudanzaError for what stops it here.
    """
    require_snapshot(party)
    return go_on(party, tell, resumed=resumed)


def require_snapshot(party: Party) -> None:
    """Raise SnapshotLost unless the run's own snapshot lies where the party looks for it."""
    run = party.run
    verify_snapshot(party.snapshot, run.snapshot_sha256, run=str(run.run))


def go_on(party: Party, tell: Tell, *, resumed: bool) -> RunReport:
    """:func:`carry_on` for a party whose snapshot has been looked at."""
    engine = _Engine(party, tell, resumed=resumed)
    why = "done"
    try:
        engine.coordinator.start()
        return engine.go()
    except MudanzaError as stopped:
        why = stopped.id
        engine.note_failure(stopped)
        if isinstance(stopped, SnapshotLost):
            engine.refuse_cancelled()
        raise
    except BaseException as broken:
        why = type(broken).__name__
        raise
    finally:
        engine.coordinator.stop(why)
        engine.session.drop()


class _Engine:
    def __init__(self, party: Party, tell: Tell, *, resumed: bool) -> None:
        self.party = party
        self.plan = from_json(Plan, party.run.plan)
        self.resumed = resumed
        self.member = Member(
            run=party.run.run,
            member=uuid4(),
            target=party.target,
            limits=party.limits,
            copies=party.workers == 1,
        )
        self.pulse = Pulse()
        self.session = Session(self.member)
        self.coordinator = Coordinator(self.member, self.pulse)
        self._tell = tell
        self._rows_told = 0
        self._looked_at = time.monotonic()

    def tell(self, event: Event) -> None:
        self.coordinator.check()
        self._tell(event)

    def tell_own(self, event: Event) -> None:
        """Tell what this process did, and how far the run is when others are at it too."""
        self.tell(event)
        if isinstance(event, ChunkCommitted):
            self._rows_told += event.rows_read
        if time.monotonic() - self._looked_at > _LOOK_AT_OTHERS_SECONDS:
            seen = self._persist(lambda c: progress(c, self.member.run))
            self._looked_at = time.monotonic()
            if seen.rows_done != self._rows_told:
                self._rows_told = seen.rows_done
                self.tell(seen)

    def go(self) -> RunReport:
        self._tell_begin()
        while True:
            if self._persist(self._anything_left):
                self._work()
            self.coordinator.make_round()
            status = self._status()
            if status not in WORKING:
                return self._ended(status)
            report = self._finished()
            if report is not None:
                return report
            self._watch()
            time.sleep(_LOOK_SECONDS)

    def note_failure(self, stopped: MudanzaError) -> None:
        """Let the ledger say why the run stands still, if it can be told."""
        if isinstance(stopped, RunCancelled | RunStopped):
            return
        try:
            self.coordinator.holding(
                lambda connection, lease: lease.move(
                    connection, Status.FAILED, detail=written(stopped)
                )
            )
        except (psycopg.Error, MudanzaError):
            return

    def refuse_cancelled(self) -> None:
        """Raise RunCancelled if that is why the snapshot is gone: whoever cancels a run
        takes it away, also under members that are only about to open it."""
        if self._status() is Status.CANCELLED:
            self._ended(Status.CANCELLED)

    def _persist(self, work: Callable[[Connection], T]) -> T:
        return persist(self.session, work)

    def _status(self) -> Status:
        return self._persist(lambda c: Ledger(c).orders(self.member.run).status)

    def _tell_begin(self) -> None:
        run = self.member.run
        done = self._persist(lambda c: progress(c, run)).rows_done
        rows = sum(t.rows for t in self.plan.tables)
        self._rows_told = done
        self.tell(RunBegun(run=run, rows=rows, rows_done=done, resumed=self.resumed))

    # --- the work

    def _work(self) -> None:
        if self.party.workers > 1:
            workers = Workers(self.party.workers, self._errand())
            workers.work(self._watch, self._silent)
            return
        by_columns = self.party.way.by_columns(self.plan)
        with (
            # By rows, Python's own lock would let only one of them work.
            second_hand(self._errand() if by_columns else None) as has_failed,
            snapshot_connection(self.party.snapshot, run=str(self.member.run)) as snapshot,
        ):
            take_part(
                Work(
                    member=self.member,
                    session=self.session,
                    snapshot=snapshot,
                    plan=self.plan,
                    tell=self.tell_own,
                    is_to_end=has_failed,
                    pulse=self.pulse,
                    by_columns=by_columns,
                )
            )

    # --- the end

    def _finished(self) -> RunReport | None:
        """The report if all is done and this process is the one to say so."""
        if self.coordinator.lease is None or self._status() is not Status.BUILDING:
            return None
        if self._persist(self._anything_left):
            return None
        tables = self._persist(self._settle)
        exit_code = self._persist(lambda c: exit_code_of(c, self.member.run, self.plan))
        if not self._complete(exit_code):
            return None
        return self._report(tables, exit_code, Status.COMPLETE)

    def _anything_left(self, connection: Connection) -> bool:
        return Claims(connection, self.member.run, self.member.member).anything_left()

    def _settle(self, connection: Connection) -> tuple[TableReport, ...]:
        """Fresh statistics, and a count of every table, which must agree. Safe to repeat."""
        milliseconds = str(int(self.member.limits.build * 1000))
        with connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))
            for table in self.plan.tables:
                connection.execute(f"ANALYZE {qualified(self.plan.schema, table.target)}".encode())
            tables = table_reports(connection, self.party.run, self.plan)
        require_agreement(tables)
        failpoint("finish.counted")
        return tables

    def _complete(self, exit_code: int) -> bool:
        """Whether the run is complete by our hand. One that could not be told so is looked
        at again."""

        def complete(connection: Connection, lease: Lease) -> bool:
            lease.move(connection, Status.COMPLETE, exit_code=exit_code)
            failpoint("finish.complete")
            return True

        try:
            return bool(self.coordinator.holding(complete))
        except ArrowRefused:
            return False  # paused or cancelled at the last moment
        except (psycopg.Error, MudanzaError) as error:
            if Patience(self.member).wait(error) is Fault.LOST:
                self.coordinator.make_round()
            return False

    def _ended(self, status: Status) -> RunReport:
        """What is to be said of a run that others ended, or that is to rest."""
        run = self._persist(lambda c: Ledger(c).run(self.member.run))
        if status is Status.CANCELLED:
            discard_snapshot(self.party.snapshot)
            raise self._persist(lambda c: Ledger(c).cancelled(run.run))
        if status in (Status.FAILED, Status.REPLACED):
            last = self._persist(lambda c: Ledger(c).steps(run.run))[-1]
            raise RunStopped(run=run.run, by=last.by, detail=last.error or status)
        tables = self._persist(lambda c: table_reports(c, run, self.plan))
        exit_code = run.exit_code if status is Status.COMPLETE else EXIT_DONE
        return self._report(tables, exit_code or EXIT_DONE, status)

    def _report(self, tables: tuple[TableReport, ...], exit_code: int, status: Status) -> RunReport:
        run, resumed = self.party.run, self.resumed
        return self._persist(
            lambda c: run_report(c, run, tables, exit_code, status=status, resumed=resumed)
        )

    # --- workers

    def _watch(self) -> None:
        """Tell how far the run is, from time to time while others are at it."""
        self.tell(self._persist(lambda c: progress(c, self.member.run)))

    def _silent(self) -> frozenset[int]:
        run, host = self.member.run, socket.gethostname()
        return self._persist(lambda c: silent(c, run, host))

    def _errand(self) -> Errand:
        member, party = self.member, self.party
        return Errand(
            conninfo=member.target.conninfo,
            shown=member.target.shown,
            run=str(member.run),
            snapshot=str(party.snapshot),
            limits=party.limits,
            way=party.way,
        )
