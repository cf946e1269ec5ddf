"""The fate of every schema object that is not built later: tables, columns,
defaults, collations, and all that is listed as not carried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.census import TableCensus
from core.dialect import Place
from core.plan.columns import Decisions
from core.plan.defaults import planned_default
from core.plan.model import Build, ColumnPlan, Fate, ObjectFate, TablePlan
from core.plan.places import place
from core.schema.model import Column, Table
from core.schema.notes import NoteReason, SchemaNote
from core.values import types
from core.values.declared import Kind, declared


def lost(
    kind: str, name: str, table: str, reason: str, *, original: str = "", **facts: str
) -> ObjectFate:
    """An object that is not carried, and why."""
    return ObjectFate(
        kind=kind,
        name=name,
        table=table,
        fate=Fate.NOT_CARRIED,
        reason=reason,
        facts=facts,
        counts=True,
        original=original,
    )


# Objects that these reasons speak of are in the schema that was read all the same.
_READ_IN_PART = (NoteReason.SQL_NOT_TEXT, NoteReason.SQL_UNPARSED)
_KNOWN_OTHERWISE = (NoteReason.MODULE_MISSING, NoteReason.VIEW_BROKEN)


def note_fates(notes: Iterable[SchemaNote]) -> Iterator[ObjectFate]:
    """What could not be read of the schema cannot be carried either."""
    for note in notes:
        # Views and triggers that could not be read whole are listed as such already.
        if note.reason_id not in _KNOWN_OTHERWISE and not (
            note.kind in ("view", "trigger") and note.reason_id in _READ_IN_PART
        ):
            reason = note.reason_id.value
            yield lost(note.kind, note.object, "", reason, detail=note.detail)


def table_fates(
    table: Table, plan: TablePlan, decisions: Decisions, census: TableCensus
) -> Iterator[ObjectFate]:
    """One carried table and what belongs to it alone."""
    yield _table(table, plan)
    planned = {column.source: column for column in plan.columns}
    for column in table.columns:
        if column.name in planned:
            yield from _column(table, column, planned[column.name], decisions)
            yield from _default(
                table, column, place(column, planned[column.name], census.columns[column.name])
            )
    for clause in table.conflict_clauses:
        name = f"{clause.constraint} ({', '.join(clause.columns)}) ON CONFLICT {clause.action}"
        if clause.action != "ABORT":
            yield lost("conflict_clause", name, table.name, "conflict_clause")


def collation_fates(table: Table, plan: TablePlan, builds: Iterable[Build]) -> Iterator[ObjectFate]:
    """Columns that compare otherwise than by bytes: kept where an index keeps it."""
    whole = (build for build in builds if build.table == table.name and not build.where)
    kept = {term for build in whole for term in build.terms}
    texts = {c.source for c in plan.columns if c.type.name in types.TEXTS}
    for column in table.columns:
        collation = (column.collation or "BINARY").upper()
        # Only text has a collation: other types compare the same on both sides.
        if collation == "BINARY" or column.name not in texts:
            continue
        name = f"{table.name}.{column.name}"
        if (column.name, collation) in kept:
            yield _rewritten("collation", name, table.name, "collation_by_index", collation)
        else:
            yield lost("collation", name, table.name, "collation", collation=collation)


def _table(table: Table, plan: TablePlan) -> ObjectFate:
    renamed = plan.target != table.name
    if table.search is not None:
        facts = {"target": plan.target, "module": table.module or "", "key": table.search.key}
        return ObjectFate(
            kind="virtual_table",
            name=table.name,
            table=table.name,
            fate=Fate.REWRITTEN,
            reason="fts_as_table",
            facts=facts,
            original=table.sql,
        )
    return ObjectFate(
        kind="table",
        name=table.name,
        table=table.name,
        fate=Fate.REWRITTEN if renamed else Fate.CARRIED,
        reason="renamed" if renamed else "",
        facts={"target": plan.target} if renamed else {},
    )


def _column(
    table: Table, column: Column, plan: ColumnPlan, decisions: Decisions
) -> Iterator[ObjectFate]:
    decision = decisions[table.name, column.name]
    kind = declared(column.declared_type, strict=table.strict).kind
    facts = {"declared": column.declared_type, "type": plan.type.sql, "rule": plan.rule}
    name = f"{table.name}.{column.name}"
    if decision.retyped:
        yield _rewritten_column(name, table.name, "retyped", facts, counts=True)
    elif decision.chosen:
        yield _rewritten_column(name, table.name, "type_chosen", facts)
    elif decision.widened:
        yield _rewritten_column(name, table.name, "widened", facts)
    elif kind is Kind.UNKNOWN:
        yield _rewritten_column(name, table.name, "type_by_census", facts)
    elif kind is Kind.UNTYPED:
        yield _rewritten_column(name, table.name, "untyped", facts)
    if plan.target != column.name:
        yield _rewritten_column(name, table.name, "renamed", {"target": plan.target})


def _default(table: Table, column: Column, place: Place) -> Iterator[ObjectFate]:
    default = planned_default(column, place)
    if default is None or column.default is None:
        return
    name = f"{table.name}.{column.name}"
    original = column.default.expression
    if default.sql is None:
        facts = {"detail": default.detail} if default.detail else {}
        yield lost("default", name, table.name, default.reason, original=original, **facts)
    elif default.is_said:
        yield ObjectFate(
            kind="default",
            name=name,
            table=table.name,
            fate=Fate.REWRITTEN,
            reason="said_anew",
            facts={"sql": default.sql},
            original=original,
        )
    else:
        yield ObjectFate(kind="default", name=name, table=table.name, fate=Fate.CARRIED)


def _rewritten_column(
    name: str, table: str, reason: str, facts: dict[str, str], *, counts: bool = False
) -> ObjectFate:
    return ObjectFate(
        kind="column",
        name=name,
        table=table,
        fate=Fate.REWRITTEN,
        reason=reason,
        facts=facts,
        counts=counts,
    )


def _rewritten(kind: str, name: str, table: str, reason: str, collation: str) -> ObjectFate:
    return ObjectFate(
        kind=kind,
        name=name,
        table=table,
        fate=Fate.REWRITTEN,
        reason=reason,
        facts={"collation": collation},
    )
