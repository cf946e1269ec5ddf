"""A run killed at random moments, again and again, ends exact."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from core.sample import build_sample
from core.transfer.migrate import migrate
from core.transfer.model import Bounds
from tests.transfer.running import asked, check_ledger, prove

ROWS, CHUNK, KILLS = 3000, 50, 6

# Says a letter per event, so that the test can choose its moment.
CHILD = f"""
import sys
from pathlib import Path
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.model import Bounds
from core.transfer.begin import Request
from core.transfer.migrate import migrate
migrate(Request(source=inspect(Path(sys.argv[1])), target=parse_target(sys.argv[2]),
                home=Path(sys.argv[3]), bounds=Bounds(rows={CHUNK})),
        lambda event: print(type(event).__name__[0], end="", flush=True))
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_random_moments_it_ends_exact(seed: int, database: str, tmp_path: Path) -> None:
    run_and_kill(seed, KILLS, database, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(100, 150))
def test_killed_at_random_moments_it_ends_exact_at_length(
    seed: int, database: str, tmp_path: Path
) -> None:
    run_and_kill(seed, 10, database, tmp_path)


def run_and_kill(seed: int, kills: int, database: str, home: Path) -> None:
    source = home / "sample.db"
    build_sample(source, rows=ROWS, dirt=True)
    before = source.read_bytes()
    chance = random.Random(seed)
    killed: list[str] = []
    while len(killed) < kills:
        # Early moments and late ones: taking the copy, a chunk, an index.
        told = _killed_after(chance.choice([0, 1, 3, 6, 17, 25]), chance, source, database, home)
        if told is None:
            break
        killed.append(told)
        _check_so_far(database)
    assert len(killed) >= 4, killed
    report = migrate(asked(source, database, home, bounds=Bounds(rows=CHUNK)))
    assert sum(t.rows_source for t in report.tables) == ROWS
    assert source.read_bytes() == before
    prove(source, database, home)


def _killed_after(
    events: int, chance: random.Random, source: Path, database: str, home: Path
) -> str | None:
    """Kill a run after so many events and a moment; what it said, None if it was complete."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, source, database, home], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout:
        said = b"".join(os.read(child.stdout.fileno(), 1) for _ in range(events))
        time.sleep(chance.random() * (0.01 if events else 0.05))
        child.send_signal(signal.SIGKILL)
        code = child.wait()
    assert code in (0, -signal.SIGKILL), said
    return said.decode() if code else None


def _check_so_far(database: str) -> None:
    """At every commit the ledger is right, finished or not."""
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT to_regclass('mudanza.run') IS NOT NULL").fetchone()
    if found == (True,):
        check_ledger(database)
