"""Every failpoint, at its first hit, its second, … until a run gets by without it.

SQLite tests its own I/O so (https://sqlite.org/testing.html, "anomaly testing"): the
loop ends only when the run has nothing left that could break at this point.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from core.failpoints import POINTS
from core.server.embedded import Cluster
from tests.failpoints.forking import FIRED, Lives, forking
from tests.transfer.running import check_ledger, prove, source_of

# Three chunks of rows, a key, an index, a foreign key that holds and one that does not.
SQL = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent, age INTEGER,
                    lost INTEGER REFERENCES parent);
CREATE INDEX child_age ON child (age);
"""
ROWS = {"parent": [(1, "a"), (2, "b")], "child": [(1, 1, 7, 9), (2, 2, "old", 1), (3, 1, 9, 1)]}
CHUNK = 2
PARTIAL = 3

# Only a run that others began has these: somebody died, somebody asked.
OF_RESUMED_RUNS = {"reclaim.ended", "grant.moved"}
# Nobody takes a run up whose beginning was not committed.
OF_BEGINNINGS = {point for point in POINTS if point.startswith("begin.")}

Databases = Callable[[], str]


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    with forking() as found:
        yield found


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[Databases]:
    """A fresh database whenever one is asked for."""
    made: list[str] = []

    def make() -> str:
        made.append(f"walk_{len(made)}_{id(made)}")
        cluster.ensure_database(made[-1])
        return cluster.url(made[-1])

    yield make
    for name in made:
        cluster.drop_database(name)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(tmp_path / "s.db", SQL, ROWS)


@pytest.mark.parametrize("action", ["sigkill", "raise"])
@pytest.mark.parametrize("point", sorted(set(POINTS) - OF_RESUMED_RUNS))
def test_a_run_broken_at_any_hit_ends_exact(
    point: str, action: str, source: Path, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    def broken(fail: str) -> tuple[str, int]:
        database = databases()
        return database, lives.live(fail, source, database, tmp_path, rows=CHUNK)

    hits = walk(point, action, broken, source, lives, tmp_path)
    assert hits >= 1


@pytest.mark.parametrize("point", sorted(set(POINTS) - OF_BEGINNINGS))
def test_a_resumed_run_broken_at_any_hit_ends_exact(
    point: str, source: Path, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    """Fault upon fault: the second life breaks while it mends what the first left."""

    def broken(fail: str) -> tuple[str, int]:
        database = databases()
        first = lives.live("chunk.fenced:2:sigkill", source, database, tmp_path, rows=CHUNK)
        assert first == -signal.SIGKILL
        with psycopg.connect(database) as asking:
            asking.execute(
                "INSERT INTO mudanza.request (run, kind, argument, asked_by)"
                """ SELECT run, 'chunk', '{"rows": 2}', 'test' FROM mudanza.run"""
            )
        return database, lives.live(fail, source, database, tmp_path, rows=CHUNK)

    hits = walk(point, "sigkill", broken, source, lives, tmp_path)
    assert hits >= 1 or point == "move.written"


def walk(
    point: str,
    action: str,
    broken: Callable[[str], tuple[str, int]],
    source: Path,
    lives: Lives,
    home: Path,
) -> int:
    """Break at the n-th hit for n = 1, 2, … and go on each time; how often it broke."""
    for hit in range(1, 50):
        database, code = broken(f"{point}:{hit}:{action}")
        if code == PARTIAL:
            exact(source, database, home)
            return hit - 1
        assert code in (-signal.SIGKILL, FIRED), code
        if point not in OF_BEGINNINGS - {"begin.committed"}:
            check_ledger(database)
        assert lives.live("", source, database, home, rows=CHUNK) == PARTIAL
        exact(source, database, home)
    raise AssertionError(f"{point} has no end")


def exact(source: Path, database: str, home: Path) -> None:
    prove(source, database, home)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM child").fetchone() == (2,)
        assert connection.execute("SELECT source_key FROM mudanza.quarantine").fetchall() != []
        left = connection.execute(
            "SELECT (SELECT count(*) FROM mudanza.range WHERE owner IS NOT NULL OR NOT finished)"
            " + (SELECT count(*) FROM mudanza.object WHERE owner IS NOT NULL OR fate = 'planned')"
            " + (SELECT count(*) FROM mudanza.request WHERE answer IS NULL)"
        ).fetchone()
        assert left == (0,)
        steps = connection.execute("SELECT to_status FROM mudanza.step ORDER BY step").fetchall()
        assert [s for (s,) in steps if s not in ("failed",)][:1] == ["copying"]
        assert steps[-1] == ("complete",)
