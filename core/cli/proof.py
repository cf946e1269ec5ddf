"""What verification found, for people and for programs."""

from __future__ import annotations

from typing import Any

from core.cli.speaking import out, tell
from core.cli.tables import table
from core.verify.model import Difference, EditedCell, ParityReport, Proof, QueryParity


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
                "altered": t.altered,
                "edited": t.edited,
                "edits": [_edit(e) for e in t.edits],
                "differences": t.differences,
                "samples": [_difference(d) for d in t.samples],
            }
            for t in report.tables
        ],
        "relations": [
            {"kind": r.kind, "name": r.name, "table": r.table, "holds": r.holds, "detail": r.detail}
            for r in report.relations
        ],
        "views": [_query(q) for q in report.queries],
    }


def _query(query: QueryParity) -> dict[str, Any]:
    return {
        "kind": query.kind,
        "name": query.name,
        "target": query.target,
        "outcome": query.outcome.value,
        "rows_source": query.rows_source,
        "rows_target": query.rows_target,
        "differences": query.differences,
        "samples": [_difference(d) for d in query.samples],
        "reason": query.reason,
        "facts": query.facts,
        "rounded": query.is_rough,
    }


def _edit(edit: EditedCell) -> dict[str, str]:
    return {
        "key": edit.key,
        "column": edit.column,
        "source": edit.source,
        "target": edit.target,
        "by": edit.by,
        "at": edit.at.isoformat(),
        "reason": edit.reason,
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
    _print_edits(report)
    _print_queries(report)
    broken = [r for r in report.relations if not r.holds]
    if broken:
        named = (("column.kind", "left"), ("column.name", "left"), ("column.reason", "left"))
        lines = ((tell(f"kind.{r.kind}"), r.name, r.detail) for r in broken)
        out.print(table("title.relations", named, lines))
    out.print(_verdict(report, len(broken)))
    unproven = sum(1 for q in report.queries if q.outcome is Proof.UNPROVEN)
    if unproven:
        out.print(tell("result.unproven_views", views=unproven))
    if report.moved:
        out.print(tell("result.moved"))


def _print_queries(report: ParityReport) -> None:
    if not report.queries:
        return
    columns = (
        ("column.kind", "left"),
        ("column.name", "left"),
        ("column.source", "right"),
        ("column.target", "right"),
        ("column.differences", "right"),
        ("column.proof", "left"),
    )
    rows = (
        (
            tell(f"kind.{q.kind}"),
            q.name,
            q.rows_source,
            q.rows_target,
            q.differences,
            _outcome(q),
        )
        for q in report.queries
    )
    out.print(table("title.queries", columns, rows))


def _outcome(query: QueryParity) -> str:
    if query.outcome is Proof.UNPROVEN:
        return tell("result.unproven", why=tell(f"unproven.{query.reason}", **query.facts))
    if query.outcome is Proof.DIFFERS:
        return tell("result.differs")
    return tell("result.proven_rounded" if query.is_rough else "result.proven")


def _print_differences(report: ParityReport) -> None:
    found = [(t.name, d) for t in report.tables for d in t.samples]
    found += [(q.name, d) for q in report.queries for d in q.samples]
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


def _print_edits(report: ParityReport) -> None:
    """What is not the source's and is known: altered by a rule, or edited by a person."""
    altered, edited = sum(t.altered for t in report.tables), sum(t.edited for t in report.tables)
    if altered or edited:
        out.print(tell("result.altered", altered=f"{altered:,}", edited=f"{edited:,}"))
    columns = (
        ("column.table", "left"),
        ("column.key", "left"),
        ("column.column", "left"),
        ("column.source", "left"),
        ("column.target", "left"),
        ("column.by", "left"),
        ("column.reason", "left"),
    )
    rows = [
        (t.name, e.key, e.column, e.source, e.target, e.by, e.reason)
        for t in report.tables
        for e in t.edits
    ]
    if rows:
        out.print(table("title.edited", columns, rows))


def _verdict(report: ParityReport, broken: int) -> str:
    seconds = f"{report.seconds:.1f}"
    if not report.parity:
        differences = sum(t.differences for t in report.tables)
        tables = sum(1 for t in report.tables if t.differences)
        views = sum(1 for q in report.queries if q.outcome is Proof.DIFFERS)
        return tell(
            "result.no_parity",
            differences=differences,
            tables=tables,
            relations=broken,
            views=views,
        )
    if not report.values:
        return tell("result.counted", tables=len(report.tables), seconds=seconds)
    return tell(
        "result.parity", values=f"{report.values:,}", tables=len(report.tables), seconds=seconds
    )
