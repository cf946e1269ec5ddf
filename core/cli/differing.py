"""How a target's schema differs from its plan, for people, for programs and for psql."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from core.cli.speaking import out, tell
from core.cli.tables import cell, table
from core.plan.diff import Difference, statements
from core.verify.schema import SchemaReport


def differences_document(report: SchemaReport) -> dict[str, Any]:
    """The differences for programs."""
    return {
        "run": None if report.run is None else str(report.run),
        "plan_sha256": report.plan_sha256,
        "differences": [_line(difference) for difference in report.differences],
    }


def _line(difference: Difference) -> dict[str, Any]:
    return {
        "object": difference.object,
        "kind": difference.kind.value,
        "aspect": difference.aspect.value,
        "source": difference.source,
        "expected": difference.expected,
        "target": difference.target,
        "severity": difference.severity.value,
        "mend": difference.mend,
        "destructive": difference.destructive,
        "why": "" if difference.why is None else tell(f"why.{difference.why}"),
    }


def mending_script(report: SchemaReport) -> str:
    """All that mends, in an order that works. What would destroy rows or values is a comment
    until a person takes the dashes away; so is what nothing mends."""
    lines = list(_unmendable(report))
    for difference, statement in statements(report.differences):
        if difference.destructive:
            lines.append(_comment(tell("result.destructive", object=difference.object)))
            lines.append(_comment(f"{statement};"))
        else:
            lines.append(f"{statement};")
    return "".join(f"{line}\n" for line in lines)


def _unmendable(report: SchemaReport) -> Iterator[str]:
    for difference in report.differences:
        if difference.why is not None:
            yield _comment(f"{difference.object}: {tell(f'why.{difference.why}')}")


def _comment(text: str) -> str:
    return "\n".join(f"-- {line}" for line in text.splitlines())


def print_differences(report: SchemaReport) -> None:
    """The differences for people."""
    if not report.differences:
        out.print(tell("result.fulfilled"))
        return
    columns = (
        ("column.severity", "left"),
        ("column.object", "left"),
        ("column.aspect", "left"),
        ("column.expected", "left"),
        ("column.target", "left"),
    )
    rows = (
        (
            tell(f"severity.{d.severity}"),
            f"{tell(f'kind.{d.kind}')} {d.object}",
            tell(f"aspect.{d.aspect}"),
            d.expected,
            d.target,
        )
        for d in report.differences
    )
    out.print(table("title.schema_differences", columns, rows))
    _print_mends(report)
    counted = Counter(d.severity for d in report.differences)
    out.print(tell("result.unfulfilled", **_counts(counted)))


def _print_mends(report: SchemaReport) -> None:
    """Outside of the table: people copy what stands there."""
    for difference in report.differences:
        says = difference.mend or tell(f"why.{difference.why}")
        mark = f" ({tell('word.destructive')})" if difference.destructive else ""
        out.print(f"[bold]{cell(difference.object)}[/]{mark}", highlight=False)
        for line in says.splitlines():
            out.print(f"  {cell(line)}", highlight=False, soft_wrap=True)


def _counts(counted: Counter[Any]) -> dict[str, int]:
    return {
        "blockers": counted["blocker"],
        "warnings": counted["warning"],
        "notes": counted["note"],
    }
