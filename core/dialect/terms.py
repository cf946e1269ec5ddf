"""Terms: pieces of PostgreSQL's SQL, and what SQLite would have known of them.

How two values compare is SQLite's own affair: it depends on the affinity of both sides
and on the left one's collation (https://sqlite.org/datatype3.html section 4.2, 7.1).
So a term remembers both, and a comparison is said only where PostgreSQL's is the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from core.dialect.columns import Place
from core.schema.model import Affinity
from core.values import types

COLLATIONS = {"NOCASE": 'lower({} COLLATE "C")', "RTRIM": "rtrim({}, ' ')"}
"""What compares as SQLite's collations do, made of a column."""
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
