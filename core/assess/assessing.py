"""From a census, a plan and a snapshot to an assessment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import apsw

from core.assess.acceptances import accepted_finding, is_suppressed
from core.assess.catalogue import CATALOGUE, Severity
from core.assess.columns import Faults, Site, column_findings, faults_of
from core.assess.effort import grade, minutes_by_kind
from core.assess.estimate import estimate, sizes
from core.assess.looking import Look
from core.assess.making import finding
from core.assess.model import Assessment, Finding
from core.assess.objects import object_findings, source_findings
from core.assess.tables import TableSite, table_findings
from core.census import Census
from core.plan import Choices, ColumnChoice, Plan, TableChoice, TablePlan
from core.schema.model import Database
from core.schema.names import fold
from core.schema.notes import SchemaNote
from core.schema.reading import joined_columns
from core.source.rows import Row

_ORDER = list(Severity)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is known before a run begins. ``messages`` are those of SQLite's own check;
    ``duplicates``: per table number, the keys of rows that stand aside for an earlier one,
    each with the name of the key that they share."""

    database: Database
    notes: tuple[SchemaNote, ...]
    census: Census
    plan: Plan
    messages: tuple[str, ...] = ()
    duplicates: Mapping[int, Mapping[Row, str]]


def assess(evidence: Evidence, snapshot: apsw.Connection) -> Assessment:
    """Everything that can be said of a move; ``snapshot`` is read again where the census
    has found something."""
    look, plan = Look(snapshot), evidence.plan
    found = [accepted_finding(plan, each) for each in _findings(evidence, look)]
    found += _accepted_in_vain(plan, found)
    found.sort(key=lambda f: (_ORDER.index(f.severity), not f.counts, f.id, f.object))
    shown = tuple(f for f in found if not is_suppressed(plan, f))
    hidden = [f for f in found if is_suppressed(plan, f)]
    by_kind = minutes_by_kind(found)
    tables = sizes(plan, look)
    return Assessment(
        findings=shown,
        suppressed=len(hidden),
        suppressed_blockers=sum(f.severity is Severity.BLOCKER and not f.accepted for f in hidden),
        grade=grade(found, sum(by_kind.values())),
        effort_minutes=sum(by_kind.values()),
        effort_by_kind=by_kind,
        tables=tables,
        estimate=estimate(plan, tables),
        objects=(*plan.objects, *(build.fate for build in plan.builds)),
    )


def proposed(assessment: Assessment) -> Choices:
    """The types and rules that the findings propose, as choices."""
    tables: dict[str, dict[str, ColumnChoice]] = {}
    for found in assessment.findings:
        conversion = found.remedy.conversion
        if conversion is not None and not found.accepted:
            columns = tables.setdefault(found.table, {})
            columns.setdefault(found.column, ColumnChoice(conversion=conversion))
    return Choices(tables={name: TableChoice(columns=columns) for name, columns in tables.items()})


def _findings(evidence: Evidence, look: Look) -> Iterator[Finding]:
    plan, database = evidence.plan, evidence.database
    yield from object_findings(plan)
    yield from source_findings(database, evidence.notes, evidence.messages)
    columns = {table.name: _column_sites(evidence, table) for table in plan.tables}
    faults = {t.name: faults_of(t, columns[t.name], look) for t in plan.tables}
    sites = {
        fold(table.name): _table_site(evidence, table, faults[table.name]) for table in plan.tables
    }
    for site in sites.values():
        name = site.plan.name
        yield from column_findings(columns[name], faults[name], look)
        yield from _duplicates(evidence, site.plan)
        yield from table_findings(site, sites, database, look)


def _column_sites(evidence: Evidence, plan: TablePlan) -> list[Site]:
    table = evidence.database.table(plan.name)
    counted = evidence.census.tables[plan.name]
    joined = {ref for group in joined_columns(evidence.database) for ref in group}
    changed = {
        o.name: o.reason
        for o in evidence.plan.objects
        if o.kind == "column" and o.reason in ("retyped", "widened")
    }
    return [
        Site(
            table=table,
            plan=plan,
            column=column,
            census=counted.columns[column.source],
            changed=changed.get(name, ""),
            is_joined=(plan.name, column.source) in joined,
        )
        for column in plan.columns
        for name in (f"{plan.name}.{column.source}",)
    ]


def _table_site(evidence: Evidence, plan: TablePlan, faults: Faults) -> TableSite:
    duplicates = evidence.duplicates.get(plan.number, {})
    seen = [one for of_column in faults.values() for one in of_column.values()]
    return TableSite(
        table=evidence.database.table(plan.name),
        plan=plan,
        census=evidence.census.tables[plan.name],
        builds=tuple(b for b in evidence.plan.builds if b.table == plan.name),
        set_aside=sum(one.set_aside for one in seen) + len(duplicates),
        aside=(*(key for one in seen for key in one.aside), *duplicates),
    )


def _duplicates(evidence: Evidence, plan: TablePlan) -> Iterator[Finding]:
    keys = evidence.duplicates.get(plan.number, {})
    if keys:
        facts = {"key": ", ".join(sorted(set(keys.values())))}
        seen = Look.named(list(keys))
        yield finding(
            "key.duplicate",
            "table",
            plan.name,
            table=plan.name,
            seen=seen,
            facts=facts,
            counts=True,
        )


def _accepted_in_vain(plan: Plan, found: list[Finding]) -> list[Finding]:
    """Acceptances of what is no longer, or was never, the matter. Those of what only shows
    while a run builds are left in peace."""
    known = {(f.id, f.object) for f in found}
    at_builds = (
        "not_valid",
        "not_valid_by_letters",
        "check_broken",
        "generated_differs",
        "build_refused",
    )
    return [
        finding("plan.accepted_in_vain", "plan", said.object, facts={"finding": said.finding})
        for said in plan.accepted
        if (said.finding, said.object) not in known
        and CATALOGUE[said.finding].fate not in at_builds
    ]
