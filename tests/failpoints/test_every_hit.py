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
# Of what is done to a run that is complete.
OF_REPAIRS = {point for point in POINTS if point.startswith(("repair.", "replay.", "edit."))}
OF_RUNS = set(POINTS) - OF_REPAIRS
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


@pytest.mark.parametrize("point", sorted(OF_RUNS - OF_RESUMED_RUNS))
def test_a_run_killed_at_any_hit_ends_exact(
    point: str, source: Path, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    assert fresh(point, "sigkill", source, databases, lives, tmp_path) >= 1


@pytest.mark.soak
@pytest.mark.parametrize("point", sorted(OF_RUNS - OF_RESUMED_RUNS))
def test_a_run_that_fails_at_any_hit_ends_exact(
    point: str, source: Path, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    """An exception that nobody foresaw lets go of everything on its way out."""
    assert fresh(point, "raise", source, databases, lives, tmp_path) >= 1


def fresh(
    point: str, action: str, source: Path, databases: Databases, lives: Lives, home: Path
) -> int:
    """Walk the hits of runs that begin; how many there are."""

    def broken(fail: str) -> tuple[str, int]:
        database = databases()
        return database, lives.live(fail, source, database, home, rows=CHUNK)

    return walk(point, action, broken, source, lives, home)


@pytest.mark.parametrize("point", sorted(OF_RUNS - OF_BEGINNINGS))
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
            exact(database)
            return hit - 1
        assert code in (-signal.SIGKILL, FIRED), code
        if point not in OF_BEGINNINGS - {"begin.committed"}:
            check_ledger(database)
        assert lives.live("", source, database, home, rows=CHUNK) == PARTIAL
        exact(database)
    raise AssertionError(f"{point} has no end")


def exact(database: str) -> None:
    """Every row in its place, every build with its fate, nothing in anybody's hands."""
    check_ledger(database)
    with psycopg.connect(database) as connection:
        for query, wanted in EXACT.items():
            assert connection.execute(query.encode()).fetchall() == wanted, query


# What an undisturbed run leaves; the last test proves that it is what the source holds.
EXACT: dict[str, list[tuple[object, ...]]] = {
    "SELECT * FROM parent ORDER BY 1": [(1, "a"), (2, "b")],
    "SELECT * FROM child ORDER BY 1": [(1, 1, 7, 9), (3, 1, 9, 1)],
    "SELECT key_shown, reason FROM mudanza.quarantine": [("2", "not_an_integer")],
    "SELECT conname, convalidated FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    " AND contype <> 'n' ORDER BY 1": [
        ("child_lost_fkey", False),
        ("child_parent_fkey", True),
        ("child_pkey", True),
        ("parent_pkey", True),
    ],
    "SELECT count(*) FROM pg_indexes WHERE indexname = 'child_age'": [(1,)],
    "SELECT count(*) FROM mudanza.range WHERE owner IS NOT NULL OR NOT finished": [(0,)],
    "SELECT count(*) FROM mudanza.object WHERE owner IS NOT NULL OR fate = 'planned'": [(0,)],
    "SELECT count(*) FROM mudanza.request WHERE answer IS NULL": [(0,)],
    "SELECT status, exit_code FROM mudanza.run": [("complete", PARTIAL)],
    # Who was killed when all was done is not seen off by anybody, but counts as dead.
    "SELECT count(*) FROM mudanza.member WHERE left_at IS NULL"
    " AND member NOT IN (SELECT member FROM mudanza.lost_member)": [(0,)],
}


def test_what_an_undisturbed_run_leaves_is_the_source(
    source: Path, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    database = databases()
    assert lives.live("", source, database, tmp_path, rows=CHUNK) == PARTIAL
    exact(database)
    prove(source, database, tmp_path)
