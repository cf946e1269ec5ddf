"""What is chosen on the command line: which names, which rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.transfer.running import source_of

SQL = """
CREATE TABLE "Orders" ("Id" INTEGER PRIMARY KEY, "Total" REAL);
CREATE TABLE "a=b" (n INTEGER);
CREATE TABLE a (n INTEGER);
INSERT INTO "Orders" VALUES (1, 5), (2, 50), (3, NULL);
INSERT INTO "a=b" VALUES (1), (2);
INSERT INTO a VALUES (1);
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(tmp_path / "s.db", SQL)


def test_folded_and_filtered_by_options_and_again_by_nothing(
    command: Command, source: Path, database: str
) -> None:
    options = ["--fold", "--where", 'Orders="Total" > 10', "--where", "a=b=n = 2"]
    moved = command.run("migrate", source, "--target", database, *options, "--json")
    assert moved.code == 0, moved.said
    tables = {t["name"]: t for t in moved.json["tables"]}
    assert tables["Orders"]["target"] == "orders"
    assert [(t["rows_source"], t["rows_target"], t["rows_left_out"]) for t in tables.values()] == [
        (3, 1, 2),
        (2, 1, 1),
        (1, 1, 0),
    ]
    listed = {o["name"]: o["says"] for o in moved.json["objects"]["not_carried"]}
    assert listed["Orders"] == 'left out by filter: 2 rows for which "Total" > 10 is not true'
    again = command.run("migrate", source, "--target", database, *options, "--json")
    assert (again.code, again.json["repeated"]) == (0, True)
    assert command.run("migrate", source, "--target", database).code == 0
    people = command.run("verify", source, "--target", database)
    assert people.code == 0, people.said
    assert "Left out by filter: 3 rows." in people.out


def test_a_plan_written_down_says_both(command: Command, source: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    answer = command.run("plan", source, "--fold", "--where", "a=n > 1", "--out", file, "--json")
    assert answer.code == 0, answer.said
    said = {t["name"]: (t["where"], t["left_out"], t["rows"]) for t in answer.json["tables"]}
    assert said["a"] == ("n > 1", 1, 0)
    text = file.read_text(encoding="utf-8")
    assert "fold = true" in text
    assert 'where = "n > 1"\nleft_out = 1\nrows = 0\n' in text
    read = command.run("plan", source, "--plan", file, "--json")
    assert read.json["sha256"] == answer.json["sha256"]


def test_a_table_skipped_in_the_plan_stays_so_under_a_filter(
    command: Command, source: Path, tmp_path: Path
) -> None:
    file = tmp_path / "plan.toml"
    file.write_text('mudanza_plan = 1\n[[table]]\nname = "a"\ncarry = false\n', encoding="utf-8")
    answer = command.run("plan", source, "--plan", file, "--where", "a=n > 1", "--json")
    assert [t["name"] for t in answer.json["tables"]] == ["Orders", "a=b"]


@pytest.mark.parametrize(
    "options", [["--where", "nowhere=n > 1"], ["--where", "a="], ["--where", "a"]]
)
def test_a_filter_of_no_table_is_wrong_usage(
    options: list[str], command: Command, source: Path
) -> None:
    assert command.run("plan", source, *options).code == 2


def test_a_filter_that_breaks_out_is_refused_by_name(
    command: Command, source: Path, database: str
) -> None:
    options = ["--target", database, "--where", "a=1); DROP TABLE a", "--json"]
    answer = command.run("migrate", source, *options)
    assert answer.code == 1
    assert answer.json["error"]["id"] == "filter_not_expression"
    assert "table a" in answer.json["error"]["message"]
