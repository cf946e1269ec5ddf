"""What was measured, as text for people and as a document for later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.load.measures import Compared, Measured, compared
from benchmarks.load.open_model import Pace
from benchmarks.load.recorder import ALL, Latency, Summary

BAR_P95 = 300
"""Milliseconds, corrected, of all requests of an everyday on PostgreSQL."""


def text(measured: Sequence[Measured], pace: Pace, machine: Mapping[str, str]) -> str:
    """Everything, in the words of the terminal."""
    lines = [f"{name}: {value}" for name, value in machine.items()]
    for one in measured:
        lines += ["", f"{one.backend}: {one.durability}", *_everyday(one, pace), *_pressed(one)]
    if len(measured) == 2:
        lines += ["", *_side_by_side(compared(*measured))]
    return "\n".join([*lines, "", *_verdict(measured)])


def _everyday(one: Measured, pace: Pace) -> Iterator[str]:
    yield (
        f"  open model, {pace.rate:g} requests/s for {pace.seconds:g} s after {pace.warm_up:g} s"
        f" of warm-up; the generator took {one.generator_cpu:.2f} cores"
    )
    yield from _by_action(one.everyday)
    yield "  Locust, a closed model: the same people, who wait for each answer"
    yield from _by_action(one.users)


def _by_action(summaries: Mapping[str, Summary]) -> Iterator[str]:
    percentiles = f"{'p95':>8} {'p99':>8}"
    yield (
        f"    {'':12} {'requests':>8} {'failed':>6}  {'raw p50':>8} {percentiles}"
        f"  {'corrected p50':>14} {percentiles}"
    )
    for name, summary in summaries.items():
        yield (
            f"    {name:12} {summary.requests:8} {summary.failed:6}  {_ms(summary.raw, 8)}"
            f"  {_ms(summary.corrected, 14)}"
        )
        if summary.failures and name != ALL:
            yield f"      failures: {summary.failures}"


def _ms(latency: Latency, width: int) -> str:
    return f"{latency.p50:{width}.1f} {latency.p95:8.1f} {latency.p99:8.1f}"


def _pressed(one: Measured) -> Iterator[str]:
    reader = one.reader
    yield f"  one reader alone: {reader.rate:.0f} pages/s, p50 {reader.summary.raw.p50:.1f} ms"
    yield f"    {'writers':>8} {'orders/s':>9} {'p50':>8} {'p95':>8} {'p99':>8} {'failed':>6}"
    for pressed in one.writers:
        latency = _ms(pressed.summary.raw, 8)
        yield f"    {pressed.people:8} {pressed.rate:9.1f} {latency} {pressed.summary.failed:6}"
        if pressed.summary.failures:
            yield f"      failures: {pressed.summary.failures}"


def _side_by_side(pairs: Iterable[Compared]) -> Iterator[str]:
    yield f"{'':44} {'SQLite':>9} {'PostgreSQL':>10}  faster"
    for pair in pairs:
        yield f"{pair.what:44} {pair.sqlite:9.1f} {pair.postgresql:10.1f}  {pair.faster}"


def _verdict(measured: Sequence[Measured]) -> Iterator[str]:
    for one in measured:
        whole = one.everyday[ALL]
        held = whole.corrected.p95 < BAR_P95 and not whole.failed
        yield (
            f"{one.backend}: corrected p95 {whole.corrected.p95:.1f} ms (bar < {BAR_P95}),"
            f" {whole.failed} failures: {'reached' if held else 'missed'}"
        )


def table(sqlite: Measured, postgresql: Measured) -> str:
    """For docs/performance.md."""
    lines = ["| | SQLite | PostgreSQL | faster |", "|---|---:|---:|---|"]
    lines += [
        f"| {pair.what} | {pair.sqlite:.1f} | {pair.postgresql:.1f} | {pair.faster} |"
        for pair in compared(sqlite, postgresql)
    ]
    for kind in ("raw", "corrected"):
        cells = [_cell(getattr(one.everyday[ALL], kind)) for one in (sqlite, postgresql)]
        lines.append(f"| everyday, all, {kind} p50 / p95 / p99, ms | {cells[0]} | {cells[1]} | |")
    failed = [one.everyday[ALL].failed for one in (sqlite, postgresql)]
    lines.append(f"| everyday, failures | {failed[0]} | {failed[1]} | |")
    return "\n".join(lines) + "\n"


def _cell(latency: Latency) -> str:
    return f"{latency.p50:.1f} / {latency.p95:.1f} / {latency.p99:.1f}"


def document(
    measured: Sequence[Measured], pace: Pace, machine: Mapping[str, str]
) -> dict[str, object]:
    """The same, for programs."""
    return {
        "machine": dict(machine),
        "pace": asdict(pace),
        "measured": [asdict(one) for one in measured],
        "compared": [asdict(c) | {"faster": c.faster} for c in compared(*measured)]
        if len(measured) == 2
        else [],
    }


def write(folder: Path, stamp: str, made: dict[str, object], tables: str) -> tuple[Path, Path]:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    data, page = folder / f"load-{stamp}.json", folder / f"load-{stamp}.md"
    data.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    page.write_text(tables, encoding="utf-8")
    return data, page
