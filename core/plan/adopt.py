"""A plan for a schema that the application has made in PostgreSQL already.

Its tables, types, keys and all that hangs on them are taken as they are, and nothing of
them is changed: the rows are made to fit. What would hinder them is taken down before,
and put up again, equal, after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from core.census import Census, ColumnCensus
from core.errors import (
    AdoptColumnNeedsValue,
    AdoptNotEmpty,
    AdoptNothing,
    AdoptNotOwned,
    AdoptNotPlain,
    AdoptTypeChosen,
    AdoptTypeRefused,
)
from core.plan.choices import Choices
from core.plan.columns import is_pure, misfits_of, purity
from core.plan.counterparts import Counterparts, conversion, is_version_table, target_type
from core.plan.fates import lost
from core.plan.make import spelling_of
from core.plan.model import Build, BuildKind, ColumnPlan, Fate, ObjectFate, Plan, TablePlan
from core.schema.found import Fitting, FoundColumn, FoundSchema, FoundTable
from core.schema.model import Column, Database
from core.values.types import Conversion, Purity


def adopt(
    plan: Plan,
    database: Database,
    census: Census,
    choices: Choices,
    found: FoundSchema,
    pairs: Counterparts,
) -> Plan:
    """``plan``, as it would be for an empty schema, turned into one for what was ``found``.

    Raises AdoptRefused for what cannot be adopted, before anything is written.
    """
    adopted = _Adopted(plan, database, census, choices, found, pairs)
    adopted.refuse()
    tables = tuple(adopted.tables())
    return replace(
        plan,
        tables=tables,
        builds=tuple(adopted.builds(tables)),
        objects=tuple(adopted.fates(tables)),
        views=(),
        adopted=True,
        zone=choices.zone,
    )


class _Adopted:
    def __init__(
        self,
        plan: Plan,
        database: Database,
        census: Census,
        choices: Choices,
        found: FoundSchema,
        pairs: Counterparts,
    ) -> None:
        self._plan = plan
        self._sources = {t.name: t for t in database.tables}
        self._census = census
        self._choices = choices
        self._found = found
        self._pairs = pairs
        self._planned = [t for t in plan.tables if t.name in pairs.tables]
        self._source_of = {there.name: name for name, there in pairs.tables.items()}

    # --- refusals

    def refuse(self) -> None:
        """Refuse what could not be done for every table, each with all their names."""
        schema, taken = self._found.name, [self._pairs.tables[t.name] for t in self._planned]
        if not taken:
            raise AdoptNothing(schema=schema)
        for error, names in (
            (AdoptNotPlain, [t.name for t in taken if not t.plain]),
            (AdoptNotOwned, [t.name for t in taken if not t.owned]),
            (AdoptNotEmpty, [t.name for t in taken if t.filled]),
            (AdoptColumnNeedsValue, [c for t in taken for c in self._lacking(t)]),
            (AdoptTypeRefused, [c for t in self._planned for c in self._unwritable(t)]),
        ):
            if names:
                raise error(schema=schema, names=", ".join(names))

    def _lacking(self, there: FoundTable) -> Iterator[str]:
        filled = [c for c in self._pairs.columns.values() if c.table == there.name]
        for column in there.columns:
            if column not in filled and column.not_null and not column.fills_itself:
                yield f"{there.name}.{column.name}"

    def _unwritable(self, table: TablePlan) -> Iterator[str]:
        for column in table.columns:
            there = self._pairs.columns.get((table.name, column.source))
            if there is not None and not there.generated and target_type(there) is None:
                yield f"{there.table}.{there.name} ({there.type})"

    # --- tables

    def tables(self) -> Iterator[TablePlan]:
        """The plans of the tables that have a counterpart."""
        for number, table in enumerate(self._planned, start=1):
            columns = tuple(self._columns(table))
            taken = tuple(c.source for c in columns)
            alias = table.source.alias if table.source.alias in taken else ""
            yield replace(
                table,
                number=number,
                source=replace(table.source, columns=taken, alias=alias),
                target=self._pairs.tables[table.name].name,
                columns=columns,
                primary_key=table.primary_key if {*table.primary_key} <= {*taken} else (),
            )

    def _columns(self, table: TablePlan) -> Iterator[ColumnPlan]:
        for column in table.columns:
            there = self._pairs.columns.get((table.name, column.source))
            if there is not None and not there.generated:
                yield self._column(table.name, column, there)

    def _column(self, table: str, column: ColumnPlan, there: FoundColumn) -> ColumnPlan:
        census = self._census.tables[table].columns[column.source]
        conversion = self._converted(table, column, there, census)
        return replace(
            column,
            target=there.name,
            type=conversion.type,
            rule=conversion.rule,
            not_null=there.not_null,
            sequence="",
            default=None,
            spelling=spelling_of(conversion, census),
            misfits=misfits_of(conversion, census),
            purity=purity(census) if is_pure(conversion, census) else Purity.MIXED,
        )

    def _converted(
        self, table: str, column: ColumnPlan, there: FoundColumn, census: ColumnCensus
    ) -> Conversion:
        kind = target_type(there)
        assert kind is not None  # else refused before
        chosen = self._choices.column(table, column.source).conversion
        if chosen is None:
            return conversion(kind, census, self._choices.zone)
        if chosen.type.name != kind.name:
            name = f"{there.table}.{there.name}"
            raise AdoptTypeChosen(column=name, wanted=chosen.type.sql, found=there.type)
        return Conversion(kind, chosen.rule)

    # --- what hangs on them

    def builds(self, tables: tuple[TablePlan, ...]) -> list[Build]:
        """What is put up again, after the keys that stay and before what goes on counting."""
        planned = {table.target: table for table in tables}
        made = [key for table in tables if (key := self._key(table)) is not None]
        made += [b for f in self._found.objects if (b := self._build(f, planned)) is not None]
        made += [sequence for table in tables for sequence in self._sequences(table)]
        order = list(BuildKind)
        return sorted(made, key=lambda build: order.index(build.kind))

    def _key(self, table: TablePlan) -> Build | None:
        """The primary key stays: only the rows that it would refuse are to be found."""
        there = self._pairs.tables[table.name]
        if not there.primary_key:
            return None
        return Build(
            kind=BuildKind.PRIMARY_KEY,
            name=there.primary_key_name,
            table=table.name,
            sql="",
            terms=_terms(table, there.primary_key),
            fate=_stands("primary_key", there.primary_key_name, table.name),
        )

    def _build(self, fitting: Fitting, planned: Mapping[str, TablePlan]) -> Build | None:
        own, parent = planned.get(fitting.table), planned.get(fitting.parent)
        table = own or parent
        if table is None:
            return None
        return Build(
            kind=_BUILD_KINDS[fitting.kind],
            name=fitting.name,
            table=table.name,
            sql=fitting.add,
            terms=_terms(table, fitting.columns) if own else (),
            validate=fitting.validate,
            parent=parent.name if parent else "",
            drop=fitting.drop,
            definition=fitting.definition,
            asks=fitting.asks,
            fate=_stands(fitting.kind, fitting.name, table.name, original=fitting.definition),
        )

    def _sequences(self, table: TablePlan) -> Iterator[Build]:
        counted = self._census.tables[table.name].columns
        for column in table.columns:
            there = self._pairs.columns[table.name, column.source]
            if not there.sequence or column.rule != "integer":
                continue
            alias = column.source == self._sources[table.name].rowid_alias
            last = table.last_sequence if alias else None
            highest = max(counted[column.source].integer_max or 0, last or 0)
            name = there.sequence
            yield Build(
                kind=BuildKind.SEQUENCE,
                name=name,
                table=table.name,
                sql=f"SELECT setval({_text(name)}, greatest({highest}, last_value),"
                f" is_called OR last_value <= {highest}) FROM {name}",
                fate=_stands("sequence", name, table.name),
                asks=f"SELECT last_value + is_called::int > {highest} FROM {name}",
            )

    # --- fates

    def fates(self, tables: tuple[TablePlan, ...]) -> Iterator[ObjectFate]:
        """What becomes of everything that is not put up again."""
        names = {table.name for table in tables}
        for fate in self._plan.objects:
            yield from self._of_source(fate, names)
        for build in self._plan.builds:
            if build.table in names:
                yield _left_to_target(build.fate)
        for table in tables:
            yield from self._of_table(table)
        yield from self._only_there()

    def _of_source(self, fate: ObjectFate, taken: set[str]) -> Iterator[ObjectFate]:
        if fate.kind == "table" and fate.reason not in _STAYING:
            yield self._table(fate)
        elif fate.kind == "view" and fate.name in self._found.views:
            yield _left_to_target(fate)
        elif fate.reason in _STAYING or fate.kind in _BESIDE:
            yield fate
        elif fate.kind != "column" and fate.table in taken:
            yield _left_to_target(fate)

    def _table(self, fate: ObjectFate) -> ObjectFate:
        if is_version_table(fate.name):
            compared = lost("table", fate.name, fate.name, "version_compared")
            return replace(compared, counts=False)
        there = self._pairs.tables.get(fate.name)
        if there is None:
            rows = str(self._census.tables[fate.name].rows)
            return lost("table", fate.name, fate.name, "no_counterpart", rows=rows)
        stays = _stands("table", fate.name, fate.name)
        if there.name == fate.name:
            return stays
        facts = {"target": there.name}
        return replace(stays, fate=Fate.REWRITTEN, reason="renamed", facts=facts)

    def _of_table(self, table: TablePlan) -> Iterator[ObjectFate]:
        for column in self._sources[table.name].columns:
            name = f"{table.name}.{column.name}"
            there = self._pairs.columns.get((table.name, column.name))
            if column.name not in self._census.tables[table.name].columns:
                continue  # unreadable: said already
            if there is None:
                counted = self._census.tables[table.name].columns[column.name]
                values = str(counted.values)
                yield lost("column", name, table.name, "no_counterpart", rows=values)
            elif there.generated:
                yield _computed(name, table.name, column)
            elif there.name != column.name:
                renamed = _stands("column", name, table.name)
                facts = {"target": there.name}
                yield replace(renamed, fate=Fate.REWRITTEN, reason="renamed", facts=facts)

    def _only_there(self) -> Iterator[ObjectFate]:
        filled = set(self._pairs.columns.values())
        for there in self._found.tables:
            if there.name not in self._source_of:
                if not is_version_table(there.name):
                    yield _only_in_target("table", there.name)
                continue
            for column in there.columns:
                if column not in filled and not column.generated:
                    yield _only_in_target("column", f"{there.name}.{column.name}")


_BUILD_KINDS = {
    "foreign_key": BuildKind.FOREIGN_KEY,
    "check": BuildKind.CHECK,
    "unique": BuildKind.UNIQUE,
    "index": BuildKind.INDEX,
    "exclusion": BuildKind.EXCLUSION,
    "trigger": BuildKind.TRIGGER,
}
# What was left behind for these reasons, or is of these kinds, is so here as well.
_STAYING = ("left_out", "too_many_columns", "unreadable_column", "filtered")
_BESIDE = ("view", "trigger", "virtual_table", "shadow_table")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _terms(table: TablePlan, columns: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """A key's target columns as terms of source columns; () where one has no counterpart."""
    sources = {column.target: column.source for column in table.columns}
    named = [sources.get(name) for name in columns]
    return tuple((name, "") for name in named if name) if all(named) else ()


def _stands(kind: str, name: str, table: str, *, original: str = "") -> ObjectFate:
    return ObjectFate(kind=kind, name=name, table=table, fate=Fate.CARRIED, original=original)


def _left_to_target(fate: ObjectFate) -> ObjectFate:
    """An object of the source in whose place the application's own schema stands."""
    return replace(fate, fate=Fate.REWRITTEN, reason="adopted", facts={}, counts=False)


def _only_in_target(kind: str, name: str) -> ObjectFate:
    return replace(lost(kind, name, "", "only_in_target"), counts=False)


def _computed(name: str, table: str, column: Column) -> ObjectFate:
    fate = lost("column", name, table, "computed_there")
    return replace(fate, counts=column.generated is None)
