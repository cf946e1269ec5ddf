"""A process that carries many rows is two members of its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from core import failpoints
from core.failpoints import FailpointFired
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Way
from tests.transfer.running import asked, check_ledger, prove, source_of

ROWS = 1000
TWO_TABLES = (
    "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT);"
    "CREATE TABLE b (id INTEGER PRIMARY KEY, v TEXT)"
)


@pytest.fixture
def request_(tmp_path: Path, database: str) -> Request:
    rows = [(n, f"value {n}") for n in range(ROWS)]
    source = source_of(tmp_path / "a.db", TWO_TABLES, {"a": rows, "b": rows})
    return asked(source, database, tmp_path, way=Way.ARROW, bounds=Bounds(rows=20))


def members(database: str) -> list[tuple[object, ...]]:
    """Of those that copied: how many chunks each, and why it left."""
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT count(c.chunk), m.left_why FROM mudanza.member m"
            " LEFT JOIN mudanza.chunk c USING (member) WHERE m.copies"
            " GROUP BY m.member, m.left_why ORDER BY 1"
        ).fetchall()


def test_both_carry_rows_and_say_goodbye(request_: Request, database: str) -> None:
    assert migrate(request_).exit_code == 0
    found = members(database)
    assert [why for _, why in found] == ["done", "done"]
    assert all(int(str(chunks)) > 0 for chunks, _ in found)
    prove(request_.source.path, database, request_.home)


def test_by_rows_one_is_enough(request_: Request, database: str) -> None:
    assert migrate(replace(request_, way=Way.EXACT)).exit_code == 0
    assert len(members(database)) == 1


@pytest.mark.parametrize("hit", [1, 2, 3, 10, 40])
@pytest.mark.parametrize("point", ["chunk.read", "chunk.copied", "chunk.fenced", "chunk.committed"])
def test_whichever_fails_the_run_stops_and_can_go_on(
    point: str, hit: int, request_: Request, database: str
) -> None:
    failpoints.arm(f"{point}:{hit}:raise")
    try:
        with pytest.raises(FailpointFired):
            migrate(request_)
    finally:
        failpoints.arm("")
    check_ledger(database)
    with psycopg.connect(database) as connection:
        open_ranges = connection.execute(
            "SELECT count(*) FROM mudanza.range WHERE NOT finished"
        ).fetchone()
    assert open_ranges != (0,), "the other hand went on to the end"
    assert all(why is not None for _, why in members(database)), "nobody is left at work"
    assert migrate(request_).exit_code == 0
    prove(request_.source.path, database, request_.home)
