"""The page about views names every function and every reason that the code has, no other."""

from __future__ import annotations

import re
from pathlib import Path

from core.dialect import Doubt
from core.dialect.aggregates import AGGREGATES, WINDOWS
from core.words import catalogue

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "conversion-views.md").read_text()


def named(heading: str) -> list[str]:
    """The first column of the table whose head begins so."""
    _, _, table = PAGE.partition(f"| {heading} |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    return [found[1] for row in rows if (found := re.match(r"\| `(\w+)` \|", row))]


def test_every_aggregate_is_on_the_page() -> None:
    assert named("aggregate") == list(AGGREGATES)


def test_every_window_function_is_on_the_page() -> None:
    assert named("window function") == list(WINDOWS)


def test_every_reason_to_prove_nothing_is_on_the_page() -> None:
    said = {
        entry.removeprefix("unproven.") for entry in catalogue() if entry.startswith("unproven.")
    }
    assert set(named("unproven because")) == said
    assert {doubt.value for doubt in Doubt} < said
