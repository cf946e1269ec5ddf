"""The board as a page, and its defects as a document for whoever mends them."""

from __future__ import annotations

import json
import platform
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import apsw

from benchmarks.scoreboard import unseen
from benchmarks.scoreboard.board import Board, Entry, Played
from benchmarks.scoreboard.comparer import Fate, meaning, objects
from benchmarks.scoreboard.comparer.verdict import Rows, Verdict
from benchmarks.scoreboard.roster import SECTIONS

_HEAD = """\
# The scoreboard

Every database below went through each tool, into an empty database of its own, and was then judged *by
content and by objects* by a comparer that imports nothing of either tool. This page is made by
`make scoreboard` and is not edited.
"""

_LEGEND = """\
**Rows** of the source count once each: *carried* (every value means the same), *damaged* (a value does not),
*lost* (not there and not said), *aside* (not there, but in the tool's own list: Mudanza's quarantine,
pgloader's reject files; or in a table that it lists as left behind). Rows that the source never had count as
damaged. **Objects** are tables, NOT NULLs, keys, uniques, indexes, foreign keys, checks, defaults, collations,
generated columns, sequences, views, triggers and virtual tables: *carried* (or rewritten, and does the same),
*listed* (not there, and the tool says so), *wrong* (missing without a word, or there and doing something
else). **Exit**: the code, and whether it is honest: 0 only if everything arrived, another one only if not.
"""


def page(board: Board) -> str:
    """All of it, as Markdown."""
    return "\n".join(_parts(board)).rstrip() + "\n"


def _parts(board: Board) -> Iterator[str]:
    yield _HEAD
    yield from _made(board)
    yield "## All of them\n"
    yield from _totals(board)
    yield _LEGEND
    for section, title in SECTIONS.items():
        entries = [e for e in board.entries if e.database.section == section]
        if entries:
            yield from _section(board, title, section, entries)
    yield from _equality()


def _made(board: Board) -> Iterator[str]:
    yield f"Made on {datetime.now(UTC):%Y-%m-%d} in {board.seconds / 60:.0f} minutes, in one run:\n"
    for tool in board.tools:
        yield f"- {tool.name}, {tool.version}: `{tool.command}`"
    yield f"- PostgreSQL {board.postgres}; the comparer reads with SQLite {apsw.sqlite_lib_version()}"
    yield f"- Python {platform.python_version()}\n"


# --- tables -------------------------------------------------------------------------------


def _section(board: Board, title: str, section: str, entries: list[Entry]) -> Iterator[str]:
    yield f"## {title}\n"
    if section == "unseen":
        yield (
            f"Schemas and rows drawn by lot under the seed {unseen.SEED}, which was set down before any of them"
            "\nhad been migrated. They are reported as they are.\n"
        )
    yield from _heading(board)
    for entry in entries:
        cells = [cell for tool in board.tools for cell in _cells(entry.played[tool.name])]
        yield f"| {_escaped(entry.database.name)} | {_size(entry)} | {' | '.join(cells)} |"
    yield ""
    yield from _notes(board, entries)


def _heading(board: Board) -> Iterator[str]:
    names = "".join(
        f" {t.name} rows: carried / damaged / lost / aside | objects: carried / listed / wrong | exit |"
        for t in board.tools
    )
    yield f"| database | rows |{names}"
    yield "|---|---:|" + "---|---|---|" * len(board.tools)


def _size(entry: Entry) -> str:
    counted = [p.verdict.rows.source for p in entry.played.values() if p.verdict]
    return f"{counted[0]:,}" if counted else "?"


def _cells(played: Played) -> tuple[str, str, str]:
    if played.verdict is None:
        return "not judged", "", ""
    verdict = played.verdict
    honest = "honest" if verdict.is_honest else "**not honest**"
    code = "killed" if verdict.exit_code < 0 else str(verdict.exit_code)
    return _rows(verdict.rows), _objects(verdict), f"{code}, {honest}"


def _rows(rows: Rows) -> str:
    damaged, aside = rows.damaged + rows.appeared, rows.rejected + rows.listed
    return f"{rows.carried:,} / {_bad(damaged)} / {_bad(rows.lost)} / {aside:,}"


def _objects(verdict: Verdict) -> str:
    met = verdict.objects
    carried = met[Fate.CARRIED] + met[Fate.REWRITTEN]
    return f"{carried:,} / {met[Fate.LISTED]:,} / {_bad(met[Fate.MISSING] + met[Fate.DAMAGED])}"


def _bad(count: int) -> str:
    return f"**{count:,}**" if count else "0"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _notes(board: Board, entries: Iterable[Entry]) -> Iterator[str]:
    """What a tool said of the whole, where it did not simply finish."""
    said = [
        f"- {_escaped(entry.database.name)}, {tool.name}: {_escaped(entry.played[tool.name].note)}"
        for tool in board.tools
        for entry in entries
        if entry.played[tool.name].note
    ]
    if said:
        yield from said
        yield ""


def _totals(board: Board) -> Iterator[str]:
    yield "| | " + " | ".join(t.name for t in board.tools) + " |"
    yield "|---|" + "---:|" * len(board.tools)
    for label, count in _COUNTS:
        cells = [f"{sum(map(count, _verdicts(board, t.name))):,}" for t in board.tools]
        yield f"| {label} | {' | '.join(cells)} |"
    yield ""


_COUNTS = (
    ("databases", lambda _: 1),
    ("rows of the source", lambda v: v.rows.source),
    ("rows carried", lambda v: v.rows.carried),
    ("rows damaged", lambda v: v.rows.damaged + v.rows.appeared),
    ("rows lost", lambda v: v.rows.lost),
    ("rows set aside and listed", lambda v: v.rows.rejected + v.rows.listed),
    ("objects", lambda v: len(v.items)),
    ("objects carried or rewritten", lambda v: v.objects[Fate.CARRIED] + v.objects[Fate.REWRITTEN]),
    ("objects listed as not carried", lambda v: v.objects[Fate.LISTED]),
    ("objects there, but doing something else", lambda v: v.objects[Fate.DAMAGED]),
    ("objects missing without a word", lambda v: v.objects[Fate.MISSING]),
    ("exit codes that are not honest", lambda v: not v.is_honest),
    ("databases with nothing damaged, lost or silent", lambda v: v.is_honest and not v.is_silent),
)


def _verdicts(board: Board, tool: str) -> Iterator[Verdict]:
    for entry in board.entries:
        verdict = entry.played[tool].verdict
        if verdict is not None:
            yield verdict


def _equality() -> Iterator[str]:
    """The judge's own words, its tables as Markdown."""
    for title, module in (("What equal means", meaning), ("What an object must do", objects)):
        yield f"## {title}\n"
        lines = textwrap.dedent(module.__doc__ or "").strip().splitlines()[1:]
        rules = [n for n, line in enumerate(lines) if line.startswith("==")]
        yield from _paragraph(lines[: rules[0]])
        yield from _table(lines[rules[0] : rules[-1] + 1])
        yield from _paragraph(lines[rules[-1] + 1 :])


def _paragraph(lines: list[str]) -> Iterator[str]:
    text = "\n".join(lines).strip()
    if text:
        yield text + "\n"


def _table(lines: list[str]) -> Iterator[str]:
    """A table of two columns, drawn with rules of ``=``, a cell over several lines."""
    width = lines[0].index(" ")
    rows = list[list[str]]()
    for line in lines:
        if line.startswith("=="):
            continue
        name, text = line[:width].strip(), line[width:].strip()
        if name:
            rows.append([name, text])
        elif rows:
            rows[-1][1] += f" {text}"
    head, *body = (
        rows if lines[2].startswith("==") else [["object", "counts as carried when"], *rows]
    )
    yield f"| {' | '.join(head)} |\n|---|---|"
    yield from (f"| {' | '.join(row)} |" for row in body)
    yield ""


# --- for whoever mends them -------------------------------------------------------------------


def defects(board: Board) -> str:
    """Every defect of every database as JSON; names of objects, never values."""
    found = [
        {
            "section": entry.database.section,
            "database": entry.database.name,
            "tool": name,
            "exit": played.verdict.exit_code if played.verdict else None,
            "honest": played.verdict.is_honest if played.verdict else None,
            "note": played.note,
            "failed": played.failed,
            "defects": [vars(d) for d in played.verdict.defects] if played.verdict else [],
            "listed": [
                f"{i.kind} {i.name}: {i.why}" for i in played.verdict.items if i.fate is Fate.LISTED
            ]
            if played.verdict
            else [],
        }
        for entry in board.entries
        for name, played in entry.played.items()
    ]
    return json.dumps(found, indent=1, ensure_ascii=False)
