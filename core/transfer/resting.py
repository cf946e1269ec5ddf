"""A complete run in one hand: whoever repairs its quarantine holds its lease.

So it meets no other repair, and nobody who puts another run in its place. Who loses the
lease meanwhile commits nothing: the last statement of each repair asks for the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

import psycopg

from core.errors import MudanzaError, RunHeld, RunUnfinished
from core.failpoints import failpoint
from core.plan import Plan, from_json
from core.server.connection import Connection, translated
from core.transfer.lease import Lease, LeaseLost, take
from core.transfer.ledger import Ledger
from core.transfer.membership import Member, Session, who
from core.transfer.model import Limits, Run
from core.transfer.quarantine import Quarantine
from core.transfer.standing import coordinator
from core.transfer.states import Status
from core.transfer.steering import Place


@dataclass(frozen=True, kw_only=True)
class Resting:
    """A complete run, its plan, and the lease under which it may be changed."""

    connection: Connection
    run: Run
    plan: Plan
    lease: Lease
    limits: Limits

    @property
    def quarantine(self) -> Quarantine:
        """What is to be repaired."""
        return Quarantine(self.connection, self.run.run)


@contextmanager
def at_rest(place: Place) -> Iterator[Resting]:
    """The run in this hand alone. Raises RunUnfinished for one that is not complete, and
    RunHeld while, or as soon as, somebody else has it."""
    member = Member(
        run=place.run, member=uuid4(), target=place.target, limits=place.limits, copies=False
    )
    session = Session(member, application_name="mudanza repair")
    try:
        with translated(place.target):
            connection = session.connection()
            _require_complete(connection, place)
            member.join(connection)
            with _leased(connection, place, member) as lease:
                run = _require_complete(connection, place)
                yield Resting(
                    connection=connection,
                    run=run,
                    plan=from_json(Plan, run.plan),
                    lease=lease,
                    limits=place.limits,
                )
    finally:
        with suppress(psycopg.Error, MudanzaError):
            member.leave(session.connection(), "done")
        session.drop()


def _require_complete(connection: Connection, place: Place) -> Run:
    run = Ledger(connection).run(place.run)
    if run.status is not Status.COMPLETE:
        raise RunUnfinished(run=run.run, status=run.status)
    return run


@contextmanager
def _leased(connection: Connection, place: Place, member: Member) -> Iterator[Lease]:
    seconds = place.limits.lease
    lease = take(connection, place.run, member.member, seconds=seconds, by=who())
    if lease is None:
        raise RunHeld(run=place.run, pid=coordinator(connection, place.run))
    try:
        failpoint("repair.taken")
        yield lease
    except LeaseLost:
        raise RunHeld(run=place.run, pid=coordinator(connection, place.run)) from None
    finally:
        with suppress(psycopg.Error):
            lease.release(connection)
