"""When a value of SQLite and a value of PostgreSQL mean the same.

A value is *carried* when it arrives as its own kind, bit for bit: an integer as that
integer, a REAL as a double of the same 64 bits, a text as the same UTF-8 bytes, a BLOB as
the same bytes, NULL as NULL. A value that arrives as another kind is carried only if this
list says so; everything else is *damaged*:

=============  =====================================================================
as             carried when
=============  =====================================================================
boolean        0 and 1; or a text true/false, t/f, yes/no, y/n, on/off in any case
integer        a REAL without fraction of that value; a text of those very digits
double         an integer that a double holds exactly; a text that spells that double
numeric        the integer; the shortest decimal that reads back as the REAL; a text
               of plain digits of the same value
date           a text YYYY-MM-DD of the same day
time           a text HH:MM[:SS[.f]] of the same components
timestamp      a text of the same components, without offset; a missing time is 00:00
timestamptz    a text of the same instant; without offset it is read as UTC
uuid           a text of the same 32 digits in any spelling; 16 bytes
json, jsonb    the same text; or equal once parsed, without duplicate keys
text           an integer's digits; a spelling that reads back as the REAL's bits; a
               BLOB of the same bytes
bytea          a text's UTF-8 bytes; a number's spelling in ASCII
=============  =====================================================================
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Hashable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

Value = int | float | str | bytes | bool | Decimal | None
"""As psycopg gives it: dates, times, uuids and documents as their text."""

KINDS = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "double",
    "float8": "double",
    "numeric": "numeric",
    "bool": "boolean",
    "text": "text",
    "varchar": "text",
    "bpchar": "text",
    "citext": "text",
    "name": "text",
    "bytea": "bytea",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "json",
}
"""PostgreSQL's type to the kind that the list above speaks of; any other is ``other``."""


class Text(bytes):
    """A TEXT of SQLite: its UTF-8 bytes, as they are even where they are none."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and bytes.__eq__(self, other)

    def __hash__(self) -> int:
        return bytes.__hash__(self)


Stored = int | float | Text | bytes | None
"""A value of SQLite with its storage class told by its Python type."""

_BOOLEANS = {"true": True, "t": True, "yes": True, "y": True, "on": True, "1": True}
_BOOLEANS |= {"false": False, "f": False, "no": False, "n": False, "off": False, "0": False}
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?")
_MOMENT = re.compile(
    r"(?P<year>[0-9]{4,6})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[ T](?P<clock>[0-9:.]+))?\s?(?P<offset>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?(?P<before> BC)?"
)


class _Unlike:
    """What no value of that kind can mean; unlike everything, itself included."""

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 0


UNLIKE = _Unlike()


def same(stored: Stored, kind: str, found: Value) -> bool:
    """Whether ``found`` in a column of ``kind`` means what is ``stored``."""
    return bool(wanted(stored, kind) == arrived(found, kind)) or _spelled_alike(stored, found)


def _spelled_alike(stored: Stored, found: Value) -> bool:
    """A REAL in a column of text: any spelling that reads back as its bits."""
    if not isinstance(stored, float) or not isinstance(found, str | bytes):
        return False
    try:
        return bits(float(found)) == bits(stored)
    except ValueError:
        return False


def wanted(stored: Stored, kind: str) -> Hashable:
    """What a value of ``kind`` must be, in the form of :func:`arrived`; UNLIKE for none."""
    if stored is None:
        return None
    match stored:
        case Text():
            return _of_text(stored, kind)
        case bytes():
            return _of_blob(stored, kind)
        case float():
            return _of_real(stored, kind)
    return _of_integer(stored, kind)


def arrived(found: Value, kind: str) -> Hashable:
    """A value of PostgreSQL in one form for each meaning."""
    if found is None:
        return None
    match kind:
        case "double":
            return bits(float(found))  # type: ignore[arg-type]
        case "text":
            return str(found).encode()
        case "bytea":
            return bytes(found)  # type: ignore[arg-type]
        case "date" | "time" | "timestamp" | "timestamptz":
            return _readable(_moment(str(found), kind), found)
        case "uuid":
            return str(found).replace("-", "")
        case "json":
            return _readable(_document(str(found)), found)
    return found


def _readable(meaning: Hashable, found: Value) -> Hashable:
    """What nobody can read is itself alone, so that two of them in tuples are not equal."""
    return ("unreadable", str(found)) if meaning is UNLIKE else meaning


def bits(value: float) -> bytes:
    """The 64 bits of a double."""
    return struct.pack(">d", value)


def _of_integer(stored: int, kind: str) -> Hashable:
    match kind:
        case "boolean":
            return bool(stored) if stored in (0, 1) else UNLIKE
        case "integer":
            return stored
        case "numeric":
            return Decimal(stored)
        case "double":
            return bits(float(stored)) if int(float(stored)) == stored else UNLIKE
        case "text" | "bytea":
            return str(stored).encode()
        case "json":
            return _document(str(stored))
    return UNLIKE


def _of_real(stored: float, kind: str) -> Hashable:
    match kind:
        case "double":
            return bits(stored)
        case "numeric":
            return Decimal(repr(stored))
        case "integer" if math.isfinite(stored) and stored == int(stored):
            return int(stored)
        case "text" | "bytea":
            return repr(stored).encode()
        case "json":
            return _document(repr(stored))
    return UNLIKE


def _of_blob(stored: bytes, kind: str) -> Hashable:
    match kind:
        case "bytea" | "text":
            return stored
        case "uuid" if len(stored) == 16:
            return stored.hex()
    return UNLIKE


def _of_text(stored: Text, kind: str) -> Hashable:
    if kind in ("text", "bytea"):
        return bytes(stored)
    try:
        text = stored.decode()
    except UnicodeDecodeError:
        return UNLIKE
    match kind:
        case "boolean":
            return _BOOLEANS.get(text.lower(), UNLIKE)
        case "integer":
            return int(text) if _INTEGER.fullmatch(text) else UNLIKE
        case "numeric":
            return _decimal(text)
        case "double":
            return _double(text)
        case "date" | "time" | "timestamp" | "timestamptz":
            return _moment(text, kind)
        case "uuid":
            digits = text.lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
            return digits if re.fullmatch("[0-9a-f]{32}", digits) else UNLIKE
        case "json":
            return _document(text)
    return UNLIKE


def _decimal(text: str) -> Hashable:
    try:
        return Decimal(text) if _DECIMAL.fullmatch(text) else UNLIKE
    except InvalidOperation:
        return UNLIKE


def _double(text: str) -> Hashable:
    try:
        value = float(text)
    except ValueError:
        return UNLIKE
    return bits(value) if text in (repr(value), f"{value:g}", f"{value:.0f}") else UNLIKE


# --- days and moments -------------------------------------------------------------------


def _moment(text: str, kind: str) -> Hashable:
    """Components: of a day, of a clock, of both; of an instant in UTC for timestamptz."""
    if kind == "time":
        return _clock(text) if _CLOCK.fullmatch(text) else UNLIKE
    found = _MOMENT.fullmatch(text)
    if found is None or not _is_day(found):
        return UNLIKE
    clock, offset = found["clock"], found["offset"]
    if kind == "date":
        return _day_number(found) if clock is None and offset is None else UNLIKE
    if clock and not _CLOCK.fullmatch(clock):
        return UNLIKE
    hours, minutes, seconds, fraction = _clock(clock or "00:00")
    if kind == "timestamp":
        return UNLIKE if offset else (_day_number(found), hours, minutes, seconds, fraction)
    passed = (_day_number(found) * 24 + hours) * 60 + minutes - _minutes(offset or "Z")
    return passed * 60 + seconds, fraction


def _is_day(found: re.Match[str]) -> bool:
    """Whether the calendar has it; the years before 1 and after 9999 repeat every 400."""
    year = int(found["year"]) % 400 + 400
    try:
        date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        return False
    return True


def _day_number(found: re.Match[str]) -> int:
    """Days since a fixed day, in the calendar that goes on in both directions."""
    year = 1 - int(found["year"]) if found["before"] else int(found["year"])
    cycles, rest = divmod(year, 400)
    return cycles * 146_097 + date(rest + 400, int(found["month"]), int(found["day"])).toordinal()


def _clock(text: str) -> tuple[int, int, int, str]:
    """Hours, minutes, seconds, and the fraction without zeros at its end."""
    found = _CLOCK.fullmatch(text)
    assert found is not None
    hours, minutes, seconds, fraction = found.groups()
    return int(hours), int(minutes), int(seconds or 0), (fraction or "").rstrip("0")


def _minutes(offset: str) -> int:
    """Minutes east of UTC."""
    if offset == "Z":
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    return (int(digits[:2]) * 60 + int(digits[2:4])) * (-1 if offset[0] == "-" else 1)


# --- documents ------------------------------------------------------------------------------


class _Duplicate(Exception):
    """A key twice in one object."""


def _document(text: str) -> Hashable:
    """A JSON document as nested tuples; a document with duplicate keys is its own text."""
    try:
        return _frozen(json.loads(text, object_pairs_hook=_once, parse_float=Decimal))
    except _Duplicate:
        return ("as it is", text)
    except (ValueError, RecursionError):
        return UNLIKE


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Duplicate
    return found


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return ("object", frozenset((key, _frozen(each)) for key, each in value.items()))
    if isinstance(value, list):
        return ("list", tuple(map(_frozen, value)))
    return (type(value).__name__ if isinstance(value, bool | str) else "", value)
