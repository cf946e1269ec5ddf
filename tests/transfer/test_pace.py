"""Throttling by the target's load: no chunk is begun while others are busy there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from core.server.connection import parse_target
from core.transfer.events import ChunkCommitted, Event, RunBegun, Waiting
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Orders
from core.transfer.pace import portion
from core.transfer.states import Status
from core.transfer.steering import Asked, Place, RunRequest, steer
from tests.transfer.running import asked, interrupted, prove, source_of

# Tests beside this one use the same server: its load is well above theirs.
BUSY, LOAD_MAX = 12, 8


@contextmanager
def busy(database: str) -> Iterator[None]:
    """So many sessions of an application, each in a statement that does not end."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(psycopg.connect(database)) for _ in range(BUSY)]
        for session in sessions:
            session.pgconn.send_query(b"SELECT pg_sleep(60)")
        yield
        # A server that runs a statement does not notice that its client has gone.
        for session in sessions:
            session.cancel()
            session.close()


def test_a_run_waits_while_others_are_busy_and_goes_on_when_they_are_not(
    database: str, tmp_path: Path
) -> None:
    source = source_of(tmp_path / "s.db", "CREATE TABLE t (a)", {"t": [(n,) for n in range(30)]})
    request = asked(source, database, tmp_path)
    interrupted(request, chunks=1)
    _throttle(database, LOAD_MAX)
    told: list[Event] = []
    waits = threading.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if isinstance(event, Waiting) and event.reason == "load":
            waits.set()

    run = threading.Thread(target=migrate, args=(request, tell))
    with busy(database):
        run.start()
        assert waits.wait(20)
        time.sleep(0.6)  # looked at twice meanwhile
        assert {type(event) for event in told} == {RunBegun, Waiting}
        with psycopg.connect(database) as watching:
            seen = watching.execute(
                "SELECT waits_for FROM mudanza.member WHERE left_at IS NULL"
            ).fetchall()
        assert seen == [("load",)]
    run.join(30)
    assert any(isinstance(event, ChunkCommitted) for event in told)
    prove(source, database, tmp_path)


@pytest.mark.parametrize(
    ("copiers", "pace", "wanted"),
    [
        (1, None, Bounds(rows=1000, bytes=1600)),
        (2, None, Bounds(rows=1000, bytes=800)),
        (8, None, Bounds(rows=1000, bytes=200)),
        (2, 100.0, Bounds(rows=50, bytes=800)),
        (4, 1.0, Bounds(rows=1, bytes=400)),
        (1, 5000.0, Bounds(rows=1000, bytes=1600)),
    ],
)
def test_a_chunk_is_a_members_share(copiers: int, pace: float | None, wanted: Bounds) -> None:
    """Of a second's rows at a given pace, and of what the members may hold together."""
    orders = Orders(
        status=Status.COPYING,
        bounds=Bounds(rows=1000, bytes=1600),
        rows_per_second=pace,
        load_max=None,
        copiers=copiers,
    )
    assert portion(orders) == wanted


def _throttle(database: str, load_max: int) -> None:
    target = parse_target(database)
    with psycopg.connect(database) as connection:
        run = Ledger(connection).live_run("public")
    assert run is not None
    argument = {"rows_per_second": None, "load_max": float(load_max)}
    steer(
        Place(target=target, run=run.run),
        RunRequest(run=run.run, kind=Asked.THROTTLE, asked_by="a test", argument=argument),
    )
