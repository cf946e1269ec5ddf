"""What docs/values.md says of types and rules is what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from core.plan.decide import _CHAIN, BOOLEAN_PAIRS, MISFITS_ALWAYS_ALLOWED, MISFITS_SHARE
from core.values import exact, temporal
from tests.docs.test_commands import REPOSITORY
from tests.plan.planning import planned

TEXT = (REPOSITORY / "docs/values.md").read_text(encoding="utf-8")


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table that begins with these headings, without their backticks."""
    lines = TEXT.splitlines()
    start = lines.index(f"| {heading} |")
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip().strip("`") for cell in line.split("|")[1:-1]]


EXAMPLES = list(rows("declared | stored | PostgreSQL | rule | misfits | why"))
RULES = list(
    rows("rule | types that the census gives it | other types | what it takes, NULL apart")
)


def words(cell: str) -> set[str]:
    return {word for word in cell.split(", ") if word}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e[0]} {e[1]}")
def test_each_example_comes_out_so(example: list[str]) -> None:
    declared, stored, type_, rule, misfits, why = example
    plan = planned(f"CREATE TABLE t (c {declared}); INSERT INTO t VALUES {stored}")
    column = plan.tables[0].columns[0]
    assert (column.type.sql, column.rule, column.misfits) == (type_, rule, int(misfits))
    assert [fate.reason for fate in plan.objects if fate.name == "t.c"] == why.split()


def test_every_declared_kind_has_an_example() -> None:
    named = {re.sub(r"\(.*", "", declared) for declared, *_ in EXAMPLES}
    listed = {
        kind
        for declared, _ in rows("declared, and what is stored | PostgreSQL")
        for kind in re.findall(r"\b[A-Z]{3,}\b", declared)
    }
    assert listed - named <= {"FLOAT", "DOUBLE", "NUMERIC", "TIMESTAMP", "PRIMARY", "KEY"}


def test_every_rule_of_every_type_is_listed() -> None:
    said = {
        (type_, rule.partition(":")[0])
        for rule, chosen, others, _ in RULES
        for type_ in words(chosen) | words(others)
    }
    assert said == set(exact._makers())


def test_what_the_census_never_gives_stands_apart() -> None:
    """Every type and rule of an example is among those that the census gives."""
    given = {
        (type_, rule.partition(":")[0]) for rule, chosen, *_ in RULES for type_ in words(chosen)
    }
    found = {
        (re.sub(r"\(.*", "", type_), rule.partition(":")[0]) for _, _, type_, rule, *_ in EXAMPLES
    }
    assert found | {(c.type.name, c.rule.partition(":")[0]) for c in _CHAIN} <= given


def test_the_epochs_and_the_allowance_are_those_of_the_code() -> None:
    epochs = next(takes for rule, *_, takes in RULES if rule == "epoch:UNIT")
    assert {f"epoch:{unit}" for unit in re.findall(r"`(\w+)`?", epochs)} == set(temporal.EPOCHS)
    assert f"max({MISFITS_ALWAYS_ALLOWED}, {MISFITS_SHARE:.1%}".replace("%", " %") in TEXT


def test_the_pairs_of_words_are_those_of_the_code() -> None:
    said = next(
        cell
        for name, cell in rows("declared, and what is stored | PostgreSQL")
        if name == "BOOLEAN"
    )
    found = set(re.findall(r"\b(\w+)/(\w+)\b", said))
    lowered = {(false.lower(), true.lower()) for false, true in BOOLEAN_PAIRS[1:]}
    assert {(false, true) for true, false in found} == lowered
