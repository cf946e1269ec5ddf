"""A product's properties: a document, which sellers type as lines and people read as words.

Lines are exact: what ``lines`` writes, ``read`` reads as it was, whatever JSON it holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from webapp.services.texts import line, paragraphs
from webapp.web.language import gettext as _
from webapp.web.language import number


def read(text: str) -> dict[str, Any] | None:
    """Properties from lines such as ``Colour: blue``; None: one of the lines is not such."""
    found: dict[str, Any] = {}
    for each in filter(None, map(str.strip, paragraphs(text).split("\n"))):
        name, _colon, value = map(str.strip, each.partition(":"))
        if not (name and value):
            return None
        found[line(name)] = _meant(value)
    return found


def lines(properties: Mapping[str, Any]) -> str:
    """The lines that say the same."""
    return "\n".join(f"{name}: {_typed(value)}" for name, value in properties.items())


def told(properties: Mapping[str, Any], language: str) -> dict[str, str]:
    """Properties as people read them; without those that say nothing."""
    said = {name.replace("_", " "): _told(value, language) for name, value in properties.items()}
    return {name: value for name, value in said.items() if value}


def _meant(typed: str) -> Any:
    """What JSON makes of it; what JSON would write otherwise (``007``, ``3.10``) is a text."""
    try:
        found = json.loads(typed)
        return found if _json(found) == typed else typed
    except (ValueError, RecursionError):
        return typed


def _typed(value: Any) -> str:
    if isinstance(value, str) and value and _survives(value) and _meant(value) == value:
        return value
    return _json(value)


def _json(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return said if _survives(said) else json.dumps(value, allow_nan=False)


def _survives(text: str) -> bool:
    """Whether a form sends it back sign by sign, on one line."""
    return text == paragraphs(text).strip() and "\n" not in text


def _told(value: Any, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_told(part, language) for part in value)
    if isinstance(value, dict):
        return _told(value[language], language) if language in value else _json(value)
    return number(value) if isinstance(value, int | float) else str(value)
