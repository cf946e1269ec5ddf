"""Triggers: which are said in PostgreSQL, and what each may name and set off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from core.dialect import Untranslatable
from core.dialect.subjects import Subject, subject_of
from core.dialect.triggers import Event, Naming, Trigger, read_trigger, said_trigger
from core.plan.fates import lost
from core.plan.model import Build, BuildKind, Fate, ObjectFate
from core.plan.names import Names
from core.plan.places import places
from core.plan.searches import indexed_searches
from core.plan.site import Built, Site
from core.schema import model
from core.schema.model import Database
from core.schema.names import fold

_LEAVES_ALONE = ("NO ACTION", "RESTRICT")
_ACTIONS_RUN_AS = "RI_ConstraintTrigger"
"""What PostgreSQL calls the triggers that are the actions of foreign keys. Triggers run in the
order of their names; SQLite runs the actions first."""


def trigger_items(
    database: Database,
    sites: Sequence[Site],
    made: Sequence[Built],
    views: Iterable[Subject] = (),
) -> list[Built]:
    """A build for each trigger that is said, a fate for each that is not. ``made``: what
    becomes of the tables' keys, indexes and searches; ``views``: those that the target has."""
    planner = _Planner(database, sites, made, views)
    return [planner.item(stored) for stored in database.triggers]


class _Planner:
    """Gives the triggers of one database their names and their words."""

    def __init__(
        self,
        database: Database,
        sites: Sequence[Site],
        made: Sequence[Built],
        views: Iterable[Subject],
    ) -> None:
        self._schema = sites[0].schema if sites else ""
        self._chain = _Chain(database)
        subjects = [*(_subject(site, made) for site in sites), *views]
        self._world = {fold(subject.name): subject for subject in subjects}
        self._indexed = set(map(fold, indexed_searches(made)))
        self._names, self._functions = Names(), Names()

    def item(self, stored: model.Trigger) -> Built:
        """What becomes of one trigger."""
        try:
            trigger = read_trigger(stored.sql)
            if self._only_fills(trigger):
                return _fate(stored, "fts_kept_by_index")
            return self._build(stored, trigger)
        except Untranslatable as refused:
            kind, name, detail = "trigger", stored.name, str(refused)
            return lost(kind, name, stored.table, "trigger", original=stored.sql, detail=detail)

    def _only_fills(self, trigger: Trigger) -> bool:
        """Whether it does nothing but fill searches that an index keeps here."""
        return trigger.only_changes and all(table in self._indexed for table, _ in trigger.sets_off)

    def _build(self, stored: model.Trigger, trigger: Trigger) -> Build:
        own = subject_of(self._world, trigger.event[0])
        wanted = stored.name
        if wanted < _ACTIONS_RUN_AS and self._chain.has_actions(trigger):
            wanted = f"after_{wanted}"
        naming = Naming(
            schema=self._schema,
            trigger=self._names.give(wanted),
            function=self._functions.give(wanted),
            mark=self._chain.comes_back(trigger),
        )
        return Build(
            kind=BuildKind.TRIGGER,
            name=naming.trigger,
            table=own.name,
            sql=said_trigger(trigger, naming, self._world),
            function=naming.function,
            fate=_fate(stored, "trigger_said", function=naming.function),
        )


def _fate(stored: model.Trigger, reason: str, **facts: str) -> ObjectFate:
    return ObjectFate(
        kind="trigger",
        name=stored.name,
        table=stored.table,
        fate=Fate.REWRITTEN,
        reason=reason,
        facts=facts,
        original=stored.sql,
    )


# --- what a trigger may name ----------------------------------------------------------------


def _subject(site: Site, made: Sequence[Built]) -> Subject:
    """A carried table, as statements of triggers know it."""
    table, planned = site.table, {c.source: c for c in site.plan.columns}
    required = frozenset(name for name, column in planned.items() if column.not_null)
    own = [b for b in made if isinstance(b, Build) and b.table == table.name]
    keys = tuple(build.key for build in own if build.key)
    generated = frozenset(c.name for c in table.columns if c.generated is not None)
    computed = {
        column for b in own if b.kind is BuildKind.GENERATED for column, _ in b.terms if column
    }
    lost_keys = any(isinstance(i, ObjectFate) and _is_unique(i, table.name) for i in made)
    return Subject(
        name=table.name,
        target=site.target,
        places=places(table, site.plan, site.census).all,
        others=frozenset(c.name for c in table.columns if c.name not in planned),
        rowid=table.rowid_alias if table.rowid_alias in planned else "",
        keys=tuple(key for key in keys if required.issuperset(key)),
        upserts=keys,
        required=required,
        unfilled=frozenset(_unfilled(site)),
        stale=generated - computed,
        generated=generated & computed,
        ignores=not table.checks and not lost_keys,
        decides=any(clause.action != "ABORT" for clause in table.conflict_clauses),
    )


def _is_unique(fate: ObjectFate, table: str) -> bool:
    return fate.table == table and fate.kind in ("unique", "primary_key")


def _unfilled(site: Site) -> Iterator[str]:
    """Columns whose default the target does not have."""
    planned = {column.source: column for column in site.plan.columns}
    for column in site.table.columns:
        if column.default is None or column.name == site.table.rowid_alias:
            continue
        if column.name not in planned or planned[column.name].default is None:
            yield column.name


# --- what a trigger sets off ----------------------------------------------------------------


class _Chain:
    """What follows from what: triggers run statements, and foreign keys change their rows."""

    def __init__(self, database: Database) -> None:
        self._follows: dict[Event, set[Event]] = {}
        for stored in database.triggers:
            with suppress(Untranslatable):  # one that is not read is not carried
                trigger = read_trigger(stored.sql)
                self._follows.setdefault(trigger.event, set()).update(trigger.sets_off)
        self._acted_on: set[Event] = set()
        for cause, effect in _actions(database):
            self._acted_on.add(cause)
            self._follows.setdefault(cause, set()).add(effect)

    def has_actions(self, trigger: Trigger) -> bool:
        """Whether actions of foreign keys come between the change and the trigger."""
        return trigger.timing == "AFTER" and trigger.event in self._acted_on

    def comes_back(self, trigger: Trigger) -> bool:
        """Whether what the trigger does may fire it again; before an UPDATE or DELETE, or
        in place of a change, also whether it may touch the rows that are being changed."""
        reached = self._reached(trigger.sets_off)
        table, verb = trigger.event
        if trigger.timing == "AFTER" or (trigger.timing, verb) == ("BEFORE", "INSERT"):
            return trigger.event in reached
        return any(other == table for other, _ in reached)

    def _reached(self, events: frozenset[Event]) -> set[Event]:
        reached: set[Event] = set()
        ahead = set(events)
        while ahead:
            event = ahead.pop()
            reached.add(event)
            ahead |= self._follows.get(event, set()) - reached
        return reached


def _actions(database: Database) -> Iterator[tuple[Event, Event]]:
    """What the actions of foreign keys do to rows that refer to a changed one."""
    for table in database.tables:
        child = fold(table.name)
        for key in table.foreign_keys:
            parent = fold(key.parent)
            if key.on_delete not in _LEAVES_ALONE:
                effect = "DELETE" if key.on_delete == "CASCADE" else "UPDATE"
                yield (parent, "DELETE"), (child, effect)
            if key.on_update not in _LEAVES_ALONE:
                yield (parent, "UPDATE"), (child, "UPDATE")
