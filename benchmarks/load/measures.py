"""What is measured of one engine, and of both side by side."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.load.closed_model import Pressed, press
from benchmarks.load.open_model import Pace, drive
from benchmarks.load.recorder import Summary, summaries
from benchmarks.load.scenario import everyday, only
from benchmarks.load.site import Served

WRITERS = (1, 4, 8, 16)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One engine. ``everyday``: the open model, by action; ``generator_cpu``: in cores;
    ``writers``: orders alone, by so many at once; ``reader``: one person who looks at products."""

    backend: str
    durability: str
    everyday: dict[str, Summary]
    generator_cpu: float
    writers: tuple[Pressed, ...]
    reader: Pressed


def measure(shop: Served, pace: Pace, *, press_seconds: float) -> Measured:
    """All of it, the everyday first."""
    reader = press(
        shop.address, only(shop.cast, "product"), people=1, seconds=press_seconds, warm_up=3
    )
    driven = drive(shop.address, everyday(shop.cast), pace)
    writers = [
        press(shop.address, only(shop.cast, "buy"), people=people, seconds=press_seconds)
        for people in WRITERS
    ]
    return Measured(
        backend=shop.backend,
        durability=shop.durability,
        everyday=summaries(driven.recorder),
        generator_cpu=driven.cpu,
        writers=tuple(writers),
        reader=reader,
    )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One thing measured on both, SQLite's first; ``less_is_better`` for times."""

    what: str
    sqlite: float
    postgresql: float
    less_is_better: bool

    @property
    def faster(self) -> str:
        """The engine that was, or neither where they differ by less than a twentieth."""
        low, high = sorted((self.sqlite, self.postgresql))
        if high - low < 0.05 * high:
            return "neither"
        sqlite_is_low = self.sqlite < self.postgresql
        return "SQLite" if sqlite_is_low == self.less_is_better else "PostgreSQL"


def compared(sqlite: Measured, postgresql: Measured) -> list[Compared]:
    """What is faster where, the cases of either engine."""
    pairs = [("one reader, p50 of a product page, ms", sqlite.reader, postgresql.reader)]
    found = [
        Compared(
            what=what, sqlite=a.summary.raw.p50, postgresql=b.summary.raw.p50, less_is_better=True
        )
        for what, a, b in pairs
    ]
    for a, b in zip(sqlite.writers, postgresql.writers, strict=True):
        who = f"{a.people} writer{'s' if a.people > 1 else ''}"
        found += [
            Compared(
                what=f"{who}, orders/s", sqlite=a.rate, postgresql=b.rate, less_is_better=False
            ),
            Compared(
                what=f"{who}, p95, ms",
                sqlite=a.summary.raw.p95,
                postgresql=b.summary.raw.p95,
                less_is_better=True,
            ),
        ]
    return found + [
        Compared(
            what=f"everyday, {name}, corrected p95, ms",
            sqlite=sqlite.everyday[name].corrected.p95,
            postgresql=postgresql.everyday[name].corrected.p95,
            less_is_better=True,
        )
        for name in sqlite.everyday
    ]
