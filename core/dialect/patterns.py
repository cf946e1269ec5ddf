"""Patterns of LIKE and GLOB, said in PostgreSQL."""

from __future__ import annotations

import re

from core.dialect.terms import Untranslatable, of_text

_GLOB = re.compile(
    r"\*|\?|\[(\^?)((?:[A-Za-z0-9 _.:]-[A-Za-z0-9]|[A-Za-z0-9 _.:@/-])+)\]|[^\[]", re.DOTALL
)


def like(text: str, pattern: str, escape: str | None = None) -> str:
    """``text LIKE 'pattern'`` without case in ASCII alone; no character escapes unless
    ``escape`` does."""
    wanted = of_text(_ascii_lower(pattern)).sql
    return f'lower({text} COLLATE "C") LIKE {wanted} ESCAPE {of_text(escape or "").sql}'


def glob(text: str, pattern: str) -> str:
    """``text GLOB 'pattern'`` as a regular expression of the whole text."""
    return f'{text} COLLATE "C" ~ {of_text(_regular(pattern)).sql}'


def _ascii_lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _regular(pattern: str) -> str:
    parts: list[str] = []
    place = 0
    while place < len(pattern):
        found = _GLOB.match(pattern, place)
        if found is None:
            raise Untranslatable("a GLOB with unusual brackets")
        parts.append(_part(found))
        place = found.end()
    return f"^{''.join(parts)}$"


def _part(found: re.Match[str]) -> str:
    match found[0]:
        case "*":
            return ".*"
        case "?":
            return "."
    if found[2] is not None:
        return f"[{found[1]}{found[2]}]"
    return re.sub(r"[^A-Za-z0-9 ]", lambda c: "\\" + c[0] if c[0].isascii() else c[0], found[0])
