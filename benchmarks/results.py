"""What was measured, as frozen values, and the document that keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

DEFAULT_ORDER_LINES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One thing measured once. ``rows``: how many it had to do with, 0 where that says
    nothing; memory in bytes, 0 where none was looked at."""

    name: str
    seconds: float
    rows: int = 0
    rss: int = 0
    pss: int = 0


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing measured in each round. Its time is the median, its memory the peak."""

    name: str
    seconds: tuple[float, ...]
    rows: int = 0
    rss: int = 0
    pss: int = 0

    @property
    def time(self) -> float:
        """Seconds, the median of the rounds."""
        return median(self.seconds)

    @property
    def rate(self) -> float | None:
        """Rows per second, where rows were counted."""
        return self.rows / self.time if self.rows and self.time else None


Measures = Mapping[str, Measure]


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many rows of a table went the Arrow path; None when the ledger does not say."""

    table: str
    rows: int
    arrow: int | None

    @property
    def part(self) -> float | None:
        """From 0 to 1; None for a table without rows, or when nobody knows."""
        return self.arrow / self.rows if self.arrow is not None and self.rows else None


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run of the benchmark. ``contenders``: who was asked for. ``settings`` has what
    each was told, and its version; ``remarks`` what arrived of it; ``failures`` who did
    not do its work, and why; ``earlier`` the time at the default size, when this size
    is larger and that one is known."""

    order_lines: int
    rows: int
    rounds: int
    contenders: tuple[str, ...]
    measures: Measures
    shares: tuple[Share, ...] = ()
    machine: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    earlier: float | None = None


def gathered(taken: Iterable[Taken]) -> dict[str, Measure]:
    """What was taken in all rounds, by name, in the order of the first round."""
    by_name: dict[str, list[Taken]] = {}
    for each in taken:
        by_name.setdefault(each.name, []).append(each)
    return {name: _measure(name, all_of_it) for name, all_of_it in by_name.items()}


def _measure(name: str, taken: list[Taken]) -> Measure:
    return Measure(
        name=name,
        seconds=tuple(each.seconds for each in taken),
        rows=taken[0].rows,
        rss=max(each.rss for each in taken),
        pss=max(each.pss for each in taken),
    )


def document(report: Report, date: str, bars: list[dict[str, Any]]) -> dict[str, Any]:
    """All of it for programs."""
    return {
        "date": date,
        "order_lines": report.order_lines,
        "rows": report.rows,
        "rounds": report.rounds,
        "machine": dict(report.machine),
        "measures": {name: _line(measure) for name, measure in report.measures.items()},
        "bars": bars,
        "arrow": [
            {"table": share.table, "rows": share.rows, "arrow": share.arrow, "share": share.part}
            for share in report.shares
        ],
        "settings": {name: dict(words) for name, words in report.settings.items()},
        "remarks": {name: list(said) for name, said in report.remarks.items()},
        "failures": dict(report.failures),
    }


def _line(measure: Measure) -> dict[str, Any]:
    return {
        "seconds": round(measure.time, 4),
        "rounds": [round(seconds, 4) for seconds in measure.seconds],
        "rows": measure.rows,
        "rows_per_second": round(measure.rate) if measure.rate else None,
        "rss_bytes": measure.rss,
        "pss_bytes": measure.pss,
    }


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Keep a document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def time_at_default_size(folder: Path) -> float | None:
    """Mudanza's time in the latest result of the default size, if there is one."""
    for path in sorted(folder.glob(f"*-{DEFAULT_ORDER_LINES}.json"), reverse=True):
        measured = json.loads(path.read_text(encoding="utf-8"))["measures"].get("mudanza")
        if measured:
            return float(measured["seconds"])
    return None
