"""The ceilings on the real server: they copy what a run of Mudanza wrote, and build it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import ceiling
from benchmarks.arrived import arrived, lacking
from benchmarks.contenders import answered
from benchmarks.database import market
from benchmarks.mudanza import run_and_plan, shares, taken_of
from benchmarks.process import Ran, run
from benchmarks.server import make_tables
from core.plan import Plan
from core.server.connection import Connection, connect, parse_target
from core.server.embedded import Cluster
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate

ORDER_LINES = 100


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """A tiny market that Mudanza carried over."""

    source: Path
    plan: Plan
    connection: Connection


@contextmanager
def fresh_database(cluster: Cluster) -> Iterator[str]:
    name = f"t_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def migrated(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    folder = tmp_path_factory.mktemp("migrated")
    source = market(folder, ORDER_LINES).path
    with fresh_database(cluster) as database:
        target = parse_target(database)
        migrate(Request(source=inspect(source), target=target, home=folder / "home"))
        with connect(target, autocommit=True) as connection:
            _, plan = run_and_plan(connection)
            yield Migrated(source=source, plan=plan, connection=connection)


@pytest.fixture
def bare(cluster: Cluster, migrated: Migrated) -> Iterator[str]:
    """A second database, with the bare tables of the plan."""
    with fresh_database(cluster) as database:
        with connect(parse_target(database), autocommit=True) as connection:
            make_tables(connection, migrated.plan)
        yield database


def child(program: str, migrated: Migrated, cluster: Cluster, folder: Path, target: str) -> Ran:
    job = ceiling.job(migrated.plan, migrated.source, folder, cluster.binaries.tool("psql"))
    job.write(folder / "job.json")
    words = [sys.executable, "-m", f"benchmarks.peers.{program}", str(folder / "job.json"), target]
    return run(words, {})


def difference(migrated: Migrated, target: str, *, constraints: bool) -> list[str]:
    wanted = arrived(migrated.connection, migrated.plan, values=True)
    with connect(parse_target(target), autocommit=True) as connection:
        found = arrived(connection, migrated.plan, values=True)
    return list(lacking(wanted, found, constraints=constraints))


def test_a_ceiling_copies_what_it_read_and_builds_it(
    cluster: Cluster, migrated: Migrated, bare: str, tmp_path: Path
) -> None:
    ceiling.take(migrated.connection, migrated.plan, tmp_path)
    ran = child("copy_encoded", migrated, cluster, tmp_path, bare)
    rows = sum(table.rows for table in migrated.plan.tables)
    assert difference(migrated, bare, constraints=True) == [
        f"all {rows:,} rows",
        "equal values in all 100 columns",
    ]
    taken = {each.name: each for each in answered("ceiling", ran)}
    assert set(taken) == {"ceiling", "ceiling.copy", "ceiling.builds"}
    parts = taken["ceiling.copy"].seconds + taken["ceiling.builds"].seconds
    assert 0 < parts < taken["ceiling"].seconds
    assert taken["ceiling"].rows == rows


def test_write_row_carries_equal_values(
    cluster: Cluster, migrated: Migrated, bare: str, tmp_path: Path
) -> None:
    child("write_row", migrated, cluster, tmp_path, bare)
    assert "equal values in all 100 columns" in difference(migrated, bare, constraints=False)


def test_what_did_not_arrive_is_told(migrated: Migrated, bare: str) -> None:
    said = difference(migrated, bare, constraints=True)
    assert f"order_items: 0 of {ORDER_LINES} rows" in said
    assert any(each.startswith("values differ in users.id, users.public_id") for each in said)
    assert "foreign keys: 0 instead of 21" in said


def test_a_target_without_the_tables_has_no_rows(migrated: Migrated, cluster: Cluster) -> None:
    said = difference(migrated, cluster.url("postgres"), constraints=False)
    assert f"order_items: 0 of {ORDER_LINES} rows" in said


def test_phases_and_shares_are_read_in_the_ledger(migrated: Migrated) -> None:
    ran = Ran(code=0, seconds=9.0, out="", err="", rss=7, pss=5)
    said = {"tables": [{"rows_source": 100}], "phases": {"snapshot": 0.5, "census": 0.25}}
    taken = {each.name: each for each in taken_of(ran, said, migrated.connection)}
    assert taken["mudanza"].seconds == 9.0
    assert (taken["mudanza.census"].seconds, taken["mudanza.census"].rows) == (0.25, 100)
    assert taken["mudanza.snapshot"].seconds == 0.5
    assert "mudanza.check" not in taken
    assert taken["mudanza.copy"].seconds > 0
    assert taken["mudanza.constraints"].seconds > 0
    found = {share.table: share.rows for share in shares(migrated.connection)}
    assert found == {table.name: table.rows for table in migrated.plan.tables}


def test_the_path_of_chunks_is_counted_once_the_ledger_has_it(migrated: Migrated) -> None:
    connection = migrated.connection
    with connection.transaction(force_rollback=True):
        connection.execute("ALTER TABLE mudanza.chunk ADD COLUMN IF NOT EXISTS path text")
        connection.execute("UPDATE mudanza.chunk SET path = 'exact'")
        connection.execute(
            "UPDATE mudanza.chunk c SET path = 'arrow' FROM mudanza.range r"
            " WHERE (c.run, c.range) = (r.run, r.range) AND source_name = 'users'"
        )
        found = {share.table: share.part for share in shares(connection)}
    assert (found["users"], found["orders"]) == (1.0, 0.0)
