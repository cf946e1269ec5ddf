"""What people wrote beside a table's columns, read from the CREATE text that SQLite keeps.

A comment behind code on one line speaks of that code; one on a line of its own speaks of
what follows. What stands outside of the parentheses, behind the first of them or among the
table's constraints speaks of the table.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.schema.declarations import tokens

TABLE = -1
"""Whose comments are the table's own, among the numbers of columns."""


def read_comments(sql: str, columns: int) -> Mapping[int, str]:
    """The comments of ``sql``, a CREATE TABLE of so many columns: by the column's number
    from 0, or TABLE. Several of one are lines of one text."""
    reading = _Reading(columns)
    for category, text in tokens(sql):
        reading.take(category, text)
    return {place: "\n".join(lines) for place, lines in reading.found.items()}


class _Reading:
    """Where in the text the reader stands: which item of the list, behind what."""

    def __init__(self, columns: int) -> None:
        self.found: dict[int, list[str]] = {}
        self._columns = columns
        self._depth = 0
        self._item = 0
        # The item of the code that stands before on this line, if any does.
        self._behind: int | None = None

    def take(self, category: str, text: str) -> None:
        if category == "comment":
            self._keep(text)
        elif category == "other":
            if "\n" in text:
                self._behind = None
        else:
            self._pass(text)

    def _pass(self, text: str) -> None:
        """A word of the statement itself."""
        self._depth += {"(": 1, ")": -1}.get(text, 0)
        is_first = text == "(" and self._depth == 1
        self._behind = TABLE if is_first else self._here()
        if text == "," and self._depth == 1:
            self._item += 1

    def _here(self) -> int:
        return self._item if self._depth and self._item < self._columns else TABLE

    def _keep(self, comment: str) -> None:
        place = self._behind if self._behind is not None else self._here()
        lines = [_bare(line) for line in comment.splitlines()]
        if text := "\n".join(filter(None, lines)):
            self.found.setdefault(place, []).append(text)
        if "\n" in comment or comment.startswith("--"):
            self._behind = None


def _bare(line: str) -> str:
    """One line without the signs that make it a comment."""
    return line.strip().removeprefix("/*").removesuffix("*/").strip().lstrip("-*").strip()
