"""The result for people: one table, and beneath it what it rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.bars import Judged, below_share, contender, judged
from benchmarks.ceiling import SLICE_ROWS
from benchmarks.results import Measure, Report, Share

_MIB = 1 << 20
_WIDTH = 110

LINES = (
    ("mudanza", "mudanza migrate, start to exit"),
    ("mudanza.built", "  start to last constraint"),
    ("mudanza.snapshot", "  snapshot"),
    ("mudanza.check", "  check of the snapshot"),
    ("mudanza.census", "  census"),
    ("mudanza.copy", "  copy phase"),
    ("mudanza.constraints", "  constraints phase"),
    ("mudanza.memory", "  memory of all its processes"),
    ("mudanza.scale", "  growth with the rows"),
    ("verify.rows", "mudanza verify --level rows, its own seconds"),
    ("verify.rows.process", "  start to exit"),
    ("verify.full", "mudanza verify --level full, its own seconds"),
    ("verify.full.process", "  start to exit"),
    ("pgloader", "pgloader, start to exit"),
    ("pgloader.data", "  data phase"),
    ("duckdb", "DuckDB, start to exit"),
    ("duckdb.data", "  INSERT … SELECT"),
    ("pandas", f"pandas.to_sql, {SLICE_ROWS:,} rows at most, start to exit"),
    ("pandas.data", "  reading and to_sql"),
    ("write_row", "psycopg write_row, start to exit"),
    ("write_row.data", "  COPY"),
    ("ceiling", "ceiling B: A and what is built, start to exit"),
    ("ceiling.copy", "  ceiling A: COPY of encoded rows"),
    ("ceiling.builds", "  what is built, by psql"),
)

_HEADINGS = ("", "seconds", "rows/s", "RSS", "PSS", "value", "bar", "", "where value is")
_LEFT = {0, 7, 8}
# Bars that judge what stands in another line.
_OF_ANOTHER_LINE = ("mudanza.memory", "mudanza.scale")
_ONLY_WHEN_MEASURED = ("verify.full", "verify.full.process")


def text(report: Report) -> str:
    """All of it."""
    return "\n".join(_pages(report)) + "\n"


def _pages(report: Report) -> Iterator[str]:
    size = f"{report.order_lines:,} order lines, {report.rows:,} rows in all"
    yield f"{size}; medians of {report.rounds} alternating rounds; memory in MiB, the peak"
    yield ""
    yield from aligned([_HEADINGS, *_lines(report)])
    yield ""
    yield from _arrow(report.shares)
    for title, said in (("failed", report.failures), ("arrived", report.remarks)):
        yield from _section(title, {name: _joined(words) for name, words in said.items()})
    for name, words in report.settings.items():
        yield from _section(name, words)
    yield from _section("machine", report.machine)


# --- the table ------------------------------------------------------------------------


def _lines(report: Report) -> Iterator[tuple[str, ...]]:
    bars = {bar.line: bar for bar in judged(report)}
    for name, label in LINES:
        measure, bar = report.measures.get(name), bars.get(name)
        if _is_shown(report, name, measure, bar):
            times = ("", "", "", "") if name in _OF_ANOTHER_LINE else _measured(measure)
            yield (label, *times, *_barred(bar))


def _is_shown(report: Report, name: str, measure: Measure | None, bar: Judged | None) -> bool:
    """Whether it is a line of somebody who was asked for."""
    if name in _OF_ANOTHER_LINE:
        return bar is not None
    if name in _ONLY_WHEN_MEASURED:
        return measure is not None
    return contender(name) in report.contenders


def _measured(measure: Measure | None) -> tuple[str, ...]:
    if measure is None:
        return ("-", "", "", "")
    rate = f"{measure.rate:,.0f}" if measure.rate else ""
    return f"{measure.time:,.2f}", rate, _mib(measure.rss), _mib(measure.pss)


def _mib(size: int) -> str:
    return f"{size / _MIB:,.0f}" if size else ""


def _barred(bar: Judged | None) -> tuple[str, ...]:
    if bar is None:
        return ("", "", "", "")
    value = "-" if bar.value is None else _valued(bar.value, bar.unit)
    sign = ">=" if bar.at_least else "<="
    return value, f"{sign} {_valued(bar.bar, bar.unit)}", bar.verdict, bar.what


def _valued(value: float, unit: str) -> str:
    return f"{value:.2f}x" if unit == "x" else f"{value:,.0f}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, each column as wide as its widest cell; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.ljust(width) if place in _LEFT else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


# --- beneath it -----------------------------------------------------------------------


def _arrow(shares: Iterable[Share]) -> Iterator[str]:
    """The share of rows that went the Arrow path, and which tables fall short."""
    shares = tuple(shares)
    if not shares:
        return
    said = ", ".join(f"{share.table} {_part(share)}" for share in shares)
    yield from _wrapped("rows on the Arrow path", said)
    for share in below_share(shares):
        yield f"FAILED: {share.table} has less than 95 % of its rows on the Arrow path"
    yield ""


def _part(share: Share) -> str:
    return "-" if share.part is None else f"{share.part:.1%}"


def _section(title: str, words: Mapping[str, str]) -> Iterator[str]:
    if not words:
        return
    yield title
    for name, said in words.items():
        yield from _wrapped(f"  {name}", said)
    yield ""


def _joined(said: str | tuple[str, ...]) -> str:
    return said if isinstance(said, str) else "; ".join(said)


def _wrapped(name: str, said: str) -> Iterator[str]:
    """``name: said``; what has several lines already keeps them."""
    if "\n" in said:
        yield f"{name}:"
        yield textwrap.indent(said.rstrip(), " " * 6)
        return
    whole = f"{name}: {said}"
    yield from textwrap.wrap(whole, _WIDTH, subsequent_indent=" " * 6, break_on_hyphens=False)
