"""The coordinator: heartbeat, requests, the dead, and the run's next state.

Every process that takes part runs one, on a thread and a connection of its own, so
that neither a long chunk nor a long conversion delays the heartbeat. One of them
holds the run's lease; the others wait for it to become free.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg

from core.errors import MudanzaError
from core.server.connection import Connection
from core.server.faults import Fault
from core.transfer.claims import Claims
from core.transfer.lease import Lease, LeaseLost, take
from core.transfer.ledger import Ledger
from core.transfer.membership import Member, Patience, Pulse, Session, persist, who
from core.transfer.states import WORKING, Status
from core.transfer.steering import grant_all

T = TypeVar("T")

_LOOK_SECONDS = 0.2
_RECLAIM_SECONDS = 1.0
_BEATS_PER_LEASE = 6


class Coordinator:
    """One process's hold on a run: its membership, and the lease when it can be had.

    :meth:`start` makes the first round; from then on a thread makes them until
    :meth:`stop`. What stops that thread is raised by :meth:`check`.
    """

    def __init__(self, member: Member, pulse: Pulse) -> None:
        self.member = member
        self.lease: Lease | None = None
        self._pulse = pulse
        self._one_at_a_time = threading.Lock()
        self._session = Session(member, application_name="mudanza heartbeat")
        self._patience = Patience(member)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mudanza-coordinator", daemon=True)
        self._failure: BaseException | None = None
        self._beaten_at = self._reclaimed_at = -math.inf
        self._slowest = 0.0

    def start(self) -> None:
        """Join the run, take its lease if it is free, and keep both from now on."""
        persist(self._session, self._first_round, self._patience)
        self._thread.start()

    def stop(self, why: str) -> None:
        """Let go of the lease and leave; what cannot be told is found out by others."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            connection = self._session.connection()
            if self.lease is not None:
                self.lease.release(connection)
                self.lease = None
            self.member.leave(connection, why)
        except (psycopg.Error, MudanzaError):
            pass
        finally:
            self._session.drop()

    def check(self) -> None:
        """Raise what made the thread stop."""
        if self._failure is not None:
            raise self._failure

    def make_round(self) -> None:
        """A round at once, without waiting for the thread's next."""
        self.check()
        self._round_or_wait()

    def holding(self, work: Callable[[Connection, Lease], T]) -> T | None:
        """Do something that only the lease's holder may; None when this is not the one."""
        with self._one_at_a_time:
            if self.lease is None:
                return None
            try:
                return work(self._session.connection(), self.lease)
            except LeaseLost:
                self.lease = None
                return None

    # --- rounds

    def _first_round(self, connection: Connection) -> None:
        self.member.join(connection)
        with suppress(LeaseLost):
            self._round(connection)

    def _run(self) -> None:
        try:
            while not self._stopped.wait(_LOOK_SECONDS):
                self._round_or_wait()
        except BaseException as failure:  # noqa: BLE001  # the main thread raises it
            self._failure = failure

    def _round_or_wait(self) -> None:
        try:
            with self._one_at_a_time:
                self._round(self._session.connection())
        except LeaseLost:
            self.lease = None
        except (psycopg.Error, MudanzaError) as error:
            if self._patience.wait(error) is Fault.LOST:
                self._session.drop()
        else:
            self._patience.restore()

    def _round(self, connection: Connection) -> None:
        if self.lease is None:
            self._try_to_take(connection)
        now = time.monotonic()
        if now - self._beaten_at > self.member.limits.lease / _BEATS_PER_LEASE:
            self._beat(connection)
        if self.lease is None:
            return
        grant_all(connection, self.lease)
        self._advance(connection, self.lease)
        if now - self._reclaimed_at > _RECLAIM_SECONDS:
            self.lease.reclaim(connection)
            self._reclaimed_at = now

    def _try_to_take(self, connection: Connection) -> None:
        member = self.member
        if not self._pulse.beats():
            return  # stuck: whoever waits beside us is the better one
        if Ledger(connection).orders(member.run).status in WORKING:
            seconds = member.limits.lease
            self.lease = take(connection, member.run, member.member, seconds=seconds, by=who())

    def _beat(self, connection: Connection) -> None:
        if not self._pulse.beats():
            return  # whoever works here is stuck: let others take over
        began = time.monotonic()
        if self.lease is not None:
            self.lease.beat(connection)
        self.member.beat(connection, self._slowest)
        self._beaten_at = time.monotonic()
        self._slowest = max(self._slowest, self._beaten_at - began)

    def _advance(self, connection: Connection, lease: Lease) -> None:
        """From copying to building, once every row has its place."""
        if Ledger(connection).orders(lease.run).status is not Status.COPYING:
            return
        if not Claims(connection, lease.run, self.member.member).unfinished_tables():
            lease.move(connection, Status.BUILDING)


class Heartbeat:
    """A member's heartbeat alone, for a process that never coordinates."""

    def __init__(self, member: Member, pulse: Pulse) -> None:
        self._member = member
        self._pulse = pulse
        self._session = Session(member, application_name="mudanza heartbeat")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mudanza-heartbeat", daemon=True)

    def start(self) -> None:
        """Join the run and show life from now on. Raises MudanzaError when patience ends."""
        persist(self._session, self._member.join)
        self._thread.start()

    def stop(self) -> None:
        """Show life no longer."""
        self._stopped.set()
        self._thread.join()
        self._session.drop()

    def _run(self) -> None:
        slowest = 0.0
        while not self._stopped.wait(self._member.limits.lease / _BEATS_PER_LEASE):
            if not self._pulse.beats():
                continue
            began = time.monotonic()
            try:
                self._member.beat(self._session.connection(), slowest)
            except (psycopg.Error, MudanzaError):
                self._session.drop()  # the next beat tries again
            slowest = max(slowest, time.monotonic() - began)
