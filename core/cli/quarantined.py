"""Quarantined rows and what was done about them, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.cli.speaking import out, tell
from core.cli.tables import cell, fate_document, moment, page, reason_of, table
from core.plan import Plan
from core.plan.amend import remedies
from core.transfer.model import BadCell, Edit, QuarantineEntry
from core.transfer.replay import ReplayReport
from core.values.storage import raw_bytes, shown_key, storage_class, unpack


def quarantine_document(
    entries: Sequence[QuarantineEntry], *, reveal: bool
) -> list[dict[str, Any]]:
    """Quarantined rows for programs."""
    return [
        {
            "table": e.table,
            "key": e.key,
            "id": e.source_key.hex(),
            "reason": e.reason,
            "says": tell(f"reject.{e.reason}"),
            "detail": e.detail,
            "cells": [_cell_document(c, reveal) for c in e.cells],
        }
        for e in entries
    ]


def _cell_document(cell: BadCell, reveal: bool) -> dict[str, Any]:
    return {
        "column": cell.column,
        "storage_class": cell.storage_class,
        "rule": cell.rule,
        "reason": cell.reason,
        "bytes": len(cell.raw),
        "raw": cell.raw.hex() if reveal else None,
    }


AlteredCells = Sequence[tuple[str, bytes, BadCell]]
"""Table, packed key, and the value as it is in the source."""


def altered_document(cells: AlteredCells, *, reveal: bool) -> list[dict[str, Any]]:
    """Values that arrived as others, for programs."""
    return [
        {"table": name, "key": shown_key(unpack(key)), "id": key.hex()}
        | _cell_document(found, reveal)
        for name, key, found in cells
    ]


def print_altered(cells: AlteredCells, *, reveal: bool) -> None:
    """Values that arrived as others, for people."""
    if not cells:
        out.print(tell("result.no_altered"))
        return
    columns = (
        ("column.table", "left"),
        ("column.key", "left"),
        ("column.column", "left"),
        ("column.value", "left"),
        ("column.rule", "left"),
        ("column.reason", "left"),
    )
    rows = (
        (
            name,
            shown_key(unpack(key)),
            found.column,
            _shown(found.raw, reveal),
            found.rule,
            tell(f"reject.{found.reason}"),
        )
        for name, key, found in cells
    )
    out.print(table("title.altered", columns, rows))


def print_quarantine(entries: Sequence[QuarantineEntry], total: int, *, reveal: bool) -> None:
    """Quarantined rows for people, a line per value to blame; ``total`` is how many there are."""
    if not entries:
        out.print(tell("result.no_quarantine"))
        return
    columns = (
        ("column.table", "left"),
        ("column.key", "left"),
        ("column.column", "left"),
        ("column.kind", "left"),
        ("column.value", "left"),
        ("column.reason", "left"),
    )
    out.print(table("title.quarantine", columns, _quarantine_rows(entries, reveal)))
    if total > len(entries):
        out.print(tell("result.more_rows", listed=len(entries), rows=total))


def _quarantine_rows(
    entries: Sequence[QuarantineEntry], reveal: bool
) -> Iterable[tuple[str, str, str, str, str, str]]:
    for e in entries:
        if not e.cells:
            yield (e.table, e.key, "", "", "", _row_reason(e))
        for c in e.cells:
            value = _shown(c.raw, reveal)
            yield (e.table, e.key, c.column, c.storage_class, value, tell(f"reject.{c.reason}"))


def _row_reason(entry: QuarantineEntry) -> str:
    return tell(f"reject.{entry.reason}") + (f" ({entry.detail})" if entry.detail else "")


def _shown(raw: bytes, reveal: bool) -> str:
    return raw[:60].decode(errors="backslashreplace") if reveal else f"•••({len(raw)})"


# --- one row ----------------------------------------------------------------------------


def row_document(
    entry: QuarantineEntry, plan: Plan, edits: Sequence[Edit], *, reveal: bool
) -> dict[str, Any]:
    """One row for programs: every value of it, what its column wants, what could be done."""
    table_plan = plan.tables[entry.table_number - 1]
    (document,) = quarantine_document([entry], reveal=reveal)
    row = zip(table_plan.columns, unpack(entry.row), strict=True)
    return document | {
        "target": table_plan.target,
        "quarantined_at": entry.quarantined_at.isoformat(),
        "row": [
            {
                "column": column.source,
                "storage_class": storage_class(value),
                "bytes": len(raw := raw_bytes(value, table_plan.source.encoding)),
                "raw": raw.hex() if reveal else None,
                "type": column.type.sql,
                "rule": column.rule,
                "not_null": column.not_null,
            }
            for column, value in row
        ],
        "remedies": [
            {"remedy": remedy.id, "says": remedy.said, **remedy.facts}
            for remedy in _remedies(entry, plan)
        ],
        "edits": [
            {
                "column": e.column,
                "before": _half(e.before_class, e.before_raw, reveal),
                "after": _half(e.after_class, e.after_raw, reveal),
                "by": e.edited_by,
                "at": e.edited_at.isoformat(),
                "reason": e.reason,
            }
            for e in edits
        ],
    }


def _half(kind: str, raw: bytes, reveal: bool) -> dict[str, Any]:
    return {"storage_class": kind, "bytes": len(raw), "raw": raw.hex() if reveal else None}


def print_row(entry: QuarantineEntry, plan: Plan, edits: Sequence[Edit], *, reveal: bool) -> None:
    """One row for people."""
    table_plan = plan.tables[entry.table_number - 1]
    out.print(
        page(
            [
                ("column.table", entry.table),
                ("column.key", entry.key),
                ("column.id", entry.source_key.hex()),
                ("column.reason", _row_reason(entry)),
                ("column.at", moment(entry.quarantined_at)),
            ]
        )
    )
    blamed = {cell.column: tell(f"reject.{cell.reason}") for cell in entry.cells}
    columns = (
        ("column.column", "left"),
        ("column.kind", "left"),
        ("column.value", "left"),
        ("column.wants", "left"),
        ("column.rule", "left"),
        ("column.reason", "left"),
    )
    encoding = table_plan.source.encoding
    row = zip(table_plan.columns, unpack(entry.row), strict=True)
    lines = (
        (
            column.source,
            storage_class(value),
            _shown(raw_bytes(value, encoding), reveal),
            column.type.sql + (" NOT NULL" if column.not_null else ""),
            column.rule,
            blamed.get(column.source, ""),
        )
        for column, value in row
    )
    out.print(table("title.row", columns, lines))
    _print_edits(edits, reveal)
    for remedy in _remedies(entry, plan):
        out.print(cell(f"- {remedy.said}"), highlight=False, soft_wrap=True)


def _print_edits(edits: Sequence[Edit], reveal: bool) -> None:
    if not edits:
        return
    columns = (
        ("column.column", "left"),
        ("column.before", "left"),
        ("column.after", "left"),
        ("column.by", "left"),
        ("column.at", "left"),
        ("column.why", "left"),
    )
    lines = (
        (
            e.column,
            _shown(e.before_raw, reveal),
            _shown(e.after_raw, reveal),
            e.edited_by,
            moment(e.edited_at),
            e.reason,
        )
        for e in edits
    )
    out.print(table("title.edited", columns, lines))


@dataclass(frozen=True)
class _Remedy:
    """What could be done about a row: an id of the catalogue, and its facts."""

    id: str
    facts: dict[str, str]

    @property
    def said(self) -> str:
        return tell(f"remedy.{self.id}", **self.facts)


def _remedies(entry: QuarantineEntry, plan: Plan) -> Iterator[_Remedy]:
    """First what mends it by the plan, tried on the very values; then what always can be."""
    table_plan = plan.tables[entry.table_number - 1]
    row = dict(zip((c.source for c in table_plan.columns), unpack(entry.row), strict=True))
    for bad in entry.cells:
        column = table_plan.column(bad.column)
        for found in remedies(plan, table_plan, column, row[bad.column]):
            same = found.type == column.type
            facts = {"column": f"{entry.table}.{bad.column}", "rule": found.rule}
            yield _Remedy("rule" if same else "type", facts | {"type": found.type.sql})
        yield _Remedy("edit", {"column": bad.column})
    if not entry.cells:
        yield _Remedy("retry", {})
        yield _Remedy("edit_key" if entry.reason == "duplicate_key" else "edit_any", {})
    yield _Remedy("accept", {})


# --- what was done ----------------------------------------------------------------------


def replay_document(report: ReplayReport) -> dict[str, Any]:
    """A replay for programs."""
    return {
        "run": str(report.run),
        "dry_run": report.dry_run,
        "changes": [
            {
                "table": c.table.name,
                "column": c.column.source,
                "type_before": c.column.type.sql,
                "rule_before": c.column.rule,
                "type": c.conversion.type.sql,
                "rule": c.conversion.rule,
            }
            for c in report.changes
        ],
        "tables": [
            {
                "name": t.name,
                "target": t.target,
                "arrived": t.arrived,
                "edited": t.edited,
                "stayed": dict(t.stayed),
            }
            for t in report.tables
        ],
        "objects": [fate_document(o) | {"fate": o.fate.value} for o in report.objects],
        "quarantined": report.quarantined,
        "exit_code_before": report.exit_code_before,
        "exit_code": report.exit_code,
    }


def print_replay(report: ReplayReport) -> None:
    """A replay for people."""
    columns = (
        ("column.table", "left"),
        ("column.arrived", "right"),
        ("column.edited", "right"),
        ("column.stayed", "right"),
        ("column.reason", "left"),
    )
    rows = (
        (
            t.name,
            t.arrived,
            t.edited,
            sum(t.stayed.values()),
            "; ".join(f"{tell(f'reject.{reason}')}: {n}" for reason, n in t.stayed.items()),
        )
        for t in report.tables
    )
    if report.tables:
        out.print(table("title.replay", columns, rows))
    for fate in report.objects:
        kind, said = tell(f"kind.{fate.kind}"), reason_of(fate) or tell("result.proven")
        out.print(cell(f"{kind} {fate.name}: {said}"), highlight=False)
    out.print(
        tell(
            "result.rehearsed" if report.dry_run else "result.replayed",
            arrived=f"{report.arrived:,}",
            quarantined=f"{report.quarantined:,}",
            exit_code=report.exit_code,
        )
    )


def print_edited(rows: int) -> None:
    """How many rows have a new value that waits for their replay."""
    out.print(tell("result.edited", rows=f"{rows:,}"))
