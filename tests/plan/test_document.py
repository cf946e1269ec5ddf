"""A plan as TOML and as JSON: read back, it is the same plan."""

from __future__ import annotations

import pytest

from core.errors import PlanDoesNotFit, PlanUnreadable
from core.plan import (
    NO_CHOICES,
    Choices,
    Plan,
    from_json,
    overlaid,
    parse_document,
    to_json,
    write_document,
)
from core.plan.document import digest
from tests.plan.planning import planned

SOURCE = """
CREATE TABLE "a ""b" (id INTEGER PRIMARY KEY, "x
y" TEXT DEFAULT 'z', "é\\t" DATETIME, xmin BOOLEAN, n DECIMAL(10,2), "" JSON);
INSERT INTO "a ""b" VALUES
  (1, 'a', '2024-01-02 03:04', 1, 1.5, '{}'), (2, NULL, '2024-01-02T03:04', 0, 2, '[]');
CREATE TABLE child (parent REFERENCES "a ""b"(id), v COLLATE NOCASE UNIQUE);
CREATE TABLE left_out (a);
CREATE VIEW v AS SELECT 1;
CREATE TABLE "a_name_of_sixty_four_bytes_which_is_one_more_than_postgresql_has" (a VARCHAR(3));
CREATE TABLE del (a TEXT);
""".replace("del (", '"del\x7f" (')
CHOICES = parse_document('mudanza_plan = 1\n[[table]]\nname = "left_out"\ncarry = false', "")


def test_a_document_read_back_gives_the_same_plan() -> None:
    plan = planned(SOURCE, CHOICES)

    read = parse_document(write_document(plan), "plan.toml")

    assert planned(SOURCE, read) == plan
    assert write_document(planned(SOURCE, read)) == write_document(plan)


def test_choices_survive_the_document_too() -> None:
    choices = parse_document(
        'mudanza_plan = 1\n[[table]]\nname = "child"\ntarget = "kid"\ncolumns ='
        ' [{name = "parent", target = "p", type = "numeric(5,1)", rule = "decimal"}]',
        "plan.toml",
    )
    plan = planned(SOURCE, choices)
    again = planned(SOURCE, parse_document(write_document(plan), "plan.toml"))

    assert again.tables == plan.tables
    assert again.builds == plan.builds
    assert again.table("child").target == "kid"
    assert again.table("child").column("parent").type.sql == "numeric(5,1)"


def test_equal_plans_have_equal_digests() -> None:
    one, other = planned(SOURCE), planned(SOURCE)

    assert digest(write_document(one)) == digest(write_document(other))
    assert digest(write_document(one)) != digest(write_document(planned(SOURCE, CHOICES)))


def test_json_read_back_gives_the_same_plan() -> None:
    plan = planned(SOURCE, CHOICES)

    assert from_json(Plan, to_json(plan)) == plan


def test_no_choices_change_nothing() -> None:
    assert parse_document("mudanza_plan = 1", "plan.toml") == NO_CHOICES
    assert overlaid(CHOICES, NO_CHOICES) == CHOICES
    assert overlaid(NO_CHOICES, CHOICES) == CHOICES


COLUMN = 'mudanza_plan = 1\n[[table]]\nname = "t"\ncolumns = [{{name = "n", {}}}]'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mudanza_plan = 2",
        "mudanza_plan = ",
        "mudanza_plan = 1\ntable = 5",
        "mudanza_plan = 1\n[[table]]\ntarget = 'x'",
        "mudanza_plan = 1\n[[table]]\nname = 5",
        "mudanza_plan = 1\n[[table]]\nname = 't'\n[[table]]\nname = 't'",
        "mudanza_plan = 1\n[[table]]\nname = 't'\ncarry = 'no'",
        "mudanza_plan = 1\n[[table]]\nname = 't'\ntarget = 5",
        COLUMN.format('type = "bigint"'),
        COLUMN.format('rule = "integer"'),
        COLUMN.format('type = "bigint", rule = "guess"'),
        COLUMN.format('type = "bigint", rule = "text"'),
        COLUMN.format('type = "bigint", rule = "integer:x"'),
        COLUMN.format('type = "int4", rule = "integer"'),
        COLUMN.format('type = "char", rule = "text"'),
        COLUMN.format('type = "timestamptz", rule = "zone:Nowhere/Never"'),
        COLUMN.format('type = "timestamp", rule = "epoch"'),
        COLUMN.format('type = "timestamp", rule = "epoch:weeks"'),
        COLUMN.format('type = "time", rule = "epoch:s"'),
        COLUMN.format('type = "boolean", rule = "boolean:Y"'),
        COLUMN.format('type = "boolean", rule = "boolean:Y/Y"'),
        COLUMN.format('target = "a\\u0000"'),
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanUnreadable):
        parse_document(text, "plan.toml")


def choices(text: str) -> Choices:
    return parse_document(f"mudanza_plan = 1\n{text}", "plan.toml")


@pytest.mark.parametrize(
    "text",
    [
        "[[table]]\nname = 'missing'",
        "[[table]]\nname = 'T'",
        "[[table]]\nname = 't'\ncolumns = [{name = 'missing'}]",
        "[[table]]\nname = 't'\ncolumns = [{name = 'a', target = 'b'}]",
        "[[table]]\nname = 't'\ncolumns = [{name = 'a', target = 'x'}, {name = 'b', target = 'x'}]",
        "[[table]]\nname = 't'\ntarget = 'u'",
        "[[table]]\nname = 't'\ntarget = 'x'\n[[table]]\nname = 'u'\ntarget = 'x'",
    ],
)
def test_what_does_not_fit_the_source_is_refused(text: str) -> None:
    with pytest.raises(PlanDoesNotFit):
        planned("CREATE TABLE t (a, b); CREATE TABLE u (a)", choices(text))


def test_names_may_change_places() -> None:
    plan = planned(
        "CREATE TABLE t (a, b); CREATE TABLE u (a)",
        choices(
            "[[table]]\nname = 't'\ntarget = 'u'\ncolumns = [{name = 'a', target = 'b'},"
            " {name = 'b', target = 'a'}]\n[[table]]\nname = 'u'\ntarget = 't'"
        ),
    )

    assert [(t.name, t.target) for t in plan.tables] == [("t", "u"), ("u", "t")]
    assert [(c.source, c.target) for c in plan.table("t").columns] == [("a", "b"), ("b", "a")]


def test_the_name_of_a_table_left_out_is_free() -> None:
    plan = planned(
        "CREATE TABLE t (a); CREATE TABLE u (a)",
        choices("[[table]]\nname = 't'\ntarget = 'u'\n[[table]]\nname = 'u'\ncarry = false"),
    )

    assert [(t.name, t.target) for t in plan.tables] == [("t", "u")]
