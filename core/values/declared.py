"""What a declared SQLite type asks for.

SQLite takes any words for a type. A kind is what a person who wrote those words
expects PostgreSQL to hold; words that mean nothing to us are UNKNOWN and the
census decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The families of declared types."""

    INTEGER = "integer"
    REAL = "real"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    VARCHAR = "varchar"
    TEXT = "text"
    JSON = "json"
    BLOB = "blob"
    UUID = "uuid"
    UNTYPED = "untyped"
    UNKNOWN = "unknown"


TEMPORAL = frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})


@dataclass(frozen=True)
class Declared:
    """A declared type's kind, and the numbers in its parentheses."""

    kind: Kind
    first: int | None = None
    second: int | None = None


_WORDS: tuple[tuple[Kind, str], ...] = (
    (Kind.INTEGER, r"((TINY|SMALL|MEDIUM|BIG)|(SHORT|LONG|UNSIGNED( BIG)?) )?INT(EGER)?[248]?"),
    (Kind.INTEGER, r"(TINY|SMALL|MEDIUM|BIG)?INT(EGER)? (UN)?SIGNED|INTEGER AUTO_?INCREMENT"),
    (Kind.INTEGER, r"(SMALL|BIG)?SERIAL|LONG"),
    (Kind.BOOLEAN, r"BOOL(EAN)?"),
    (Kind.REAL, r"REAL|FLOAT[48]?|DOUBLE( PRECISION)?"),
    (Kind.DECIMAL, r"DECIMAL|NUMERIC|DEC|NUMBER"),
    (Kind.DATE, r"DATE"),
    (Kind.TIME, r"TIME( WITHOUT TIME ZONE)?"),
    (Kind.TIMESTAMP, r"(SMALL)?DATETIME2?|TIMESTAMP( WITHOUT TIME ZONE)?"),
    (Kind.TIMESTAMPTZ, r"TIMESTAMPTZ|TIMESTAMP WITH TIME ZONE|DATETIMEOFFSET|DATETIMETZ"),
    (
        Kind.VARCHAR,
        r"(N|BP)?(VAR)?CHAR2?|(NATIVE |NATIONAL )?CHARACTER( VARYING)?|VARYING CHARACTER",
    ),
    (Kind.TEXT, r"(TINY|MEDIUM|LONG|N)?TEXT|CLOB|LONGVARCHAR|CITEXT"),
    (Kind.JSON, r"JSONB?"),
    (Kind.BLOB, r"(TINY|MEDIUM|LONG)?BLOB|BYTEA|(VAR|LONGVAR)?BINARY|IMAGE"),
    (Kind.UUID, r"UUID|GUID|UNIQUEIDENTIFIER"),
)
_COMPILED = tuple((kind, re.compile(words, re.ASCII)) for kind, words in _WORDS)
_ARGUMENTS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", re.ASCII)


def declared(text: str, *, strict: bool = False) -> Declared:
    """What the declared type ``text`` asks for; ``strict`` for a STRICT table,
    whose ANY column takes every value as it comes."""
    words = re.sub(r"\s+", " ", re.sub(r"\(.*?\)", " ", text.upper(), flags=re.DOTALL)).strip()
    if not words or (strict and words == "ANY"):
        return Declared(Kind.UNTYPED)
    numbers = _ARGUMENTS.search(text)
    first, second = (
        None if n is None else int(n) for n in (numbers.groups() if numbers else (None, None))
    )
    for kind, pattern in _COMPILED:
        if pattern.fullmatch(words):
            return Declared(kind, first, second)
    return Declared(Kind.UNKNOWN, first, second)
