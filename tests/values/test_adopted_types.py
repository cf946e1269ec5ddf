"""Types that only a target's own schema, or a plan, brings: what they take, what they refuse."""

from __future__ import annotations

import pytest

from core.source.rows import SqliteValue
from core.values import types
from core.values.canonical import shown
from core.values.exact import converter, known
from core.values.types import Conversion, Reject, TargetType, parse_type

SMALLINT = Conversion(TargetType(types.SMALLINT), "integer")
INTEGER = Conversion(TargetType(types.INTEGER), "integer")
REAL = Conversion(TargetType(types.REAL), "real")
CHAR = Conversion(TargetType(types.CHAR, length=3), "text")
MOOD = Conversion(TargetType(types.ENUM, given="mood", labels=("ok", "sád")), "label")
MADRID = Conversion(TargetType(types.TIMESTAMPTZ), "zone:Europe/Madrid")
TENTHS = Conversion(TargetType(types.TIMESTAMP, scale=1), "iso")


@pytest.mark.parametrize(
    ("conversion", "value", "becomes"),
    [
        (SMALLINT, 32767, "32767"),
        (SMALLINT, -32768, "-32768"),
        (INTEGER, -(2**31), "-2147483648"),
        (INTEGER, 2**31 - 1, "2147483647"),
        (REAL, 0.5, "0.5"),
        (REAL, 16777216, "16777216.0"),
        (REAL, float("-inf"), "-Infinity"),
        (CHAR, "ab", "ab "),
        (CHAR, "éé", "éé "),
        (CHAR, "a  ", "a  "),
        (CHAR, "", "   "),
        (MOOD, "sád", "sád"),
        (MADRID, "2024-01-01 12:00", "2024-01-01 11:00:00"),
        (MADRID, "2024-07-01T12:00:00.5", "2024-07-01 10:00:00.5"),
        (MADRID, "2024-07-01", "2024-06-30 22:00:00"),
        (MADRID, "2024-03-31 02:30:00Z", "2024-03-31 02:30:00"),
        (TENTHS, "2024-01-01 12:00:00.5", "2024-01-01 12:00:00.5"),
        (MOOD, None, "NULL"),
        (REAL, None, "NULL"),
        (CHAR, None, "NULL"),
        (MADRID, None, "NULL"),
    ],
)
def test_taken(conversion: Conversion, value: SqliteValue, becomes: str) -> None:
    outcome = converter(conversion)(value)

    assert not isinstance(outcome, Reject)
    assert shown(conversion.type, outcome) == becomes


@pytest.mark.parametrize(
    ("conversion", "value", "reason"),
    [
        (SMALLINT, 32768, "integer_out_of_range"),
        (SMALLINT, -32769, "integer_out_of_range"),
        (INTEGER, 2**31, "integer_out_of_range"),
        (INTEGER, 1.0, "not_an_integer"),
        (REAL, 0.1, "inexact_in_real"),
        (REAL, 16777217, "inexact_in_real"),
        (REAL, 1e300, "inexact_in_real"),
        (REAL, "1", "not_a_real"),
        (CHAR, "abcd", "text_too_long"),
        (CHAR, "a ", "blanks_at_end"),
        (CHAR, " ", "blanks_at_end"),
        (CHAR, 1, "not_text"),
        (MOOD, "OK", "not_a_label"),
        (MOOD, b"ok", "not_a_label"),
        (MADRID, "2024-03-31 02:30:00", "not_one_moment"),
        (MADRID, "2024-10-27 02:30:00", "not_one_moment"),
        (MADRID, "2024-02-30", "not_a_moment"),
        (MADRID, "12:00", "not_a_moment"),
        (MADRID, 1, "not_a_moment"),
        (TENTHS, "2024-01-01 12:00:00.25", "finer_than_type"),
    ],
)
def test_refused(conversion: Conversion, value: SqliteValue, reason: str) -> None:
    outcome = converter(conversion)(value)

    assert isinstance(outcome, Reject)
    assert outcome.reason == reason


def test_a_blank_between_words_would_be_lost_and_is_not_compared() -> None:
    """'' and texts of blanks alone would all be the same to PostgreSQL."""
    one, other = (converter(CHAR)(text) for text in ("ab", "ab "))

    assert one == other == b"ab "


def test_a_zone_must_be_known() -> None:
    assert known(MADRID)
    assert not known(Conversion(TargetType(types.TIMESTAMPTZ), "zone:Madrid"))
    assert not known(Conversion(TargetType(types.TIMESTAMPTZ), "zone:../etc"))
    assert not known(Conversion(TargetType(types.TIMESTAMP), "zone:UTC"))


@pytest.mark.parametrize("text", ["smallint", "integer", "real", "char(3)"])
def test_a_plan_may_name_them(text: str) -> None:
    kind = parse_type(text)

    assert kind is not None
    assert kind.sql == text
