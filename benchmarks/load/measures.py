"""What is measured of one engine, and of both side by side."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.load.closed_model import Pressed, press
from benchmarks.load.open_model import Pace, drive
from benchmarks.load.recorder import Summary, summaries
from benchmarks.load.scenario import everyday, only
from benchmarks.load.site import Served
from benchmarks.load.users import locust

WRITERS = (1, 4, 8, 16)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One engine. ``everyday``: the open model, by action; ``generator_cpu``: in cores;
    ``users``: the same people, played by Locust; ``writers``: orders alone, by so many at once; ``reader``: one person who looks at products."""

    backend: str
    durability: str
    everyday: dict[str, Summary]
    generator_cpu: float
    users: dict[str, Summary]
    writers: tuple[Pressed, ...]
    reader: Pressed


def measure(
    shop: Served, pace: Pace, *, press_seconds: float, users: int, users_seconds: float
) -> Measured:
    """All of it, the everyday first."""
    reader = press(
        shop.address, only(shop.cast, "product"), people=1, seconds=press_seconds, warm_up=3
    )
    driven = drive(shop.address, everyday(shop.cast), pace)
    played = locust(shop.address, shop.cast, users=users, seconds=users_seconds)
    writers = [
        press(shop.address, only(shop.cast, "buy"), people=people, seconds=press_seconds)
        for people in WRITERS
    ]
    return Measured(
        backend=shop.backend,
        durability=shop.durability,
        everyday=summaries(driven.recorder),
        generator_cpu=driven.cpu,
        users=played,
        writers=tuple(writers),
        reader=reader,
    )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One thing measured on both; ``less_is_better`` for times. ``failed``: how many requests
    behind these numbers were not answered as they should be."""

    what: str
    sqlite: float
    postgresql: float
    less_is_better: bool
    failed: int = 0

    @property
    def faster(self) -> str:
        """The engine that was, or neither where they differ by less than a twentieth, or where
        something failed: a refusal is quick."""
        if self.failed:
            return f"neither: {self.failed} failed"
        low, high = sorted((self.sqlite, self.postgresql))
        if high - low <= 0.05 * high:
            return "neither"
        sqlite_is_low = self.sqlite < self.postgresql
        return "SQLite" if sqlite_is_low == self.less_is_better else "PostgreSQL"


def compared(sqlite: Measured, postgresql: Measured) -> list[Compared]:
    """What is faster where, the cases of either engine."""
    found = [
        _pair("one reader, p50 of a product page, ms", sqlite.reader, postgresql.reader, "p50")
    ]
    for a, b in zip(sqlite.writers, postgresql.writers, strict=True):
        who = f"{a.people} writer{'s' if a.people > 1 else ''}"
        found += [_pair(f"{who}, orders/s", a, b), _pair(f"{who}, p95, ms", a, b, "p95")]
    return found + [
        Compared(
            what=f"everyday, {name}, corrected p95, ms",
            sqlite=ours.corrected.p95,
            postgresql=theirs.corrected.p95,
            less_is_better=True,
            failed=ours.failed + theirs.failed,
        )
        for name, ours in sqlite.everyday.items()
        if (theirs := postgresql.everyday.get(name))
    ]


def _pair(what: str, sqlite: Pressed, postgresql: Pressed, percentile: str = "") -> Compared:
    """By a percentile of the latency, or by what got done."""
    ours, theirs = (
        getattr(one.summary.raw, percentile) if percentile else one.rate
        for one in (sqlite, postgresql)
    )
    return Compared(
        what=what,
        sqlite=ours,
        postgresql=theirs,
        less_is_better=bool(percentile),
        failed=sqlite.summary.failed + postgresql.summary.failed,
    )
