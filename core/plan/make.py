"""From schema and census to a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from core.census import Census, ColumnCensus, TableCensus
from core.plan.builds import foreign_key_builds, table_builds
from core.plan.choices import NO_CHOICES, Choices
from core.plan.columns import Decisions, decide_columns, is_pure, purity
from core.plan.defaults import planned_default
from core.plan.fates import collation_fates, lost, note_fates, renamed_builds, table_fates
from core.plan.model import SPELLINGS, Build, BuildKind, ColumnPlan, ObjectFate, Plan, TablePlan
from core.plan.names import Names, column_names
from core.plan.places import place
from core.plan.searches import search_items, virtual_fates
from core.plan.site import Site
from core.plan.triggers import trigger_items
from core.plan.views import plan_views, view_names
from core.schema.model import Column, Database, Table
from core.schema.names import fold
from core.schema.notes import SchemaNote
from core.schema.reading import table_source
from core.values import types
from core.values.storage import storage_class
from core.values.types import Conversion, Purity

COLUMNS_MAX = 1600
_UTF8_MAX = 4


def make_plan(
    database: Database,
    census: Census,
    *,
    schema: str = "public",
    choices: Choices = NO_CHOICES,
    notes: Sequence[SchemaNote] = (),
) -> Plan:
    """The plan for carrying ``database`` into ``schema``, with a person's choices.

    ``notes`` are what the schema's reader could not read.
    """
    carried, left_out = _sorted_out(database, choices)
    decisions = decide_columns(database, census, choices)
    names = Names(folds=choices.fold)
    targets = _table_names(carried, choices, names)
    plans = tuple(
        _table_plan(number, table, targets[table.name], database, census, decisions, choices, names)
        for number, table in enumerate(carried, start=1)
    )
    called = view_names(database, names)
    sites = _sites(schema, carried, plans, names, census)
    builds, unbuilt = _builds(database, sites, names)
    builds, renamed = renamed_builds(carried, plans, builds)
    views = plan_views(database, sites, called, schema, notes)
    triggers = trigger_items(database, sites, [*builds, *unbuilt], views.subjects)
    given = tuple(targets.items())
    fates = [
        *left_out,
        *virtual_fates(database, carried, builds),
        *note_fates(notes),
        *unbuilt,
        *renamed,
        *views.fates,
        *(item for item in triggers if isinstance(item, ObjectFate)),
    ]
    for table, plan in zip(carried, plans, strict=True):
        fates.extend(table_fates(table, plan, decisions, census.tables[table.name], given))
        fates.extend(collation_fates(table, plan, builds))
        fates.extend(_unreadable(census.tables[table.name]))
    return Plan(
        schema=schema,
        encoding=database.encoding,
        tables=plans,
        builds=(
            *builds,
            *views.builds,
            *(item for item in triggers if isinstance(item, Build)),
        ),
        objects=tuple(fates),
        accepted=choices.accepted,
        suppressed=choices.suppressed,
        views=views.plans,
        fold=choices.fold,
    )


def _sorted_out(database: Database, choices: Choices) -> tuple[list[Table], list[ObjectFate]]:
    """The tables that are carried, and the fates of ordinary tables that are not."""
    carried: list[Table] = []
    left_out: list[ObjectFate] = []
    for table in database.tables:
        if not table.is_copied:
            continue
        if not choices.table(table.name).carried:
            left_out.append(lost("table", table.name, table.name, "left_out"))
        elif len(table.columns) > COLUMNS_MAX:
            found = str(len(table.columns))
            left_out.append(
                lost("table", table.name, table.name, "too_many_columns", columns=found)
            )
        else:
            carried.append(table)
    return carried, left_out


def _table_names(tables: list[Table], choices: Choices, names: Names) -> dict[str, str]:
    """Source table names to target names; what a person chose comes first."""
    chosen = {t.name: target for t in tables if (target := choices.table(t.name).target)}
    given = {name: names.give(target, exact=True) for name, target in chosen.items()}
    return given | {t.name: names.give(t.name) for t in tables if t.name not in given}


def _table_plan(
    number: int,
    table: Table,
    target: str,
    database: Database,
    census: Census,
    decisions: Decisions,
    choices: Choices,
    names: Names,
) -> TablePlan:
    counted = census.tables[table.name]
    readable = [c for c in table.columns if c.name in counted.columns]
    own = choices.table(table.name).columns
    chosen = {name: said.target for name, said in own.items() if said.target}
    targets = column_names((c.name for c in readable), chosen, folds=choices.fold)
    columns = tuple(
        _column_plan(table, c, targets[c.name], counted.columns[c.name], decisions)
        for c in readable
    )
    columns = tuple(_numbered(table, target, column, names) for column in columns)
    last = next((s.last for s in database.sequences if s.table == table.name), None)
    return TablePlan(
        number=number,
        source=table_source(
            table,
            database.encoding,
            [c.name for c in readable],
            where=choices.filters.get(table.name, ""),
        ),
        target=target,
        columns=columns,
        rows=counted.rows,
        primary_key=table.primary_key,
        last_sequence=last,
        comment=table.comment,
        left_out=counted.left_out,
    )


def _column_plan(
    table: Table, column: Column, target: str, census: ColumnCensus, decisions: Decisions
) -> ColumnPlan:
    decision = decisions[table.name, column.name]
    conversion = decision.conversion
    is_alias = column.name == table.rowid_alias
    plan = ColumnPlan(
        source=column.name,
        target=target,
        declared=column.declared_type,
        type=conversion.type,
        rule=conversion.rule,
        not_null=column.not_null or is_alias or column.name in table.primary_key,
        spelling=spelling_of(conversion, census),
        saw=_saw(census),
        misfits=decision.misfits,
        purity=purity(census) if is_pure(conversion, census) else Purity.MIXED,
        bytes_max=max(census.bytes_max, _UTF8_MAX * census.chars_max),
        comment=column.comment,
    )
    default = planned_default(column, place(column, plan, census))
    return plan if default is None else replace(plan, default=default.sql)


def _numbered(table: Table, target: str, column: ColumnPlan, names: Names) -> ColumnPlan:
    """The column with a sequence if it is the rowid."""
    if column.source != table.rowid_alias or column.type.name != types.BIGINT:
        return column
    return replace(column, sequence=names.give(f"{target}_{column.target}_seq"))


def spelling_of(conversion: Conversion, census: ColumnCensus) -> str:
    """How the source writes what the target keeps in another form."""
    if conversion.rule == "uuid":
        return "/".join(sorted(census.uuid_forms))
    if conversion.rule.partition(":")[0] not in ("iso", "zone"):
        return ""
    written = sorted(census.spellings, key=lambda s: -census.spellings[s])
    return SPELLINGS.join(written)


def _saw(census: ColumnCensus) -> str:
    """A column's census in a few words."""
    classes = (
        (census.integers, storage_class(0)),
        (census.reals, storage_class(0.0)),
        (census.texts, storage_class("")),
        (census.blobs, storage_class(b"")),
        (census.nulls, storage_class(None)),
    )
    words = [f"{count} {name}" for count, name in classes if count]
    if census.integer_min is not None:
        words.append(f"{census.integer_min}..{census.integer_max}")
    if census.chars_max:
        words.append(f"up to {census.chars_max} characters")
    return ", ".join(words) or "no rows"


def _sites(
    schema: str,
    tables: list[Table],
    plans: tuple[TablePlan, ...],
    names: Names,
    census: Census,
) -> list[Site]:
    others = {fold(plan.name): plan for plan in plans}
    return [
        Site(schema, table, plan, others, names, census.tables[table.name])
        for table, plan in zip(tables, plans, strict=True)
    ]


def _builds(
    database: Database, sites: list[Site], names: Names
) -> tuple[tuple[Build, ...], list[ObjectFate]]:
    made = [item for site in sites for item in table_builds(site)]
    keys = tuple(item for item in made if isinstance(item, Build))
    made += [item for site in sites for item in foreign_key_builds(site, keys)]
    made += search_items(database, sites, names)
    builds = [item for item in made if isinstance(item, Build)]
    order = list(BuildKind)
    builds.sort(key=lambda build: order.index(build.kind))
    return tuple(builds), [item for item in made if isinstance(item, ObjectFate)]


def _unreadable(counted: TableCensus) -> Iterator[ObjectFate]:
    details: Mapping[str, str] = counted.unreadable
    for column, detail in details.items():
        name = f"{counted.table}.{column}"
        yield lost("column", name, counted.table, "unreadable_column", detail=detail)
