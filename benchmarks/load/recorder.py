"""Latencies, raw and corrected, in histograms that can be added up, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

ALL = "all"
LONGEST = 3_600_000_000
"""Microseconds: an hour."""

Encoded = tuple[dict[str, tuple[bytes, bytes]], dict[tuple[str, str], int]]


def _histogram() -> HdrHistogram:
    return HdrHistogram(1, LONGEST, 3)


@dataclass
class Pair:
    """One action's latencies in microseconds: from when it began, from when it was meant to."""

    raw: HdrHistogram = field(default_factory=_histogram)
    corrected: HdrHistogram = field(default_factory=_histogram)


@dataclass
class Recorder:
    """What was measured of each action, and of all. What failed took time as well: it is
    among the latencies, and counted by its reason."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)

    def record(self, action: str, *, raw: float, corrected: float, failure: str = "") -> None:
        """One request, in seconds."""
        for name in (action, ALL):
            pair = self.pairs.setdefault(name, Pair())
            pair.raw.record_value(_microseconds(raw))
            pair.corrected.record_value(_microseconds(corrected))
        if failure:
            self.failures[action, failure] += 1

    def missed(self, action: str, waited: float) -> None:
        """A request that was never sent: nobody was free to send it for so many seconds."""
        for name in (action, ALL):
            pair = self.pairs.setdefault(name, Pair())
            pair.corrected.record_value(_microseconds(waited))
        self.failures[action, "not started"] += 1

    def encoded(self) -> Encoded:
        """To be sent to another process."""
        pairs = {n: (p.raw.encode(), p.corrected.encode()) for n, p in self.pairs.items()}
        return pairs, dict(self.failures)


def merged(parts: Iterable[Encoded]) -> Recorder:
    """All of it in one. Percentiles are never averaged: histograms are added."""
    whole = Recorder()
    for pairs, failures in parts:
        whole.failures.update(failures)
        for name, (raw, corrected) in pairs.items():
            pair = whole.pairs.setdefault(name, Pair())
            pair.raw.decode_and_add(raw)
            pair.corrected.decode_and_add(corrected)
    return whole


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Milliseconds."""

    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One action. ``requests``: with those that were never sent; ``failures`` by reason."""

    requests: int
    failures: dict[str, int]
    raw: Latency
    corrected: Latency

    @property
    def failed(self) -> int:
        """How many."""
        return sum(self.failures.values())


def summaries(recorder: Recorder) -> dict[str, Summary]:
    """Of each action, and of all."""
    return {name: _summary(recorder, name) for name in sorted(recorder.pairs)}


def _summary(recorder: Recorder, name: str) -> Summary:
    pair = recorder.pairs[name]
    failures: Counter[str] = Counter()
    for (action, reason), count in recorder.failures.items():
        if name in (action, ALL):
            failures[reason] += count
    return Summary(
        requests=pair.raw.get_total_count() + failures["not started"],
        failures=dict(+failures),
        raw=_latency(pair.raw),
        corrected=_latency(pair.corrected),
    )


def _latency(histogram: HdrHistogram) -> Latency:
    p50, p95, p99 = (histogram.get_value_at_percentile(p) / 1000 for p in (50, 95, 99))
    return Latency(p50=p50, p95=p95, p99=p99, longest=histogram.get_max_value() / 1000)


def _microseconds(seconds: float) -> int:
    return min(max(1, round(seconds * 1_000_000)), LONGEST)
