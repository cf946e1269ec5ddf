"""Columns tied by foreign keys are decided together; a person's word is final."""

from __future__ import annotations

import pytest

from core.plan import Fate, Plan, parse_document
from tests.plan.planning import planned

ID = "550e8400-e29b-41d4-a716-446655440000"


def types_of(plan: Plan) -> dict[str, str]:
    return {f"{t.name}.{c.source}": c.type.sql for t in plan.tables for c in t.columns}


def test_the_key_referred_to_leads() -> None:
    plan = planned(
        "CREATE TABLE a (id UUID PRIMARY KEY); CREATE TABLE b (a TEXT REFERENCES a(id));"
        f"INSERT INTO a VALUES ('{ID}'); INSERT INTO b VALUES ('{ID}'), (NULL);"
    )

    assert types_of(plan) == {"a.id": "uuid", "b.a": "uuid"}


def test_three_tables_in_a_chain_share_one_type() -> None:
    plan = planned(
        "CREATE TABLE a (id DECIMAL(8,2) PRIMARY KEY);"
        "CREATE TABLE b (id INTEGER UNIQUE REFERENCES a(id));"
        "CREATE TABLE c (b REFERENCES b(id));"
        "INSERT INTO a VALUES (1), (2.5); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1);"
    )

    assert set(types_of(plan).values()) == {"numeric(8,2)"}


def test_a_rowid_stays_a_rowid_whatever_refers_to_it() -> None:
    plan = planned(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a TEXT REFERENCES a(id));"
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES ('1'), ('1'), ('1'), ('1');"
    )

    assert types_of(plan) == {"a.id": "bigint", "b.a": "text"}
    assert plan.table("a").column("id").identity
    assert [(o.kind, o.reason) for o in plan.objects if o.fate is Fate.NOT_CARRIED] == [
        ("foreign_key", "types_differ")
    ]


def test_a_reference_of_few_misfits_keeps_the_keys_type() -> None:
    plan = planned(
        "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a NUMERIC REFERENCES a(id));"
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), ('none');"
    )

    assert types_of(plan) == {"a.id": "bigint", "b.a": "bigint"}
    assert plan.table("b").column("a").misfits == 1


def test_texts_of_other_widths_need_no_common_type() -> None:
    plan = planned(
        "CREATE TABLE a (id VARCHAR(2) PRIMARY KEY); CREATE TABLE b (a TEXT REFERENCES a(id));"
        "INSERT INTO a VALUES ('x'); INSERT INTO b VALUES ('x');"
    )

    assert types_of(plan) == {"a.id": "varchar(2)", "b.a": "text"}


def test_a_choice_overrides_the_census_and_does_not_count() -> None:
    choices = parse_document(
        'mudanza_plan = 1\n[[table]]\nname = "t"\ncolumns ='
        ' [{name = "at", type = "timestamptz", rule = "epoch:s"}]',
        "plan.toml",
    )
    source = "CREATE TABLE t (at DATETIME, n INT); INSERT INTO t VALUES (1700000000, 1);"

    alone, chosen = planned(source), planned(source, choices)

    assert types_of(alone) == {"t.at": "bigint", "t.n": "bigint"}
    assert types_of(chosen) == {"t.at": "timestamptz", "t.n": "bigint"}
    assert [(o.reason, o.counts) for o in alone.objects if o.kind == "column"] == [
        ("retyped", True)
    ]
    assert [(o.reason, o.counts) for o in chosen.objects if o.kind == "column"] == [
        ("type_chosen", False)
    ]


def test_to_choose_what_the_census_says_is_no_choice() -> None:
    choices = parse_document(
        'mudanza_plan = 1\n[[table]]\nname = "t"\ncolumns ='
        ' [{name = "n", type = "bigint", rule = "integer"}]',
        "plan.toml",
    )
    source = "CREATE TABLE t (n INT); INSERT INTO t VALUES (1);"

    assert planned(source, choices) == planned(source)


@pytest.mark.parametrize("word", ["", "INTEGER"])
def test_a_default_goes_the_way_of_its_column(word: str) -> None:
    plan = planned(
        f"CREATE TABLE t (n {word} DEFAULT '5');"
        "INSERT INTO t VALUES ('a'), ('b'), ('c'), ('d'), (1), (x'00');"
    )

    assert plan.table("t").column("n").default == "'\\x35'::bytea"
