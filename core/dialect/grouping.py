"""GROUP BY, and the columns beside it.

SQLite lets a query name columns that it neither groups by nor aggregates, and takes their
value from any row of the group (https://sqlite.org/lang_select.html section 2.5). Where the
group's own columns determine the value, every row has the same, and it is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.dialect.columns import Place
from core.dialect.relations import Doubt, Notes
from core.dialect.scopes import Column, Source
from core.dialect.terms import Term, Untranslatable, of_column

BARE = "a bare column beside GROUP BY"


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a join, or WHERE, demands. ``equal``: columns that equal another one, or (None) a
    constant. ``outer``: the source that LEFT JOIN leaves NULL where nothing is found, None
    where rows are left out; ``named``: every column that the condition speaks of."""

    equal: tuple[tuple[Column, Column | None], ...]
    named: frozenset[Column] = frozenset()
    outer: int | None = None


def determined(
    known: Iterable[Column], sources: Sequence[Source], links: Sequence[Link]
) -> frozenset[Column]:
    """All columns that have one value wherever ``known`` have: by keys and equalities."""
    found, before = set(known), -1
    while len(found) != before:
        before = len(found)
        for source in sources:
            if _has_key(source, found):
                found |= _columns(source)
        for link in links:
            found |= _followed(link, sources, found)
    return frozenset(found)


def _followed(link: Link, sources: Sequence[Source], found: set[Column]) -> set[Column]:
    if link.outer is None:
        pairs = [*link.equal, *((b, a) for a, b in link.equal if b is not None)]
        return {a for a, b in pairs if b is None or b in found}
    source = sources[link.outer]
    if not {column for column in link.named if column[0] != source.number} <= found:
        return set()
    fixed = {a for a, b in link.equal if b is None or b in found}
    return _columns(source) if _has_key(source, fixed) else set()


def _has_key(source: Source, found: Iterable[Column]) -> bool:
    names = {name for number, name in found if number == source.number}
    return any(key.columns <= names for key in source.relation.keys)


def _columns(source: Source) -> set[Column]:
    return {source.column(place) for place in source.places if place.source}


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """The groups of a query: ``columns`` and, by how they are said, ``expressions`` that it
    groups by; ``determined``: the columns that follow from them; ``has_outermost``: whether
    min() or max() picks the row that the others' values are of."""

    columns: frozenset[Column] = frozenset()
    expressions: Mapping[str, Term] = field(default_factory=dict)
    determined: frozenset[Column] = frozenset()
    sources: tuple[Source, ...] = ()
    has_outermost: bool = False

    def of(self, source: Source, place: Place, notes: Notes) -> Term:
        """A column of a group's row. Raises Untranslatable."""
        column = source.column(place)
        if column in self.columns or self._is_known_to_server(source):
            return of_column(place)
        if not self.columns and not self.expressions:
            # There may be no row at all, and SQLite may then give what WHERE demands.
            raise Untranslatable(BARE)
        if column not in self.determined:
            if self.has_outermost or not self._has_driving_key():
                raise Untranslatable(BARE)
            notes.doubts.add(Doubt.BARE)
        # One row's values: all that are taken so come from the same, the first.
        return replace(of_column(place), sql=f"(array_agg({place.sql}))[1]")

    def _is_known_to_server(self, source: Source) -> bool:
        names = {name for number, name in self.columns if number == source.number}
        return any(key.is_primary and key.columns <= names for key in source.relation.keys)

    def _has_driving_key(self) -> bool:
        """Whether each group is one row of the first table, beside whatever joins it."""
        return bool(self.sources) and _has_key(self.sources[0], self.columns)
