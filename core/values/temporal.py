"""A strict grammar for dates and times written as text.

PostgreSQL never parses a date for us: it takes 'now', 'today' and 'infinity' for
dates, and drops an offset without a word. What this grammar does not accept is
not a date.

Accepted, ASCII digits only:

* date      ``YYYY-MM-DD``, years 0001 to 9999, a day that exists
* time      ``HH:MM``, ``HH:MM:SS``, ``HH:MM:SS.f`` with 1 to 6 digits, or more
  when the rest are zeros; ``24:00:00`` as PostgreSQL has it
* naive     a date, ``T`` or one space, a time below 24:00
* offset    the same, then ``Z``, ``±HH``, ``±HHMM`` or ``±HH:MM``, with an
  optional space before it

Times are integers: microseconds since midnight, or since 2000-01-01 00:00:00,
which are PostgreSQL's own units.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = 86_400_000_000
_EPOCH_DAY = date(2000, 1, 1).toordinal()
UNIX_EPOCH = (date(1970, 1, 1).toordinal() - _EPOCH_DAY) * DAY
APPLE_EPOCH = (date(2001, 1, 1).toordinal() - _EPOCH_DAY) * DAY
WEBKIT_EPOCH = (date(1601, 1, 1).toordinal() - _EPOCH_DAY) * DAY
_JULIAN_2000 = Decimal("2451544.5")

# PostgreSQL's own bounds of timestamp, in microseconds since 2000.
TIMESTAMP_MIN = -211_813_488_000_000_000
TIMESTAMP_MAX = 9_223_371_331_200_000_000 - 1

_DATE = r"(\d{4})-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
_OFFSET = r" ?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)"
_MOMENT = re.compile(f"(?:{_DATE}(?:[T ]{_TIME}(?:{_OFFSET})?)?|{_TIME})", re.ASCII)


class Shape(StrEnum):
    """What a text says of time."""

    DATE = "date"
    TIME = "time"
    NAIVE = "naive"
    OFFSET = "offset"


class Moment(NamedTuple):
    """A parsed text: its shape, and microseconds (of the day for TIME, since 2000
    otherwise; OFFSET in UTC)."""

    shape: Shape
    micros: int


@lru_cache(maxsize=65_536)
def parse(text: str) -> Moment | None:
    """The moment ``text`` means, or None when the grammar does not accept it."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, *clock, zulu, sign, off_h, off_m, h2, m2, s2, f2 = match.groups()
    if year is None:
        micros = _time_of_day(h2, m2, s2, f2, latest=DAY)
        return None if micros is None else Moment(Shape.TIME, micros)
    midnight = _midnight(year, month, day)
    if midnight is None:
        return None
    if clock[0] is None:
        return Moment(Shape.DATE, midnight)
    return _stamp(midnight, clock, zulu, sign, off_h, off_m)


def _stamp(
    midnight: int,
    clock: list[str | None],
    zulu: str | None,
    sign: str | None,
    off_h: str,
    off_m: str | None,
) -> Moment | None:
    micros = _time_of_day(*clock, latest=DAY - 1)
    if micros is None:
        return None
    if zulu is None and sign is None:
        return Moment(Shape.NAIVE, midnight + micros)
    offset = 0 if sign is None else _offset(sign, off_h, off_m)
    return None if offset is None else Moment(Shape.OFFSET, midnight + micros - offset)


def _midnight(year: str, month: str, day: str) -> int | None:
    try:
        return (date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY) * DAY
    except ValueError:
        return None


def _time_of_day(
    hour: str | None, minute: str | None, second: str | None, fraction: str | None, *, latest: int
) -> int | None:
    h, m, s = int(hour or 0), int(minute or 0), int(second or 0)
    digits = fraction or ""
    if m > 59 or s > 59 or digits[6:].strip("0"):
        return None
    micros = ((h * 60 + m) * 60 + s) * 1_000_000 + int(digits[:6].ljust(6, "0"))
    return micros if micros <= latest else None


def _offset(sign: str, hours: str, minutes: str | None) -> int | None:
    h, m = int(hours), int(minutes or 0)
    if h > 15 or m > 59:  # PostgreSQL's own limit is below 16 hours
        return None
    micros = (h * 60 + m) * 60_000_000
    return micros if sign == "+" else -micros


def zone_known(name: str) -> bool:
    """Whether there is a time zone of that name."""
    return _zone(name) is not None


def in_zone(micros: int, zone: str) -> int | None:
    """The moment, in UTC, at which clocks of ``zone`` show ``micros``; None where they
    never do or do twice, and past the years that a calendar has."""
    hours = _zone(zone)
    if hours is None:
        return None
    try:
        local = _MILLENNIUM + timedelta(microseconds=micros)
        first, second = (local.replace(tzinfo=hours, fold=fold).utcoffset() for fold in (0, 1))
    except OverflowError:
        return None
    if first is None or first != second:
        return None
    return micros - first // timedelta(microseconds=1)


_MILLENNIUM = datetime(2000, 1, 1)  # noqa: DTZ001  # what clocks show, of whatever zone


@lru_cache(maxsize=16)
def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def spelling(text: str) -> str:
    """How a moment is written: the text with every digit as 9."""
    return re.sub(r"[0-9]", "9", text)


# --- numbers that a plan names as moments --------------------------------------

_UNITS = {
    "epoch:s": (Decimal(1_000_000), UNIX_EPOCH),
    "epoch:ms": (Decimal(1_000), UNIX_EPOCH),
    "epoch:us": (Decimal(1), UNIX_EPOCH),
    "epoch:apple": (Decimal(1_000_000), APPLE_EPOCH),
    "epoch:webkit": (Decimal(1), WEBKIT_EPOCH),
}
EPOCHS = (*_UNITS, "epoch:julian", "epoch:yyyymmdd")


def from_number(number: int | float, epoch: str) -> int | None:
    """Microseconds since 2000 of ``number`` counted as ``epoch`` says, exact or None.

    Julian days are rounded to the millisecond, as SQLite itself does
    (https://sqlite.org/lang_datefunc.html): a real cannot hold them finer.
    """
    if isinstance(number, float) and not abs(number) < 1e300:
        return None
    if epoch == "epoch:yyyymmdd":
        return _from_digits(number)
    value = Decimal(repr(number))
    if epoch == "epoch:julian":
        micros = ((value - _JULIAN_2000) * 86_400_000).to_integral_value() * 1000
    else:
        unit, start = _UNITS[epoch]
        micros = value * unit + start
    return int(micros) if micros == micros.to_integral_value() and _in_range(micros) else None


def _from_digits(number: int | float) -> int | None:
    if not isinstance(number, int) or not 10_101 <= number <= 99_991_231:
        return None
    text = f"{number:08d}"
    return _midnight(text[:4], text[4:6], text[6:])


def _in_range(micros: Decimal) -> bool:
    return TIMESTAMP_MIN <= micros <= TIMESTAMP_MAX


# --- back to text ---------------------------------------------------------------


def date_text(micros: int) -> str:
    """``YYYY-MM-DD`` of a moment within years 1 to 9999, else its day number."""
    days = micros // DAY + _EPOCH_DAY
    if not 1 <= days <= date.max.toordinal():
        return f"day {micros // DAY}"
    return date.fromordinal(days).isoformat()


def time_text(micros: int) -> str:
    """``HH:MM:SS`` with a fraction when there is one."""
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def stamp_text(micros: int) -> str:
    """``YYYY-MM-DD HH:MM:SS`` with a fraction when there is one."""
    return f"{date_text(micros)} {time_text(micros % DAY)}"
