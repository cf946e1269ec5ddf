"""JSON documents and UUIDs: what a text of them holds, and whether PostgreSQL can."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from core.source.rows import SqliteValue

# Deeper documents exhaust the server's stack (54001); ours ends before that.
_DEPTH_MAX = 500
_NUMBER_DIGITS_MAX = 16_000


class Standing(StrEnum):
    """The most a text can be: ``jsonb``, ``json`` only, or no JSON at all."""

    JSONB = "jsonb"
    JSON = "json"
    NONE = "none"


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
        return "\x00" not in _flat(document)
    except (_OnlyJson, UnicodeEncodeError):
        return False


def _flat(document: Any) -> str:
    flat = json.dumps(document, ensure_ascii=False, default=str)
    flat.encode()  # raises for a lone surrogate
    return flat.replace("\\u0000", "\x00")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _number(text: str) -> Decimal:
    number = Decimal(text)
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) + len(digits) > _NUMBER_DIGITS_MAX:
        raise ValueError(text)
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _OnlyJson
    return document


def _depth(text: str) -> int:
    """An upper bound of nesting, brackets inside strings included."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
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
        return {"number": "0" if node == 0 else str(node.normalize())}
    return {"text": node} if isinstance(node, str) else node


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
