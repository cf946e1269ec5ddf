"""What is said of the time that is left."""

from __future__ import annotations

from core.cli.outlook import left, spoken
from core.transfer.forecast import Forecast, Outlook, outlook


def test_nothing_is_foretold_before_one_percent_nor_while_nothing_moves() -> None:
    forecast = Forecast(10_000, 0, now=0.0)
    assert forecast.outlook(99, now=1.0).seconds_max is None
    assert forecast.outlook(100, now=1.0).seconds_max is not None
    assert outlook(1000, 500, whole=10.0, recent=0.0) == Outlook(rows_per_second=0.0)
    assert left(outlook(1000, 500, whole=0.0, recent=0.0)) == ""


def test_the_range_lies_between_the_whole_time_and_the_last_half_minute() -> None:
    forecast = Forecast(10_000, 0, now=0.0)
    for second in range(1, 101):  # ten rows a second, then twenty
        done = 10 * second if second <= 50 else 500 + 20 * (second - 50)
        seen = forecast.outlook(done, now=float(second))
    assert seen.rows_per_second == 20.0
    assert seen.seconds_min == 8_500 / 20
    assert seen.seconds_max == 8_500 / 15


def test_what_was_done_before_a_resume_counts_as_done_not_as_fast() -> None:
    seen = Forecast(1000, 900, now=0.0).outlook(910, now=1.0)
    assert (seen.rows_per_second, seen.seconds_min) == (10.0, 9.0)


def test_of_what_is_built_after_the_last_row_nothing_is_foretold() -> None:
    assert outlook(1000, 1000, whole=10.0, recent=10.0).seconds_min is None
    assert outlook(0, 0, whole=0.0, recent=0.0).seconds_min is None


def test_a_span_is_told_in_the_unit_people_would_take() -> None:
    def said(least: float, most: float) -> str:
        return left(Outlook(rows_per_second=1.0, seconds_min=least, seconds_max=most))

    assert said(0.2, 0.4) == "1 s left"
    assert said(30.0, 61.0) == "30-61 s left"
    assert said(110.0, 170.0) == "2-3 min left"
    assert said(5_000.0, 8_000.0) == "2-3 h left"
    seen = Outlook(rows_per_second=1234.5, seconds_min=110.0, seconds_max=170.0)
    assert spoken(seen) == "1,234 rows/s, 2-3 min left"
