"""Whole runs by both paths: one ledger, one quarantine, the same rows."""

from __future__ import annotations

from pathlib import Path

import apsw
import psycopg
import pytest

from core.sample import build_sample
from core.transfer.model import Bounds, Way
from tests.real.test_real import databases
from tests.two_paths.runs import left_by, paths, run


def both(source: Path, database: str, home: Path, **more: object) -> dict[tuple[str, str], int]:
    """Run by both paths, which must leave the same; the rows by table and path of the second."""
    by_rows = left_by(run(source, database, home, Way.EXACT, **more), database)
    report = run(source, database, home, Way.ARROW, **more)
    by_columns = left_by(report, database)
    for name in ("exit_code", "ranges", "aside", "cells", "objects", "rows"):
        assert getattr(by_rows, name) == getattr(by_columns, name), name
    return paths(report, database)


@pytest.mark.parametrize("dirt", [False, True])
def test_a_marketplace_leaves_the_same(dirt: bool, database: str, tmp_path: Path) -> None:
    build_sample(tmp_path / "market.db", rows=6_000, dirt=dirt)
    went = both(tmp_path / "market.db", database, tmp_path, bounds=Bounds(rows=300))
    exact = {table for (table, path), rows in went.items() if path == "exact" and rows}
    assert bool(exact) == dirt
    assert sum(rows for (_, path), rows in went.items() if path == "arrow") > 3_000


def test_without_rowid_and_text_keys_are_paged_alike(database: str, tmp_path: Path) -> None:
    with apsw.Connection(str(tmp_path / "keys.db")) as source:
        source.execute(
            "CREATE TABLE words (word TEXT, n INTEGER, PRIMARY KEY (word, n)) WITHOUT ROWID;"
            "CREATE TABLE noted (word TEXT PRIMARY KEY, at DATETIME)"
        )
        for n in range(500):
            source.execute("INSERT INTO words VALUES (?, ?)", (f"ñ'{n % 7}", n))
            source.execute("INSERT INTO noted VALUES (?, ?)", (f"w{n}", "2024-01-02 03:04:05"))
    went = both(tmp_path / "keys.db", database, tmp_path, bounds=Bounds(rows=37))
    assert went == {("words", "arrow"): 500, ("noted", "arrow"): 500}


def test_what_arrow_is_not_sure_of_goes_the_exact_path_alone(database: str, tmp_path: Path) -> None:
    """A fraction of nine digits, the last three zeros: the grammar takes it, Arrow does not."""
    with apsw.Connection(str(tmp_path / "late.db")) as source:
        source.execute("CREATE TABLE late (id INTEGER PRIMARY KEY, at DATETIME)")
        with source:
            for n in range(30_000):
                odd = "000" if n == 20_000 else ""
                source.execute(
                    "INSERT INTO late VALUES (?, ?)", (n, f"2024-01-02 03:04:05.123456{odd}")
                )
    went = both(tmp_path / "late.db", database, tmp_path)
    assert went["late", "exact"] <= 20_000
    assert went["late", "arrow"] >= 10_000


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_every_real_database_leaves_the_same(
    database: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for source in databases():
        with subtests.test(source.name):
            both(source, database, tmp_path)


def test_what_the_server_refuses_is_found_by_the_exact_path(database: str, tmp_path: Path) -> None:
    """A chunk of columns is refused as a whole; the exact path names the row."""
    with apsw.Connection(str(tmp_path / "deep.db")) as source:
        source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
        with source:
            source.executemany("INSERT INTO t VALUES (?, ?)", ((n, n) for n in range(3_000)))
    with psycopg.connect(database, autocommit=True) as connection:
        # Whoever makes tables here gets a check with them.
        connection.execute(
            "CREATE FUNCTION hang_check() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF to_regclass('public.t') IS NOT NULL THEN"
            "  ALTER TABLE public.t ADD CONSTRAINT not_seven CHECK (n <> 700);"
            " END IF; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        connection.execute(
            "CREATE EVENT TRIGGER hang_check ON ddl_command_end WHEN TAG IN ('CREATE TABLE')"
            " EXECUTE FUNCTION hang_check()"
        )
    went = both(tmp_path / "deep.db", database, tmp_path, bounds=Bounds(rows=500))
    assert went["t", "exact"] > 0
    assert went["t", "arrow"] >= 2_000
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT key_shown, reason FROM mudanza.quarantine").fetchall()
    assert set(found) == {("700", "refused_by_server")}
