"""Names lowered: what an application may then write without quotes, and what met."""

from __future__ import annotations

from pathlib import Path

import apsw

from core.plan import (
    Choices,
    ColumnChoice,
    TableChoice,
    overlaid,
    parse_document,
    write_document,
)
from core.source.opening import inspect
from core.transfer.prepare import prepare
from tests.plan.planning import planned

FOLD = Choices(fold=True)
SOURCE = """
CREATE TABLE "User" ("Id" INTEGER PRIMARY KEY, "eMail" TEXT, "ÉtÉ" TEXT,
  CONSTRAINT "User_Key" UNIQUE ("eMail"));
CREATE TABLE plain (a INT, CONSTRAINT user_KEY UNIQUE (a));
CREATE INDEX "By_Mail" ON "User" ("eMail");
"""


def test_only_letters_of_ascii_are_lowered() -> None:
    user = planned(SOURCE, FOLD).table("User")

    assert user.target == "user"
    assert [c.target for c in user.columns] == ["id", "email", "ÉtÉ"]
    assert user.columns[0].sequence == "user_id_seq"


def test_constraints_and_indexes_are_lowered_too() -> None:
    plan = planned(SOURCE, FOLD)

    names = [b.name for b in plan.builds if b.kind != "sequence"]
    assert all(name == name.lower() for name in names)
    assert {"user_pkey", "user_key", "by_mail"} < set(names)


def test_names_that_meet_are_both_told() -> None:
    plan = planned(SOURCE, FOLD)

    (met,) = (b for b in plan.builds if b.fate.reason == "name_met")
    assert met.fate.name == "user_KEY"
    assert met.fate.facts == {"target": met.name, "other": "User_Key"}
    assert not met.fate.counts


def test_a_name_that_somebody_chose_is_not_lowered() -> None:
    chosen = Choices(
        fold=True,
        tables={"User": TableChoice(target="User", columns={"Id": ColumnChoice(target="ID")})},
    )
    user = planned(SOURCE, chosen).table("User")

    assert (user.target, user.columns[0].target, user.columns[1].target) == ("User", "ID", "email")


def test_a_folded_plan_read_back_is_the_same_plan() -> None:
    taken = Choices(fold=True, tables={"plain": TableChoice(target="user")})
    plan = planned(SOURCE, taken)
    read = parse_document(write_document(plan), "plan.toml")

    assert read.fold
    assert planned(SOURCE, read) == plan
    assert [o.name for o in plan.objects if o.reason == "name_met"] == ["User"]


def test_a_plan_that_was_written_with_the_sources_names_can_be_folded() -> None:
    written = parse_document(write_document(planned(SOURCE)), "plan.toml")

    assert planned(SOURCE, overlaid(written, FOLD)) == planned(SOURCE, FOLD)


def test_a_run_under_a_folded_plan_is_the_same_run(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "source.db"))
    connection.execute(SOURCE)
    connection.close()
    prepared = prepare(
        inspect(tmp_path / "source.db"), tmp_path / "copy", schema="public", choices=FOLD
    )
    was = parse_document(write_document(prepared.plan), "ledger")

    assert overlaid(was, FOLD) == was
