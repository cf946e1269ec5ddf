"""JSON texts as PostgreSQL prints its jsonb of them.

One spelling for equal documents: keys by length and then by bytes, one blank after
colon and comma, numbers as numeric prints them (``jsonb_out`` and ``numeric_out`` in
the server's source; a test asks the server).

Whole columns are rewritten by templates: documents of one form, with other values in
it, become canonical by one regular expression.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# --- one document ------------------------------------------------------------------------


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """What an object holds, as jsonb sorts it."""

    __slots__ = ()


def jsonb_text(text: str) -> str:
    """The text of a document that jsonb holds without loss. Raises ValueError for others."""
    document = json.loads(text, object_pairs_hook=_sorted, parse_int=_Number, parse_float=_Number)
    return "".join(_printed(document))


def _sorted(members: list[tuple[str, Any]]) -> _Members:
    return _Members(sorted(members, key=lambda member: _place(member[0].encode())))


def _place(key: bytes) -> tuple[int, bytes]:
    return len(key), key


def _printed(node: Any) -> Iterator[str]:
    if isinstance(node, _Number):
        yield _number_text(node)
    elif isinstance(node, _Members):
        yield "{"
        for place, (key, item) in enumerate(node):
            yield f"{', ' if place else ''}{json.dumps(key, ensure_ascii=False)}: "
            yield from _printed(item)
        yield "}"
    elif isinstance(node, list):
        yield "["
        for place, item in enumerate(node):
            yield ", " if place else ""
            yield from _printed(item)
        yield "]"
    else:
        yield json.dumps(node, ensure_ascii=False)


def _number_text(written: str) -> str:
    """Without exponent, with as many decimals as were written; no zero has a sign."""
    text = format(Decimal(written), "f") if "e" in written.lower() else str(written)
    if text.strip("-0.") == "":
        whole, point, decimals = text.lstrip("-").partition(".")
        return whole[-1:] + point + decimals
    return text


# --- whole columns -----------------------------------------------------------------------

_FALSE = pa.scalar(False)
_TEMPLATES_MAX = 12
_CAPTURES_MAX = 9  # what a replacement can name
_STRING = r'"[^"\\\x00-\x1f]*"'
# As jsonb prints it already: no exponent, and no zero with a sign.
_NUMBER = r"(?:0(?:\.[0-9]+)?|-?[1-9][0-9]*(?:\.[0-9]+)?|-0\.[0-9]*[1-9][0-9]*)"
_LITERAL = r"true|false|null"
_TOKEN = re.compile(
    rf"(?P<key>{_STRING})(?=\s*:)|(?P<string>{_STRING})|(?P<number>-?[0-9][^\s,\]}}]*)"
    rf"|(?P<literal>{_LITERAL})|(?P<other>[\s{{}}\[\],:]+)"
)
_LEAVES = {"string": _STRING, "number": _NUMBER, "literal": _LITERAL}


@dataclass(frozen=True)
class _Template:
    """A form of documents: what they match, and what they become."""

    pattern: str
    replacement: str


def jsonb_texts(texts: pa.Array) -> pa.Array:
    """:func:`jsonb_text` of each text that is not NULL. Raises ValueError."""
    done = pa.nulls(len(texts), pa.string())
    open_ = texts.is_valid()
    for _ in range(_TEMPLATES_MAX):
        first = pc.index(open_, True).as_py()
        if first < 0:
            return done
        template = _template(texts[first].as_py())
        if template is None:
            break
        fits = pc.and_(open_, pc.match_substring_regex(texts, template.pattern))
        if not fits[first].as_py():
            break
        made = pc.replace_substring_regex(texts, template.pattern, template.replacement)
        done = pc.if_else(fits, made, done)
        open_ = pc.and_not(open_, pc.fill_null(fits, _FALSE))
    rest = pa.array(map(jsonb_text, texts.filter(open_).to_pylist()), pa.string())
    return pc.replace_with_mask(done, open_, rest)


def form(text: str) -> str | None:
    """A regular expression for all documents of the form of ``text``: the same keys at the
    same places, other strings, numbers and literals. None for one that has a backslash, or
    that ``text`` is too odd for. A form is as deep as its text, and its keys are as many."""
    pieces = _pieces(text)
    if pieces is None:
        return None
    return _whole(re.escape(piece) if leaf is None else f"(?:{leaf})" for piece, leaf in pieces)


def _template(text: str) -> _Template | None:
    """The form of ``text`` with its rewriting, None for one that a template cannot describe."""
    pieces = _pieces(text)
    leaves = [leaf for _, leaf in pieces or [] if leaf is not None]
    if pieces is None or len(leaves) > _CAPTURES_MAX:
        return None
    numbers = count(1)
    marked = "".join(p if leaf is None else str(next(numbers)) for p, leaf in pieces)
    replacement = "".join(_marks(json.loads(marked, object_pairs_hook=_sorted)))
    pattern = _whole(re.escape(p) if leaf is None else f"({leaf})" for p, leaf in pieces)
    return _Template(pattern, replacement)


def _whole(parts: Iterable[str]) -> str:
    return rf"\A{''.join(parts)}\z"


def _pieces(text: str) -> list[tuple[str, str | None]] | None:
    """The text cut into what is the same in all documents of its form, and leaves, each with
    the expression of what may stand there instead."""
    pieces: list[tuple[str, str | None]] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        pieces.append((token.group(), _LEAVES.get(token.lastgroup or "")))
        at = token.end()
    return pieces


def _marks(node: Any) -> Iterator[str]:
    r"""The canonical text with \1, \2 ... for its leaves."""
    if isinstance(node, int):
        yield f"\\{node}"
        return
    is_object = isinstance(node, _Members)
    yield "{" if is_object else "["
    for place, item in enumerate(node):
        yield ", " if place else ""
        if is_object:
            yield f"{json.dumps(item[0], ensure_ascii=False)}: "
        yield from _marks(item[1] if is_object else item)
    yield "}" if is_object else "]"
