"""The grammar of moments: what it takes, what it refuses, and that PostgreSQL agrees."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.values import temporal
from core.values.temporal import DAY, Moment, Shape, parse

NOON = 12 * 3600 * 1_000_000
# Text, its shape, and how PostgreSQL reads it. The server confirms both.
ACCEPTED = [
    ("2000-01-01", Shape.DATE),
    ("2024-02-29", Shape.DATE),
    ("0001-01-01", Shape.DATE),
    ("9999-12-31", Shape.DATE),
    ("12:00", Shape.TIME),
    ("00:00:00", Shape.TIME),
    ("23:59:59.999999", Shape.TIME),
    ("12:00:00.5", Shape.TIME),
    ("12:00:00.1000000", Shape.TIME),
    ("24:00:00", Shape.TIME),
    ("24:00", Shape.TIME),
    ("2000-01-01 12:00", Shape.NAIVE),
    ("2000-01-01T12:00:01.000001", Shape.NAIVE),
    ("1999-12-31 23:59:59.999999000", Shape.NAIVE),
    ("2000-01-01 12:00Z", Shape.OFFSET),
    ("2000-01-01T12:00:00+02", Shape.OFFSET),
    ("2000-01-01 12:00:00.25-0530", Shape.OFFSET),
    ("2000-01-01 12:00:00 +05:45", Shape.OFFSET),
    ("2000-01-01 12:00:00-15:59", Shape.OFFSET),
    ("0001-01-01 00:00:00+14", Shape.OFFSET),
    ("9999-12-31 23:59:59-12", Shape.OFFSET),
]
REFUSED = [
    *("", " ", "now", "today", "tomorrow", "epoch", "infinity", "-infinity", "allballs"),
    *("2024-02-30", "2023-02-29", "2024-00-10", "2024-13-01", "2024-01-00", "0000-00-00"),
    *("0000-01-01", "10000-01-01", "-0001-01-01", "2024-1-2", "24-01-02", "20240102"),
    *("1/2/2024", "01-02-2024", "2024/01/02", "Jan 2 2024", "2024-W01-1", "2024-002"),
    *(" 2024-01-02", "2024-01-02 ", "2024-01-02\n", "2024-01-02\x00", "２０２４-01-02"),
    *("25:00", "24:00:01", "24:00:00.000001", "12:60", "12:00:60", "1:00", "12", "12:00:00."),
    *("12:00:00.1234567", "12:00 PM", "12:00Z", "12:00+02", "12-00"),
    *("2024-01-02 24:00:00", "2024-01-02  12:00", "2024-01-02t12:00", "2024-01-02 12"),
    *("2024-01-02 12:00:00z", "2024-01-02 12:00 UTC", "2024-01-02 12:00 Europe/Madrid"),
    *("2024-01-02 12:00+16", "2024-01-02 12:00+02:60", "2024-01-02 12:00+2", "2024-01-02Z"),
    *("2024-01-02 12:00+02:00:00", "2024-01-02T12:00:00,5", "2024-01-02 12:00 BC"),
]
_CAST = {
    Shape.DATE: "(extract(epoch FROM %s::date::timestamp) - 946684800) * 1000000",
    Shape.TIME: "extract(epoch FROM %s::time) * 1000000",
    Shape.NAIVE: "(extract(epoch FROM %s::timestamp) - 946684800) * 1000000",
    Shape.OFFSET: "(extract(epoch FROM %s::timestamptz) - 946684800) * 1000000",
}


def test_what_is_accepted_means_what_postgresql_means(database: str) -> None:
    with psycopg.connect(database) as connection:
        for text, shape in ACCEPTED:
            row = connection.execute(f"SELECT ({_CAST[shape]})::bigint", (text,)).fetchone()
            assert row is not None
            assert (text, parse(text)) == (text, Moment(shape, row[0]))


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text: str) -> None:
    assert parse(text) is None


@settings(derandomize=True, deadline=None)
@given(st.datetimes())
def test_every_datetime_is_read_back(moment: datetime) -> None:
    micros = (moment - datetime(2000, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001

    assert parse(moment.isoformat(" ")) == Moment(Shape.NAIVE, micros)
    assert parse(temporal.stamp_text(micros)) == Moment(Shape.NAIVE, micros)


@settings(derandomize=True, deadline=None)
@given(st.dates())
def test_every_date_is_read_back(day: date) -> None:
    micros = (day.toordinal() - date(2000, 1, 1).toordinal()) * DAY

    assert parse(day.isoformat()) == Moment(Shape.DATE, micros)
    assert temporal.date_text(micros) == day.isoformat()


@settings(derandomize=True, deadline=None)
@given(st.times())
def test_every_time_is_read_back(clock: time) -> None:
    moment = parse(clock.isoformat())

    assert moment is not None
    assert moment.shape is Shape.TIME
    assert parse(temporal.time_text(moment.micros)) == moment


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    moment = parse(text)

    assert moment is None or text.isascii()


@pytest.mark.parametrize(
    ("number", "epoch", "text"),
    [
        (0, "epoch:s", "1970-01-01 00:00:00"),
        (1_700_000_000, "epoch:s", "2023-11-14 22:13:20"),
        (1.25, "epoch:s", "1970-01-01 00:00:01.25"),
        (-1, "epoch:s", "1969-12-31 23:59:59"),
        (1_700_000_000_123, "epoch:ms", "2023-11-14 22:13:20.123"),
        (0.001, "epoch:ms", "1970-01-01 00:00:00.000001"),
        (1_700_000_000_123_456, "epoch:us", "2023-11-14 22:13:20.123456"),
        (0, "epoch:apple", "2001-01-01 00:00:00"),
        (0, "epoch:webkit", "1601-01-01 00:00:00"),
        (2_451_544.5, "epoch:julian", "2000-01-01 00:00:00"),
        (2_460_000, "epoch:julian", "2023-02-24 12:00:00"),
        (20_240_229, "epoch:yyyymmdd", "2024-02-29 00:00:00"),
    ],
)
def test_numbers_that_a_plan_names_as_moments(number: float, epoch: str, text: str) -> None:
    micros = temporal.from_number(number, epoch)

    assert micros is not None
    assert temporal.stamp_text(micros) == text


@pytest.mark.parametrize(
    ("number", "epoch"),
    [
        (1e-7, "epoch:s"),
        (0.5, "epoch:us"),
        (float("inf"), "epoch:s"),
        (float("-inf"), "epoch:julian"),
        (1e300, "epoch:julian"),
        (2**63 - 1, "epoch:s"),
        (-(2**63), "epoch:ms"),
        (20_230_229, "epoch:yyyymmdd"),
        (20_240_229.0, "epoch:yyyymmdd"),
        (101, "epoch:yyyymmdd"),
        (-20_240_229, "epoch:yyyymmdd"),
    ],
)
def test_numbers_that_are_no_moment_there(number: float, epoch: str) -> None:
    assert temporal.from_number(number, epoch) is None


def test_a_spelling_has_nines_for_digits() -> None:
    assert temporal.spelling("2024-01-02T03:04Z") == "9999-99-99T99:99Z"
