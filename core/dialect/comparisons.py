"""How two values compare: SQLite's answer depends on the affinity of both sides and on the
left one's collation (https://sqlite.org/datatype3.html section 4.2, 7.1), and is said only
where PostgreSQL's is the same."""

from __future__ import annotations

import re
from dataclasses import replace

from core.dialect.columns import Place
from core.dialect.moments import DATE, as_text
from core.dialect.terms import (
    COLLATIONS,
    EQUALITIES,
    Kind,
    Term,
    Untranslatable,
    bare,
    of_number,
    of_text,
    spelled,
)
from core.schema.model import Affinity
from core.values import temporal, types
from core.values.canonical import literal
from core.values.exact import converter
from core.values.types import Conversion, TargetType

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")

_EXACT_IN_DOUBLE = 1 << 53


def compared(left: Term, sign: str, right: Term) -> str:
    """``left sign right`` as SQLite means it. Raises Untranslatable."""
    if left.is_rough or right.is_rough:
        raise Untranslatable("a number whose last digits may differ, compared")
    if Kind.NULL in (left.kind, right.kind):
        return f"{left.sql} {sign} {right.sql}" if sign in EQUALITIES else "NULL::boolean"
    left, right = _converted(left, right), _converted(right, left)
    if sign in EQUALITIES and {left.kind, right.kind} == {Kind.INTEGER, Kind.TEXT}:
        left, right = _counted(left, right), _counted(right, left)
    if left.is_number and right.is_number:
        _require_exact(left, right)
        return f"{left.sql} {sign} {right.sql}"
    if left.kind is right.kind is Kind.TEXT:
        return _texts(left, sign, right)
    if Kind.MEMBER in (left.kind, right.kind) and sign in EQUALITIES:
        return _members(left, sign, right)
    if left.kind is right.kind is Kind.BLOB:
        return f"{left.sql} {sign} {right.sql}"
    if left.kind is right.kind is Kind.BOOLEAN and sign in EQUALITIES and _as_one(left, right):
        return _booleans(left, sign, right)
    if left.kind is right.kind is Kind.MOMENT and _alike(left, right):
        return f"{left.sql} {sign} {right.sql}"
    if left.kind is Kind.MOMENT and right.kind is Kind.TEXT:
        return _moment_and_text(left, sign, right)
    if left.kind is Kind.TEXT and right.kind is Kind.MOMENT:
        return _moment_and_text(right, _MIRRORED.get(sign, sign), left)
    raise Untranslatable(f"{left.kind} {sign} {right.kind}")


def _require_exact(left: Term, right: Term) -> None:
    """PostgreSQL makes an INTEGER a double before it compares it with one, SQLite does not:
    that is the same where the double holds every INTEGER that there is."""
    whole = left if left.kind is Kind.INTEGER else right
    fits = whole.most is not None and whole.most <= _EXACT_IN_DOUBLE
    if (
        left.kind is not right.kind
        and left.constant is None
        and right.constant is None
        and not fits
    ):
        raise Untranslatable("an INTEGER beside a REAL")


def _converted(term: Term, other: Term) -> Term:
    """A literal as the other side's affinity makes it."""
    if term.constant is None or other.place is None:
        return term
    if other.kind is Kind.BOOLEAN:
        return _as_boolean(term, other.place)
    if other.affinity is Affinity.TEXT and isinstance(term.constant, int):
        return of_text(str(term.constant))
    if other.is_number and isinstance(term.constant, str):
        if _NUMBER.fullmatch(term.constant) and other.affinity is not Affinity.BLOB:
            return of_number(term.constant.strip().lstrip("+"))
        raise Untranslatable("a text beside a number")
    return term


_BLANK = r"[ \t\n\v\f\r]*"
_WHOLE = rf"'^{_BLANK}[+-]?[0-9]{{1,18}}{_BLANK}$'"
_REAL = (
    rf"'^{_BLANK}[+-]?([0-9]{{1,99}}(\.[0-9]{{0,99}})?|\.[0-9]{{1,99}})"
    rf"([eE][+-]?[0-9]{{1,2}})?{_BLANK}$'"
)


def _counted(term: Term, other: Term) -> Term:
    """A text beside a column of INTEGERs, as a number if it writes one; no INTEGER is NaN."""
    if term.kind is not Kind.TEXT:
        return replace(term, sql=f"{term.sql}::numeric") if term.place else term
    if other.place is None or other.affinity in (None, Affinity.TEXT, Affinity.BLOB):
        raise Untranslatable("a text beside a number")
    cases = (
        f"WHEN {term.sql} ~ {_WHOLE} THEN ({term.sql})::numeric "
        f"WHEN {term.sql} ~ {_REAL} THEN ({term.sql})::float8::numeric "
        f"WHEN {term.sql} IS NOT NULL THEN 'NaN'::numeric"
    )
    return Term(f"(CASE {cases} END)", Kind.INTEGER)


def _as_boolean(term: Term, place: Place) -> Term:
    """What the literal means where the column was 0 and 1, or two words."""
    false, true = spelled(place) or (0, 1)
    if term.constant not in (false, true) or isinstance(term.constant, float):
        raise Untranslatable("a boolean beside another value")
    value = "true" if term.constant == true else "false"
    return Term(value, Kind.BOOLEAN, constant=value)


def _booleans(left: Term, sign: str, right: Term) -> str:
    """A column is said by itself where it is compared with a constant."""
    if right.constant is not None and sign in ("=", "<>"):
        wanted = (right.constant == "true") == (sign == "=")
        return left.sql if wanted else f"NOT {left.sql}"
    return f"{left.sql} {sign} {right.sql}"


def _as_one(left: Term, right: Term) -> bool:
    """Whether two columns, if they are two, write their booleans in one way."""
    places = [term.place for term in (left, right) if term.place is not None]
    return len({spelled(place) for place in places}) == 1


def _texts(left: Term, sign: str, right: Term) -> str:
    """By the collation that COLLATE asks for, else by a column's, the left side's first."""
    asked = [term.collation for term in (left, right) if term.is_explicit]
    collation = (*asked, left.collation or right.collation or "BINARY")[0]
    if collation != "BINARY" and collation not in COLLATIONS:
        raise Untranslatable(f"collation {collation}")
    form = COLLATIONS.get(collation or "", "{}")
    ours, theirs = (form.format(term.sql) for term in (left, right))
    if sign not in EQUALITIES:
        ours = f'{ours} COLLATE "C"'
    return f"{ours} {sign} {theirs}"


_LIKE_A_MEMBER = re.compile(r"\s*([-+.\d{\[].*|true|false|null|)\s*", re.DOTALL | re.IGNORECASE)


def _members(left: Term, sign: str, right: Term) -> str:
    """A member of a document beside a word that no number, truth or document is written as:
    there alone it does not matter that SQLite has it by its class, PostgreSQL as a text."""
    constants = [t.constant for t in (left, right) if isinstance(t.constant, str)]
    if len(constants) != 1 or _LIKE_A_MEMBER.fullmatch(constants[0]):
        raise Untranslatable("a member of a document beside what is no plain word")
    return f"{left.sql} {sign} {right.sql}"


def _alike(left: Term, right: Term) -> bool:
    """Moments that both columns write in one way compare like their texts."""
    if left.place is None or right.place is None:
        return False
    ours, theirs = left.place, right.place
    same = ours.spelling == theirs.spelling and ours.conversion == theirs.conversion
    return same and bool(ours.spelling) and ours.conversion.rule == "iso"


# --- a moment beside a text -----------------------------------------------------------------

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NEVER, _ALWAYS = "{0} <> {0}", "{0} = {0}"
# What each sign says of a column whose text goes on behind an equal beginning.
_BEHIND = {
    ">": "{0} >= {1}",
    ">=": "{0} >= {1}",
    "<": "{0} < {1}",
    "<=": "{0} < {1}",
    "=": _NEVER,
    "<>": _ALWAYS,
    "IS NOT DISTINCT FROM": "false",
    "IS DISTINCT FROM": "true",
}


def _moment_and_text(moment: Term, sign: str, text: Term) -> str:
    """A column of moments beside a text, as SQLite compares the texts of both: in the order of
    time, where the column's are all spelled in one way and the text in the same, or as the
    beginning of it."""
    place = moment.place
    if place is None or not place.spelling or place.conversion.rule != "iso":
        raise Untranslatable("moments of several spellings beside a text")
    if not isinstance(text.constant, str):
        if text.written is None or text.is_explicit:
            raise Untranslatable("a moment beside a text that is no constant")
        return _texts(bare(as_text(moment, is_stable=True)), sign, bare(text))
    spelling = temporal.spelling(text.constant)
    if not place.spelling.startswith(spelling) or DATE not in spelling:
        raise Untranslatable("a moment beside a text that is spelled otherwise")
    wire = converter(Conversion(TargetType(types.TIMESTAMP), "iso"))(text.constant)
    if not isinstance(wire, bytes):
        raise Untranslatable("a moment beside what is none")
    kind = place.conversion.type
    there = literal(TargetType(types.TIMESTAMP), wire)
    if kind.name == types.DATE:
        there = f"{there}::date"
    if spelling == place.spelling:
        return f"{moment.sql} {sign} {there}"
    return _BEHIND[sign].format(moment.sql, there)
