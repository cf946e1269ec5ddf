"""Every command and option of ``mudanza`` is written about, and nothing that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer

from core.cli.main import app

REPOSITORY = Path(__file__).resolve().parents[2]
OF_EVERY_TOOL = {"--help", "--version", "--install-completion", "--show-completion"}


def documentation() -> str:
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command as it is written, and its options."""
    yield from _below(typer.main.get_command(app), "")


def _below(command: object, name: str) -> Iterator[tuple[str, list[str]]]:
    options = [o for p in command.params for o in p.opts if o.startswith("--")]  # type: ignore[attr-defined]
    inner = getattr(command, "commands", {})
    if not inner or options:
        yield name, options
    for each, below in inner.items():
        yield from _below(below, f"{name} {each}".strip())


def test_every_command_is_written_about() -> None:
    text = documentation()
    unknown = [name for name, _ in commands() if not re.search(rf"`(mudanza )?{name}\b", text)]
    assert unknown == []


def test_every_option_is_written_about() -> None:
    text = documentation()
    unknown = {
        f"{name} {option}"
        for name, options in commands()
        for option in options
        if option not in OF_EVERY_TOOL and not re.search(rf"(?<![\w-]){option}(?![\w-])", text)
    }
    assert unknown == set()


def test_no_option_of_mudanza_is_made_up() -> None:
    """In the README, after the name of a command, stand only options that it has."""
    known = dict(commands())
    everything = {option for options in known.values() for option in options} | OF_EVERY_TOOL
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    lines = [line for line in readme.splitlines() if re.search(r"\bmudanza \w|^\| `\w", line)]
    written = {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", line)}
    assert written <= everything
