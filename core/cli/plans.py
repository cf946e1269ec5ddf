"""A plan, for people and for programs."""

from __future__ import annotations

from typing import Any

from core.cli.speaking import out, tell
from core.cli.tables import fate_document, print_fates, table
from core.plan import Fate, Plan, digest, write_document


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
                "left_out": t.left_out,
                "where": t.source.where,
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
