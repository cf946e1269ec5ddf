"""A run killed at random moments ends exact."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from core.errors import OtherSource, SnapshotLost, TargetNotEmpty
from core.sample import build_sample
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.copying import Bounds
from core.transfer.migrate import Request, migrate
from core.verify import parity

CHILD = """
import sys
from pathlib import Path
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.copying import Bounds
from core.transfer.migrate import Request, migrate
migrate(Request(source=inspect(Path(sys.argv[1])), target=parse_target(sys.argv[2]),
                home=Path(sys.argv[3]), bounds=Bounds(rows=20)))
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.db"
    build_sample(path, rows=20_000, dirt=True)
    return path


def request(source: Path, database: str, home: Path) -> Request:
    return Request(
        source=inspect(source),
        target=parse_target(database),
        home=home,
        bounds=Bounds(rows=100),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_random_moments_it_ends_exact(
    seed: int, sample: Path, database: str, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    # The moment is a place in the data, so that a fast machine is killed as well.
    for rows in sorted(chance.sample(range(1, 18_000), 6)):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(sample), database, str(tmp_path)]
        )
        wait_for_rows(database, rows, child)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    report = migrate(request(sample, database, tmp_path))
    assert sum(t.rows_source for t in report.tables) == 20_000
    proof = parity.verify(
        parity.Request(source=inspect(sample), target=parse_target(database), home=tmp_path)
    )
    assert proof.parity, proof
    _check_ledger(database)


def wait_for_rows(database: str, rows: int, child: subprocess.Popen[bytes]) -> None:
    """Until the ledger says that so many rows are safe."""
    with psycopg.connect(database, autocommit=True) as connection:
        while child.poll() is None:
            there = connection.execute("SELECT to_regclass('mudanza.range')").fetchone()
            if there != (None,):
                done = connection.execute("SELECT sum(rows_read) FROM mudanza.range").fetchone()
                if done is not None and (done[0] or 0) >= rows:
                    return
            time.sleep(0.005)


def _check_ledger(database: str) -> None:
    """Chunks are contiguous, and add up to their range."""
    with psycopg.connect(database) as connection:
        gaps = connection.execute(
            "SELECT count(*) FROM (SELECT lo, lag(hi) OVER (PARTITION BY run, range ORDER BY chunk)"
            " AS before FROM mudanza.chunk) c WHERE lo IS DISTINCT FROM before"
        ).fetchone()
        sums = connection.execute(
            "SELECT count(*) FROM mudanza.range r LEFT JOIN (SELECT run, range, sum(rows_read) AS"
            " read, sum(rows_written) AS written FROM mudanza.chunk GROUP BY run, range) c"
            " USING (run, range) WHERE r.rows_read <> coalesce(c.read, 0)"
            " OR r.rows_written <> coalesce(c.written, 0)"
        ).fetchone()
    assert gaps == (0,)
    assert sums == (0,)


def test_a_complete_run_does_nothing_again(sample: Path, database: str, tmp_path: Path) -> None:
    first = migrate(request(sample, database, tmp_path))
    again = migrate(request(sample, database, tmp_path))
    assert again.repeated
    assert (again.run, again.exit_code) == (first.run, first.exit_code)


def test_a_lost_snapshot_is_refused(sample: Path, database: str, tmp_path: Path) -> None:
    report = migrate(request(sample, database, tmp_path))
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE mudanza.run SET status = 'copying'")
    (tmp_path / "snapshots" / f"{report.run}.sqlite").write_bytes(b"other")
    with pytest.raises(SnapshotLost):
        migrate(request(sample, database, tmp_path))


def test_another_source_is_refused(sample: Path, database: str, tmp_path: Path) -> None:
    migrate(request(sample, database, tmp_path))
    other = tmp_path / "other.db"
    build_sample(other, rows=400)
    with pytest.raises(OtherSource):
        migrate(request(other, database, tmp_path))


def test_an_occupied_schema_is_refused(sample: Path, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE bystander ()")
    with pytest.raises(TargetNotEmpty):
        migrate(request(sample, database, tmp_path))
    assert not list((tmp_path / "snapshots").glob("*")) or not (tmp_path / "snapshots").exists()
