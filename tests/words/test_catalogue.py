"""The catalogue of sentences is complete, in both languages."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from core import errors, words
from core.transfer.member import OTHERS
from core.transfer.pace import LOAD, RATE
from core.transfer.states import ARROWS, Status
from core.transfer.steering import Asked
from core.words import LANGUAGES, catalogue, say

REPOSITORY = Path(__file__).resolve().parents[2]
ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.MudanzaError)
]


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def stated_facts(kind: type[errors.MudanzaError]) -> set[str]:
    """The names that the nearest docstring lists after "Facts:"."""
    for ancestor in kind.__mro__:
        said = inspect.cleandoc(ancestor.__dict__.get("__doc__") or "")
        if "No facts." in said:
            return set()
        if listed := re.search(r"Facts: ([^.]*)", said):
            return set(re.findall(r"\w+", re.sub(r"\([^)]*\)", "", listed[1])))
    return set()


def literal_ids() -> Iterator[tuple[str, str]]:
    """Where ``say("...")`` is called with a literal, and with which id."""
    for folder in ("core", "dashboard"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and _called(node) == "say":
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield f"{file.relative_to(REPOSITORY)}:{node.lineno}", first.value


def _called(node: ast.Call) -> str | None:
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else None


def test_every_entry_speaks_every_language_and_nothing_else() -> None:
    wrong = {key: sorted(entry) for key, entry in catalogue().items() if set(entry) != {*LANGUAGES}}
    assert wrong == {}


def test_no_id_is_in_two_files() -> None:
    counted: Counter[str] = Counter()
    for file in sorted((REPOSITORY / "core/words").glob("*.toml")):
        entries: dict[str, dict[str, str]] = {}
        words._gather("", tomllib.loads(file.read_text(encoding="utf-8")), entries)
        counted.update(list(entries))
    assert [key for key, files in counted.items() if files > 1] == []


def test_no_sentence_is_blank() -> None:
    assert [
        key for key, entry in catalogue().items() if not all(map(str.strip, entry.values()))
    ] == []


def test_a_translation_has_the_placeholders_of_its_original() -> None:
    differing = [
        key
        for key, entry in catalogue().items()
        if len({frozenset(placeholders(template)) for template in entry.values()}) > 1
    ]
    assert differing == []


def test_no_translation_is_a_copy_of_its_original() -> None:
    copied = [
        key
        for key, entry in catalogue().items()
        if len(re.findall(r"[^\W\d_]{3,}", re.sub(r"\{.*?\}", "", entry["en"]))) > 2
        and entry["en"] == entry.get("es")
    ]
    assert copied == []


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.id)
def test_every_error_has_a_sentence_and_a_remedy(kind: type[errors.MudanzaError]) -> None:
    facts = {name: f"<{name}>" for name in stated_facts(kind)}
    error = kind(**facts)
    for language in LANGUAGES:
        assert say(error.sentence_id, language, **error.facts)
        assert say(error.remedy_id, language, **error.facts)


@pytest.mark.parametrize(
    "sentence",
    [
        *(f"step.{arrow.reason}" for arrow in ARROWS),
        *(f"status.{status}" for status in Status),
        *(f"asked.{kind}" for kind in Asked),
        *(f"waits.{reason}" for reason in (RATE, LOAD, OTHERS)),
    ],
)
def test_what_a_run_does_and_waits_for_has_words(sentence: str) -> None:
    for language in LANGUAGES:
        assert say(sentence, language)


def test_no_two_errors_share_an_id() -> None:
    assert len({kind.id for kind in ERRORS}) == len(ERRORS)


def test_no_sentence_speaks_of_an_error_that_is_gone() -> None:
    known = {kind.id for kind in ERRORS}
    spoken = {key.split(".")[1] for key in catalogue() if key.startswith("error.")}
    assert spoken - known == set()


def test_every_sentence_that_the_code_asks_for_exists() -> None:
    missing = {place: key for place, key in literal_ids() if key not in catalogue()}
    assert missing == {}


def test_say_fills_the_placeholders() -> None:
    said = say("error.target_too_old", "es", target="T", found="14.9", wanted=15)
    assert "T" in said
    assert "14.9" in said
    assert "15" in said
