"""What Mudanza must reach, each bar beside what it is measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.results import DEFAULT_ORDER_LINES, Measures, Report, Share

ARROW_SHARE = 0.95
_MIB = 1 << 20
_LONGER_PER_ROW = 1.05
"""Ten times the rows may take ten and a half times as long."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A bar and what was found. ``line`` is the measure beside which it stands, ``what``
    says what ``value`` is; None when it was not measured."""

    line: str
    what: str
    value: float | None
    bar: float
    at_least: bool
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.value is None:
            return "not measured"
        reached = self.value >= self.bar if self.at_least else self.value <= self.bar
        return "reached" if reached else "missed"

    def document(self) -> dict[str, Any]:
        """For programs."""
        sign = ">=" if self.at_least else "<="
        shown = {"line": self.line, "what": self.what, "value": self.value, "unit": self.unit}
        return shown | {"bar": f"{sign} {self.bar:g}", "verdict": self.verdict}


Found = Callable[[Measures], float | None]


def judged(report: Report) -> list[Judged]:
    """Every bar that this run can speak of."""
    found = [
        Judged(line=line, what=what, value=value(report.measures), bar=bar, at_least=least, unit=u)
        for line, what, value, bar, least, u in _BARS
        if contender(line) in report.contenders
    ]
    return found + _scaled(report)


def contender(line: str) -> str:
    """Whose line of the table it is."""
    name = line.partition(".")[0]
    return "mudanza" if name == "verify" else name


def below_share(shares: tuple[Share, ...]) -> list[Share]:
    """The tables of which too few rows went the Arrow path."""
    return [share for share in shares if share.part is not None and share.part < ARROW_SHARE]


def _rates(name: str, other: str) -> Found:
    """How many times as many rows a second ``name`` carries."""

    def ratio(measures: Measures) -> float | None:
        ours, theirs = (measures[n].rate if n in measures else None for n in (name, other))
        return ours / theirs if ours and theirs else None

    return ratio


def _times(name: str, other: str) -> Found:
    """How many times as long ``name`` takes."""

    def ratio(measures: Measures) -> float | None:
        if name not in measures or other not in measures or not measures[other].time:
            return None
        return measures[name].time / measures[other].time

    return ratio


def _census(measures: Measures) -> float | None:
    return measures["mudanza.census"].rate if "mudanza.census" in measures else None


def _memory(measures: Measures) -> float | None:
    return measures["mudanza"].rss / _MIB if "mudanza" in measures else None


# The line, what its value is, how it is found, the bar, whether it is a floor, the unit.
_BARS: tuple[tuple[str, str, Found, float, bool, str], ...] = (
    ("mudanza.memory", "sum of RSS, MiB", _memory, 512, False, "MiB"),
    ("mudanza.census", "rows/s", _census, 1_000_000, True, "rows/s"),
    (
        "verify.rows",
        "its time / time of the copy phase",
        _times("verify.rows", "mudanza.copy"),
        1.5,
        False,
        "x",
    ),
    (
        "pgloader",
        "its time / Mudanza's to its last constraint",
        _times("pgloader", "mudanza.built"),
        1.4,
        True,
        "x",
    ),
    (
        "pgloader.data",
        "copy phase's rows/s / its rows/s",
        _rates("mudanza.copy", "pgloader.data"),
        5,
        True,
        "x",
    ),
    (
        "duckdb.data",
        "copy phase's rows/s / its rows/s",
        _rates("mudanza.copy", "duckdb.data"),
        1.1,
        True,
        "x",
    ),
    (
        "ceiling.copy",
        "copy phase's rows/s / its rows/s",
        _rates("mudanza.copy", "ceiling.copy"),
        0.8,
        True,
        "x",
    ),
    (
        "ceiling",
        "Mudanza's to its last constraint / its time",
        _times("mudanza.built", "ceiling"),
        1.4,
        False,
        "x",
    ),
)


def _scaled(report: Report) -> list[Judged]:
    """How the time grows with the rows."""
    if report.order_lines <= DEFAULT_ORDER_LINES:
        return []
    times = report.order_lines / DEFAULT_ORDER_LINES
    ours, earlier = report.measures.get("mudanza"), report.earlier
    return [
        Judged(
            line="mudanza.scale",
            what=f"its time / time at {DEFAULT_ORDER_LINES:,} order lines",
            value=ours.time / earlier if ours and earlier else None,
            bar=round(times * _LONGER_PER_ROW, 2),
            at_least=False,
        )
    ]
