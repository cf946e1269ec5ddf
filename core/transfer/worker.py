"""A worker process: the program that :mod:`core.transfer.workers` starts."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from core.errors import MudanzaError, WorkerFailed, written
from core.failpoints import arm
from core.plan import Plan, from_json
from core.server.connection import Target
from core.settings import read_settings
from core.transfer.coordinator import Heartbeat
from core.transfer.events import Event
from core.transfer.ledger import Ledger
from core.transfer.member import leave, take_part
from core.transfer.membership import Member, Pulse, Session, persist
from core.transfer.prepare import snapshot_connection
from core.transfer.work import Work
from core.transfer.workers import DONE, Errand


def main() -> None:
    """Read an errand from standard input, do it, say how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sent us decides when we end
    arm(read_settings().failpoints)
    with os.fdopen(os.dup(0), "rb") as stdin:
        errand = Errand.from_line(stdin.readline())
    alone = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(alone,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: alone.set())  # after the chunk
    _say(_answer(errand, alone))


def _wait_for_the_end(alone: threading.Event) -> None:
    """Standard input ends when whoever holds its other end lets go, or dies."""
    while os.read(0, 1):
        pass
    alone.set()


def _say(answer: str) -> None:
    """Unbuffered, for nothing may be left to say at exit: perhaps nobody listens any more."""
    with suppress(BrokenPipeError):
        os.write(1, answer.encode() + b"\n")


def _answer(errand: Errand, alone: threading.Event) -> str:
    """DONE, or the error that stopped the work, as written."""
    try:
        _work(errand, alone)
    except MudanzaError as stopped:
        return written(stopped)
    except Exception as unforeseen:  # noqa: BLE001  # its message may show values of rows
        frame = traceback.extract_tb(unforeseen.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return written(WorkerFailed(detail=f"{type(unforeseen).__name__} at {place}"))
    return DONE


def _work(errand: Errand, alone: threading.Event) -> None:
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
    with snapshot_connection(Path(errand.snapshot), run=errand.run) as snapshot:
        plan = from_json(Plan, run.plan)
        work = Work(
            member=member,
            session=session,
            snapshot=snapshot,
            plan=plan,
            tell=_nobody_listens,
            is_to_end=alone.is_set,
            pulse=pulse,
            by_columns=errand.way.by_columns(plan),
        )
        why = "stopped"
        try:
            take_part(work)
            why = "done"
        finally:
            heartbeat.stop()
            leave(work, why)
            session.drop()


def _nobody_listens(_event: Event) -> None:
    """The ledger tells whoever wants to know."""


if __name__ == "__main__":
    main()
