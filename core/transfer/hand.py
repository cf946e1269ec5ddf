"""A hand: one member at work, in a thread or a process of its own.

A member sends and waits, and sends again: one alone leaves the server idle while it
commits, and itself while the server stores. So a process that carries many rows works
with two hands, and a worker process is one hand that somebody else sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID, uuid4

from core.plan import Plan, from_json
from core.server.connection import Target
from core.transfer.coordinator import Heartbeat
from core.transfer.events import Event
from core.transfer.ledger import Ledger
from core.transfer.member import leave, take_part
from core.transfer.membership import Member, Pulse, Session, persist
from core.transfer.model import Limits, Way
from core.transfer.prepare import snapshot_connection
from core.transfer.work import Work

_END_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a hand is to do: take part in a run, reading the snapshot that lies here."""

    conninfo: str
    shown: str
    run: str
    snapshot: str
    limits: Limits
    way: Way

    def to_line(self) -> bytes:
        """The errand as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Errand:
        """The errand that :meth:`to_line` wrote."""
        words = json.loads(line)
        typed = {"limits": Limits(**words["limits"]), "way": Way(words["way"])}
        return Errand(**(words | typed))


def lend(errand: Errand, is_to_end: Callable[[], bool]) -> None:
    """Take part in the errand's run as a member of its own, until nothing is left, the run
    is to rest, or ``is_to_end`` says so between two chunks. Raises MudanzaError."""
    member = Member(
        run=UUID(errand.run),
        member=uuid4(),
        target=Target(conninfo=errand.conninfo, shown=errand.shown),
        limits=errand.limits,
        copies=True,
    )
    pulse, session = Pulse(), Session(member)
    heartbeat = Heartbeat(member, pulse)
    run = persist(session, lambda c: Ledger(c).run(member.run))
    heartbeat.start()
    why = "stopped"
    try:
        with snapshot_connection(Path(errand.snapshot), run=errand.run) as snapshot:
            plan = from_json(Plan, run.plan)
            work = Work(
                member=member,
                session=session,
                snapshot=snapshot,
                plan=plan,
                tell=_nobody_listens,
                is_to_end=is_to_end,
                pulse=pulse,
                by_columns=errand.way.by_columns(plan),
            )
            take_part(work)
            why = "done"
    finally:
        heartbeat.stop()
        leave(member, session, why)
        session.drop()


@contextmanager
def second_hand(errand: Errand | None) -> Iterator[Callable[[], bool]]:
    """While entered, a hand at work on a thread beside the caller's own, if there is an
    ``errand`` for one; given is what says whether something stopped it. That is raised at
    the end, unless the caller is stopped itself."""
    if errand is None:
        yield lambda: False
        return
    to_end = threading.Event()
    failures: list[BaseException] = []
    hand = threading.Thread(target=_work, args=(errand, to_end, failures), daemon=True)
    hand.start()
    try:
        yield lambda: bool(failures)
    except BaseException:
        to_end.set()
        hand.join(_END_SECONDS)  # its chunk; then it claims no more
        raise
    hand.join()
    if failures:
        raise failures[0]


def _work(errand: Errand, to_end: threading.Event, failures: list[BaseException]) -> None:
    try:
        lend(errand, to_end.is_set)
    except BaseException as failure:  # noqa: BLE001  # raised where it is waited for
        failures.append(failure)


def _nobody_listens(_event: Event) -> None:
    """The ledger tells whoever wants to know."""
