"""Terms: pieces of PostgreSQL's SQL, and what SQLite would have known of them.

How two values compare is SQLite's own affair: it depends on the affinity of both sides
and on the left one's collation (https://sqlite.org/datatype3.html section 4.2, 7.1).
So a term remembers both, and a comparison is said only where PostgreSQL's is the same.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from core.dialect.columns import Place
from core.schema.model import Affinity
from core.values import types

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
COLLATIONS = {"NOCASE": 'lower({} COLLATE "C")', "RTRIM": "rtrim({}, ' ')"}
"""What compares as SQLite's collations do, made of a column."""
_EXACT_IN_DOUBLE = 1 << 53
EQUALITIES = ("=", "<>", "IS NOT DISTINCT FROM", "IS DISTINCT FROM")


class Untranslatable(Exception):
    """PostgreSQL has no words that are certain to mean the same. The message names what.
    Never shown as it is: it is a reason's fact."""


class Kind(StrEnum):
    """What sort of value a term has on the target."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BLOB = "blob"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    MEMBER = "a member of a document"
    NULL = "null"
    OTHER = "other"


@dataclass(frozen=True)
class Written:
    """A moment that a text writes: a timestamp in UTC, and how the text spells it, every
    digit a 9."""

    sql: str
    spelling: str


@dataclass(frozen=True)
class Term:
    """A value. ``affinity``: SQLite's, None for none. ``constant``: what a literal says.
    ``is_explicit``: whether its collation was asked for by COLLATE, and so comes first.
    ``most``: of an INTEGER, how large it is at most, without sign; None where nobody knows.
    ``is_rough``: a number whose last digits may be others than SQLite's; ``is_decimal``: an
    exact one where SQLite has a REAL. ``written``: of a text, the moment that it writes;
    ``digits``: of a text, the INTEGER that it writes; ``truth``: of a 0 or 1, the condition
    that it is the outcome of."""

    sql: str
    kind: Kind
    affinity: Affinity | None = None
    collation: str | None = None
    constant: str | int | float | None = None
    place: Place | None = None
    is_explicit: bool = False
    most: int | None = None
    is_rough: bool = False
    is_decimal: bool = False
    written: Written | None = None
    digits: str = ""
    truth: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it counts or measures."""
        return self.kind in (Kind.INTEGER, Kind.NUMBER)


NULL = Term("NULL", Kind.NULL)
_KINDS = {
    types.BIGINT: Kind.INTEGER,
    types.DOUBLE: Kind.NUMBER,
    types.NUMERIC: Kind.NUMBER,
    types.TEXT: Kind.TEXT,
    types.VARCHAR: Kind.TEXT,
    types.BYTEA: Kind.BLOB,
    types.BOOLEAN: Kind.BOOLEAN,
    types.DATE: Kind.MOMENT,
    types.TIMESTAMP: Kind.MOMENT,
}
# Rules by which a value of the target is the one that SQLite would have computed with.
_PLAIN = {"integer", "real", "decimal", "text", "bytes"}


def of_column(place: Place) -> Term:
    """A column as a term."""
    kind = _KINDS.get(place.conversion.type.name, Kind.OTHER)
    if len(place.conversion.steps) > 1:
        kind = Kind.OTHER  # its values may be others than SQLite would compute with
    plain = place.conversion.rule in _PLAIN
    if kind is Kind.TEXT and not (plain and place.affinity in (Affinity.TEXT, Affinity.BLOB)):
        kind = Kind.OTHER
    if kind in (Kind.INTEGER, Kind.NUMBER) and not (plain and place.affinity is not Affinity.TEXT):
        kind = Kind.OTHER
    if kind is Kind.BLOB and not plain:
        kind = Kind.OTHER
    collation = place.collation.upper()
    return Term(
        place.sql,
        kind,
        place.affinity,
        collation,
        place=place,
        most=place.most,
        is_rough=place.is_rough,
        is_decimal=place.conversion.type.name == types.NUMERIC,
    )


def spelled(place: Place) -> tuple[str, str] | None:
    """The words that a column of booleans writes for false and true, None for 0 and 1, and
    for what is no boolean."""
    _, _, words = place.conversion.rule.partition("boolean:")
    false, _, true = words.partition("/")
    return None if words in ("", "0/1") else (false, true)


def of_text(text: str) -> Term:
    """A literal text."""
    if "\x00" in text:
        raise Untranslatable("NUL in a text")
    return Term("'" + text.replace("'", "''") + "'", Kind.TEXT, constant=text)


def of_integer(value: int) -> Term:
    """A literal INTEGER."""
    return Term(str(value), Kind.INTEGER, constant=value, most=abs(value))


def of_number(source: str) -> Term:
    """A literal number, as written; SQLite reads a whole one too large for 64 bits as REAL."""
    digits = source.replace("_", "")
    if digits.lower().startswith("0x"):
        value = int(digits, 16)
        value -= (value >> 63) << 64
        return of_integer(value)
    if digits.isdecimal() and int(digits) < 1 << 63:
        return of_integer(int(digits))
    real = float(digits)
    if math.isinf(real):
        raise Untranslatable(source)
    return Term(repr(real), Kind.NUMBER, constant=real)


def bare(term: Term) -> Term:
    """The term without what SQLite knows of a column alone: affinity and collation."""
    if term.kind is Kind.BOOLEAN and term.place is not None and spelled(term.place):
        raise Untranslatable("a boolean in words, not by itself")
    return replace(term, affinity=None, collation=None, place=None, is_explicit=False)


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
