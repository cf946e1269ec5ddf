"""What a member does about an error in the middle of its work: wait, or name who is in the way."""

from __future__ import annotations

import psycopg

from core.errors import MudanzaError, TargetLocked
from core.plan import Plan
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.server.faults import Fault
from core.transfer.membership import Patience
from core.transfer.work import Work


def overcome(
    work: Work, patience: Patience, error: psycopg.Error | MudanzaError, target: str
) -> Fault:
    """Wait until the work on ``target``, a table there, can be tried again; what kind of error it was.
    Raises it, as an error of ours, when it will not pass."""
    try:
        kind = patience.wait(error)
    except TargetLocked as locked:
        detail = work.persist(lambda c: _blockers(c, work.plan, target))
        raise TargetLocked(target=work.member.target.shown, detail=detail) from locked
    if kind is Fault.LOST:
        work.session.drop()
    return kind


def _blockers(connection: Connection, plan: Plan, target: str) -> str:
    """Who holds locks on a target table, our own sessions apart."""
    found = connection.execute(
        "SELECT l.pid, a.usename, a.application_name, l.mode FROM pg_locks l"
        " LEFT JOIN pg_stat_activity a USING (pid)"
        " WHERE l.granted AND l.relation = to_regclass(%s) AND l.pid <> pg_backend_pid()"
        " AND l.pid NOT IN (SELECT backend_pid FROM mudanza.session)",
        (qualified(plan.schema, target),),
    ).fetchall()
    named = [f"{target}: pid {p}, {user} ({name or '?'}), {mode}" for p, user, name, mode in found]
    return "; ".join(named) or target
