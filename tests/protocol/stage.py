"""A run in a real ledger, and members who meet over it one step at a time.

Nothing here sleeps to hit a moment: a chunk is held open between its fence and its
COMMIT, an attempt is watched until the server says that it waits, and time passes by
writing an earlier moment into the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID, uuid4

import apsw

from core.plan import Plan, from_json
from core.server.connection import Connection, connect, parse_target
from core.transfer.begin import begin
from core.transfer.claims import Claims
from core.transfer.lease import Lease, take
from core.transfer.ledger import Ledger
from core.transfer.membership import Member, Pulse, Session
from core.transfer.model import EXACT, Bounds, ChunkLine, Limits, Quarantined, RangeClaim
from core.transfer.prepare import snapshot_connection
from core.transfer.work import Work
from core.values.storage import pack, unpack
from tests.transfer.running import asked, source_of

T = TypeVar("T")

CHUNK = 2
RANGE = 20  # rows: ten chunks
CHILDREN = 60
SQL = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent, n INTEGER);
CREATE INDEX child_n ON child (n);
CREATE INDEX child_parent ON child (parent);
"""
MISFIT = 2
"""The key of the child that cannot be carried: it is in the first chunk."""

LIMITS = Limits(lease=30, chunk=20, build=20, lock=8, patience=2)
_LONGEST = 10.0  # seconds that a test waits for what must come


class RangeRow(NamedTuple):
    """A range as the ledger has it; the watermark as the key that it is."""

    owner: UUID | None
    token: int
    done_to: int | None
    chunks: int
    finished: bool


class Left(NamedTuple):
    """All that chunks leave behind."""

    rows: int
    quarantined: int
    cells: int
    lines: int
    read: int


NOTHING = Left(0, 0, 0, 0, 0)


class Attempt(Generic[T]):
    """Something that is being done on a thread of its own, and waits for somebody."""

    def __init__(self, future: Future[T]) -> None:
        self._future = future

    def outcome(self) -> T:
        return self._future.result(_LONGEST)


class Actor:
    """A member with a session to work in and one for its heartbeat."""

    def __init__(self, stage: Stage, limits: Limits) -> None:
        self.stage = stage
        self.member = Member(
            run=stage.run,
            member=uuid4(),
            target=parse_target(stage.database),
            limits=limits,
            copies=True,
        )
        self.session, self.heart_session = Session(self.member), Session(self.member)
        self.member.join(self.connection)

    @property
    def id(self) -> UUID:
        return self.member.member

    @property
    def connection(self) -> Connection:
        return self.session.connection()

    @property
    def heart(self) -> Connection:
        return self.heart_session.connection()

    @property
    def claims(self) -> Claims:
        return Claims(self.connection, self.stage.run, self.id)

    def claim(self) -> RangeClaim:
        claim = self.claims.claim_range()
        assert claim is not None
        return claim

    def take(self, seconds: float = 30) -> Lease | None:
        return take(self.heart, self.stage.run, self.id, seconds=seconds, by="actor")

    def lead(self) -> Lease:
        lease = self.take()
        assert lease is not None
        return lease

    @contextmanager
    def chunk(
        self, claim: RangeClaim, *keys: int, last: bool = False, aside: Sequence[int] = ()
    ) -> Iterator[None]:
        """A chunk past its fence, not yet committed: that comes with the block's end."""
        with self.connection.transaction():
            self.write(*keys)
            self.fence(claim, *keys, last=last, aside=aside)
            yield

    def commit(
        self, claim: RangeClaim, *keys: int, last: bool = False, aside: Sequence[int] = ()
    ) -> None:
        """A whole chunk."""
        with self.chunk(claim, *keys, last=last, aside=aside):
            pass

    def commit_after(self, meanwhile: Callable[[], object], claim: RangeClaim, *keys: int) -> None:
        """A whole chunk; ``meanwhile`` comes between its rows and its fence."""
        with self.connection.transaction():
            self.write(*keys)
            meanwhile()
            self.fence(claim, *keys)

    def write(self, *keys: int) -> None:
        for key in keys:
            self.connection.execute("INSERT INTO child (id) VALUES (%s)", (key,))

    def fence(
        self, claim: RangeClaim, *keys: int, last: bool = False, aside: Sequence[int] = ()
    ) -> None:
        quarantined = [Quarantined(key=(k,), row=(k, None, "x"), reason="type") for k in aside]
        line = ChunkLine(
            lo=claim.done_to,
            hi=pack((max([*keys, *aside]),)),
            last=last,
            rows_read=len(keys) + len(aside),
            rows_written=len(keys),
            bytes=1,
            path=EXACT,
        )
        self.claims.checkpoint(claim, line, quarantined)

    def vanish(self) -> None:
        """Its sessions are gone, its lease runs on."""
        self.session.drop()
        self.heart_session.drop()
        self.wait_for_sessions(0)

    def wait_for_sessions(self, number: int) -> None:
        self.stage.until(
            "SELECT count(*) = %s FROM mudanza.session s JOIN pg_stat_activity a"
            " ON a.pid = s.backend_pid WHERE s.member = %s",
            number,
            self.id,
        )

    def fall_silent(self) -> None:
        """Its lease runs out; its sessions stand where they stood."""
        self.stage.do(
            "UPDATE mudanza.member SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE member = %s",
            self.id,
        )

    @contextmanager
    def work(self, told: Callable[[Any], None] = lambda _: None) -> Iterator[Work]:
        """What the loops of a member need."""
        with snapshot_connection(self.stage.snapshot) as snapshot:
            yield self._work(snapshot, told)

    def _work(self, snapshot: apsw.Connection, told: Callable[[Any], None]) -> Work:
        return Work(
            member=self.member,
            session=self.session,
            snapshot=snapshot,
            plan=self.stage.plan,
            tell=told,
            is_to_end=lambda: False,
            pulse=Pulse(),
        )


@dataclass
class Stage:
    """The run, and a session that only looks on."""

    database: str
    run: UUID
    plan: Plan
    snapshot: Path
    watcher: Connection
    _actors: list[Actor] = field(default_factory=list)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16))

    def enter(self, limits: Limits = LIMITS) -> Actor:
        """One more member."""
        self._actors.append(Actor(self, limits))
        return self._actors[-1]

    def close(self) -> None:
        """End every session first: a thread may still wait in one."""
        self.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self._threads.shutdown()
        for actor in self._actors:
            actor.session.drop()
            actor.heart_session.drop()
        self.watcher.close()

    # --- looking on

    def do(self, sql: str, *values: object) -> None:
        self.watcher.execute(sql.encode(), values or None)

    def one(self, sql: str, *values: object) -> Any:
        row = self.watcher.execute(sql.encode(), values or None).fetchone()
        assert row is not None
        return row[0]

    def until(self, sql: str, *values: object) -> None:
        deadline = time.monotonic() + _LONGEST
        while not self.one(sql, *values):
            assert time.monotonic() < deadline, sql
            time.sleep(0.005)

    def range(self, number: int) -> RangeRow:
        row = self.watcher.execute(
            "SELECT owner, token, done_to, chunks, finished FROM mudanza.range"
            " WHERE run = %s AND range = %s",
            (self.run, number),
            binary=True,
        ).fetchone()
        assert row is not None
        owner, token, done_to, chunks, finished = row
        key: Any = None if done_to is None else unpack(done_to)[0]  # type: ignore[arg-type]
        return RangeRow(owner, token, key, chunks, finished)  # type: ignore[arg-type]

    def tokens(self) -> list[int]:
        """The token of every range, then of every build that has no fate yet."""
        found = self.watcher.execute(
            "SELECT token FROM (SELECT 1 AS a, range AS b, token FROM mudanza.range UNION ALL"
            " SELECT 2, object, token FROM mudanza.object WHERE fate = 'planned') t ORDER BY a, b"
        )
        return [int(str(token)) for (token,) in found]

    def epoch(self) -> int:
        return int(self.one("SELECT epoch FROM mudanza.run"))

    def left(self) -> Left:
        """What the chunks of the children left behind."""
        row = self.watcher.execute(
            "SELECT (SELECT count(*) FROM child), (SELECT count(*) FROM mudanza.quarantine),"
            " (SELECT count(*) FROM mudanza.quarantine_cell), (SELECT count(*) FROM mudanza.chunk),"
            " (SELECT sum(rows_read)::bigint FROM mudanza.range)"
        ).fetchone()
        assert row is not None
        return Left(*(int(str(n)) for n in row))

    # --- time, and waiting

    def expire_lease(self) -> None:
        """The coordinator has not shown itself for too long."""
        self.do("UPDATE mudanza.run SET lease_until = clock_timestamp() - interval '1 second'")

    def blocked(self, connection: Connection, work: Callable[[], T]) -> Attempt[T]:
        """``work``, begun on a thread and by now waiting, in ``connection``, for a lock."""
        future = self._threads.submit(work)
        deadline = time.monotonic() + _LONGEST
        while not self.one("SELECT pg_blocking_pids(%s) <> '{}'", connection.info.backend_pid):
            assert not future.done(), f"it did not wait: {future.exception() or future.result()}"
            assert time.monotonic() < deadline, "it neither waits nor ends"
            time.sleep(0.005)
        return Attempt(future)


def stage_on(database: str) -> Stage:
    """The stage in a database that holds the run."""
    watcher = connect(parse_target(database), autocommit=True)
    (run,) = Ledger(watcher).runs()
    return Stage(database, run.run, from_json(Plan, run.plan), Path(run.snapshot_path), watcher)


def begin_run(database: str, home: Path, children: int = CHILDREN) -> None:
    """A run that has just begun, of five parents and their children."""
    rows = [(k, k % 5 + 1, "misfit" if k == MISFIT else k) for k in range(1, children + 1)]
    parents = [(k, f"name {k}") for k in range(1, 6)]
    source = source_of(home / "s.db", SQL, {"parent": parents, "child": rows})
    request = asked(source, database, home, bounds=Bounds(rows=CHUNK))
    with connect(request.target, autocommit=True) as connection:
        begin(connection, request, lambda _: None, None)
