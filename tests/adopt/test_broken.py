"""Killed at any hit of any failpoint, the application's schema is never lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import RunCancelled
from core.failpoints import FailpointFired, arm
from core.server.embedded import Cluster
from core.transfer.migrate import migrate
from core.transfer.model import EXIT_DONE
from tests.adopt.application import asked, dump, fetched, made_in, source_in
from tests.adopt.test_adopt import cancel, run_in
from tests.failpoints.forking import Lives, forking
from tests.transfer.running import check_ledger, interrupted, prove

PLAN = 'mudanza_plan = 1\nadopt = true\nzone = "UTC"\n'
CHUNK = 4
POINTS = (
    *("adopt.locked", "adopt.down", "begin.committed", "chunk.fenced", "build.made"),
    *("build.added", "finish.counted"),
)
MORE_POINTS = ("begin.prepared", "begin.tables", "build.fenced", "build.committed")

Databases = Callable[[], str]


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    with forking() as found:
        yield found


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[Databases]:
    """A fresh database with the application's schema whenever one is asked for."""
    made: list[str] = []

    def make() -> str:
        made.append(f"adopt_{len(made)}_{id(made)}")
        cluster.ensure_database(made[-1])
        made_in(cluster.url(made[-1]))
        return cluster.url(made[-1])

    yield make
    for name in made:
        cluster.drop_database(name)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_hit_it_ends_with_the_same_schema(
    point: str, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    walk(point, databases, lives, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("point", MORE_POINTS)
def test_killed_anywhere_else_it_does_so_too(
    point: str, databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    walk(point, databases, lives, tmp_path)


def walk(point: str, databases: Databases, lives: Lives, tmp_path: Path) -> None:
    """Kill a run at the n-th hit for n = 1, 2, … and go on each time."""
    source, before = source_in(tmp_path), dump(databases())
    for hit in range(1, 50):
        database = databases()

        def live(fail: str, into: str = database) -> int:
            return lives.live(fail, source, into, tmp_path, rows=CHUNK, plan=PLAN)

        code = live(f"{point}:{hit}:sigkill")
        was_killed = code == -signal.SIGKILL
        assert (live("") if was_killed else code) == EXIT_DONE
        assert dump(database) == before
        check_ledger(database)
        if not was_killed:
            assert hit > 1
            prove(source, database, tmp_path)
            return
    raise AssertionError(f"{point} has no end")


def test_what_was_begun_and_not_committed_leaves_the_schema_as_it_was(
    databases: Databases, lives: Lives, tmp_path: Path
) -> None:
    source = source_in(tmp_path)
    for point in ("adopt.locked", "adopt.down", "begin.written"):
        database = databases()
        before = dump(database)
        fail = f"{point}:1:sigkill"
        code = lives.live(fail, source, database, tmp_path, rows=CHUNK, plan=PLAN)

        assert code == -signal.SIGKILL
        assert dump(database) == before


@pytest.mark.parametrize("hit", [1, 2, 5])
def test_a_cancelling_that_breaks_off_is_finished_by_the_next_call(
    hit: int, database: str, tmp_path: Path
) -> None:
    made_in(database)
    before = dump(database)
    source = source_in(tmp_path, 'UPDATE "Users" SET best_post = NULL')
    interrupted(asked(source, database, tmp_path), chunks=1)
    arm(f"adopt.up:{hit}:raise")
    try:
        with pytest.raises(FailpointFired):
            cancel(database, run_in(database))
    finally:
        arm("")
    assert dump(database) != before
    with pytest.raises(RunCancelled):
        migrate(asked(source, database, tmp_path))

    assert dump(database) == before
    left = "SELECT count(*) FROM mudanza.object WHERE fate = 'planned' AND kind <> 'sequence'"
    assert fetched(database, left) <= [(2,)]
