"""The server crashes or is torn down in the middle of a run; the run goes on, exact."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import psycopg
import pytest

from core.server.account import server_account
from core.server.embedded import Cluster
from core.server.programs import run_program
from tests.exactly_once.checker import check
from tests.exactly_once.running import EXIT, Command, Started, send
from tests.exactly_once.source import build

NAMED = {"target_lost", "target_unreachable"}
"""How a run may end that met the crash where it cannot wait: while it begins."""

SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'mudanza%'"


@pytest.mark.parametrize(("seed", "crashes"), [(3, 2)])
def test_a_backend_is_killed(seed: int, crashes: int, own_cluster: Cluster, tmp_path: Path) -> None:
    crash_often(random.Random(seed), crashes, own_cluster, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", [random.randrange(10**6)])
def test_thirty_backends_are_killed(seed: int, own_cluster: Cluster, tmp_path: Path) -> None:
    """The seed stands in the test's name."""
    crash_often(random.Random(seed), 30, own_cluster, tmp_path)


def crash_often(chance: random.Random, crashes: int, cluster: Cluster, home: Path) -> None:
    command = Command(build(home / "source.db"), cluster.url("shop"), home)
    crashed, more = 0, ()
    while crashed < crashes:
        said_before = len(said(command))
        with command.start(*more) as started:
            crashed += crash_until_gone(started, chance, crashes - crashed)
            code = started.end(seconds=120)
        more = ("--replace",) if code == EXIT else ()
        if code == EXIT:
            check(command.source, command.url)
        else:  # only a run that was still to begin, or to be taken up, may end so
            assert command.errors[-1] in NAMED, command.errors
            last_words = said(command)[said_before:]
            assert "rows to carry" not in last_words, last_words
            assert "resumed" not in last_words, last_words
    with command.start() as last:
        assert last.end() == EXIT
    check(command.source, command.url)
    command.require_no_defect()
    print(f"{crashed} crashes, of which {len(command.errors)} ended a run: {command.errors}")  # noqa: T201


def said(command: Command) -> str:
    return command.said.read_text(encoding="utf-8") if command.said.exists() else ""


def crash_until_gone(started: Started, chance: random.Random, crashes: int) -> int:
    """Kill sessions of a run at random moments, until it ends; how many."""
    for crashed in range(crashes):
        if started.process.poll() is not None or not kill_session(started, chance):
            return crashed
    return crashes


def kill_session(started: Started, chance: random.Random) -> bool:
    """Kill one of a run's sessions at a random moment; False if the run ends before."""
    moment = time.monotonic() + chance.uniform(0.2, 2.5)
    while started.process.poll() is None:
        pids = sessions(started.command.url)
        if pids and time.monotonic() > moment:
            send(chance.choice(pids), signal.SIGKILL)
            return True
        time.sleep(0.02)
    return False


def sessions(url: str) -> list[int]:
    """The server's processes for a run; none while the server recovers."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            return [int(pid) for (pid,) in connection.execute(SESSIONS)]
    except psycopg.OperationalError:
        return []


@pytest.mark.parametrize("workers", [1, 4])
def test_the_server_is_stopped_at_once_and_comes_back_later(
    workers: int, own_cluster: Cluster, tmp_path: Path
) -> None:
    source, url = build(tmp_path / "source.db"), own_cluster.url("shop")
    command = Command(source, url, tmp_path, workers=workers)
    with command.start() as started:
        command.until(lambda: command.rows_done() > 3000)
        stop_at_once(own_cluster)
        time.sleep(3)
        assert started.process.poll() is None
        own_cluster.start()
        assert command.rows_done() < 18_000
        assert started.end() == EXIT, command.errors
    check(source, url)
    command.require_no_defect()


def stop_at_once(cluster: Cluster) -> None:
    """As if the power failed: no session is asked, nothing is written out."""
    pg_ctl = cluster.binaries.tool("pg_ctl")
    data = cluster.folder.resolve() / "data"
    words = ("stop", "-D", data, "-m", "immediate", "-w")
    stopped, said = run_program(pg_ctl, server_account(), *words)
    assert stopped, said
