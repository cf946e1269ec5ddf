"""A target's schema against what its plan makes of it.

Both are values of one engine: what a plan makes is read from the server that made it, so
its texts (defaults, conditions, definitions) are the server's own on both sides. Keys and
indexes are compared by what they do; a name alone is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.plan.ddl import create_schema, qualified
from core.plan.diff import mend
from core.plan.diff.model import Aspect, Difference, Kind, Why, in_order
from core.plan.diff.naming import (
    default_of,
    generation,
    nullability,
    numbering,
    other_column_names,
    other_table_names,
    type_of,
)
from core.plan.diff.things import (
    Thing,
    by_use,
    function_thing,
    over,
    paired,
    things_of,
    trigger_thing,
    view_thing,
)
from core.plan.model import Plan
from core.schema.model import Column, Database, Table
from core.source.rows import quoted


@dataclass(frozen=True, kw_only=True)
class Numbering:
    """How far a column's sequence is: ``following`` is the next number, None without a
    sequence; ``needed`` the highest number that it must not give again."""

    table: str
    column: str
    following: int | None
    needed: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is asked of the target beside its schema. ``schema_there``: it exists at all;
    ``populated``: tables that lack a column, and have rows."""

    schema_there: bool = True
    numberings: tuple[Numbering, ...] = ()
    populated: frozenset[str] = frozenset()


def differences(
    plan: Plan, wanted: Database, found: Database, facts: Facts
) -> tuple[Difference, ...]:
    """Every difference, in an order in which they can be mended.

    ``wanted``: what the plan's own statements make on the target's server. What belongs to
    a table or column under another name is compared once it has its own name again.
    """
    return tuple(in_order(_Comparison(plan, wanted, found, facts).all()))


class _Comparison:
    def __init__(self, plan: Plan, wanted: Database, found: Database, facts: Facts) -> None:
        self._plan = plan
        self._schema = plan.schema
        self._wanted = wanted
        self._found = found
        self._facts = facts
        self._sources = _sources(plan)
        self._other_names = other_table_names(wanted.tables, found.tables)
        self._unsettled = set(self._other_names)

    def all(self) -> Iterator[Difference]:
        if not self._facts.schema_there:
            made = (create_schema(self._plan),)
            yield self._difference(
                Kind.SCHEMA, Aspect.MISSING, self._schema, expected=self._schema, make=made
            )
        here = {table.name: table for table in self._found.tables}
        for table in self._wanted.tables:
            yield from self._table(table, here.get(table.name))
        for table in self._wanted.tables:
            if table.name not in self._unsettled:
                yield from self._belongings(table, here.get(table.name) or _bare(table))
        yield from self._extra_tables()
        if not self._unsettled:
            yield from self._views_and_triggers()
        yield from self._sequences()

    def _difference(
        self,
        kind: Kind,
        aspect: Aspect,
        table: str,
        name: str = "",
        *,
        expected: str = "",
        target: str = "",
        drop: tuple[str, ...] = (),
        make: tuple[str, ...] = (),
        destructive: bool = False,
        why: Why | None = None,
    ) -> Difference:
        return Difference(
            object=".".join(filter(None, (table, name))),
            kind=kind,
            aspect=aspect,
            source="" if aspect is Aspect.EXTRA else self._sources.get((table, name), ""),
            expected=expected,
            target=target,
            drop=drop,
            make=make,
            destructive=destructive,
            why=why,
        )

    # --- tables

    def _table(self, table: Table, found: Table | None) -> Iterator[Difference]:
        if table.name in self._other_names:
            other = self._other_names[table.name]
            place = qualified(self._schema, other)
            made = f"ALTER TABLE {place} RENAME TO {quoted(table.name)}"
            yield self._renamed(Kind.TABLE, table.name, "", table.name, other, made)
            return
        if found is None:
            found = _bare(table)
            yield self._difference(
                Kind.TABLE,
                Aspect.MISSING,
                table.name,
                expected=table.name,
                make=(mend.create_table(self._schema, table),),
            )
        if found.unlogged and not table.unlogged:
            yield self._difference(
                Kind.TABLE,
                Aspect.UNLOGGED,
                table.name,
                expected="LOGGED",
                target="UNLOGGED",
                make=(mend.alter(self._schema, table.name, "SET LOGGED"),),
            )
        yield from self._comment(Kind.TABLE, table, found, table.name)
        yield from self._columns(table, found)

    def _extra_tables(self) -> Iterator[Difference]:
        known = {table.name for table in self._wanted.tables} | set(self._other_names.values())
        extra = [table for table in self._found.tables if table.name not in known]
        for table in extra:
            # Extra tables may refer to each other, in a circle too.
            references = (
                f"ALTER TABLE IF EXISTS {qualified(self._schema, other.name)}"
                f" DROP CONSTRAINT IF EXISTS {quoted(key.name or '')}"
                for other in extra
                for key in other.foreign_keys
                if other is not table and key.parent == table.name
            )
            drop = f"DROP TABLE {qualified(self._schema, table.name)}"
            yield self._difference(
                Kind.TABLE,
                Aspect.EXTRA,
                table.name,
                target=table.name,
                drop=(*references, drop),
                destructive=True,
            )

    def _comment(
        self, kind: Kind, wanted: Table | Column, found: Table | Column, table: str, name: str = ""
    ) -> Iterator[Difference]:
        """Only a comment that the plan makes is missed: others are nobody's business."""
        if not wanted.comment or wanted.comment == found.comment:
            return
        made = mend.comment_on(self._schema, table, name, wanted.comment)
        yield self._difference(
            kind,
            Aspect.COMMENT,
            table,
            name,
            expected=wanted.comment,
            target=found.comment,
            make=(made,),
        )

    def _renamed(
        self, kind: Kind, table: str, name: str, expected: str, target: str, made: str
    ) -> Difference:
        aspect = Aspect.RENAMED
        return self._difference(
            kind, aspect, table, name, expected=expected, target=target, make=(made,)
        )

    # --- columns

    def _columns(self, table: Table, found: Table) -> Iterator[Difference]:
        here = {column.name: column for column in found.columns}
        other_names = other_column_names(table, found)
        for column in table.columns:
            if column.name in here:
                yield from self._column(table.name, column, here[column.name])
            elif column.name in other_names:
                self._unsettled.add(table.name)
                other = other_names[column.name]
                action = f"RENAME COLUMN {quoted(other)} TO {quoted(column.name)}"
                made = mend.alter(self._schema, table.name, action)
                names = (table.name, column.name)
                yield self._renamed(Kind.COLUMN, *names, column.name, other, made)
            else:
                yield self._missing_column(table.name, column)
        known = {column.name for column in table.columns} | set(other_names.values())
        for column in found.columns:
            if column.name not in known:
                yield self._extra_column(table.name, column)

    def _missing_column(self, table: str, column: Column) -> Difference:
        fills_itself = column.default or column.identity or column.generated
        gone = column.not_null and not fills_itself and table in self._facts.populated
        return self._difference(
            Kind.COLUMN,
            Aspect.MISSING,
            table,
            column.name,
            expected=mend.column_clause(self._schema, column),
            make=() if gone else (mend.add_column(self._schema, table, column),),
            why=Why.VALUES_GONE if gone else None,
        )

    def _extra_column(self, table: str, column: Column) -> Difference:
        return self._difference(
            Kind.COLUMN,
            Aspect.EXTRA,
            table,
            column.name,
            target=mend.column_clause(self._schema, column),
            drop=(mend.alter(self._schema, table, f"DROP COLUMN {quoted(column.name)}"),),
            destructive=column.generated is None,
        )

    def _column(self, table: str, wanted: Column, found: Column) -> Iterator[Difference]:
        if generation(wanted) != generation(found):
            yield self._recomputed(table, wanted, found)
            return

        def differs(aspect: Aspect, expected: str, target: str, *make: str) -> Difference:
            where = (Kind.COLUMN, aspect, table, wanted.name)
            return self._difference(*where, expected=expected, target=target, make=make)

        place = (self._schema, table, wanted)
        retyped = type_of(wanted) != type_of(found)
        if retyped:
            made = self._around_views(table, mend.retype(*place, found))
            yield differs(Aspect.TYPE, type_of(wanted), type_of(found), *made)
        if wanted.not_null != found.not_null:
            said = nullability(wanted), nullability(found)
            yield differs(Aspect.NULLABILITY, *said, mend.set_not_null(*place))
        # A type is mended with its default, and an identity instead of one.
        settled = retyped or (wanted.identity and not found.identity)
        if not settled and default_of(wanted) != default_of(found):
            said = default_of(wanted), default_of(found)
            yield differs(Aspect.DEFAULT, *said, mend.set_default(*place))
        if numbering(wanted) != numbering(found):
            said = numbering(wanted), numbering(found)
            yield differs(Aspect.IDENTITY, *said, *mend.set_identity(*place, found))
        elif wanted.identity and wanted.sequence and found.sequence != wanted.sequence:
            yield self._renamed_sequence(table, wanted, found)
        yield from self._comment(Kind.COLUMN, wanted, found, table, wanted.name)

    def _renamed_sequence(self, table: str, wanted: Column, found: Column) -> Difference:
        was, name = found.sequence or "", wanted.sequence or ""
        made = f"ALTER SEQUENCE {qualified(self._schema, was)} RENAME TO {quoted(name)}"
        return self._renamed(Kind.SEQUENCE, table, wanted.name, name, was, made)

    def _recomputed(self, table: str, wanted: Column, found: Column) -> Difference:
        """A column that is computed otherwise, or on one side only: made anew."""
        clause = mend.column_clause(self._schema, wanted)
        anew = f"DROP COLUMN {quoted(wanted.name)}, ADD COLUMN {clause}"
        return self._difference(
            Kind.COLUMN,
            Aspect.GENERATED,
            table,
            wanted.name,
            expected=generation(wanted),
            target=generation(found),
            make=self._around_views(table, mend.alter(self._schema, table, anew)),
            destructive=found.generated is None,
        )

    def _around_views(self, relation: str, *statements: str) -> tuple[str, ...]:
        """Statements that a view over the relation would forbid: the plan's views give way,
        and come back as planned, with the triggers that they have."""
        names = over(self._found.views, relation)
        views = [view for view in by_use(self._wanted.views) if view.name in names]
        kept = set(self._found.triggers) & set(self._wanted.triggers)
        lost = names | {relation} if self._is_view(relation) else names
        return (
            *(mend.drop_view(self._schema, view) for view in reversed(views)),
            *statements,
            *(mend.create_view(self._schema, view) for view in views),
            *(t.sql for t in self._wanted.triggers if t in kept and t.table in lost),
        )

    def _is_view(self, relation: str) -> bool:
        return any(view.name == relation for view in self._found.views)

    # --- what is compared by what it does

    def _belongings(self, table: Table, found: Table) -> Iterator[Difference]:
        """Keys, indexes, checks and foreign keys of one table."""
        yield from self._compared(
            [t for t in things_of(self._schema, table) if t.parent not in self._unsettled],
            [t for t in things_of(self._schema, found) if t.parent not in self._unsettled],
        )

    def _views_and_triggers(self) -> Iterator[Difference]:
        yield from self._compared(
            [view_thing(self._schema, view) for view in by_use(self._wanted.views)],
            [view_thing(self._schema, view) for view in reversed(by_use(self._found.views))],
        )
        dropped = self._extra_relations()
        yield from self._compared(
            [trigger_thing(self._schema, trigger) for trigger in self._wanted.triggers],
            [
                trigger_thing(self._schema, t)
                for t in self._found.triggers
                if t.table not in dropped
            ],
        )
        # Functions that the plan does not make are nobody's business.
        made = {(f.name, f.arguments) for f in self._wanted.functions}
        kept = [f for f in self._found.functions if (f.name, f.arguments) in made]
        yield from self._compared(
            list(map(function_thing, self._wanted.functions)), list(map(function_thing, kept))
        )

    def _extra_relations(self) -> set[str]:
        """What goes as a whole, with its triggers."""
        return _relations(self._found) - _relations(self._wanted)

    def _compared(self, wanted: Sequence[Thing], found: Sequence[Thing]) -> Iterator[Difference]:
        pairs = paired(wanted, found)
        for thing in wanted:
            if thing in pairs:
                yield from self._pair(thing, pairs[thing])
            else:
                where = (thing.kind, Aspect.MISSING, thing.table, thing.name)
                made = (thing.create,)
                yield self._difference(*where, expected=thing.meaning, make=made)
        taken = set(pairs.values())
        for thing in found:
            if thing not in taken:
                yield self._difference(
                    thing.kind,
                    Aspect.EXTRA,
                    thing.table,
                    thing.name,
                    target=thing.meaning,
                    drop=(thing.drop,),
                    destructive=thing.destructive,
                )

    def _pair(self, wanted: Thing, found: Thing) -> Iterator[Difference]:
        if (wanted.kind, wanted.meaning) != (found.kind, found.meaning):
            yield self._remade(wanted, found)
            return
        names = (wanted.table, wanted.name)
        if wanted.name != found.name:
            made = f"{found.rename} TO {quoted(wanted.name)}"
            yield self._renamed(wanted.kind, *names, wanted.name, found.name, made)
        if wanted.sound and not found.sound and wanted.restore:
            aspect, made = wanted.restore  # by the planned name, which it has by then
            said = wanted.meaning
            yield self._difference(wanted.kind, aspect, *names, expected=said, make=(made,))

    def _remade(self, wanted: Thing, found: Thing) -> Difference:
        """What does something else is dropped and made again, views with those over them."""
        drop: tuple[str, ...] = (found.drop,) if found.drop else ()
        make: tuple[str, ...] = (wanted.create,)
        if wanted.kind is Kind.VIEW:
            drop, make = (), self._around_views(wanted.name, *drop, *make)
        return self._difference(
            wanted.kind,
            Aspect.DEFINITION,
            wanted.table,
            wanted.name,
            expected=wanted.meaning,
            target=found.meaning,
            drop=drop,
            make=make,
            destructive=found.destructive,
        )

    # --- sequences

    def _sequences(self) -> Iterator[Difference]:
        for number in self._facts.numberings:
            if number.table in self._unsettled:
                continue
            following = number.following
            # Without one, a new one begins at 1.
            if (1 if following is None else following) > number.needed:
                continue
            made = mend.setval(self._schema, number.table, number.column, number.needed)
            yield self._difference(
                Kind.SEQUENCE,
                Aspect.BEHIND,
                number.table,
                number.column,
                expected=f"> {number.needed}",
                target="" if following is None else str(following),
                make=(made,),
            )


def _relations(database: Database) -> set[str]:
    return {table.name for table in database.tables} | {view.name for view in database.views}


def _bare(table: Table) -> Table:
    """The table as CREATE TABLE alone makes it."""
    return replace(
        table,
        columns=tuple(replace(column, comment="") for column in table.columns),
        primary_key=(),
        indexes=(),
        checks=(),
        foreign_keys=(),
        comment="",
    )


def _sources(plan: Plan) -> Mapping[tuple[str, str], str]:
    """What each object is in the source, by its table and its name in the target."""
    said: dict[tuple[str, str], str] = {}
    for table in plan.tables:
        said[table.target, ""] = table.name
        for column in table.columns:
            said[table.target, column.target] = f"{column.source} {column.declared}".strip()
    targets = {table.name: table.target for table in plan.tables}
    for build in plan.builds:
        said[targets.get(build.table, ""), build.name] = build.fate.original or build.fate.name
    return said
