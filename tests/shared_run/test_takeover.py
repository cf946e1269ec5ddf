"""Eight members have a chunk in hand, and the coordinator is replaced."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from core.plan import Plan, from_json
from core.server.connection import Connection, connect, parse_target
from core.transfer import claims
from core.transfer.events import Event, RunBegun
from core.transfer.lease import Lease, LeaseLost, take
from core.transfer.ledger import Ledger
from core.transfer.member import leave, take_part
from core.transfer.membership import Member, Pulse, Session
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Limits, Run
from core.transfer.prepare import snapshot_connection
from core.transfer.work import Work
from tests.shared_run.exact import make_source, require_exact, rows_in
from tests.transfer.running import BrokenOff, asked

LOG = logging.getLogger(__name__)

MEMBERS = 8
ROWS, CHUNK = 430, 10  # five ranges in each of two tables
WELL_UNDER_A_SECOND = 0.5


class Gate:
    """Stands in for failpoints: each member's first passing of ``point`` waits here until
    the gate opens."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._waited = threading.local()
        self.passed: list[str] = []
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if point != self._point or getattr(self._waited, "once", False):
            return
        self._waited.once = True
        self.arrived.release()
        assert self.open.wait(30)


class CopyingMember(threading.Thread):
    """A member that carries one chunk, or tries to."""

    def __init__(self, run: Run, database: str, gate: Gate) -> None:
        super().__init__()
        self.member = Member(
            run=run.run,
            member=uuid4(),
            target=parse_target(database),
            limits=Limits(lease=20),
            copies=True,
        )
        self.stopped_by: BaseException | None = None
        self._run_row, self._gate = run, gate
        self._session = Session(self.member)

    def run(self) -> None:
        try:
            self.member.join(self._session.connection())
            with snapshot_connection(Path(self._run_row.snapshot_path)) as snapshot:
                work = self._work(snapshot)
                take_part(work)
                leave(work.member, work.session, "done")
        except BaseException as stopped:  # noqa: BLE001  # the test looks at it
            self.stopped_by = stopped
        finally:
            self._session.drop()

    def _work(self, snapshot: object) -> Work:
        return Work(
            member=self.member,
            session=self._session,
            snapshot=snapshot,  # type: ignore[arg-type]
            plan=from_json(Plan, self._run_row.plan),
            tell=lambda _: None,
            is_to_end=self._gate.open.is_set,
            pulse=Pulse(),
        )


class Beats(threading.Thread):
    """A coordinator's heartbeat, beaten as fast as it goes; the longest wait is measured."""

    def __init__(self, lease: Lease, database: str) -> None:
        super().__init__()
        self._lease, self._database = lease, database
        self._enough = threading.Event()
        self.number, self.slowest = 0, 0.0

    def run(self) -> None:
        with connect(parse_target(self._database), autocommit=True) as connection:
            while not self._enough.wait(0.002):
                began = time.monotonic()
                self._lease.beat(connection)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.number += 1

    def __enter__(self) -> Beats:
        self.start()
        time.sleep(0.3)  # for beats while nothing else happens, too
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self.join()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "source.db", rows=ROWS)


@pytest.fixture
def run(source: Path, database: str, tmp_path: Path) -> Run:
    """A run that has begun, and of which nothing is copied."""
    with pytest.raises(BrokenOff):
        migrate(asked(source, database, tmp_path, bounds=Bounds(rows=CHUNK)), _gone_when_begun)
    with psycopg.connect(database, autocommit=True) as connection:
        found = Ledger(connection).live_run("public")
    assert _committed(database, found) == (0, 0)
    return found


def _gone_when_begun(event: Event) -> None:
    if isinstance(event, RunBegun):
        raise BrokenOff


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """The coordinators' connection."""
    with connect(parse_target(database), autocommit=True) as opened:
        yield opened


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Gate:
    gate = Gate(request.param)
    monkeypatch.setattr(claims, "failpoint", gate)
    return gate


@pytest.fixture
def first(connection: Connection, run: Run) -> Lease:
    """The lease of the coordinator that is to be replaced."""
    return _coordinate(connection, run)


@pytest.fixture
def members(first: Lease, run: Run, database: str, gate: Gate) -> Iterator[list[CopyingMember]]:
    """Eight members at the gate, each with a chunk of its own."""
    members = [CopyingMember(run, database, gate) for _ in range(MEMBERS)]
    with ExitStack() as at_the_end:
        for member in members:
            member.start()
            at_the_end.callback(member.join)
        at_the_end.callback(gate.open.set)
        assert all(gate.arrived.acquire(timeout=30) for _ in members)
        yield members


@pytest.mark.parametrize("gate", ["chunk.lined"], indirect=True)
def test_what_eight_members_had_in_hand_is_refused_by_the_next_epoch(
    gate: Gate,
    first: Lease,
    members: list[CopyingMember],
    run: Run,
    connection: Connection,
    database: str,
    source: Path,
    tmp_path: Path,
) -> None:
    """They live, and their chunks are written but for the fence and the COMMIT."""
    _miss_the_heartbeats(connection, "run")
    began = time.monotonic()
    second = _coordinate(connection, run)
    seconds = time.monotonic() - began
    with Beats(second, database) as beats:
        _let_go(gate, members)
    said = f"takeover {seconds:.3f} s, {beats.number} beats, the slowest {beats.slowest:.3f} s"
    LOG.info(said)
    assert second.epoch == first.epoch + 1
    assert seconds < WELL_UNDER_A_SECOND, said
    assert beats.slowest < 1, said
    assert [m.stopped_by for m in members] == [None] * MEMBERS, said
    assert "chunk.fenced" not in gate.passed, f"8 of 8 are to be refused: {said}"
    assert _committed(database, run) == (0, 0), said
    with pytest.raises(LeaseLost):
        first.beat(connection)
    _require_exact_end(second, connection, source, database, tmp_path)


@pytest.mark.parametrize("gate", ["chunk.fenced"], indirect=True)
def test_a_heartbeat_never_waits_for_eight_commits_under_way(
    gate: Gate,
    first: Lease,
    members: list[CopyingMember],
    run: Run,
    connection: Connection,
    database: str,
    source: Path,
    tmp_path: Path,
) -> None:
    """Past the fence a chunk is its member's: it comes in, and the takeover waits for that."""
    with Beats(first, database) as beats:
        assert all(member.is_alive() for member in members)
    _miss_the_heartbeats(connection, "run")
    opening = threading.Timer(0.3, gate.open.set)
    opening.start()
    began = time.monotonic()
    second = _coordinate(connection, run)
    seconds = time.monotonic() - began
    opening.join()
    _let_go(gate, members)
    said = f"takeover {seconds:.3f} s, {beats.number} beats, the slowest {beats.slowest:.3f} s"
    LOG.info(said)
    assert beats.number > 5, said
    assert beats.slowest < 1, said
    assert 0.2 < seconds < 0.3 + WELL_UNDER_A_SECOND, f"it waits for the eight COMMITs: {said}"
    assert _committed(database, run) == (MEMBERS, MEMBERS * CHUNK), said
    _require_exact_end(second, connection, source, database, tmp_path)


@pytest.mark.parametrize("gate", ["chunk.fenced"], indirect=True)
def test_commits_of_eight_dead_members_are_not_waited_for(
    gate: Gate,
    first: Lease,
    members: list[CopyingMember],
    run: Run,
    connection: Connection,
    database: str,
    source: Path,
    tmp_path: Path,
) -> None:
    """Stopped between fence and COMMIT they hold locks: their sessions end first."""
    _miss_the_heartbeats(connection, "run")
    _miss_the_heartbeats(connection, "member")
    began = time.monotonic()
    second = _coordinate(connection, run)
    seconds = time.monotonic() - began
    with Beats(second, database) as beats:
        _let_go(gate, members)
    said = f"takeover {seconds:.3f} s, {beats.number} beats, the slowest {beats.slowest:.3f} s"
    LOG.info(said)
    assert seconds < WELL_UNDER_A_SECOND, said
    assert beats.slowest < 1, said
    assert [m.stopped_by for m in members] == [None] * MEMBERS, said
    assert _committed(database, run) == (0, 0), f"8 of 8 are to be refused: {said}"
    _require_exact_end(second, connection, source, database, tmp_path)


def _coordinate(connection: Connection, run: Run) -> Lease:
    """Take the run's lease as a new member."""
    lease = take(connection, run.run, uuid4(), seconds=30, by="the test")
    assert lease is not None, "the lease was to be free"
    return lease


def _miss_the_heartbeats(connection: Connection, of: str) -> None:
    """So long that the lease of the run, or those of its members, have expired."""
    connection.execute(f"UPDATE mudanza.{of} SET lease_until = clock_timestamp()".encode())


def _let_go(gate: Gate, members: list[CopyingMember]) -> None:
    gate.open.set()
    for member in members:
        member.join(30)
        assert not member.is_alive()


def _committed(database: str, run: Run) -> tuple[int, int]:
    """How many chunks the ledger knows, and how many rows are in the target."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM mudanza.chunk WHERE run = %s", (run.run,)
        ).fetchone()
    assert row is not None
    return int(row[0]), rows_in(database)


def _require_exact_end(
    lease: Lease, connection: Connection, source: Path, database: str, home: Path
) -> None:
    lease.release(connection)
    assert migrate(asked(source, database, home)).exit_code == 0
    require_exact(source, database)
