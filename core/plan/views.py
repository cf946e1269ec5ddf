"""Views: said in PostgreSQL after all else is built, each after what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.dialect import Key, Place, Relation, Said, SaidView, Untranslatable, said_view
from core.dialect.subjects import Subject
from core.plan.ddl import listed, qualified
from core.plan.fates import lost
from core.plan.model import Build, BuildKind, Fate, ObjectFate, ViewColumn, ViewPlan
from core.plan.names import Names, column_names
from core.plan.places import placed
from core.plan.site import Site
from core.schema.model import Database, TableKind, View
from core.schema.names import fold
from core.schema.notes import NoteReason, SchemaNote
from core.values import types
from core.values.types import Purity

_OWN_SPELLINGS = {
    types.DATE: "9999-99-99",
    types.TIME: "99:99:99",
    types.TIMESTAMP: "9999-99-99 99:99:99",
}


@dataclass(frozen=True, kw_only=True)
class Views:
    """What becomes of a database's views: ``plans`` and ``builds`` of those that are said, in
    an order in which each comes after what it reads, and ``fates`` of the others;
    ``subjects``: what those that are said are to triggers."""

    plans: tuple[ViewPlan, ...] = ()
    builds: tuple[Build, ...] = ()
    fates: tuple[ObjectFate, ...] = ()
    subjects: tuple[Subject, ...] = ()


def view_names(database: Database, names: Names) -> Mapping[str, str]:
    """A name in the target for each view: they come before those of indexes, which nobody
    asks by name."""
    return {view.name: names.give(view.name) for view in database.views}


def plan_views(
    database: Database,
    sites: Sequence[Site],
    names: Mapping[str, str],
    schema: str,
    notes: Sequence[SchemaNote] = (),
) -> Views:
    """All views of the database; ``sites``: the tables that are carried."""
    planner = _Planner(database, sites, names, schema, notes)
    for view in database.views:
        planner.say(view)
    return Views(
        plans=tuple(planner.plans),
        builds=tuple(planner.builds),
        fates=tuple(planner.fates),
        subjects=tuple(planner.subjects),
    )


class _Planner:
    """Says one view after the other, first those that it reads."""

    def __init__(
        self,
        database: Database,
        sites: Sequence[Site],
        names: Mapping[str, str],
        schema: str,
        notes: Sequence[SchemaNote],
    ) -> None:
        self._views = {fold(view.name): view for view in database.views}
        self._names = names
        self._schema = schema
        self._broken = {
            note.object: note.detail for note in notes if note.reason_id is NoteReason.VIEW_BROKEN
        }
        self._known: dict[str, Relation | str] = dict(_tables(database, sites, schema))
        self._doubts: dict[str, set[str]] = {}
        self._tables: dict[str, tuple[str, ...]] = {
            site.table.name: (site.table.name,) for site in sites
        }
        self.plans: list[ViewPlan] = []
        self.builds: list[Build] = []
        self.fates: list[ObjectFate] = []
        self.subjects: list[Subject] = []

    def say(self, view: View) -> None:
        """Say a view, unless that is done; a view that is being said cannot be read."""
        if fold(view.name) in self._known:
            return
        self._known[fold(view.name)] = f"{view.name}, a view within itself"
        try:
            self._carry(view, self._said(view))
        except Untranslatable as refused:
            self._known[fold(view.name)] = f"{view.name}, a view that is not carried"
            detail = str(refused)
            self.fates.append(lost("view", view.name, "", "view", original=view.sql, detail=detail))

    def _said(self, view: View) -> SaidView:
        if view.name in self._broken:
            raise Untranslatable(self._broken[view.name])
        said = said_view(view.sql, self._relation)
        if len(said.said.places) != len(view.columns):
            raise Untranslatable("columns that SQLite counts otherwise")
        return said

    def _carry(self, view: View, said: SaidView) -> None:
        targets = column_names(view.columns)
        columns = [
            replace(place, source=name, target=targets[name], prefix="")
            for name, place in zip(view.columns, said.said.places, strict=True)
        ]
        target = self._names[view.name]
        self._known[fold(view.name)] = Relation(
            name=view.name,
            sql=qualified(self._schema, target),
            places=tuple(columns),
            keys=_renamed(said.said.keys, said.said, view),
        )
        self.subjects.append(
            Subject(
                name=view.name,
                target=qualified(self._schema, target),
                places=tuple(columns),
                is_view=True,
            )
        )
        tables = {table for name in said.reads for table in self._tables[name]}
        self._tables[view.name] = tuple(sorted(tables))
        doubts = {doubt for name in said.reads for doubt in self._doubts.get(name, ())}
        self._doubts[view.name] = doubts | {doubt.value for doubt in said.doubts}
        self.plans.append(
            ViewPlan(
                name=view.name,
                target=target,
                columns=tuple(
                    ViewColumn(
                        source=place.source,
                        target=place.target,
                        type=place.conversion.type,
                        rule=place.conversion.rule,
                        is_rough=place.is_rough,
                    )
                    for place in columns
                ),
                tables=self._tables[view.name],
                doubts=tuple(sorted(self._doubts[view.name])),
            )
        )
        self.builds.append(self._build(view, target, said, listed(p.target for p in columns)))

    def _build(self, view: View, target: str, said: SaidView, columns: str) -> Build:
        name = qualified(self._schema, target)
        query = said.said.sql
        return Build(
            kind=BuildKind.VIEW,
            name=target,
            table=view.name,
            sql=f"CREATE VIEW {name} ({columns}) AS {query}",
            reads=said.reads,
            fate=ObjectFate(
                kind="view",
                name=view.name,
                table="",
                fate=Fate.REWRITTEN,
                reason="said_anew",
                facts={"sql": query},
                original=view.sql,
            ),
        )

    def _relation(self, name: str) -> Relation | str | None:
        """What a folded name stands for: a view that was not said yet is said now."""
        if name in self._views:
            self.say(self._views[name])
        return self._known.get(name)


def _tables(
    database: Database, sites: Sequence[Site], schema: str
) -> Iterator[tuple[str, Relation | str]]:
    """What the names of tables stand for."""
    carried = {site.table.name: site for site in sites}
    for table in database.tables:
        if site := carried.get(table.name):
            yield fold(table.name), _table(site, schema)
        elif table.kind is TableKind.VIRTUAL:
            yield fold(table.name), f"{table.name}, a virtual table of module {table.module}"
        else:
            yield fold(table.name), f"{table.name}, a table that is not carried"


def _table(site: Site, schema: str) -> Relation:
    planned = {column.source for column in site.plan.columns}
    return Relation(
        name=site.table.name,
        sql=qualified(schema, site.plan.target),
        places=tuple(_places(site)),
        others=tuple(c.name for c in site.table.columns if c.name not in planned),
        keys=tuple(_keys(site)),
        rowid=site.table.rowid_alias or "",
    )


def _places(site: Site) -> Iterator[Place]:
    """The table's columns. Moments that are still to come are taken to be written as SQLite
    itself would write them: of one that is not there nothing else can be known."""
    for place in placed(site.table, site.plan, site.census):
        column = site.plan.column(place.source)
        own = _OWN_SPELLINGS.get(column.type.name, "")
        is_empty = column.purity is Purity.EMPTY and column.rule == "iso"
        yield replace(place, spelling=own) if is_empty else place


def _keys(site: Site) -> Iterator[Key]:
    required = {fold(column.source) for column in site.plan.columns if column.not_null}
    own = frozenset(map(fold, site.table.primary_key))
    if own:
        yield Key(columns=own, is_primary=True)
    for index in site.table.indexes:
        names = frozenset(fold(term.column or "") for term in index.terms)
        if index.unique and index.where is None and names <= required:
            yield Key(columns=names)


def _renamed(keys: tuple[Key, ...], said: Said, view: View) -> tuple[Key, ...]:
    """The query's keys by the names of the view's columns."""
    names = {
        fold(place.source): fold(name)
        for place, name in zip(said.places, view.columns, strict=True)
        if place.source
    }
    return tuple(
        Key(columns=frozenset(names[name] for name in key.columns))
        for key in keys
        if key.columns <= names.keys()
    )
