"""Keys, indexes, checks, foreign keys, views, triggers and functions: what is compared by
what it does first, and by its name second."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from core.plan.ddl import listed, qualified
from core.plan.diff import mend
from core.plan.diff.model import Aspect, Kind
from core.schema.model import Check, ForeignKey, Function, Index, Table, Trigger, View
from core.source.rows import quoted


@dataclass(frozen=True, kw_only=True)
class Thing:
    """Anything that is compared by its meaning.

    ``parent``: the table that a foreign key refers to. ``place``: what else tells that two
    are meant for one purpose. ``rename``: how its renaming begins; '' when its name is what
    others use it by. ``restore``: what it is when it is not ``sound``, and the statement
    that makes it so.
    """

    kind: Kind
    table: str
    name: str
    meaning: str
    create: str
    drop: str
    parent: str = ""
    place: str = ""
    rename: str = ""
    sound: bool = True
    restore: tuple[Aspect, str] | None = None
    destructive: bool = False


_INDEXES = (Kind.PRIMARY_KEY, Kind.UNIQUE, Kind.INDEX)

# From the surest to the weakest sign that two things are one; None is no sign.
_SIGNS: tuple[Callable[[Thing], Hashable], ...] = (
    lambda thing: (thing.kind, thing.table, thing.meaning, thing.name),
    lambda thing: (thing.kind, thing.meaning) if thing.rename else None,
    lambda thing: (thing.kind in _INDEXES or thing.kind, thing.table, thing.name),
    lambda thing: (thing.kind, thing.place) if thing.place else None,
)


def paired(wanted: Sequence[Thing], found: Sequence[Thing]) -> dict[Thing, Thing]:
    """Which found thing stands for which wanted one."""
    pairs: dict[Thing, Thing] = {}
    for sign in _SIGNS:
        taken = set(pairs.values())
        left = [thing for thing in found if thing not in taken]
        for thing in wanted:
            meant = sign(thing)
            if thing in pairs or meant is None:
                continue
            other = next((t for t in left if sign(t) == meant), None)
            if other is not None:
                pairs[thing] = other
                left.remove(other)
    return pairs


def things_of(schema: str, table: Table) -> Iterator[Thing]:
    """A table's keys, indexes, checks and foreign keys."""
    for index in table.indexes:
        yield _index(schema, index)
    for check in table.checks:
        yield _constraint(schema, table.name, Kind.CHECK, check)
    for key in table.foreign_keys:
        yield _constraint(
            schema,
            table.name,
            Kind.FOREIGN_KEY,
            key,
            parent=key.parent,
            place=listed(key.columns),
        )


def _index(schema: str, index: Index) -> Thing:
    own = Kind.UNIQUE if index.unique else Kind.INDEX
    kind = Kind.PRIMARY_KEY if index.origin == "primary" else own
    name = index.constraint or index.name
    unique = "UNIQUE " if index.unique and index.constraint is None else ""
    # An index that serves a constraint follows the constraint's name.
    renamed = mend.alter(schema, index.table, f"RENAME CONSTRAINT {quoted(name)}")
    return Thing(
        kind=kind,
        table=index.table,
        name=name,
        meaning=unique + index.definition,
        create=mend.create_index(schema, index),
        drop=mend.drop_index(schema, index),
        place=kind if kind is Kind.PRIMARY_KEY else "",
        rename=renamed if index.constraint else f"ALTER INDEX {qualified(schema, name)} RENAME",
        sound=index.valid,
        restore=(Aspect.INVALID, f"REINDEX INDEX {qualified(schema, index.name)}"),
    )


def _constraint(
    schema: str,
    table: str,
    kind: Kind,
    made: Check | ForeignKey,
    *,
    parent: str = "",
    place: str = "",
) -> Thing:
    name = quoted(made.name or "")
    return Thing(
        kind=kind,
        table=table,
        name=made.name or "",
        meaning=made.definition,
        create=mend.create_constraint(schema, table, made),
        drop=mend.drop_constraint(schema, table, made.name or ""),
        parent=parent,
        place=place,
        rename=mend.alter(schema, table, f"RENAME CONSTRAINT {name}"),
        sound=made.validated,
        restore=(Aspect.NOT_VALID, mend.alter(schema, table, f"VALIDATE CONSTRAINT {name}")),
    )


def view_thing(schema: str, view: View) -> Thing:
    """A view, by its name; of a materialized one the rows go with it."""
    return Thing(
        kind=Kind.VIEW,
        table="",
        name=view.name,
        meaning=view.sql.strip(),
        create=mend.create_view(schema, view),
        drop=mend.drop_view(schema, view),
        destructive=view.materialized,
    )


def trigger_thing(schema: str, trigger: Trigger) -> Thing:
    """A trigger, by its name."""
    place, name = qualified(schema, trigger.table), quoted(trigger.name)
    return Thing(
        kind=Kind.TRIGGER,
        table=trigger.table,
        name=trigger.name,
        meaning=trigger.sql,
        create=trigger.sql,
        drop=f"DROP TRIGGER IF EXISTS {name} ON {place}",
        sound=trigger.enabled,
        restore=(Aspect.DISABLED, mend.alter(schema, trigger.table, f"ENABLE TRIGGER {name}")),
    )


def function_thing(function: Function) -> Thing:
    """A function, by its name and the types it takes; it is replaced where it stands."""
    return Thing(
        kind=Kind.FUNCTION,
        table="",
        name=f"{function.name}({function.arguments})",
        meaning=function.sql.strip(),
        create=function.sql.strip(),
        drop="",
    )


# --- views over each other --------------------------------------------------------------


def by_use(views: Sequence[View]) -> list[View]:
    """Views so that each comes after those it reads."""
    ordered: dict[str, View] = {}
    named = {view.name: view for view in views}

    def take(view: View) -> None:
        for name in view.uses:
            if name in named and name not in ordered:
                take(named[name])
        ordered.setdefault(view.name, view)

    for view in views:
        take(view)
    return list(ordered.values())


def over(views: Sequence[View], relation: str) -> set[str]:
    """The names of the views that read a relation, themselves or by other views."""
    names: set[str] = set()
    for view in by_use(views):
        if set(view.uses) & {relation, *names}:
            names.add(view.name)
    return names
