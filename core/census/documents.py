"""What PostgreSQL can keep of a whole batch of JSON documents.

The answers are those of :func:`core.values.documents.standing`, text by text.
"""

from __future__ import annotations

import json
import json.scanner
import re
from collections import Counter
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from core.census.texts import count_true, counted
from core.values import documents, jsonb
from core.values.documents import Standing

# No number of a text this short has too many digits, unless by its exponent.
_SHORT = 8_000
# No valid text this short is too deep: each level takes two brackets.
_SHALLOW = 1_000
_DEPTH_MAX = 500
# What becomes a NUL or half of a surrogate pair, and a whole pair.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")


# Forms are worth their regular expressions where documents share them.
_FORMS_MAX = 12
_FORM_SHARE = 16


def standings(texts: pa.Array) -> Counter[str]:
    """How many of the texts (valid, not NULL) have each standing."""
    alike, others = _by_forms(texts)
    found = +Counter({Standing.JSONB.value: alike})
    for text, count in counted(others):
        standing = _quick_standing(text) or documents.standing(text)
        found[standing.value] += count
    return found


def _by_forms(texts: pa.Array) -> tuple[int, pa.Array]:
    """How many texts have the form of one that is jsonb, and the others.

    In such a text nothing else can go wrong: it has no backslash, its keys are those of
    the other one, and it is too short for a number of too many digits.
    """
    alike = 0
    if not len(texts) or pc.max(pc.binary_length(texts)).as_py() > _SHORT:
        return alike, texts
    for _ in range(_FORMS_MAX):
        if not len(texts):
            break
        first = texts[0].as_py()
        pattern = jsonb.form(first)
        if pattern is None or documents.standing(first) is not Standing.JSONB:
            break
        fits = pc.match_substring_regex(texts, pattern)
        found = count_true(fits)
        alike += found
        texts, rest = texts.filter(pc.invert(fits)), len(texts)
        if found * _FORM_SHARE < rest:
            break
    return alike, texts


def _quick_standing(text: str) -> Standing | None:
    """What one pass over the text says for sure; None when it takes a closer look."""
    if len(text) > _SHALLOW and not _plain_if_long(text):
        return None
    if "\\u" in text and _maybe_unkept(text):
        return None
    try:
        end: int = _scan(text, 0)[1]
    except json.JSONDecodeError:
        return Standing.NONE
    except (StopIteration, ValueError, RecursionError, _Doubtful):
        return None
    return Standing.JSONB if end == len(text) else None


def _plain_if_long(text: str) -> bool:
    return len(text) <= _SHORT and text.count("[") + text.count("{") <= _DEPTH_MAX


def _maybe_unkept(text: str) -> bool:
    """Whether a string may hold a NUL or a lone surrogate."""
    if "\\\\" not in text:  # a backslash that is escaped begins nothing
        text = _PAIR.sub("-", text)
    return _SUSPECT.search(text) is not None


class _Doubtful(Exception):
    """Met something that takes a closer look."""


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _Doubtful


def _without_exponent(number: str) -> None:
    if "e" in number or "E" in number:
        raise _Doubtful


def _doubtful(_: str) -> NoReturn:
    raise _Doubtful


# The bare scanner: json.loads makes a new one for each text that comes with hooks.
_scan = json.scanner.make_scanner(
    json.JSONDecoder(  # type: ignore[arg-type] # typeshed wants a scanner to make one from
        object_pairs_hook=_with_unique_keys,
        parse_float=_without_exponent,
        parse_constant=_doubtful,
    )
)
