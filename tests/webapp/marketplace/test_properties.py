"""Properties as lines of a form, and as words on a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.blueprints.marketplace.properties import lines, read, told

VALUES: list[Any] = [
    "blue",
    "",
    " two  spaces ",
    "40",
    "true",
    '"quoted"',
    "a: b",
    "two\nlines",
    "\x7f",
    "007",
    40,
    4.5,
    1e300,
    True,
    None,
    [1, "x", None],
    {"en": "cork", "es": "corcho"},
]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_written_as_a_line_is_read_as_it_was(value: Any) -> None:
    assert json.dumps(read(lines({"name": value}))) == json.dumps({"name": value})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_any_document_is_read_as_it_was(value: Any) -> None:
    assert json.dumps(read(lines({"name": value}))) == json.dumps({"name": value})


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read(text)
    assert found is None or read(lines(found)) == found


def test_numbers_are_numbers_and_codes_are_texts() -> None:
    text = "a: 40\n\nb: 4.5\r\n c : 007 \nd: 3.10\ne: NaN\nf: 1e999\ng: [1, 2]\nh: x: y"
    assert read(text) == {
        "a": 40,
        "b": 4.5,
        "c": "007",
        "d": "3.10",
        "e": "NaN",
        "f": "1e999",
        "g": [1, 2],
        "h": "x: y",
    }


@pytest.mark.parametrize("text", ["colour", "colour:", ": blue", "a: b\nno"])
def test_a_line_that_is_no_property_is_not_guessed(text: str) -> None:
    assert read(text) is None


def test_people_read_words() -> None:
    document = {
        "size_cm": [1000, 20.5],
        "material": {"en": "cork", "es": "corcho"},
        "handmade": True,
        "boxed": False,
        "note": None,
        "more": "",
        "odd": {"x": 1},
    }
    assert told(document, "es") == {
        "size cm": "1000, 20.5",
        "material": "corcho",
        "handmade": "yes",
        "boxed": "no",
        "odd": '{"x": 1}',
    }
