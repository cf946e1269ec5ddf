"""What is in the target already: refused, or replaced if this ledger made it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from core.errors import MudanzaError, TargetNotEmpty
from core.transfer.migrate import check_target, migrate
from tests.transfer.running import asked, interrupted, prove, source_of, table


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(
        tmp_path / "s.db",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);"
        "CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent, up REFERENCES child)",
        {"parent": [(n, f"p{n}") for n in range(1, 6)], "child": [(n, n, 1) for n in range(1, 6)]},
    )


@pytest.mark.parametrize(
    "bystander",
    [
        "CREATE TABLE public.bystander (a int)",
        "CREATE VIEW public.bystander AS SELECT 1 AS one",
        "CREATE MATERIALIZED VIEW public.bystander AS SELECT 1 AS one",
        "CREATE SEQUENCE public.bystander",
        "CREATE TABLE public.bystander (a int) PARTITION BY RANGE (a)",
    ],
)
def test_an_occupied_schema_is_refused(
    bystander: str, source: Path, database: str, tmp_path: Path
) -> None:
    _execute(database, bystander)
    with pytest.raises(TargetNotEmpty) as refused:
        migrate(asked(source, database, tmp_path))
    assert refused.value.facts["names"] == "bystander"
    assert _relations(database) == {"public.bystander"}
    assert not list(tmp_path.glob("snapshots/*"))
    # Another schema is free.
    migrate(asked(source, database, tmp_path, schema="free"))
    prove(source, database, tmp_path, schema="free")


def test_replace_begins_anew(source: Path, database: str, tmp_path: Path) -> None:
    first = migrate(asked(source, database, tmp_path))
    again = migrate(asked(source, database, tmp_path, replace=True))
    assert again.run != first.run
    assert not again.resumed
    assert not again.repeated
    assert [p.stem for p in tmp_path.glob("snapshots/*")] == [str(again.run)]
    prove(source, database, tmp_path)


def test_replace_of_an_unfinished_run(source: Path, database: str, tmp_path: Path) -> None:
    interrupted(asked(source, database, tmp_path), chunks=2)
    migrate(asked(source, database, tmp_path, replace=True))
    prove(source, database, tmp_path)


def test_replace_by_another_source(source: Path, database: str, tmp_path: Path) -> None:
    migrate(asked(source, database, tmp_path))
    other = source_of(tmp_path / "o.db", "CREATE TABLE fresh (a)", {"fresh": [(1,), (2,)]})
    report = migrate(asked(other, database, tmp_path, replace=True))
    assert table(report, "fresh").rows_target == 2
    assert {r for r in _relations(database) if r.startswith("public.")} == {"public.fresh"}
    prove(other, database, tmp_path)


def test_replace_leaves_what_others_made_elsewhere(
    source: Path, database: str, tmp_path: Path
) -> None:
    migrate(asked(source, database, tmp_path, schema="one"))
    migrate(asked(source, database, tmp_path, schema="two"))
    _execute(database, "CREATE TABLE public.bystander AS SELECT 7 AS a")
    migrate(asked(source, database, tmp_path, schema="one", replace=True))
    prove(source, database, tmp_path, schema="two")
    assert _execute(database, "SELECT a FROM public.bystander") == [(7,)]


@pytest.mark.parametrize(
    "bystander",
    [
        "CREATE TABLE public.bystander (a int)",
        "CREATE VIEW public.bystander AS SELECT * FROM parent",
        "CREATE SCHEMA other; CREATE VIEW other.bystander AS SELECT * FROM parent",
        "CREATE SCHEMA other; CREATE TABLE other.bystander (a bigint REFERENCES parent)",
    ],
)
def test_replace_refuses_before_it_drops(
    bystander: str, source: Path, database: str, tmp_path: Path
) -> None:
    """Something came into the schema, or hangs on our tables: nothing at all is touched."""
    first = migrate(asked(source, database, tmp_path))
    _execute(database, bystander)
    before = _relations(database)
    with pytest.raises(TargetNotEmpty) as refused:
        migrate(asked(source, database, tmp_path, replace=True))
    assert "bystander" in str(refused.value.facts["names"])
    assert _relations(database) == before
    assert [p.stem for p in tmp_path.glob("snapshots/*")] == [str(first.run)]
    assert migrate(asked(source, database, tmp_path)).repeated
    prove(source, database, tmp_path)


def test_replace_keeps_the_old_when_the_new_cannot_begin(
    source: Path, database: str, tmp_path: Path
) -> None:
    migrate(asked(source, database, tmp_path))
    empty = source_of(tmp_path / "empty.db", "CREATE TABLE t (a); DROP TABLE t")
    with pytest.raises(MudanzaError):
        migrate(asked(empty, database, tmp_path, replace=True))
    prove(source, database, tmp_path)


def test_a_dry_look_refuses_what_a_run_would(source: Path, database: str, tmp_path: Path) -> None:
    check_target(asked(source, database, tmp_path))
    migrate(asked(source, database, tmp_path))
    check_target(asked(source, database, tmp_path, replace=True))
    _execute(database, "CREATE TABLE public.bystander ()")
    with pytest.raises(TargetNotEmpty):
        check_target(asked(source, database, tmp_path, replace=True))


def _execute(database: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def _relations(database: str) -> set[str]:
    found = _execute(
        database,
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    return {str(name) for (name,) in found}
