"""What is reached, what is missed, and what fails."""

from __future__ import annotations

import pytest

from benchmarks.bars import Judged, below_share, judged
from benchmarks.results import Report, Taken, gathered
from tests.bench.results_made_up import MIB, report, share


def bar(line: str, of: Report) -> Judged:
    return next(j for j in judged(of) if j.line == line)


def test_good_times_reach_every_bar() -> None:
    assert {j.line: j.verdict for j in judged(report())} == dict.fromkeys(
        [
            "mudanza.memory",
            "mudanza.census",
            "verify.rows",
            "pgloader",
            "pgloader.data",
            "duckdb.data",
            "ceiling.copy",
            "ceiling",
        ],
        "reached",
    )


@pytest.mark.parametrize(
    ("line", "slow"),
    [
        ("mudanza.census", {"mudanza.census": 1.01}),
        ("verify.rows", {"verify.rows": 1.51}),
        ("pgloader", {"pgloader": 6.9}),
        ("pgloader.data", {"pgloader.data": 4.9}),
        ("duckdb.data", {"duckdb.data": 1.09}),
        ("ceiling.copy", {"ceiling.copy": 0.79}),
        ("ceiling", {"ceiling": 3.5}),
    ],
)
def test_a_bar_that_is_missed_says_so(line: str, slow: dict[str, float]) -> None:
    found = {j.line: j.verdict for j in judged(report(slow))}
    assert found.pop(line) == "missed"
    assert set(found.values()) == {"reached"}


def test_memory_above_the_bar_is_missed() -> None:
    assert bar("mudanza.memory", report(rss=513 * MIB)).verdict == "missed"


def test_ratios_say_how_many_times_faster() -> None:
    found = report({"mudanza.copy": 2.0, "pgloader.data": 9.0, "ceiling.copy": 1.0, "ceiling": 4.0})
    assert bar("pgloader.data", found).value == 4.5
    assert bar("ceiling.copy", found).value == 0.5
    assert bar("ceiling", found).value == 1.25
    assert bar("pgloader", found).value == 2.0
    assert bar("mudanza.census", found).value == 2_000_000


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    found = bar("pgloader.data", report({"pgloader.data": 0, "pgloader": 0}))
    assert (found.value, found.verdict) == (None, "not measured")


def test_who_was_not_asked_for_has_no_bar() -> None:
    lines = {j.line for j in judged(report(contenders=("mudanza", "ceiling")))}
    assert not {line for line in lines if line.startswith(("pgloader", "duckdb"))}


@pytest.mark.parametrize(("seconds", "verdict"), [(52.0, "reached"), (53.0, "missed")])
def test_ten_times_the_rows_take_ten_and_a_half_times_at_most(seconds: float, verdict: str) -> None:
    found = bar("mudanza.scale", report({"mudanza": seconds}, order_lines=10_000_000, earlier=5.0))
    assert (found.bar, found.verdict) == (10.5, verdict)


def test_growth_is_not_judged_without_an_earlier_result() -> None:
    assert bar("mudanza.scale", report(order_lines=10_000_000)).verdict == "not measured"


def test_a_table_below_95_percent_falls_short() -> None:
    shares = (
        share("good", 100, 95),
        share("short", 1000, 949),
        share("empty", 0, 0),
        share("unknown", 10, None),
    )
    assert [s.table for s in below_share(shares)] == ["short"]


def test_the_time_is_the_median_and_the_memory_the_peak() -> None:
    rounds = [Taken(name="a", seconds=s, rows=60, rss=m) for s, m in ((3, 5), (1, 9), (2, 7))]
    measure = gathered(rounds)["a"]
    assert (measure.time, measure.rate, measure.rss) == (2, 30, 9)
