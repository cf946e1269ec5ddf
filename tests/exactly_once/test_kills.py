"""Coordinator and workers are killed at random moments, and every run ends exact."""

from __future__ import annotations

import hashlib
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.exactly_once.checker import check
from tests.exactly_once.running import EXIT, Command, Started, send
from tests.exactly_once.source import build


@pytest.mark.parametrize(("seed", "kills"), [(7, 10)])
def test_killed_at_random_moments(seed: int, kills: int, database: str, tmp_path: Path) -> None:
    kill_often(random.Random(seed), kills, database, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", [random.randrange(10**6)])
def test_killed_a_hundred_times(seed: int, database: str, tmp_path: Path) -> None:
    """The seed stands in the test's name."""
    kill_often(random.Random(seed), 100, database, tmp_path)


def kill_often(chance: random.Random, kills: int, database: str, home: Path) -> None:
    command = Command(build(home / "source.db"), database, home)
    before = digest(command.source)
    killed: Counter[str] = Counter()
    while killed.total() < kills:
        with_replace = ("--replace",) if is_complete(command) else ()
        started = command.start(*with_replace)
        if kill_until_gone(started, chance, killed, kills):
            check(command.source, database)
    with command.start() as last:
        assert last.end() == EXIT
    check(command.source, database)
    command.require_no_defect()
    assert digest(command.source) == before
    print(f"{dict(killed)}, {replaced(command)} runs complete before the last")  # noqa: T201


def kill_until_gone(
    started: Started, chance: random.Random, killed: Counter[str], kills: int
) -> bool:
    """Kill some worker or the coordinator, again and again; whether the run was complete
    before the coordinator's turn came."""
    while killed.total() < kills:
        code = ended_before(started, chance)
        if code is not None:
            assert code == EXIT, started.command.errors
            return True
        # Early in a run there may be nobody but the coordinator.
        victim = chance.choice([started.pid, *started.workers()])
        send(victim, signal.SIGKILL)
        killed["coordinator" if victim == started.pid else "worker"] += 1
        if victim == started.pid:
            started.process.communicate()
            return False
    assert started.end() == EXIT, started.command.errors
    return True


def ended_before(started: Started, chance: random.Random) -> int | None:
    """Let a random moment come: one in five at any time, the others when workers are at
    work. The exit code of a run that ended before."""
    if chance.random() < 0.2:
        return started.ended(within=chance.uniform(0, 1.5))
    while started.process.poll() is None and len(started.workers()) < started.command.workers:
        time.sleep(0.02)
    return started.ended(within=chance.uniform(0, 1))


def is_complete(command: Command) -> bool:
    found = command.rows("SELECT to_regclass('mudanza.run') IS NOT NULL")
    live = "SELECT status = 'complete' FROM mudanza.run WHERE status <> 'replaced'"
    return found == [(True,)] and command.rows(live) == [(True,)]


def replaced(command: Command) -> int:
    number: int = command.rows("SELECT count(*) FROM mudanza.run WHERE status = 'replaced'")[0][0]
    return number


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
