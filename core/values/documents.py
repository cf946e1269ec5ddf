"""JSON documents and UUIDs: what a text of them holds, and whether PostgreSQL can."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from core.source.rows import SqliteValue
from core.values.storage import spelled

# Deeper documents exhaust the server's stack (54001); ours ends before that.
_DEPTH_MAX = 500
_NUMBER_DIGITS_MAX = 16_000
_BRACKETS = re.compile(r"[\[\]{}]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Standing(StrEnum):
    """The most a text can be: ``jsonb``, ``json`` only, or no JSON at all."""

    JSONB = "jsonb"
    JSON = "json"
    NONE = "none"


def document_text(value: SqliteValue) -> str | None:
    """The JSON text that ``value`` is, or None when it cannot be one.

    SQLite's affinity makes numbers of the documents that are just a number.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return spelled(value)
    return None


class _OnlyJson(Exception):
    """Met something that jsonb would refuse or change: a duplicate key."""


@lru_cache(maxsize=4_096)
def standing(text: str) -> Standing:
    r"""What PostgreSQL can keep of ``text`` without losing anything.

    jsonb drops duplicate keys and refuses ``\u0000`` and lone surrogates; json
    keeps the text, provided it is valid and not too deep.
    """
    if "\x00" in text or _depth(text) > _DEPTH_MAX:
        return Standing.NONE
    try:
        json.loads(text, parse_constant=_refuse, parse_int=_number, parse_float=_number)
    except (ValueError, RecursionError):
        return Standing.NONE
    return Standing.JSONB if _binary(text) else Standing.JSON


def _binary(text: str) -> bool:
    try:
        document = json.loads(
            text, object_pairs_hook=_unique, parse_int=_number, parse_float=_number
        )
        return all(map(_binary_string, _strings(document)))
    except _OnlyJson:
        return False


def _strings(node: Any) -> Iterator[str]:
    """Every string of a document, keys included."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, item in node.items():
            yield key
            yield from _strings(item)
    elif isinstance(node, list):
        for item in node:
            yield from _strings(item)


def _binary_string(text: str) -> bool:
    return not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as refused:  # an exponent that not even Decimal holds
        raise ValueError(text) from refused
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) + len(digits) > _NUMBER_DIGITS_MAX:
        raise ValueError(text)
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _OnlyJson
    return document


def repeats_keys(text: str) -> bool:
    """Whether an object in the valid document ``text`` names one key twice."""
    try:
        json.loads(text, object_pairs_hook=_unique, parse_int=_number, parse_float=_number)
    except _OnlyJson:
        return True
    return False


def _depth(text: str) -> int:
    """How deep the document nests."""
    deepest = depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def canonical_json(text: str) -> bytes:
    """One spelling for equal documents: sorted keys, numbers by value."""
    document = json.loads(text, parse_int=Decimal, parse_float=Decimal)
    return json.dumps(_by_value(document), sort_keys=True, ensure_ascii=False).encode()


def _by_value(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _by_value(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_by_value(item) for item in node]
    if isinstance(node, Decimal):
        return {"number": _number_by_value(node)}
    return {"text": node} if isinstance(node, str) else node


def _number_by_value(number: Decimal) -> str:
    """One spelling for equal numbers; Decimal's own ``normalize`` would round them."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits)).lstrip("0")
    significant = written.rstrip("0")
    if not significant:
        return "0"
    return f"{'-' * sign}{significant}e{exponent + len(written) - len(significant)}"


class UuidForm(NamedTuple):
    """A parsed UUID: how it was written, and its 16 bytes."""

    style: str
    case: str
    octets: bytes


_UUID_STYLES = (
    ("dashed", re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)),
    ("hex", re.compile(r"[0-9a-f]{32}", re.ASCII | re.IGNORECASE)),
    (
        "braced",
        re.compile(r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", re.ASCII | re.IGNORECASE),
    ),
)


def uuid_form(value: SqliteValue) -> UuidForm | None:
    """The UUID that ``value`` writes, or None. ``case`` is lower, upper, mixed, or
    none when it has no letters."""
    if isinstance(value, bytes):
        return UuidForm("bytes", "none", value) if len(value) == 16 else None
    if not isinstance(value, str):
        return None
    for style, pattern in _UUID_STYLES:
        if pattern.fullmatch(value):
            return UuidForm(style, _case(value), bytes.fromhex(re.sub(r"[-{}]", "", value)))
    return None


def _case(text: str) -> str:
    if text.lower() == text.upper():
        return "none"
    return "lower" if text == text.lower() else "upper" if text == text.upper() else "mixed"
