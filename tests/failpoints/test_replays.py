"""A replay killed at any failpoint: all of it is there, or nothing of it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.failpoints import POINTS
from core.server.embedded import Cluster
from tests.failpoints.forking import FIRED, Lives, forking
from tests.failpoints.test_every_hit import CHUNK, OF_REPAIRS
from tests.transfer.running import check_ledger, prove, source_of

SQL = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, age INTEGER);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent);
"""
ROWS = {"parent": [(1, 7), (2, "old"), (3, 9), (4, 0.5)], "child": [(1, 1), (2, 2), (3, 4)]}
RULE = ("parent", "age", "text", "spelled")
PARTIAL, DONE = 3, 0

# Every table that a replay writes to, and the server's own account of the types and keys.
STATE = (
    "SELECT id, age::text FROM parent ORDER BY 1",
    "SELECT key_shown, reason FROM mudanza.quarantine ORDER BY 1",
    "SELECT column_name, reason FROM mudanza.quarantine_cell ORDER BY 1",
    "SELECT key_shown, reason, replay FROM mudanza.quarantine_past ORDER BY 1",
    "SELECT replay, rows_arrived, rows_left FROM mudanza.replay",
    "SELECT range, chunks, rows_read, rows_written, rows_quarantined FROM mudanza.range ORDER BY 1",
    "SELECT name, fate, reason, counts FROM mudanza.object ORDER BY object",
    "SELECT plan, plan_sha256, exit_code, status FROM mudanza.run",
    "SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'child'::regclass ORDER BY 1",
    "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'parent'::regclass ORDER BY attnum",
)


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    with forking() as found:
        yield found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(tmp_path / "s.db", SQL, ROWS)


@pytest.mark.parametrize("action", ["sigkill", "raise"])
@pytest.mark.parametrize("point", sorted(OF_REPAIRS - {"edit.written"}))
def test_a_replay_broken_at_any_place_is_all_there_or_not_at_all(
    point: str, action: str, source: Path, cluster: Cluster, lives: Lives, tmp_path: Path
) -> None:
    name = f"replay_{point.replace('.', '_')}_{action}"
    cluster.ensure_database(name)
    database = cluster.url(name)
    try:
        assert lives.live("", source, database, tmp_path, rows=CHUNK) == PARTIAL
        before, run = state(database), run_of(database)

        broken = lives.mend(f"{point}:1:{action}", database, run, *RULE)

        assert broken == (-signal.SIGKILL if action == "sigkill" else FIRED)
        check_ledger(database)
        if point == "replay.committed":
            assert state(database) != before
        else:
            assert state(database) == before
        # The next one need not wait for a lease to run out: it sees that nobody is there.
        assert lives.mend("", database, run, *RULE) == DONE
        check_ledger(database)
        assert state(database)[:4] == [
            [(1, "7"), (2, "old"), (3, "9"), (4, "0.5")],
            [],
            [],
            [("2", "not_an_integer", 1), ("4", "not_an_integer", 1)],
        ]
        assert lives.live("", source, database, tmp_path, rows=CHUNK) == DONE
        prove(source, database, tmp_path)
    finally:
        cluster.drop_database(name)


def test_every_place_of_a_repair_is_walked() -> None:
    assert {point for point in POINTS if point.startswith(("repair.", "replay."))} == {
        "repair.taken",
        "replay.written",
        "replay.moved",
        "replay.fenced",
        "replay.committed",
    }


def state(database: str) -> list[list[tuple[object, ...]]]:
    with psycopg.connect(database) as connection:
        return [connection.execute(query.encode()).fetchall() for query in STATE]


def run_of(database: str) -> str:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT run FROM mudanza.run").fetchone()
    assert row is not None
    return str(row[0])
