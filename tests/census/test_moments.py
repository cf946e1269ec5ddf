"""Arrow reads moments for us: it takes none that our grammar refuses, spelling by spelling."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pytest

from core.census import moments
from core.census.texts import Texts
from core.values import temporal

EDGES = ["0000", "0001", "1582", "1677", "1900", "2000", "2023", "2024", "2263", "9999"]
HUNDRED = [f"{n:02}" for n in range(100)]


def check(texts: Iterable[str]) -> None:
    """All texts have one spelling. Those that are moments are counted together, so that
    Arrow decides; each of the others alone, so that no other one makes it refuse."""
    good, bad = [], []
    for text in texts:
        (good if temporal.parse(text) else bad).append(text)
    assert sum(shapes(good).values()) == len(good)
    assert [text for text in bad if shapes([text])] == []


def shapes(texts: list[str]) -> Counter[str]:
    read = Texts.of(pa.array(texts, pa.string()))
    assert read is not None
    return moments.spelled(read).shapes()


def days(years: list[str], months: list[str], numbers: list[str]) -> Iterable[str]:
    return map("-".join, itertools.product(years, months, numbers))


def test_days_that_exist_and_days_that_do_not() -> None:
    check(days(EDGES, ["00", "01", "02", "12", "13", "99"], ["00", "28", "29", "30", "31", "32"]))


def test_days_with_a_time() -> None:
    some = days(EDGES, ["02", "12"], ["28", "29", "31"])
    check(f"{day} {clock}" for day in some for clock in ("00:00", "23:59", "24:00", "12:60"))


@pytest.mark.parametrize("form", ["{}:{}", "12:{}:{}", "2024-02-29T12:{}:{}", "{}:{}:00.000001"])
def test_hours_minutes_and_seconds(form: str) -> None:
    edges = ["00", "23", "24", "25", "59", "60", "61", "99"]
    check(form.format(*pair) for pair in itertools.product(edges, edges))


@pytest.mark.parametrize(
    "form", ["{}{}:{}", "{}{}{}", " {}{}{}", "{}{}", " {}{}:{}", ".0000000{}{}"]
)
def test_offsets(form: str) -> None:
    minutes = ["00", "30", "59", "60", "99"]
    ends = (form.format(*part) for part in itertools.product("+-", HUNDRED, minutes))
    texts = {f"{day} 00:00:00{end}" for end in ends for day in ("0001-01-01", "9999-12-31")}
    check(sorted(texts))


@pytest.mark.parametrize("digits", range(1, 13))
def test_fractions(digits: int) -> None:
    fractions = {"".join(p)[:digits] for p in itertools.product(("000001", "999999", "123456"), ("000000", "000001", "100000"))}  # fmt: skip
    for before in ("23:59:59", "24:00:00", "2024-01-02 03:04:05", "2024-01-02T24:00:00"):
        for behind in ("", "Z"):
            check(f"{before}.{fraction}{behind}" for fraction in sorted(fractions))


def test_one_bad_day_or_hour_spoils_no_other() -> None:
    good = ["2024-01-02 03:04:05"] * 5
    for bad in ("2024-02-30 00:00:00", "0000-00-00 00:00:00", "2024-01-02 24:00:00"):
        assert shapes([*good, bad, *good]) == {"naive": 10}
    assert shapes(["12:00", "24:00", "12:60", "23:59"]) == {"time": 3}


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("century", range(100))
def test_every_day_of_all_years(century: int) -> None:
    years = [f"{century:02}{year}" for year in HUNDRED[:: 1 if century % 4 == 0 else 9]]
    check(days(years, HUNDRED[:20], HUNDRED[:40]))


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("hour", HUNDRED)
def test_every_second_of_all_hours(hour: str) -> None:
    check(f"{hour}:{minute}:{second}" for minute in HUNDRED for second in HUNDRED)
    check(f"1999-12-31 {hour}:{minute}" for minute in HUNDRED)
