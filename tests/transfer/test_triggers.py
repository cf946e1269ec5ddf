"""Triggers come after the rows, are looked for again, and go with the tables they stand on."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from core.plan import BuildKind, Fate
from core.transfer.build import ready
from core.transfer.migrate import migrate
from core.transfer.model import RunReport
from core.verify.model import Level, ParityReport
from core.verify.parity import Request, verify
from tests.plan.planning import planned
from tests.transfer.running import asked, prove, source_of

OTHER = (
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
    "CREATE TRIGGER up AFTER INSERT ON c FOR EACH ROW EXECUTE FUNCTION f()"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(
        tmp_path / "s.db",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER);"
        "CREATE TRIGGER up AFTER INSERT ON c BEGIN UPDATE p SET n = n + 1 WHERE id = NEW.p; END;"
        "CREATE TRIGGER grow AFTER UPDATE ON p BEGIN UPDATE p SET n = n + 100 WHERE id = OLD.id; END;",
        {"p": [(n, n) for n in range(1, 8)]},
    )


def _execute(database: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def _fates(report: RunReport) -> dict[str, Fate]:
    return {o.name: o.fate for o in report.objects if o.kind == "trigger"}


def _verified(source: Path, database: str, home: Path) -> ParityReport:
    request = asked(source, database, home)
    return verify(
        Request(source=request.source, target=request.target, home=home, level=Level.FULL)
    )


def test_rows_arrive_as_they_were_and_triggers_fire_from_then_on(
    source: Path, database: str, tmp_path: Path
) -> None:
    report = migrate(asked(source, database, tmp_path))
    assert report.exit_code == 0
    assert _fates(report) == {"up": Fate.REWRITTEN, "grow": Fate.REWRITTEN}
    prove(source, database, tmp_path)
    _execute(database, "INSERT INTO c (p) VALUES (1), (1)")
    assert _execute(database, "SELECT n FROM p WHERE id <= 2 ORDER BY id") == [(203,), (2,)]


def test_they_wait_for_all_rows_and_for_all_else() -> None:
    plan = planned(
        "CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER); CREATE TABLE c (n INTEGER);"
        "CREATE TRIGGER t AFTER INSERT ON c BEGIN UPDATE p SET n = 1; END;"
    )
    key, sequence, trigger = range(1, 4)
    assert plan.builds[trigger - 1].kind is BuildKind.TRIGGER
    assert list(ready(plan, dict.fromkeys((key, sequence, trigger), False), set())) == [1, 2]
    assert list(ready(plan, {sequence: True, trigger: False}, set())) == []
    assert list(ready(plan, {trigger: False}, {1})) == []
    assert list(ready(plan, {trigger: False}, {2})) == []
    assert list(ready(plan, {trigger: False}, set())) == [trigger]


@pytest.mark.parametrize(
    ("drift", "detail"),
    [
        ("DROP TRIGGER up ON c", "missing"),
        ("ALTER TABLE c DISABLE TRIGGER up", "disabled"),
        (
            "DROP TRIGGER up ON c;" + OTHER,
            "calls f",
        ),
    ],
)
def test_one_that_is_not_there_is_missed(
    drift: str, detail: str, source: Path, database: str, tmp_path: Path
) -> None:
    migrate(asked(source, database, tmp_path))
    assert _verified(source, database, tmp_path).parity
    _execute(database, drift)
    found = _verified(source, database, tmp_path)
    assert not found.parity
    broken = [(r.kind, r.name, r.detail) for r in found.relations if not r.holds]
    assert broken == [("trigger", "up", detail)]


def test_a_view_that_is_carried_takes_changes(database: str, tmp_path: Path) -> None:
    path = source_of(
        tmp_path / "v.db",
        "CREATE TABLE a (k INTEGER, v TEXT); CREATE TABLE b (k INTEGER, v TEXT);"
        "CREATE VIEW joint AS SELECT k, v FROM a UNION ALL SELECT k, v FROM b;"
        "CREATE TRIGGER i INSTEAD OF INSERT ON joint BEGIN"
        "  INSERT INTO a SELECT NEW.k, NEW.v WHERE NEW.k % 2 = 0;"
        "  INSERT INTO b SELECT NEW.k, NEW.v WHERE NEW.k % 2 = 1; END;",
        {"a": [(2, "two")], "b": [(1, "one")]},
    )
    report = migrate(asked(path, database, tmp_path))
    assert _fates(report) == {"i": Fate.REWRITTEN}
    prove(path, database, tmp_path)
    _execute(database, "INSERT INTO joint VALUES (3, 'three'), (4, 'four')")
    assert _execute(database, "SELECT * FROM a ORDER BY 1") == [(2, "two"), (4, "four")]
    assert _execute(database, "SELECT * FROM b ORDER BY 1") == [(1, "one"), (3, "three")]
    migrate(asked(path, database, tmp_path, replace=True))
    assert len(_functions(database)) == 1


def test_replace_makes_them_anew(source: Path, database: str, tmp_path: Path) -> None:
    migrate(asked(source, database, tmp_path))
    report = migrate(asked(source, database, tmp_path, replace=True))
    assert set(_fates(report).values()) == {Fate.REWRITTEN}
    other = source_of(tmp_path / "o.db", "CREATE TABLE p (id INTEGER PRIMARY KEY)")
    migrate(asked(other, database, tmp_path, replace=True))
    assert _functions(database) == []


def test_a_function_of_the_applications_is_left_alone(
    source: Path, database: str, tmp_path: Path
) -> None:
    """The trigger that wanted its name is listed, and costs nothing else."""
    _execute(database, "CREATE FUNCTION up() RETURNS int LANGUAGE sql AS 'SELECT 7'")
    report = migrate(asked(source, database, tmp_path))
    assert _fates(report) == {"up": Fate.NOT_CARRIED, "grow": Fate.REWRITTEN}
    assert report.exit_code == 3
    prove(source, database, tmp_path)
    migrate(asked(source, database, tmp_path, replace=True))
    assert _execute(database, "SELECT up()") == [(7,)]


def _functions(database: str) -> list[tuple[object, ...]]:
    return _execute(
        database, "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
