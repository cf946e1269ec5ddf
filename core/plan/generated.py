"""Generated columns: the rows bring the values that SQLite computed; where PostgreSQL computes
the same for every row, the column becomes a generated one.

It is dropped and added again, for no plain column can be made a generated one. So it stands
last, where an INSERT that names no columns expects none: SQLite leaves generated columns out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.dialect import Expressions, Kind, Place, Places, Term, Untranslatable
from core.dialect.assignments import assigned
from core.dialect.expressions import said
from core.dialect.terms import of_column
from core.plan.ddl import comment_on
from core.plan.fates import lost
from core.plan.model import Build, BuildKind
from core.plan.places import places
from core.plan.site import Built, Site, said_anew
from core.schema.model import Column, Generated
from core.schema.names import fold
from core.source.rows import quoted
from core.values import types


def generated_builds(site: Site) -> Iterator[Built]:
    """A build for each generated column whose rule can be said, a fate for the others."""
    known = places(site.table, site.plan, site.census)
    for column in site.table.columns:
        if column.generated is not None:
            yield _generated(site, column, known)


def _generated(site: Site, column: Column, known: Places) -> Built:
    name = f"{site.table.name}.{column.name}"
    original, place = column.generation_expression or "", known.find(column.name)
    if place is None:
        return lost("generated", name, site.table.name, "column_not_carried", original=original)
    try:
        rule = _Rules(site, known).rule(column, place)
    except Untranslatable as refused:
        facts = {"detail": str(refused)}
        return lost("generated", name, site.table.name, "generated", original=original, **facts)
    return Build(
        kind=BuildKind.GENERATED,
        name=name,
        table=site.plan.name,
        sql=_made(site, column, place, rule, "STORED"),
        sql_from_18=_made(site, column, place, rule, "VIRTUAL") if _is_free(site, column) else "",
        differs=f"SELECT FROM {site.target} WHERE {_unequal(place, rule)} LIMIT 1",
        fate=said_anew(site.fate("generated", name, original=original), original, rule),
        terms=((column.name, ""),),
    )


class _Rules(Expressions):
    """A rule may name other generated columns, in PostgreSQL it may not: theirs stand in it."""

    def __init__(self, site: Site, known: Places) -> None:
        super().__init__(known)
        self._columns = {fold(column.name): column for column in site.table.columns}

    def rule(self, column: Column, place: Place) -> str:
        """What computes the column, of the type that it has in the target."""
        rule = said(column.generation_expression or "", self.value)
        return _member(rule, place) if rule.kind is Kind.MEMBER else assigned(rule, place)

    def column(self, node: Any) -> Term:
        """A plain column by its name, a generated one by its rule."""
        column, place = (
            self._columns.get(fold(node.column)),
            self.scope.find(node.column, node.table),
        )
        if place is None or column is None or column.generated is None:
            return super().column(node)
        return replace(of_column(place), sql=f"({self.rule(column, place)})")


_MEMBERS = {"text": "", "integer": "::bigint", "real": "::float8"}


def _member(rule: Term, place: Place) -> str:
    """A member of a document has whatever class it has in SQLite: the rows say whether the
    column's type holds them all as PostgreSQL reads them."""
    if place.conversion.rule not in _MEMBERS:
        raise Untranslatable(f"{rule.kind} for {place.source}, {place.conversion.type.sql} here")
    return f"({rule.sql}){_MEMBERS[place.conversion.rule]}"


def _made(site: Site, column: Column, place: Place, rule: str, kept: str) -> str:
    name, kind = quoted(place.target), place.conversion.type.sql
    required = " NOT NULL" if column.not_null else ""
    sql = (
        f"ALTER TABLE {site.target} DROP COLUMN {name},"
        f" ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({rule}) {kept}{required}"
    )
    if column.comment:
        sql += ";\n" + comment_on(site.target, site.plan.column(column.name))
    return sql


def _unequal(place: Place, rule: str) -> str:
    """Where the rule computes another value than the one that arrived."""
    cast = "::text" if place.conversion.type.name == types.JSON else ""
    return f"{place.sql}{cast} IS DISTINCT FROM ({rule}){cast}"


def _is_free(site: Site, column: Column) -> bool:
    """Whether it may stay VIRTUAL: no index and no key of PostgreSQL's takes such a column."""
    if column.generated is not Generated.VIRTUAL:
        return False
    name = fold(column.name)
    keys = {fold(own) for key in site.table.foreign_keys for own in key.columns}
    keys |= {fold(own) for table in site.others.values() for own in table.primary_key}
    said_in = " ".join(
        f"{term.column or term.expression} {index.where or ''}"
        for index in site.table.indexes
        for term in index.terms
    )
    return name not in keys and name not in fold(said_in)
