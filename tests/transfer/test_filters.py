"""Rows left out by a filter: never read, always counted, and never a different set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import psycopg
import pytest

from core.errors import (
    FilterAsksElsewhere,
    FilterFails,
    FilterNotExpression,
    FilterRefused,
    FilterUnknownColumn,
    FilterUnsteady,
    PlanChanged,
)
from core.plan import Choices, TableChoice
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.migrate import migrate
from core.transfer.model import EXIT_DONE, EXIT_PARTIAL, Bounds, RunReport, Way
from core.verify import parity
from core.verify.model import Level
from tests.transfer.running import asked, check_ledger, interrupted, prove, source_of, table
from tests.two_paths.test_runs import both

SQL = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER);
CREATE TABLE pets (owner INTEGER, name TEXT, kind TEXT, PRIMARY KEY (owner, name)) WITHOUT ROWID;
CREATE TABLE visits (pet TEXT, person INTEGER REFERENCES people (id), at TIMESTAMP UNIQUE);
CREATE TABLE hidden (rowid TEXT, oid TEXT, _rowid_ TEXT);
"""
ROWS: dict[str, Sequence[Sequence[Any]]] = {
    "people": [(n, f"name {n}", None if n % 5 == 0 else n) for n in range(1, 21)],
    "pets": [(n % 7 + 1, f"pet {n}", "cat" if n % 2 else "dog") for n in range(21)],
    "visits": [(f"pet {n}", n, f"2024-01-{n:02} 00:00:00") for n in range(1, 11)],
    "hidden": [(f"r{n}", "o", "x") for n in range(7)],
}
FILTERS = {
    "people": "age > 10",
    "pets": "kind = 'cat' AND owner <= 5",
    "hidden": "rowid < 'r3'",
}


def chosen(filters: dict[str, str]) -> Choices:
    return Choices(tables={name: TableChoice(where=where) for name, where in filters.items()})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(tmp_path / "s.db", SQL, ROWS)


def counts(report: RunReport) -> dict[str, tuple[int, int, int, int]]:
    return {
        t.name: (t.rows_source, t.rows_target, t.rows_quarantined, t.rows_left_out)
        for t in report.tables
    }


@pytest.mark.parametrize("way", [Way.EXACT, Way.ARROW])
def test_every_row_is_in_the_target_or_counted_as_left_out(
    way: Way, source: Path, database: str, tmp_path: Path
) -> None:
    report = migrate(asked(source, database, tmp_path, choices=chosen(FILTERS), way=way))

    assert counts(report) == {
        "people": (20, 8, 0, 12),
        "pets": (21, 7, 0, 14),
        "visits": (10, 10, 0, 0),
        "hidden": (7, 3, 0, 4),
    }
    prove(source, database, tmp_path, way=way)
    with psycopg.connect(database) as connection:
        people = connection.execute("SELECT id FROM people ORDER BY id").fetchall()
    assert people == [(n,) for n in range(11, 20) if n % 5]


def test_rows_whose_filter_is_null_are_left_out(
    source: Path, database: str, tmp_path: Path
) -> None:
    filters = {"people": "age = age OR age <> age"}
    report = migrate(asked(source, database, tmp_path, choices=chosen(filters)))

    assert counts(report)["people"] == (20, 16, 0, 4)


def test_a_filter_may_leave_nothing(source: Path, database: str, tmp_path: Path) -> None:
    filters = {"hidden": "0", "pets": "kind = 'fish'"}
    report = migrate(asked(source, database, tmp_path, choices=chosen(filters)))

    assert counts(report)["hidden"] == (7, 0, 0, 7)
    assert counts(report)["pets"] == (21, 0, 0, 21)
    prove(source, database, tmp_path)


def test_a_filter_is_listed_and_does_not_count(source: Path, database: str, tmp_path: Path) -> None:
    filters = {"hidden": "rowid < 'r3'"}
    report = migrate(asked(source, database, tmp_path, choices=chosen(filters)))

    (said,) = report.not_carried
    assert (said.kind, said.name, said.reason) == ("rows", "hidden", "filtered")
    assert said.facts == {"rows": "4", "filter": "rowid < 'r3'"}
    assert report.exit_code == EXIT_DONE


def test_orphans_that_a_filter_makes_are_orphans(
    source: Path, database: str, tmp_path: Path
) -> None:
    filters = {"people": "id > 4"}
    report = migrate(asked(source, database, tmp_path, choices=chosen(filters)))

    assert [(o.kind, o.reason) for o in report.rewritten if o.kind == "foreign_key"] == [
        ("foreign_key", "not_valid")
    ]
    assert report.exit_code == EXIT_PARTIAL
    prove(source, database, tmp_path)


def test_rows_that_collide_are_looked_for_among_those_that_come(
    database: str, tmp_path: Path
) -> None:
    """The first of two spellings of one moment is left out: the second one stays."""
    source = source_of(
        tmp_path / "c.db",
        "CREATE TABLE log (id INTEGER PRIMARY KEY, at TIMESTAMP UNIQUE)",
        {"log": [(1, "2024-01-02 00:00:00"), (2, "2024-01-02"), (3, "2024-01-03")]},
    )
    report = migrate(asked(source, database, tmp_path, choices=chosen({"log": "id > 1"})))

    assert counts(report)["log"] == (3, 2, 0, 1)
    prove(source, database, tmp_path)


def test_both_paths_leave_the_same_rows_out(database: str, tmp_path: Path) -> None:
    with apsw.Connection(str(tmp_path / "many.db")) as made, made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, r REAL)")
        made.execute("CREATE TABLE k (a TEXT, n INTEGER, PRIMARY KEY (a, n)) WITHOUT ROWID")
        made.executemany(
            "INSERT INTO t VALUES (?, ?, ?)", [(n, f"w{n % 13}", n / 7) for n in range(4000)]
        )
        made.executemany("INSERT INTO k VALUES (?, ?)", [(f"a{n % 9}", n) for n in range(2000)])
    filters = {"t": "word LIKE 'W1%' AND r > 100 OR r IS NULL", "k": "n % 3 = 0"}
    went = both(
        tmp_path / "many.db", database, tmp_path, choices=chosen(filters), bounds=Bounds(rows=61)
    )

    assert went["k", "arrow"] == 667
    assert went["t", "arrow"] == sum(n % 13 in (1, 10, 11, 12) and n / 7 > 100 for n in range(4000))
    assert {path for _, path in went} == {"arrow"}


def test_a_run_taken_up_again_leaves_the_same_rows_out(
    source: Path, database: str, tmp_path: Path
) -> None:
    request = asked(source, database, tmp_path, choices=chosen(FILTERS), bounds=Bounds(rows=2))
    interrupted(request, chunks=2)
    check_ledger(database)
    # Nobody needs to say it again: it is in the run's own plan.
    report = migrate(asked(source, database, tmp_path, bounds=Bounds(rows=2)))

    assert report.resumed
    assert counts(report)["people"] == (20, 8, 0, 12)
    prove(source, database, tmp_path)


def test_a_run_is_not_taken_up_under_another_filter(
    source: Path, database: str, tmp_path: Path
) -> None:
    interrupted(asked(source, database, tmp_path, choices=chosen(FILTERS)), chunks=1)
    with pytest.raises(PlanChanged):
        migrate(asked(source, database, tmp_path, choices=chosen({"people": "age > 11"})))


@pytest.mark.parametrize("level", [Level.COUNTS, Level.ROWS, Level.FULL])
def test_verify_counts_what_is_left_out(
    level: Level, source: Path, database: str, tmp_path: Path
) -> None:
    migrate(asked(source, database, tmp_path, choices=chosen(FILTERS)))
    target = parse_target(database)
    request = parity.Request(source=inspect(source), target=target, home=tmp_path, level=level)
    proof = parity.verify(request)

    people = next(t for t in proof.tables if t.name == "people")
    assert proof.parity
    assert (people.rows_source, people.rows_target, people.left_out) == (20, 8, 12)


def test_verify_finds_a_row_that_the_filter_should_have_left_out(
    source: Path, database: str, tmp_path: Path
) -> None:
    migrate(asked(source, database, tmp_path, choices=chosen(FILTERS)))
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO people VALUES (1, 'name 1', 1)")
    target = parse_target(database)
    proof = parity.verify(parity.Request(source=inspect(source), target=target, home=tmp_path))

    assert [t.name for t in proof.tables if t.differences] == ["people"]


@pytest.mark.parametrize(
    ("where", "refusal"),
    [
        ("1); DROP TABLE people", FilterNotExpression),
        ("1) OR (1", FilterNotExpression),
        ("id > 1; SELECT 2", FilterNotExpression),
        ("id > 1;", FilterNotExpression),
        ("id FROM people", FilterNotExpression),
        ("id > 1 -- and so on", FilterNotExpression),
        ("id > 1 /* and so on", FilterNotExpression),
        ("id > 1 LIMIT 3", FilterNotExpression),
        ("id AS n", FilterNotExpression),
        ("*", FilterNotExpression),
        ("id >", FilterNotExpression),
        (" ", FilterNotExpression),
        ("id IN (SELECT person FROM visits)", FilterAsksElsewhere),
        ("EXISTS (SELECT 1)", FilterAsksElsewhere),
        ("id IN visits", FilterAsksElsewhere),
        ("id > ?", FilterAsksElsewhere),
        ("id > :least", FilterAsksElsewhere),
        ("agee > 1", FilterUnknownColumn),
        ('name = "cat"', FilterUnknownColumn),
        ("people.id > 1", FilterUnknownColumn),
        ("random() > 0", FilterUnsteady),
        ("name < CURRENT_TIMESTAMP", FilterUnsteady),
        ("name < date('now', '-1 year')", FilterUnsteady),
        ("name < datetime()", FilterUnsteady),
        ("name < strftime('%Y')", FilterUnsteady),
        ("name < datetime(name, 'LocalTime')", FilterUnsteady),
        ("sqlite_version() > '3'", FilterUnsteady),
        ("count(*) > 1", FilterFails),
        ("nothing_like(id)", FilterFails),
        ("json_extract(name, '$.a') = 1", FilterFails),
        ("abs(-9223372036854775807 - id) > 0", FilterFails),
        ("(id, age)", FilterFails),
    ],
)
def test_what_is_no_steady_question_to_the_row_is_refused(
    where: str, refusal: type[FilterRefused], source: Path, database: str, tmp_path: Path
) -> None:
    with pytest.raises(refusal) as refused:
        migrate(asked(source, database, tmp_path, choices=chosen({"people": where})))

    assert refused.value.facts["table"] == "people"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('people')").fetchone() == (None,)
    assert list(apsw.Connection(str(source)).execute("SELECT count(*) FROM people")) == [(20,)]


@pytest.mark.parametrize(
    "where",
    [
        "name LIKE 'name 1_' ESCAPE '\\'",
        '"age" BETWEEN 3 AND [id] COLLATE NOCASE',
        "CASE WHEN age IS NULL THEN true ELSE NOT age IN (1, 2, 3) END",
        "date(name) IS NULL AND strftime('%Y', name) IS NULL",
        "_rowid_ > 3 AND (id, age) > (5, 2)",
        "name = ') OR (1'",
        "name <> 'x' /* the unknown */ AND id > 0",
    ],
)
def test_any_other_expression_of_sqlite_will_do(
    where: str, source: Path, database: str, tmp_path: Path
) -> None:
    report = migrate(asked(source, database, tmp_path, choices=chosen({"people": where})))

    kept = apsw.Connection(str(source)).execute(f"SELECT count(*) FROM people WHERE {where}")
    assert table(report, "people").rows_target == kept.fetchall()[0][0]
    prove(source, database, tmp_path)
