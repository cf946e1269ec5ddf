"""The fate of every schema object that is not built later: tables, columns,
defaults, collations, and all that is listed as not carried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from core.census import TableCensus
from core.dialect import Place
from core.plan.columns import Decisions
from core.plan.defaults import planned_default
from core.plan.model import Build, ColumnPlan, Fate, ObjectFate, TablePlan
from core.plan.names import in_the_way
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


Given = tuple[tuple[str, str], ...]
"""Source names of one namespace, each with its target name."""


def table_fates(
    table: Table, plan: TablePlan, decisions: Decisions, census: TableCensus, tables: Given
) -> Iterator[ObjectFate]:
    """One carried table and what belongs to it alone; ``tables`` are the names of all."""
    yield _table(table, plan, tables)
    if plan.source.where:
        facts = {"rows": str(plan.left_out), "filter": plan.source.where}
        yield replace(lost("rows", table.name, table.name, "filtered", **facts), counts=False)
    planned = {column.source: column for column in plan.columns}
    columns = tuple((c.source, c.target) for c in plan.columns)
    for column in table.columns:
        if column.name in planned:
            yield from _column(table, column, planned[column.name], decisions)
            if (target := planned[column.name].target) != column.name:
                reason, facts = _renamed(column.name, target, columns)
                yield _rewritten_column(f"{table.name}.{column.name}", table.name, reason, facts)
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


def renamed_builds(
    tables: Iterable[Table], plans: Iterable[TablePlan], builds: Iterable[Build]
) -> tuple[tuple[Build, ...], list[ObjectFate]]:
    """The builds, their fates saying so where the name that the source gave one could not
    stay; and such fates by themselves for those that are rewritten anyway."""
    named = {table.name: _own_names(table) for table in tables}
    planned = tuple((plan.name, plan.target) for plan in plans)
    before = list(builds)
    given = planned + tuple((b.fate.name, b.name) for b in before)
    made: list[Build] = []
    apart: list[ObjectFate] = []
    for build in before:
        own = build.fate.name
        if own not in named[build.table] or own == build.name:
            made.append(build)
            continue
        reason, facts = _renamed(own, build.name, given)
        fate = replace(build.fate, fate=Fate.REWRITTEN, reason=reason, facts=facts)
        if build.fate.fate is Fate.CARRIED:
            made.append(replace(build, fate=fate))
        else:
            made.append(build)
            apart.append(fate)
    return tuple(made), apart


def _own_names(table: Table) -> set[str]:
    """The names that the source itself gave to the table's constraints and indexes."""
    indexes = {i.constraint or (i.name if i.origin == "index" else None) for i in table.indexes}
    checks = {check.name for check in table.checks}
    keys = {key.name for key in table.foreign_keys} | {table.primary_key_name}
    return {name for name in indexes | checks | keys if name}


def _renamed(name: str, target: str, given: Given) -> tuple[str, dict[str, str]]:
    """Why ``name`` became ``target``, and the facts to say it with."""
    other = in_the_way(name, target, given)
    return (
        ("name_met", {"target": target, "other": other})
        if other
        else (
            "renamed",
            {"target": target},
        )
    )


def _table(table: Table, plan: TablePlan, tables: Given) -> ObjectFate:
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
    carried = ObjectFate(kind="table", name=table.name, table=table.name, fate=Fate.CARRIED)
    if plan.target == table.name:
        return carried
    reason, facts = _renamed(table.name, plan.target, tables)
    return replace(carried, fate=Fate.REWRITTEN, reason=reason, facts=facts)


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
