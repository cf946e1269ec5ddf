"""Results as tables for people and as documents for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rich.markup import escape
from rich.table import Table

from core.cli.speaking import error_sentence, out, print_json, tell
from core.plan import Fate, ObjectFate, Plan, digest, write_document
from core.transfer.model import QuarantineEntry, Run, RunReport, Step
from core.verify.model import Difference, ParityReport

_COPIED_WHOLE = ("column.run",)
"""Columns that are never folded: people copy what stands there."""


def table(
    title: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]]
) -> Table:
    """A table whose columns are (sentence id, justification)."""
    made = Table(title=tell(title), title_justify="left", header_style="bold")
    for sentence, justify in columns:
        made.add_column(
            tell(sentence),
            justify=justify,  # type: ignore[arg-type]
            overflow="fold",
            no_wrap=sentence in _COPIED_WHOLE,
        )
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def page(lines: Iterable[tuple[str, object]]) -> Table:
    """Lines of a sentence id and what is to be said under it."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for sentence, said in lines:
        made.add_row(tell(sentence), cell(said))
    return made


def cell(value: object) -> str:
    """A value as a table shows it: what does not print is made visible."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return escape(shown)


def reason_of(fate: ObjectFate) -> str:
    """Why an object did not arrive as it was."""
    return tell(f"fate.{fate.reason}", **fate.facts) if fate.reason else ""


# --- runs ---------------------------------------------------------------------


def answer_run(report: RunReport, as_json: bool, *, repeated: str = "result.repeated") -> None:
    """What a command says that carried a run on; ``repeated``: of one that was complete."""
    if as_json:
        print_json(run_document(report))
    else:
        print_run(report, repeated)


def run_document(report: RunReport) -> dict[str, Any]:
    """A finished or paused run for programs."""
    return {
        "run": str(report.run),
        "status": report.status.value,
        "exit_code": report.exit_code,
        "resumed": report.resumed,
        "repeated": report.repeated,
        "moved": report.moved,
        "paused": step_document(report.paused) if report.paused else None,
        "seconds": round(report.seconds, 3),
        "rows_per_second": round(report.rows_per_second),
        "tables": [
            {
                "name": t.name,
                "target": t.target,
                "rows_source": t.rows_source,
                "rows_target": t.rows_target,
                "rows_quarantined": t.rows_quarantined,
                "seconds": round(t.seconds, 3),
            }
            for t in report.tables
        ],
        "objects": {
            "carried": sum(o.fate is Fate.CARRIED for o in report.objects),
            "rewritten": [fate_document(o) for o in report.rewritten],
            "not_carried": [fate_document(o) for o in report.not_carried],
        },
    }


def fate_document(fate: ObjectFate) -> dict[str, Any]:
    """An object's fate for programs: the reason as an id and as a sentence."""
    return {
        "kind": fate.kind,
        "name": fate.name,
        "table": fate.table,
        "reason": fate.reason,
        "says": reason_of(fate),
        "counts": fate.counts,
    }


def print_run(report: RunReport, repeated: str) -> None:
    """A finished or paused run for people."""
    columns = (
        ("column.table", "left"),
        ("column.source", "right"),
        ("column.target", "right"),
        ("column.quarantined", "right"),
        ("column.seconds", "right"),
    )
    rows = (
        (t.name, t.rows_source, t.rows_target, t.rows_quarantined, f"{t.seconds:.2f}")
        for t in report.tables
    )
    out.print(table("title.tables", columns, rows))
    print_fates("title.rewritten", report.rewritten)
    print_fates("title.not_carried", report.not_carried)
    if report.repeated:
        out.print(tell("result.moved" if report.moved else repeated))
        return
    if report.paused:
        _print_paused(report, report.paused)
        return
    out.print(
        tell(
            "result.carried",
            rows=f"{sum(t.rows_source for t in report.tables):,}",
            seconds=f"{report.seconds:.1f}",
            rate=f"{report.rows_per_second:,.0f}",
            target=f"{sum(t.rows_target for t in report.tables):,}",
            quarantined=f"{sum(t.rows_quarantined for t in report.tables):,}",
            carried=sum(o.fate is Fate.CARRIED for o in report.objects),
            rewritten=len(report.rewritten),
            not_carried=len(report.not_carried),
        )
    )


def _print_paused(report: RunReport, step: Step) -> None:
    """A run that rests: rows that are still to come are not lost."""
    done = sum(t.rows_target + t.rows_quarantined for t in report.tables)
    rows = {"done": f"{done:,}", "rows": f"{sum(t.rows_source for t in report.tables):,}"}
    by = {"by": step.by, "at": moment(step.at)}
    said = [tell("result.rests", run=report.run, **by, **rows)]
    if step.note:
        said.append(tell("result.note", note=step.note))
    said.append(tell("result.goes_on"))
    for sentence in said:
        out.print(cell(sentence), highlight=False, soft_wrap=True)


def moment(at: datetime) -> str:
    """A time as people read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def step_says(step: Step) -> str:
    """Why a run went a step, and what was said of it."""
    said = error_sentence(step.error) if step.error else step.note
    return ": ".join(filter(None, (tell(f"step.{step.reason}"), said)))


def step_document(step: Step) -> dict[str, Any]:
    """A step for programs: the reason as an id and as a sentence."""
    return {
        "status": step.status.value,
        "reason": step.reason,
        "says": tell(f"step.{step.reason}"),
        "by": step.by,
        "at": step.at.isoformat(),
        "note": step.note,
        "error": None
        if step.error is None
        else {"id": step.error.id, "message": error_sentence(step.error)},
    }


def print_fates(title: str, fates: Sequence[ObjectFate]) -> None:
    """Objects with their reasons; nothing when there are none."""
    if fates:
        columns = (("column.kind", "left"), ("column.name", "left"), ("column.reason", "left"))
        rows = ((tell(f"kind.{o.kind}"), o.name, reason_of(o)) for o in fates)
        out.print(table(title, columns, rows))


def run_lines(runs: Sequence[Run], last: Mapping[UUID, Step]) -> list[dict[str, Any]]:
    """Runs for programs, each with its ``last`` step."""
    return [
        {
            "run": str(r.run),
            "schema": r.target_schema,
            "source": r.source_path,
            "status": r.status.value,
            "exit_code": r.exit_code,
            "started_at": r.started_at.isoformat(),
            "finished_at": r.finished_at.isoformat() if r.finished_at else None,
            "started_by": r.started_by,
            "plan_sha256": r.plan_sha256,
            "snapshot_sha256": r.snapshot_sha256,
            "version": r.version,
            "last": step_document(last[r.run]),
        }
        for r in runs
    ]


def print_runs(runs: Sequence[Run], last: Mapping[UUID, Step]) -> None:
    """The history for people: who began each run, how it ended or where it stands, and why."""
    if not runs:
        out.print(tell("result.no_runs"))
    for run in runs:
        step = last[run.run]
        code = () if run.exit_code is None else (("column.exit", run.exit_code),)
        out.print(
            page(
                [
                    ("column.run", str(run.run)),
                    ("column.status", tell(f"status.{run.status}")),
                    *code,
                    ("column.source", run.source_path),
                    ("show.schema", run.target_schema),
                    ("show.started", f"{run.started_by}, {moment(run.started_at)}"),
                    ("show.last", f"{moment(step.at)}, {step.by}: {step_says(step)}"),
                ]
            )
        )
        out.print()


# --- plans ----------------------------------------------------------------------


def plan_document(plan: Plan) -> dict[str, Any]:
    """A plan for programs."""
    return {
        "sha256": digest(write_document(plan)),
        "schema": plan.schema,
        "tables": [
            {
                "name": t.name,
                "target": t.target,
                "rows": t.rows,
                "columns": [
                    {
                        "name": c.source,
                        "declared": c.declared,
                        "target": c.target,
                        "type": c.type.sql,
                        "rule": c.rule,
                        "misfits": c.misfits,
                        "saw": c.saw,
                    }
                    for c in t.columns
                ],
            }
            for t in plan.tables
        ],
        "objects": {
            "rewritten": [fate_document(o) for o in plan.objects if o.fate is Fate.REWRITTEN],
            "not_carried": [fate_document(o) for o in plan.objects if o.fate is Fate.NOT_CARRIED],
        },
    }


def print_plan(plan: Plan) -> None:
    """A plan for people."""
    columns = (
        ("column.table", "left"),
        ("column.column", "left"),
        ("column.declared", "left"),
        ("column.type", "left"),
        ("column.saw", "left"),
        ("column.misfits", "right"),
    )
    rows = (
        (t.target, c.target, c.declared, c.type.sql, c.saw, c.misfits or "")
        for t in plan.tables
        for c in t.columns
    )
    out.print(table("title.plan", columns, rows))
    for title, fate in (
        ("title.rewritten", Fate.REWRITTEN),
        ("title.not_carried", Fate.NOT_CARRIED),
    ):
        print_fates(title, [o for o in plan.objects if o.fate is fate])
    out.print(
        tell(
            "result.plan",
            tables=len(plan.tables),
            rows=f"{sum(t.rows for t in plan.tables):,}",
            sha256=digest(write_document(plan)),
        )
    )


# --- parity ---------------------------------------------------------------------


def parity_document(report: ParityReport) -> dict[str, Any]:
    """A verification for programs."""
    return {
        "run": str(report.run),
        "level": report.level.value,
        "parity": report.parity,
        "moved": report.moved,
        "values": report.values,
        "seconds": round(report.seconds, 3),
        "tables": [
            {
                "name": t.name,
                "target": t.target,
                "rows_source": t.rows_source,
                "rows_target": t.rows_target,
                "quarantined": t.quarantined,
                "differences": t.differences,
                "samples": [_difference(d) for d in t.samples],
            }
            for t in report.tables
        ],
        "relations": [
            {"kind": r.kind, "name": r.name, "table": r.table, "holds": r.holds, "detail": r.detail}
            for r in report.relations
        ],
    }


def _difference(difference: Difference) -> dict[str, str]:
    return {
        "kind": difference.kind.value,
        "key": difference.key,
        "column": difference.column,
        "source": difference.source,
        "target": difference.target,
    }


def print_parity(report: ParityReport) -> None:
    """A verification for people."""
    columns = (
        ("column.table", "left"),
        ("column.source", "right"),
        ("column.target", "right"),
        ("column.quarantined", "right"),
        ("column.differences", "right"),
        ("column.proof", "left"),
    )
    rows = (
        (
            t.name,
            t.rows_source,
            t.rows_target,
            t.quarantined,
            t.differences,
            tell("result.differs" if t.differences else "result.proven"),
        )
        for t in report.tables
    )
    out.print(table("title.parity", columns, rows))
    _print_differences(report)
    broken = [r for r in report.relations if not r.holds]
    if broken:
        named = (("column.kind", "left"), ("column.name", "left"), ("column.reason", "left"))
        lines = ((tell(f"kind.{r.kind}"), r.name, r.detail) for r in broken)
        out.print(table("title.relations", named, lines))
    out.print(_verdict(report, len(broken)))
    if report.moved:
        out.print(tell("result.moved"))


def _print_differences(report: ParityReport) -> None:
    found = [(t.name, d) for t in report.tables for d in t.samples]
    if not found:
        return
    columns = (
        ("column.table", "left"),
        ("column.key", "left"),
        ("column.column", "left"),
        ("column.source", "left"),
        ("column.target", "left"),
        ("column.reason", "left"),
    )
    rows = (
        (name, d.key, d.column, d.source, d.target, tell(f"difference.{d.kind.value}"))
        for name, d in found
    )
    out.print(table("title.differences", columns, rows))


def _verdict(report: ParityReport, broken: int) -> str:
    seconds = f"{report.seconds:.1f}"
    if not report.parity:
        differences = sum(t.differences for t in report.tables)
        tables = sum(1 for t in report.tables if t.differences)
        return tell("result.no_parity", differences=differences, tables=tables, relations=broken)
    if not report.values:
        return tell("result.counted", tables=len(report.tables), seconds=seconds)
    return tell(
        "result.parity", values=f"{report.values:,}", tables=len(report.tables), seconds=seconds
    )


# --- quarantine -------------------------------------------------------------------


def quarantine_document(
    entries: Sequence[QuarantineEntry], *, reveal: bool
) -> list[dict[str, Any]]:
    """Quarantined rows for programs."""
    return [
        {
            "table": e.table,
            "key": e.key,
            "reason": e.reason,
            "says": tell(f"reject.{e.reason}"),
            "detail": e.detail,
            "cells": [
                {
                    "column": c.column,
                    "storage_class": c.storage_class,
                    "rule": c.rule,
                    "reason": c.reason,
                    "bytes": len(c.raw),
                    "raw": c.raw.hex() if reveal else None,
                }
                for c in e.cells
            ],
        }
        for e in entries
    ]


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
            reason = tell(f"reject.{e.reason}") + (f" ({e.detail})" if e.detail else "")
            yield (e.table, e.key, "", "", "", reason)
        for c in e.cells:
            value = c.raw[:60].decode(errors="backslashreplace") if reveal else f"•••({len(c.raw)})"
            yield (e.table, e.key, c.column, c.storage_class, value, tell(f"reject.{c.reason}"))
