"""docs/conversion-triggers.md says what the code does, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.plan import BuildKind, Fate, Plan
from tests.plan.planning import planned

PAGE = (Path(__file__).parents[2] / "docs" / "conversion-triggers.md").read_text(encoding="utf-8")
TABLES = PAGE.partition("```sql\n")[2].partition("```")[0]


def lines(heading: str) -> list[tuple[str, str]]:
    """The rows of the tables under a heading: what stands left and right, without quotes."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return list(_rows(section))


def _rows(section: str) -> Iterator[tuple[str, str]]:
    for left, right in re.findall(r"^\| `(.+)` \| (.+) \|$", section, re.MULTILINE):
        yield left, right.strip("`")


def _plan(trigger: str) -> Plan:
    return planned(f"{TABLES}CREATE TRIGGER x {trigger};")


def _said(trigger: str) -> str:
    plan = _plan(trigger)
    assert [o.facts for o in plan.objects if o.kind == "trigger"] == []
    (build,) = (b for b in plan.builds if b.kind is BuildKind.TRIGGER)
    return build.sql


@pytest.mark.parametrize(("sqlite", "postgres"), lines("What a trigger is in PostgreSQL"))
def test_when_it_fires(sqlite: str, postgres: str) -> None:
    assert postgres in _said(f"{sqlite} BEGIN DELETE FROM log; END")


@pytest.mark.parametrize(("sqlite", "postgres"), lines("What is said of its body"))
def test_what_is_said(sqlite: str, postgres: str) -> None:
    assert postgres in _said(f"AFTER UPDATE ON book BEGIN {sqlite}; END")


@pytest.mark.parametrize(("sqlite", "why"), lines("What is refused"))
def test_what_is_refused(sqlite: str, why: str) -> None:
    is_whole = sqlite.startswith(("BEFORE", "AFTER"))
    plan = _plan(sqlite if is_whole else f"AFTER UPDATE ON book BEGIN {sqlite}; END")
    (fate,) = (o for o in plan.objects if o.kind == "trigger")
    assert (fate.fate, fate.reason) == (Fate.NOT_CARRIED, "trigger")
    assert why in fate.facts["detail"]


@pytest.mark.parametrize(("module", "reason"), lines("Virtual tables"))
def test_what_becomes_of_virtual_tables(module: str, reason: str) -> None:
    plan = planned(f"{TABLES}CREATE VIRTUAL TABLE x USING {module};")
    every = [*plan.objects, *(build.fate for build in plan.builds)]
    assert [o.reason for o in every if (o.kind, o.name) == ("virtual_table", "x")] == [reason]


def test_the_page_has_its_lines() -> None:
    headings = ("What a trigger is in PostgreSQL", "What is said of its body", "What is refused", "Virtual tables")  # fmt: skip
    assert [len(lines(heading)) for heading in headings] == [6, 18, 17, 9]
