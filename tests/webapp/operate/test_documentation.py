"""docs/marketplace.md says what is so."""

from __future__ import annotations

import re

from prometheus_client import REGISTRY

from tests.webapp.operate.environment import REPOSITORY
from tests.webapp.operate.test_settings import example
from webapp import cli

TEXT = (REPOSITORY / "docs/marketplace.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table that has this heading."""
    (rows,) = re.findall(rf"^\| {heading} .*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def test_the_settings_are_those_of_the_example_which_are_those_of_the_code() -> None:
    def default(value: str, *, is_optional: bool) -> str:
        if not is_optional:
            return "*required*"
        return f"`{value}`" if value else "—"

    assert table("variable") == [
        [f"`{name}`", default(value, is_optional=is_optional), told]
        for name, (value, is_optional, told) in example().items()
    ]


def test_the_commands_are_those_that_there_are() -> None:
    commands = {
        command.name or command.callback.__name__.replace("_", "-")
        for command in cli.cli.registered_commands
        if command.callback is not None
    }
    groups = {group.name for group in cli.cli.registered_groups}
    listed = {row[0].strip("`").removeprefix("webapp ") for row in table("command")}
    assert listed == commands | groups


def test_the_numbers_are_those_that_are_kept() -> None:
    kept = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("shop_")}
    assert {name for row in table("metric") for name in re.findall(r"`(\w+)`", row[0])} == kept
