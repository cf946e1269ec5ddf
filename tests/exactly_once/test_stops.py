"""A process stops past its lease and comes back: its work went on, and it is refused."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.server.connection import parse_target
from core.transfer.model import Limits, Way
from core.transfer.workers import Errand
from tests.exactly_once.checker import check
from tests.exactly_once.running import EXIT, Command, send
from tests.exactly_once.source import build

LEASE = 1.0
# The lease, the time until somebody looks, and a slow machine's share.
BOUND = LEASE + 9.0


def command_with_lease(database: str, home: Path, **more: int) -> Command:
    source = build(home / "source.db")
    return Command(source, database, home, more=("--lease", str(LEASE)), **more)


def test_a_worker_stops_and_comes_back(database: str, tmp_path: Path) -> None:
    command = command_with_lease(database, tmp_path, chunk_rows=20)
    with command.start() as started:
        command.until(lambda: command.rows_done() > 1000)
        stopped, held = stop_with_a_range(command, started.workers())
        command.until(lambda: is_lost(command, stopped), seconds=BOUND)
        command.until(lambda: moved_on(command, held), seconds=BOUND)
        assert started.process.poll() is None
        send(stopped, signal.SIGCONT)
        assert started.end() == EXIT, command.errors
    check(command.source, database)
    command.require_no_defect()


def test_a_worker_stops_for_good(database: str, tmp_path: Path) -> None:
    """It is not waited for when all the others are done."""
    command = command_with_lease(database, tmp_path)
    with command.start() as started:
        command.until(lambda: command.rows_done() > 1000)
        stopped, _ = stop_with_a_range(command, started.workers())
        assert started.end(seconds=2 * BOUND) == EXIT, command.errors
        assert not Path(f"/proc/{stopped}").exists()
    check(command.source, database)
    command.require_no_defect()


def test_the_coordinator_stops_and_another_stands_by(database: str, tmp_path: Path) -> None:
    command = command_with_lease(database, tmp_path, chunk_rows=5)
    with command.start() as first:
        command.until(lambda: command.rows_done() > 500)
        with command.start() as second:
            command.until(lambda: members(command, second.pid))
            assert coordinator(command) == first.pid
            send(first.pid, signal.SIGSTOP)
            command.until(lambda: coordinator(command) == second.pid, seconds=BOUND)
            send(first.pid, signal.SIGCONT)
            assert second.end() == EXIT, command.errors
        assert first.end() == EXIT, command.errors
    check(command.source, database)
    command.require_no_defect()


def test_a_stopped_coordinator_does_not_end_itself(database: str, tmp_path: Path) -> None:
    """Nobody else is there: it comes back past its lease, takes it again, and goes on."""
    command = command_with_lease(database, tmp_path)
    with command.start() as started:
        command.until(lambda: command.rows_done() > 1000)
        send(started.pid, signal.SIGSTOP)
        time.sleep(2 * LEASE)
        send(started.pid, signal.SIGCONT)
        assert started.end() == EXIT, command.errors
    check(command.source, database)
    command.require_no_defect()


def test_a_worker_stops_between_fence_and_commit(database: str, tmp_path: Path) -> None:
    """It holds its range's row; the server and the coordinator let go of it in time."""
    command = command_with_lease(database, tmp_path, workers=2, chunk_rows=10)
    with command.start() as started:
        command.until(lambda: command.rows_done() > 0)
        with a_worker_that_stops(command, "chunk.fenced:2:sigstop") as stopped:
            command.until(lambda: is_lost(command, stopped.pid), seconds=BOUND)
            assert started.end(seconds=BOUND) == EXIT, command.errors
            check(command.source, database)
            send(stopped.pid, signal.SIGCONT)
            # It finds the run complete, and has nothing to say against it.
            assert stopped.wait(20) == 0
            assert stopped.stdout is not None
            assert stopped.stdout.read() == b"done\n"
    check(command.source, database)
    command.require_no_defect()


def test_all_workers_stop_between_fence_and_commit(database: str, tmp_path: Path) -> None:
    """Each is replaced, and each one after it stops again; every time a chunk gets done."""
    command = command_with_lease(database, tmp_path, workers=2, chunk_rows=3000)
    with command.start(failpoints="chunk.fenced:3:sigstop") as started:
        assert started.end(seconds=60) == EXIT, command.errors
    check(command.source, database)
    assert lost(command) >= 2
    command.require_no_defect()


# --- who is who ---------------------------------------------------------------------------


def stop_with_a_range(command: Command, workers: list[int]) -> tuple[int, tuple[object, ...]]:
    """Stop some worker while it holds a range: its number, and range and watermark."""
    for _ in range(100):
        for pid in workers:
            send(pid, signal.SIGSTOP)
            if held := ranges(command, pid):
                return pid, held[0]
            send(pid, signal.SIGCONT)
    raise AssertionError("no worker ever held a range")


def ranges(command: Command, pid: int) -> list[tuple[object, ...]]:
    return command.rows(
        "SELECT range, chunks FROM mudanza.range JOIN mudanza.member ON owner = member"
        f" WHERE pid = {pid} AND hi IS NOT NULL"
    )


def moved_on(command: Command, held: tuple[object, ...]) -> bool:
    """Whether a range has more chunks than when it was held."""
    number, chunks = held
    found = command.rows(f"SELECT chunks > {chunks} FROM mudanza.range WHERE range = {number}")
    return found == [(True,)]


def members(command: Command, pid: int) -> list[tuple[object, ...]]:
    return command.rows(f"SELECT left_why FROM mudanza.member WHERE pid = {pid}")


def is_lost(command: Command, pid: int) -> bool:
    return members(command, pid) == [("lost",)]


def lost(command: Command) -> int:
    return len(command.rows("SELECT FROM mudanza.member WHERE left_why = 'lost'"))


def coordinator(command: Command) -> int:
    found = command.rows("SELECT pid FROM mudanza.run JOIN mudanza.member ON member = coordinator")
    return int(found[0][0]) if found else 0


@contextmanager
def a_worker_that_stops(command: Command, failpoints: str) -> Iterator[subprocess.Popen[bytes]]:
    """One more worker for a run that others carry on."""
    ((run, snapshot),) = command.rows("SELECT run, snapshot_path FROM mudanza.run")
    target = parse_target(command.url)
    errand = Errand(
        conninfo=target.conninfo,
        shown=target.shown,
        run=str(run),
        snapshot=snapshot,
        limits=Limits(lease=LEASE),
        way=Way.ARROW,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "core.transfer.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=command.environment(failpoints),
    )
    try:
        assert process.stdin is not None
        process.stdin.write(errand.to_line())
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.communicate()
