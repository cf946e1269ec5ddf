"""Two hosts share a run, and the network of one of them falls silent."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.server.account import server_account
from core.server.placement import reachable_binaries
from tests.conftest import REPOSITORY, binaries_under_test, make_reachable_folder
from tests.shared_run.exact import make_source, require_exact
from tests.shared_run.hosts import Host, Network, network
from tests.shared_run.server import Server, serving

LOG = logging.getLogger(__name__)

ROWS, CHUNK = 800, 20
LEASE = 3.0
# The survivor notices after a lease, then carries what is left.
BOUND = 30.0


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def server(net: Network) -> Iterator[Server]:
    folder = make_reachable_folder()
    try:
        binaries = reachable_binaries(binaries_under_test(), server_account())
        with serving(net.switch, binaries, folder) as served:
            yield served
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    with server.database() as name:
        yield name


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "source.db", rows=ROWS)


@dataclass(frozen=True)
class Process:
    """A process on a host that takes part in the run."""

    process: subprocess.Popen[str]

    def outcome(self, *, within: float) -> dict[str, str]:
        """How it says that it ended; a traceback is no way to say that."""
        said, complained = self.process.communicate(timeout=within)
        assert complained == "", complained
        assert self.process.returncode == 0
        return dict(json.loads(said))


class Undertaking:
    """A run of ``source`` into ``database``, from hosts on the network."""

    def __init__(self, server: Server, database: str, source: Path, home: Path) -> None:
        self.side_door = server.side_door(database)
        self.processes: list[Process] = []
        self._errand = {
            "source": str(source),
            "target": server.address(database),
            "home": str(home),
            "chunk_rows": CHUNK,
            "pause": 0.03,
        }

    def start(self, host: Host, *, fail: str = "", limits: Any = None, **more: Any) -> Process:
        started = subprocess.Popen(
            [*host.enter, sys.executable, "-m", "tests.shared_run.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "MUDANZA_FAIL": fail},
        )
        assert started.stdin is not None
        errand = self._errand | {"limits": {"lease": LEASE} | (limits or {})} | more
        started.stdin.write(json.dumps(errand) + "\n")
        started.stdin.flush()
        self.processes.append(Process(started))
        return self.processes[-1]

    def ask(self, sql: str, *values: object) -> tuple[Any, ...]:
        """The first row of an answer."""
        with psycopg.connect(self.side_door) as connection:
            row = connection.execute(sql.encode(), values).fetchone()
        assert row is not None
        return tuple(row)

    def wait_until(self, what: str, sql: str, *values: object) -> None:
        """Until ``sql`` says true."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self.ask(sql, *values) == (True,):
                return
            assert all(p.process.poll() is None for p in self.processes), f"ended before {what}"
            time.sleep(0.01)
        pytest.fail(f"never {what}")

    def wait_until_begun(self) -> None:
        self.wait_until("a run", "SELECT to_regclass('mudanza.run') IS NOT NULL")
        self.wait_until(
            "a coordinator", "SELECT count(*) = 1 FROM mudanza.run WHERE coordinator IS NOT NULL"
        )

    def wait_until_it_copies(self, process: Process) -> None:
        self.wait_until(
            "a chunk of its own",
            "SELECT EXISTS (SELECT FROM mudanza.chunk JOIN mudanza.member USING (member)"
            " WHERE pid = %s)",
            process.process.pid,
        )

    def wait_until_in_transaction(self, host: Host) -> None:
        """Until the host has rows in the target that it has not committed."""
        self.wait_until(
            "in a transaction",
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE client_addr = %s::inet"
            " AND state = 'idle in transaction' AND application_name = 'mudanza'"
            " AND clock_timestamp() - state_change > interval '50 milliseconds')",
            host.address,
        )

    def now(self) -> object:
        return self.ask("SELECT clock_timestamp()")[0]

    def chunks_of(self, process: Process, since: object) -> int:
        """How many chunks the process committed since then."""
        (count,) = self.ask(
            "SELECT count(*) FROM mudanza.chunk JOIN mudanza.member USING (member)"
            " WHERE pid = %s AND committed_at > %s",
            process.process.pid,
            since,
        )
        return int(count)

    def end(self) -> None:
        for process in self.processes:
            process.process.kill()
            process.process.communicate()


@pytest.fixture
def undertaking(
    server: Server, database: str, source: Path, tmp_path: Path
) -> Iterator[Undertaking]:
    undertaking = Undertaking(server, database, source, tmp_path / "home")
    yield undertaking
    undertaking.end()


@pytest.fixture
def near(net: Network) -> Iterator[Host]:
    with net.host() as host:
        yield host


@pytest.fixture
def far(net: Network) -> Iterator[Host]:
    with net.host() as host:
        yield host


@pytest.mark.parametrize("point", ["chunk.copied", "chunk.fenced"])
def test_a_member_is_cut_off_in_a_transaction_and_the_run_ends_exact(
    point: str, net: Network, near: Host, far: Host, undertaking: Undertaking, source: Path
) -> None:
    """It reads a snapshot that was shipped to its host."""
    coordinator = undertaking.start(near)
    undertaking.wait_until_begun()
    member = undertaking.start(far, fail=f"{point}:4:sleep=2", **_shipped(undertaking, source))
    undertaking.wait_until_it_copies(member)
    undertaking.wait_until_in_transaction(far)
    net.cut(far)
    _require_exact_without(undertaking, net, far, member, coordinator, source)


def test_the_coordinator_is_cut_off_in_a_transaction_and_the_run_ends_exact(
    net: Network, near: Host, far: Host, undertaking: Undertaking, source: Path
) -> None:
    coordinator = undertaking.start(near, fail="chunk.fenced:25:sleep=2", pause=0.06)
    undertaking.wait_until_begun()
    member = undertaking.start(far)
    undertaking.wait_until_it_copies(member)
    undertaking.wait_until_in_transaction(near)
    net.cut(near)
    _require_exact_without(undertaking, net, near, coordinator, member, source)
    assert undertaking.ask("SELECT epoch > 1 FROM mudanza.run") == (True,)


@pytest.mark.soak
def test_a_process_that_stays_cut_off_ends_by_itself(
    net: Network, near: Host, far: Host, undertaking: Undertaking, source: Path
) -> None:
    undertaking.start(near)
    undertaking.wait_until_begun()
    member = undertaking.start(far, limits={"patience": 5})
    undertaking.wait_until_it_copies(member)
    net.cut(far)
    assert member.outcome(within=120) in ({"error": "target_lost"}, {"error": "target_unreachable"})
    require_exact(source, undertaking.side_door)


def _shipped(undertaking: Undertaking, source: Path) -> dict[str, str]:
    """The run's snapshot, on another host."""
    run, snapshot = undertaking.ask("SELECT run::text, snapshot_path FROM mudanza.run")
    return {"run": run, "snapshot": shutil.copy(snapshot, str(source.with_name("shipped.sqlite")))}


def _require_exact_without(
    undertaking: Undertaking,
    net: Network,
    host: Host,
    gone: Process,
    survivor: Process,
    source: Path,
) -> None:
    """The survivor ends the run; the one that was cut off adds nothing to it, and says
    how it ended once it is back."""
    cut_at, began = undertaking.now(), time.monotonic()
    assert survivor.outcome(within=BOUND) == {"status": "complete"}
    seconds = time.monotonic() - began
    require_exact(source, undertaking.side_door)
    assert gone.process.poll() is None, "it cannot know"
    net.connect(host)
    assert gone.outcome(within=BOUND) == {"status": "complete"}
    back = time.monotonic() - began - seconds
    measured = f"ended {seconds:.1f} s after the cut, the other {back:.1f} s after it was back"
    LOG.info(measured)
    assert undertaking.chunks_of(gone, cut_at) == 0, measured
    assert undertaking.chunks_of(survivor, cut_at) > 0, measured
    require_exact(source, undertaking.side_door)
