"""What a person accepted by name: whether it can be meant, and what it changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.assess.catalogue import CATALOGUE
from core.assess.eyes import Eye
from core.assess.model import Finding
from core.errors import AcceptanceNowhere, AcceptanceUnknown
from core.plan import Acceptance, ObjectFate, Plan, TablePlan
from core.schema.model import Database
from core.schema.notes import SchemaNote
from core.source.rows import SqliteValue

BlamedCell = tuple[str, SqliteValue]
"""The column of a value that is to blame for a row's quarantine, and the value."""


def check_acceptances(
    plan: Plan, database: Database, notes: Iterable[SchemaNote], path: str
) -> None:
    """Raise AcceptanceUnknown for an id that is not in the catalogue, and AcceptanceNowhere
    for an object that the source does not have."""
    there = _names(plan, database) | {note.object for note in notes}
    for said in (*plan.accepted, *plan.suppressed):
        if said.finding not in CATALOGUE:
            raise AcceptanceUnknown(path=path, finding=said.finding)
        if said.object and said.object not in there:
            raise AcceptanceNowhere(path=path, finding=said.finding, object=said.object)


def _names(plan: Plan, database: Database) -> set[str]:
    """Everything that a finding may be about."""
    columns = {f"{t.name}.{c.name}" for t in database.tables for c in t.columns}
    tables = {t.name for t in database.tables}
    fates = {f.name for f in (*plan.objects, *(b.fate for b in plan.builds))}
    others = {v.name for v in database.views} | {t.name for t in database.triggers}
    indexes = {i.name for t in database.tables for i in t.indexes}
    checks = {f"{t.name}: {c.expression}" for t in database.tables for c in t.checks}
    database_itself = {"database", "user_version", "application_id"}
    return columns | tables | fates | others | indexes | checks | database_itself


# --- objects -------------------------------------------------------------------------------


def settled(plan: Plan) -> Plan:
    """The plan, its objects no longer counting where they are accepted."""
    return replace(plan, objects=tuple(accept_fate(plan, fate) for fate in plan.objects))


def accept_fate(plan: Plan, fate: ObjectFate) -> ObjectFate:
    """The fate, no longer counting if the plan accepts it; its facts say why."""
    for said in plan.accepted:
        is_meant = said.object == fate.name and CATALOGUE[said.finding].fate == fate.reason
        if fate.counts and is_meant:
            return replace(fate, counts=False, facts=fate.facts | {"accepted": said.reason})
    return fate


# --- findings ------------------------------------------------------------------------------


def accepted_finding(plan: Plan, found: Finding) -> Finding:
    """The finding, with the reason for which it is accepted if it is."""
    said = _said(plan.accepted, found)
    return found if said is None else replace(found, accepted=said.reason)


def is_suppressed(plan: Plan, found: Finding) -> bool:
    """Whether reports leave the finding out."""
    return _said(plan.suppressed, found) is not None


def _said(sayings: Sequence[Acceptance], found: Finding) -> Acceptance | None:
    return next(
        (a for a in sayings if a.finding == found.id and a.object in (found.object, "")), None
    )


# --- rows in quarantine ----------------------------------------------------------------------


class RowAcceptance:
    """Whether rows in quarantine are there with a person's leave."""

    def __init__(self, plan: Plan) -> None:
        self._accepted = {(a.finding, a.object) for a in plan.accepted}
        self._tables = {table.number: table for table in plan.tables}
        self._eyes: dict[tuple[int, str], Eye] = {}

    def covers(self, table_number: int, reason: str, cells: Sequence[BlamedCell]) -> bool:
        """Whether everything that is the matter with a row is accepted. A row without cells
        to blame was set aside whole, for ``reason``."""
        table = self._tables[table_number]
        if not cells:
            return any(
                (entry.id, table.name) in self._accepted
                for entry in CATALOGUE.values()
                if entry.reject == reason
            )
        return all(self._covers_cell(table, column, value) for column, value in cells)

    def _covers_cell(self, table: TablePlan, column: str, value: SqliteValue) -> bool:
        fault = self._eye(table, column).fault(value)
        return fault is not None and (fault.id, f"{table.name}.{column}") in self._accepted

    def _eye(self, table: TablePlan, column: str) -> Eye:
        key = table.number, column
        if key not in self._eyes:
            in_key = column in table.primary_key
            self._eyes[key] = Eye(table.column(column), in_key=in_key)
        return self._eyes[key]
