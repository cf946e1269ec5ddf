"""``mudanza diff`` and ``mudanza plan --revision`` as people call them."""

from __future__ import annotations

import ast
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Command
from tests.cli.conftest import make_clean

LINE = {
    *("object", "kind", "aspect", "source", "expected", "target", "severity", "mend"),
    *("destructive", "why"),
}


def execute(address: str, statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statements.encode())


@pytest.fixture
def source(tmp_path: Path, command: Command, database: str) -> Path:
    """A small source that was carried over."""
    path = make_clean(tmp_path / "clean.db")
    assert command.run("migrate", path, "--target", database).code == 0
    return path


def test_a_fulfilled_plan(command: Command, source: Path, database: str) -> None:
    people, programs, script = (
        command.run("diff", source, "--target", database, *how)
        for how in ((), ("--json",), ("--sql",))
    )
    assert [answer.code for answer in (people, programs, script)] == [0, 0, 0]
    assert "is what the plan makes of it" in people.out
    assert programs.json["differences"] == []
    assert len(programs.json["run"]) == 36
    assert script.out == ""


def test_a_drift_for_people_and_programs(command: Command, source: Path, database: str) -> None:
    execute(
        database, "ALTER TABLE author ALTER COLUMN name DROP NOT NULL; CREATE TABLE more (a int)"
    )

    answer = command.run("diff", source, "--target", database, "--json")

    assert answer.code == 4
    extra, column = answer.json["differences"]
    assert set(extra) == set(column) == LINE
    assert (extra["object"], extra["aspect"], extra["destructive"]) == ("more", "extra", True)
    assert column["object"] == "author.name"
    assert (column["aspect"], column["severity"]) == ("nullability", "blocker")
    assert (column["source"], column["expected"], column["target"]) == (
        "name TEXT",
        "NOT NULL",
        "NULL",
    )
    assert column["mend"] == 'ALTER TABLE "public"."author" ALTER COLUMN "name" SET NOT NULL;'

    english, spanish = command.in_languages(("en", "es"), "diff", source, "--target", database)
    assert (english.code, spanish.code) == (4, 4)
    for answer in (english, spanish):
        assert column["mend"] in answer.out.replace("\n  ", " ")
        assert "author.name" in answer.out
    assert "1 blockers, 0 warnings, 1 notes" in english.out
    assert "destroys rows or values" in english.out
    assert "destruye filas o valores" in spanish.out


def test_the_statements_can_be_piped_and_destroy_nothing(
    command: Command, source: Path, database: str
) -> None:
    execute(database, "ALTER TABLE author DROP CONSTRAINT author_pkey CASCADE")
    execute(database, "CREATE TABLE more AS SELECT 1 AS one")

    script = command.run("diff", source, "--target", database, "--sql")
    assert script.code == 4
    execute(database, script.out)

    left = command.run("diff", source, "--target", database, "--json").json["differences"]
    assert [d["object"] for d in left] == ["more"]
    meant = [line.removeprefix("-- ") for line in script.out.splitlines() if "-- DROP" in line]
    execute(database, "\n".join(meant))
    assert command.run("diff", source, "--target", database).code == 0


def test_what_no_statement_mends_says_why(command: Command, source: Path, database: str) -> None:
    execute(database, "ALTER TABLE author DROP COLUMN name")

    answer = command.run("diff", source, "--target", database, "--json")
    script = command.run("diff", source, "--target", database, "--sql")

    (column,) = answer.json["differences"]
    assert column["mend"] == ""
    assert "--replace" in column["why"]
    assert script.out.startswith("-- author.name: ")
    assert command.run("diff", source, "--target", database).code == 4


def test_a_target_without_a_run(command: Command, clean: Path, database: str) -> None:
    answer = command.run("diff", clean, "--target", database, "--json")
    assert answer.code == 4
    assert answer.json["run"] is None

    execute(database, command.run("diff", clean, "--target", database, "--sql").out)
    assert command.run("diff", clean, "--target", database).code == 0


def test_a_revision(command: Command, clean: Path, tmp_path: Path) -> None:
    printed = command.run("plan", clean, "--revision")
    to_folder = command.run("plan", clean, "--revision", "--out", tmp_path)
    to_file = command.run("plan", clean, "--revision", "--out", tmp_path / "first.py")

    assert [a.code for a in (printed, to_folder, to_file)] == [0, 0, 0]
    ast.parse(printed.out)
    (found,) = tmp_path.glob("*_public.py")
    assert found.read_text(encoding="utf-8") == printed.out
    assert (tmp_path / "first.py").read_text(encoding="utf-8") == printed.out
    assert found.name in to_folder.err
    assert to_folder.out == ""


def test_a_revision_that_cannot_be_given(command: Command, clean: Path, tmp_path: Path) -> None:
    unwritable = command.run("plan", clean, "--revision", "--out", tmp_path / "none" / "r.py")
    assert unwritable.code == 1
    assert "none" in unwritable.err
    for other in ("--sql", "--json"):
        assert command.run("plan", clean, "--revision", other).code == 2
