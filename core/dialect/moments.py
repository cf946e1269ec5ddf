"""Moments: the clock of a statement, and the texts that SQLite makes of moments
(https://sqlite.org/lang_datefunc.html).

SQLite keeps moments as texts in UTC; ``date('now')`` is a text. Here it is a text as well,
and remembers what it writes: a column of timestamps takes the moment itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from core.dialect.columns import Place
from core.dialect.terms import Kind, Term, Untranslatable, Written, of_text, spelled
from core.values import types

CLOCK = "(statement_timestamp() AT TIME ZONE 'UTC')"
"""The time of the statement in UTC: SQLite's 'now' stands still within one as well."""
LATEST = 1 << 48
"""More seconds than any year of four digits has."""
DATE, TIME, DATETIME = "9999-99-99", "99:99:99", "9999-99-99 99:99:99"
_CURRENT = {"CURRENT_DATE": DATE, "CURRENT_TIME": TIME, "CURRENT_TIMESTAMP": DATETIME}

# What strftime's letters are in a spelling, and to to_char.
_LETTERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Y": ("9999", "YYYY"),
        "m": ("99", "MM"),
        "d": ("99", "DD"),
        "H": ("99", "HH24"),
        "M": ("99", "MI"),
        "S": ("99", "SS"),
        "f": ("99.999", 'SS"."MS'),
        "j": ("999", "DDD"),
        "F": ("9999-99-99", "YYYY-MM-DD"),
        "T": ("99:99:99", "HH24:MI:SS"),
        "R": ("99:99", "HH24:MI"),
    }
)
_SPELLED = re.compile(r"9999-99-99|99:99:99|99:99|\.999999|\.999|.", re.DOTALL)
_PICTURES = {
    "9999-99-99": "YYYY-MM-DD",
    "99:99:99": "HH24:MI:SS",
    "99:99": "HH24:MI",
    ".999999": '"."US',
    ".999": '"."MS',
}


def current(word: str) -> Term:
    """``CURRENT_DATE``, ``CURRENT_TIME`` or ``CURRENT_TIMESTAMP``."""
    return written(CLOCK, _CURRENT[word.upper()])


def as_text(term: Term, *, is_stable: bool = False) -> Term:
    """The text that SQLite makes of a value. ``is_stable``: whether it may be said by a
    function that asks the session, though none of ours depends on its answer."""
    if term.kind is Kind.TEXT:
        return term
    if isinstance(term.constant, int):
        return of_text(str(term.constant))
    if term.kind is Kind.INTEGER:
        return Term(f"({term.sql})::text", Kind.TEXT)
    if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
        return Term(f"({term.sql})::int::text", Kind.TEXT)
    if term.kind is Kind.MOMENT and is_stable and term.place and term.place.spelling:
        return written(term.sql, term.place.spelling)
    raise Untranslatable(f"{term.kind} as a text")


def written(moment: str, spelling: str) -> Term:
    """A moment in UTC as the text that ``spelling`` makes of it."""
    return Term(
        f"to_char({moment}, {of_text(picture(spelling)).sql})",
        Kind.TEXT,
        written=Written(moment, spelling),
    )


def picture(spelling: str) -> str:
    """What ``to_char`` needs for a spelling, in which every digit is a 9."""
    return "".join(_PICTURES.get(part) or _plain(part) for part in _SPELLED.findall(spelling))


def _plain(character: str) -> str:
    if character == "9":
        raise Untranslatable("an unusual spelling of a moment")
    return character if character in "-: ./" else '"' + character.replace('"', '\\"') + '"'


def formatted(moment: str, pattern: str) -> Term:
    """``strftime(pattern, moment)``: a text, or the number of seconds that ``%s`` writes."""
    if pattern == "%s":
        seconds = f"floor(extract(epoch FROM {moment}))::bigint"
        return Term(f"({seconds})::text", Kind.TEXT, digits=f"({seconds})", most=LATEST)
    parts = [_part(found) for found in re.findall(r"%.?|[^%]", pattern, re.DOTALL)]
    said = of_text("".join(picture for _, picture in parts)).sql
    spelling = "".join(digits for digits, _ in parts)
    return Term(f"to_char({moment}, {said})", Kind.TEXT, written=Written(moment, spelling))


def _part(found: str) -> tuple[str, str]:
    """One letter of strftime's, or one plain character: in a spelling, and to to_char."""
    if not found.startswith("%"):
        return found, _plain(found)
    if found[1:] not in _LETTERS:
        raise Untranslatable(f"strftime {found}")
    return _LETTERS[found[1:]]


# --- what a moment is made of -----------------------------------------------------------


def moment_of(term: Term) -> str:
    """The timestamp in UTC that a value writes or is. Raises Untranslatable."""
    if term.written is not None and DATE in term.written.spelling:
        return term.written.sql
    place = term.place
    if place is None or (place.conversion.rule != "iso" and not _is_epoch(place)):
        raise Untranslatable(f"a moment of {term.kind}")
    if ".9999" in place.spelling:
        raise Untranslatable("a moment finer than milliseconds")
    if place.conversion.type.name == types.TIMESTAMPTZ:
        return f"({term.sql} AT TIME ZONE 'UTC')"
    if place.conversion.type.name in (types.TIMESTAMP, types.DATE):
        return f"({term.sql})::timestamp"
    raise Untranslatable(f"a moment of {place.conversion.type.name}")


def _is_epoch(place: Place) -> bool:
    return place.conversion.rule.startswith("epoch:")


def moved(moment: str, modifiers: list[str]) -> str:
    """The moment as SQLite's modifiers move it, in their order. Raises Untranslatable."""
    is_first = False
    for modifier in modifiers:
        words = modifier.strip().lower()
        if found := _START.fullmatch(words):
            moment, is_first = f"date_trunc('{found[1]}', {moment})", found[1] != "day"
        elif found := _SHIFT.fullmatch(words):
            # A month more is 31 days from January's end to SQLite, the month's own end here.
            if found[2] in ("month", "year") and not is_first:
                raise Untranslatable(f"modifier {modifier}")
            moment = f"({moment} + interval '{found[1]} {found[2]}')"
        elif words not in ("utc", "subsec", "subsecond"):
            raise Untranslatable(f"modifier {modifier}")
    return moment


LETTERS = frozenset({*_LETTERS, "s"})
"""The letters of strftime that can be said."""
_START = re.compile(r"start of (day|month|year)")
_SHIFT = re.compile(r"([+-]?\d{1,6}) (second|minute|hour|day|month|year)s?")
