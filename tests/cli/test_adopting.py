"""The command into the application's own schema: what it says before, meanwhile and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adopt.application import dump, fetched, made_in, source_in
from tests.cli.command import Command, squeezed

ADOPT = ("--adopt", "--zone", "UTC")


def test_a_rehearsal_shows_the_targets_types_and_changes_nothing(
    command: Command, database: str, tmp_path: Path
) -> None:
    made_in(database)
    before = dump(database)
    options = ["--target", database, *ADOPT, "--dry-run", "--json"]
    answer = command.run("migrate", source_in(tmp_path), *options)

    assert answer.code == 0, answer.said
    columns = {c["name"]: c for t in answer.json["tables"] for c in t["columns"]}
    assert (columns["mood"]["type"], columns["mood"]["rule"]) == ("mood", "label")
    assert (columns["made"]["type"], columns["made"]["rule"]) == ("timestamptz", "zone:UTC")
    assert answer.json["sql"].startswith("ALTER TABLE public.outside DROP CONSTRAINT")
    assert "CREATE TABLE" not in answer.json["sql"]
    assert dump(database) == before


def test_killed_and_looked_at_and_taken_up(command: Command, database: str, tmp_path: Path) -> None:
    """While things are down, anybody can see which, and with which words they come back."""
    made_in(database)
    before = dump(database)
    source = source_in(tmp_path)
    fail = {"MUDANZA_FAIL": "chunk.fenced:1:sigkill"}
    killed = command.run("migrate", source, "--target", database, *ADOPT, extra=fail)
    assert killed.code < 0
    shown = command.run("run", "show", "--target", database, "--json").json["down"]
    assert {d["name"] for d in shown} >= {"users_made_ix", "posts_user_fk", "noting", "outside_fk"}
    (index,) = (d for d in shown if d["name"] == "users_mail_ix")
    assert "CREATE UNIQUE INDEX users_mail_ix ON public.users" in index["sql"]
    for language, word in (("en", "Taken down"), ("es", "Retirado")):
        page = command.run("run", "show", "--target", database, language=language)
        assert word in page.out
        assert "users_mail_ix" in squeezed(page.out)
    again = command.run("migrate", source, "--target", database, "--json")
    assert (again.code, again.json["resumed"]) == (0, True)
    assert dump(database) == before
    assert command.run("run", "show", "--target", database, "--json").json["down"] == []
    assert command.run("verify", source, "--target", database).code == 0


def test_adopt_and_replace_exclude_each_other(
    command: Command, database: str, tmp_path: Path
) -> None:
    made_in(database)
    source = source_in(tmp_path)
    answer = command.run("migrate", source, "--target", database, *ADOPT, "--replace")
    assert answer.code == 2
    assert fetched(database, "SELECT to_regclass('mudanza.run')") == [(None,)]


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_cannot_be_adopted_is_said_with_its_remedy(
    language: str, command: Command, database: str, tmp_path: Path
) -> None:
    made_in(database)
    options = ["--target", database, "--adopt"]
    answer = command.run("migrate", source_in(tmp_path), *options, language=language)
    assert answer.code == 1
    assert "users.made (timestamptz)" in answer.err
    assert "--zone" in answer.err


def test_a_plan_that_adopts_needs_its_target(command: Command, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("mudanza_plan = 1\nadopt = true\n", encoding="utf-8")
    answer = command.run("plan", source_in(tmp_path), "--plan", plan, "--json")
    assert answer.code == 1
    assert answer.json["error"]["id"] == "adopt_no_target"
