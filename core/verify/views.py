"""Views: what each shows, on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import apsw

from core.plan import BuildKind, Fate, ObjectFate, Plan, ViewPlan
from core.plan.ddl import listed, qualified
from core.server.connection import Connection
from core.source.rows import quoted
from core.verify.model import Proof, QueryParity
from core.verify.questions import SECONDS, Question, compare_answers


@dataclass(frozen=True, kw_only=True)
class Ask:
    """How views are asked: at most so many ``seconds`` each and side, ``samples`` of what
    differs; ``aside``: rows in quarantine by the number of their table."""

    samples: int
    aside: Mapping[int, int]
    encoding: str
    seconds: float = SECONDS


def compare_views(
    source: apsw.Connection,
    target: Connection,
    plan: Plan,
    fates: Mapping[int, ObjectFate],
    ask: Ask,
) -> Iterator[QueryParity]:
    """One answer per view of the plan that the ledger says was made. ``fates``: by the number
    of the build, from 1."""
    made = {
        build.table
        for number, build in enumerate(plan.builds, start=1)
        if build.kind is BuildKind.VIEW
        and number in fates
        and fates[number].fate is not Fate.NOT_CARRIED
    }
    for view in plan.views:
        if view.name in made:
            question = _question(plan.schema, view, ask.encoding)
            found = compare_answers(
                question, source, target, samples=ask.samples, seconds=ask.seconds
            )
            yield _judged(found, view, _rows_aside(plan, view, ask.aside))


def _question(schema: str, view: ViewPlan, encoding: str) -> Question:
    names = listed(column.target for column in view.columns)
    return Question(
        kind="view",
        name=view.name,
        target=view.target,
        source_sql=f"SELECT * FROM {quoted(view.name)}",
        target_sql=f"SELECT {names} FROM {qualified(schema, view.target)}",
        columns=view.columns,
        encoding=encoding,
    )


def _rows_aside(plan: Plan, view: ViewPlan, aside: Mapping[int, int]) -> int:
    return sum(aside.get(plan.table(name).number, 0) for name in view.tables)


def _judged(found: QueryParity, view: ViewPlan, aside: int) -> QueryParity:
    """A view that differs proves nothing where its rows may differ by right."""
    if found.outcome is not Proof.DIFFERS:
        return found
    if aside:
        return _unproven(found, "quarantine", rows=str(aside))
    if view.doubts:
        return _unproven(found, view.doubts[0])
    return found


def _unproven(found: QueryParity, reason: str, **facts: str) -> QueryParity:
    return replace(found, outcome=Proof.UNPROVEN, reason=reason, facts=facts)
