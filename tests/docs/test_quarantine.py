"""What docs/quarantine.md says of reasons, rules and types is what the code does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from core.plan.amend import _CASTS
from core.values.types import ALTERING
from core.words import catalogue
from tests.docs.test_commands import REPOSITORY

TEXT = (REPOSITORY / "docs/quarantine.md").read_text(encoding="utf-8")


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table under a first cell of its heading."""
    lines = TEXT.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def reasons_in_code() -> set[str]:
    """Every reason that a converter or the writer gives."""
    found: set[str] = set()
    for file in (
        "values/exact.py",
        "transfer/convert.py",
        "transfer/writer.py",
        "transfer/copying.py",
    ):
        for node in ast.walk(ast.parse((REPOSITORY / "core" / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and f"reject.{node.value}" in catalogue():
                found.add(str(node.value))
    return found


def test_every_reason_is_explained_as_the_commands_say_it() -> None:
    said = {
        key.removeprefix("reject."): entry["en"]
        for key, entry in catalogue().items()
        if key.startswith("reject.")
    }
    assert {id_.strip("`"): means for id_, means, _ in rows("reason")} == said


def test_every_reason_is_one_that_the_code_gives() -> None:
    assert {id_.strip("`") for id_, *_ in rows("reason")} == reasons_in_code()


def test_every_rule_that_alters_a_value_is_listed() -> None:
    assert tuple(rule.strip("`") for rule, *_ in rows("further rule")) == ALTERING


def test_every_type_that_may_follow_another_is_listed() -> None:
    def split(cell: str) -> tuple[str, str]:
        kind, _, rule = cell.partition(", ")
        return kind, rule.strip("`")

    listed = {
        (*split(before), *split(after)): bool(unless) for before, after, unless in rows("from")
    }
    assert listed == {key: cast.changes != "false" for key, cast in _CASTS.items()}
