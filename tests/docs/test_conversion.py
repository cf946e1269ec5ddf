"""The tables of docs/conversion.md say what the code knows, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from core.dialect import functions, moments

PAGE = (Path(__file__).parents[2] / "docs/conversion.md").read_text(encoding="utf-8")


def _table(after: str) -> list[list[str]]:
    """The cells of the first table behind a line that begins so."""
    lines = iter(PAGE[PAGE.index(after) :].splitlines())
    rows = [line for line in _block(lines) if not line.startswith("|---")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[1:]]


def _block(lines: object) -> list[str]:
    found: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        if line.startswith("|"):
            found.append(line)
        elif found:
            break
    return found


def _quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text)) - {"->>"}


def test_every_function_is_there() -> None:
    named = [name for row in _table("## Functions") for name in sorted(_quoted(row[0]))]
    assert sorted(named) == sorted(functions.NAMES)


def test_every_letter_of_strftime_is_there() -> None:
    letters = {name for row in _table("`strftime` knows") for name in _quoted(row[0])}
    assert letters == {f"%{letter}" for letter in moments.LETTERS}
