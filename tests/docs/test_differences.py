"""The table of differences says what the code says, and every one has words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.plan.diff import SEVERITIES, Aspect, Kind, Severity, Why
from core.words import LANGUAGES, say

PAGE = Path(__file__).resolve().parents[2] / "docs" / "diff.md"
LINE = re.compile(r"^\| (\w+) \| ([\w, ]+) \| (blocker|warning|note) \| (.+) \|$", re.MULTILINE)


def test_the_table_of_differences_is_that_of_the_code() -> None:
    written = {
        (aspect, kind, severity)
        for aspect, kinds, severity, _ in LINE.findall(PAGE.read_text(encoding="utf-8"))
        for kind in kinds.split(", ")
    }
    assert written == {
        (aspect.value, kind.value, severity.value)
        for aspect, kinds in SEVERITIES.items()
        for kind, severity in kinds.items()
    }


def test_every_severity_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"- **{severity}**: " in text for severity in Severity)


@pytest.mark.parametrize(
    "sentence",
    [
        *(f"aspect.{aspect}" for aspect in Aspect),
        *(f"kind.{kind}" for kind in Kind),
        *(f"severity.{severity}" for severity in Severity),
        *(f"why.{why}" for why in Why),
    ],
)
def test_what_can_be_said_of_a_difference_has_words(sentence: str) -> None:
    for language in LANGUAGES:
        assert say(sentence, language)
