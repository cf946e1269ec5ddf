"""A member of a run: its row in the ledger, its sessions, its patience.

A session that is lost is opened anew, and the one it follows is ended at the
server: its transaction, if it has one, is decided then.
"""

from __future__ import annotations

import math
import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import psycopg

from core.errors import MudanzaError
from core.failpoints import failpoint
from core.server.account import own_name
from core.server.connection import Connection, Target, Timeouts, connect, translated
from core.server.faults import Fault, fault
from core.transfer.model import Limits, process_name

T = TypeVar("T")

# So often something that passes may stand in the way of one piece of work.
ATTEMPTS = 5
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 5.0


def who() -> str:
    """This process, for people: account, host, number."""
    return process_name(own_name(), socket.gethostname(), os.getpid())


@dataclass(frozen=True, kw_only=True)
class Member:
    """Who takes part in which run, and where. ``copies``: whether it carries rows."""

    run: UUID
    member: UUID
    target: Target
    limits: Limits
    copies: bool

    def join(self, connection: Connection) -> None:
        """Write the member's row, again if it was taken for dead."""
        connection.execute(
            "INSERT INTO mudanza.member (member, run, host, pid, account, copies, lease_until)"
            " VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s * interval '1 second')"
            " ON CONFLICT (member) DO UPDATE SET left_at = NULL, left_why = NULL,"
            " lease_until = excluded.lease_until",
            (
                self.member,
                self.run,
                socket.gethostname(),
                os.getpid(),
                own_name(),
                self.copies,
                self.limits.lease,
            ),
        )
        failpoint("join.registered")

    def beat(self, connection: Connection, slowest: float) -> None:
        """Show that the member lives; ``slowest`` is its longest wait for that, in seconds."""
        beaten = connection.execute(
            "UPDATE mudanza.member SET lease_until = clock_timestamp() + %s * interval '1 second',"
            " beat_at = clock_timestamp(), slowest_beat = greatest(slowest_beat, %s)"
            " WHERE member = %s AND left_at IS NULL",
            (self.limits.lease, slowest, self.member),
        )
        if beaten.rowcount != 1:
            self.join(connection)

    def leave(self, connection: Connection, why: str) -> None:
        """Say goodbye."""
        failpoint("leave.before")
        connection.execute(
            "UPDATE mudanza.member SET left_at = clock_timestamp(), left_why = %s, waits_for = ''"
            " WHERE member = %s AND left_at IS NULL",
            (why, self.member),
        )
        connection.execute("DELETE FROM mudanza.session WHERE member = %s", (self.member,))

    def wait_for(self, connection: Connection, what: str) -> None:
        """Say why the member does not copy just now; '' when it does."""
        connection.execute(
            "UPDATE mudanza.member SET waits_for = %s WHERE member = %s AND waits_for <> %s",
            (what, self.member, what),
        )

    @property
    def stuck_after(self) -> float:
        """Seconds after which a chunk that does not end costs its member the lease: twice
        what its COPY may take, for reading and converting."""
        return 2 * self.limits.chunk

    def timeouts(self) -> Timeouts:
        """What bounds the waiting of the sessions that carry rows and build."""
        limits = self.limits
        return Timeouts(statement=limits.chunk, lock=limits.lock, idle=limits.lease / 2)


class Pulse:
    """What a member's heartbeat asks of the thread that works: that it is not stuck."""

    def __init__(self) -> None:
        self._until = math.inf

    def allow(self, seconds: float) -> None:
        """The work now begun may take so long; :meth:`beats` is true until then."""
        self._until = time.monotonic() + seconds

    def beats(self) -> bool:
        """Whether the working thread is within its time."""
        return time.monotonic() < self._until


class Session:
    """A member's connection (in autocommit mode); opened when asked for, and again when lost."""

    def __init__(self, member: Member, *, application_name: str = "mudanza") -> None:
        self.member = member
        self._application_name = application_name
        self._connection: Connection | None = None
        self._server_side: tuple[object, object] | None = None

    def connection(self) -> Connection:
        """The connection. Raises what :func:`~core.server.connection.connect` raises."""
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def drop(self) -> None:
        """Close what is left of a lost connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        member = self.member
        connection = connect(
            member.target,
            autocommit=True,
            application_name=self._application_name,
            timeouts=member.timeouts(),
        )
        try:
            self._end_earlier(connection)
            row = connection.execute(
                "INSERT INTO mudanza.session (member, backend_pid, backend_start)"
                " SELECT %s, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
                " RETURNING backend_pid, backend_start",
                (member.member,),
            ).fetchone()
            assert row is not None
            self._server_side = (row[0], row[1])
        except BaseException:
            connection.close()
            raise
        return connection

    def _end_earlier(self, connection: Connection) -> None:
        if self._server_side is None:
            return
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid = %s AND backend_start = %s",
            self._server_side,
        )
        connection.execute(
            "DELETE FROM mudanza.session WHERE member = %s AND backend_pid = %s"
            " AND backend_start = %s",
            (self.member.member, *self._server_side),
        )
        self._server_side = None


class Patience:
    """How long something that passes is waited for: an unreachable server by the clock,
    everything else by the number of attempts."""

    def __init__(self, member: Member) -> None:
        self._target = member.target
        self._limits = member.limits
        self._failures = 0
        self._since: float | None = None

    def restore(self) -> None:
        """Something got done."""
        self._failures, self._since = 0, None

    def wait(self, error: psycopg.Error | MudanzaError) -> Fault:
        """Wait a while because of ``error``; its kind. Raises it, as an error of ours,
        when waiting has no sense or lasted long enough."""
        kind = fault(error)
        if kind is None or self._exhausted(kind):
            with translated(self._target):
                raise error
        self._failures += 1
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**self._failures)
        time.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # not to all come back at once
        return kind

    def _exhausted(self, kind: Fault) -> bool:
        now = time.monotonic()
        self._since = self._since or now
        if kind is Fault.LOST:
            return now - self._since > self._limits.patience
        return self._failures >= ATTEMPTS


def persist(
    session: Session, work: Callable[[Connection], T], patience: Patience | None = None
) -> T:
    """Do ``work`` until it is done; it must be such that it may be begun again.

    ``patience`` is fresh unless it is given. Raises MudanzaError when patience ends, and at once what will not pass.
    """
    patience = patience or Patience(session.member)
    while True:
        try:
            done = work(session.connection())
        except (psycopg.Error, MudanzaError) as error:
            if patience.wait(error) is Fault.LOST:
                session.drop()
        else:
            patience.restore()
            return done
