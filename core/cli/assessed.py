"""An assessment, for people and for programs."""

from __future__ import annotations

from typing import Any

from core.assess import Assessment, Finding, Severity
from core.assess.saying import facts_said, means, remedy, samples_said, work
from core.cli.speaking import LANGUAGE, out, tell
from core.cli.tables import cell, fate_document, table
from core.plan import Fate, Plan, digest, write_document

_LONGEST = 80
"""How much of a statement a table has room for."""
_STYLES = {Severity.BLOCKER: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def assessment_document(
    source: str, plan: Plan, assessment: Assessment, *, reveal: bool
) -> dict[str, Any]:
    """An assessment for programs."""
    objects = assessment.objects
    return {
        "source": source,
        "plan_sha256": digest(write_document(plan)),
        "tables": [
            {"name": t.name, "rows": t.rows, "bytes": t.bytes, "target_bytes": t.target_bytes}
            for t in assessment.tables
        ],
        "objects": {
            "carried": sum(o.fate is Fate.CARRIED for o in objects),
            "rewritten": [fate_document(o) for o in objects if o.fate is Fate.REWRITTEN],
            "not_carried": [fate_document(o) for o in objects if o.fate is Fate.NOT_CARRIED],
        },
        "findings": [_finding(f, reveal=reveal) for f in assessment.findings],
        "suppressed": assessment.suppressed,
        "grade": str(assessment.grade),
        "effort_minutes": assessment.effort_minutes,
        "effort_by_kind": dict(assessment.effort_by_kind),
        "estimate": {
            "seconds": assessment.estimate.seconds,
            "target_bytes": assessment.estimate.target_bytes,
        },
    }


def _finding(found: Finding, *, reveal: bool) -> dict[str, Any]:
    return {
        "id": found.id,
        "severity": found.severity.value,
        "kind": found.kind,
        "object": found.object,
        "says": means(found, LANGUAGE),
        "rows": found.rows,
        "sample_keys": list(found.sample_keys),
        "samples": samples_said(found, reveal=reveal),
        "facts": facts_said(found, reveal=reveal),
        "effort_minutes": found.effort_minutes,
        "remedy": remedy(found, LANGUAGE),
        "plan": found.remedy.plan,
        "counts": found.counts,
        "accepted": found.accepted or None,
    }


def print_assessment(assessment: Assessment, *, reveal: bool) -> None:
    """An assessment for people."""
    columns = (
        ("assess.severity", "left"),
        ("assess.id", "left"),
        ("assess.where", "left"),
        ("column.rows", "right"),
        ("column.key", "left"),
        ("assess.what", "left"),
        ("assess.effort", "right"),
    )
    shown = table("title.findings", columns, [])
    for found in assessment.findings:
        shown.add_row(
            f"[{_STYLES[found.severity]}]{tell(f'severity.{found.severity}')}[/]",
            cell(found.id),
            cell(found.object),
            cell(found.rows or ""),
            cell("; ".join(found.sample_keys)),
            cell(_said(found, reveal=reveal)),
            cell(found.effort_minutes or ""),
        )
    if assessment.findings:
        out.print(shown)
    _print_remedies(assessment)
    if assessment.suppressed:
        out.print(tell("assess.suppressed", count=assessment.suppressed))
    out.print(_summary(assessment), highlight=False)


def _said(found: Finding, *, reveal: bool) -> str:
    facts = facts_said(found, reveal=reveal)
    samples = samples_said(found, reveal=reveal)
    parts = [means(found, LANGUAGE, longest=_LONGEST)]
    # The statement as it is in the source has no room here.
    parts += [f"{tell(f'fact.{n}')}: {said}" for n, said in facts.items() if n != "original"]
    if samples:
        parts.append(f"{tell('assess.values')}: {', '.join(dict.fromkeys(samples))}")
    if found.accepted:
        parts.append(tell("assess.accepted", reason=found.accepted))
    return "; ".join(parts)


def _print_remedies(assessment: Assessment) -> None:
    """What to do, once for each kind of finding that wants a decision."""
    said = {f.id: remedy(f, LANGUAGE) for f in assessment.findings if f.wants_decision}
    if said:
        columns = (("assess.id", "left"), ("assess.todo", "left"))
        out.print(table("title.remedies", columns, said.items()))


def _summary(assessment: Assessment) -> str:
    return tell(
        "result.assessed",
        grade=assessment.grade,
        decisions=assessment.decisions,
        effort=work(assessment.effort_minutes, LANGUAGE),
        seconds=f"{assessment.estimate.seconds:,.0f}",
        megabytes=f"{assessment.estimate.target_bytes / 1e6:,.1f}",
    )
