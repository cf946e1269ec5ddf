"""Indexes and unique constraints: of columns, of expressions, with conditions."""

from __future__ import annotations

from dataclasses import dataclass

from core.dialect import COLLATIONS, Kind, Places, Untranslatable, condition, value
from core.plan.fates import lost
from core.plan.model import Build, BuildKind, Fate
from core.plan.places import places
from core.plan.site import Built, Site, said_anew
from core.schema.model import Index, IndexTerm
from core.source.rows import quoted
from core.values import types


def index_build(site: Site, index: Index) -> Built:
    """An index or a unique constraint: a build, or a fate when it cannot be carried."""
    kind = "unique" if index.unique else "index"
    shown = index.constraint or (
        index.name if index.origin == "index" else _unique_name(site, index)
    )
    original, reason = index.sql or "", _why_not(site, index)
    if reason:
        return lost(kind, shown, site.plan.name, reason, original=original)
    known = places(site.table, site.plan, site.census)
    try:
        reason = "expression_index"
        terms = [_indexed(index, term, known) for term in index.terms]
        reason = "partial_index"
        where = "" if index.where is None else condition(index.where, known)
    except Untranslatable as refused:
        detail = str(refused)
        return lost(kind, shown, site.plan.name, reason, original=original, detail=detail)
    return _planned_index(site, index, kind, shown, terms, where)


@dataclass(frozen=True)
class _Indexed:
    """A term of an index: what it indexes, the column (None for an expression) and its
    collation that an expression keeps ('' for none), and what the source's expression is."""

    sql: str
    column: str | None
    kept: str = ""
    expression: str = ""
    descending: bool = False

    @property
    def text(self) -> str:
        """The term as CREATE INDEX takes it."""
        return f"{self.sql} DESC" if self.descending else self.sql


def _indexed(index: Index, term: IndexTerm, known: Places) -> _Indexed:
    """Raises Untranslatable for an expression that cannot be said."""
    collation = (term.collation or "BINARY").upper()
    if term.column is None:
        said = value(term.expression or "", known)
        # A member of a document may be a number in one row and its text in another.
        if said.kind in (Kind.NULL, Kind.OTHER) or (said.kind is Kind.MEMBER and index.unique):
            raise Untranslatable(said.kind)
        form = COLLATIONS.get(collation, "{}") if said.kind is Kind.TEXT else "{}"
        sql, expression = f"({form.format(said.sql)})", term.expression or ""
        return _Indexed(sql, None, expression=expression, descending=term.descending)
    place = known.find(term.column)
    assert place is not None
    sql, kept = place.sql, ""
    if collation in COLLATIONS and place.conversion.type.name in types.TEXTS:
        sql, kept = f"({COLLATIONS[collation].format(sql)})", collation
    return _Indexed(sql, term.column, kept, descending=term.descending)


def _planned_index(
    site: Site, index: Index, kind: str, shown: str, terms: list[_Indexed], where: str
) -> Build:
    collated = any(term.kept for term in terms)
    name = site.names.give(shown)
    if index.origin == "unique" and not collated:
        listed_terms = ", ".join(term.sql for term in terms)
        sql = f"ALTER TABLE {site.target} ADD CONSTRAINT {quoted(name)} UNIQUE ({listed_terms})"
    else:
        unique, listed_terms = "UNIQUE " if index.unique else "", ", ".join(t.text for t in terms)
        sql = f"CREATE {unique}INDEX {quoted(name)} ON {site.target} ({listed_terms})"
        sql += f" WHERE {where}" if where else ""
    fate = site.fate(kind, shown, collated=collated, original=index.sql or "")
    expressions = [term for term in terms if term.column is None]
    if fate.fate is Fate.CARRIED and (expressions or where):
        ours = [term.expression for term in expressions] + [index.where or ""]
        theirs = [term.sql for term in expressions] + [where]
        fate = said_anew(fate, "; ".join(filter(None, ours)), "; ".join(filter(None, theirs)))
    return Build(
        kind=BuildKind.UNIQUE if index.unique else BuildKind.INDEX,
        name=name,
        table=site.plan.name,
        sql=sql,
        fate=fate,
        terms=tuple((term.column, term.kept) for term in terms),
        where=where,
    )


def _unique_name(site: Site, index: Index) -> str:
    columns = "_".join(term.column or "expression" for term in index.terms)
    return f"{site.plan.target}_{columns}_key"


def _why_not(site: Site, index: Index) -> str:
    planned = {column.source for column in site.plan.columns}
    for term in index.terms:
        if (term.collation or "BINARY").upper() not in ("BINARY", *COLLATIONS):
            return "custom_collation"
        if term.column is None:
            continue
        if term.column not in planned:
            return "column_not_carried"
        if site.plan.column(term.column).type.name == types.JSON:
            return "json_not_comparable"
    return ""


def is_collated(site: Site, term: IndexTerm) -> bool:
    """Whether the term compares text in a way that takes an expression here."""
    if term.column is None or (term.collation or "BINARY").upper() not in COLLATIONS:
        return False
    return any(c.source == term.column and c.type.name in types.TEXTS for c in site.plan.columns)
