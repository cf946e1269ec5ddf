"""Runs, finished, paused or past, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from core.cli.speaking import error_sentence, out, print_json, tell
from core.cli.tables import cell, fate_document, moment, page, print_fates, table
from core.plan import Fate
from core.transfer.model import Run, RunReport, Step


def answer_run(
    report: RunReport,
    as_json: bool,
    *,
    repeated: str = "result.repeated",
    phases: Mapping[str, float] | None = None,
) -> None:
    """What a command says that carried a run on; ``repeated``: of one that was complete;
    ``phases``: seconds of what it did before the run stood, and after its last build."""
    if as_json:
        seconds = {name: round(took, 3) for name, took in (phases or {}).items()}
        print_json(run_document(report) | {"phases": seconds})
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
                "values_altered": t.values_altered,
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
    if altered := sum(t.values_altered for t in report.tables):
        out.print(tell("result.values_altered", altered=f"{altered:,}"))


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


# --- history ------------------------------------------------------------------------------


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
