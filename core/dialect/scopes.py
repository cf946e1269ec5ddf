"""The columns that a query's expressions can name: those of FROM, each under its alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.dialect.columns import Place
from core.dialect.relations import Relation
from core.dialect.terms import Term, Untranslatable
from core.schema.names import fold
from core.source.rows import quoted

Column = tuple[int, str]
"""A column of a query: the number of its source, and its folded name."""
_ROWIDS = ("rowid", "oid", "_rowid_")


def plain(name: str) -> str:
    """A name as the grammar gives it, which leaves doubled quotes doubled."""
    return name.replace('""', '"').replace("``", "`")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One item of FROM. ``merged``: folded names of the columns that USING or NATURAL joined
    to a column further left, under which alone they are found."""

    number: int
    alias: str
    relation: Relation
    merged: frozenset[str] = frozenset()

    @property
    def places(self) -> tuple[Place, ...]:
        """Its columns, each called by the alias."""
        prefix = f"{quoted(self.alias)}."
        return tuple(replace(place, prefix=prefix) for place in self.relation.places)

    def find(self, name: str) -> Place | None:
        """The column called so."""
        wanted = fold(plain(name))
        return next((p for p in self.places if p.source and fold(plain(p.source)) == wanted), None)

    def column(self, place: Place) -> Column:
        """The column that ``place`` is."""
        return self.number, fold(plain(place.source))


class FromScope:
    """The columns of all sources of one query."""

    def __init__(self, sources: Sequence[Source], first: int = 0, last: int | None = None) -> None:
        """``first`` to ``last``: the sources that may be named."""
        self.sources = tuple(sources)
        self._first = first
        self._last = len(sources) - 1 if last is None else last

    def within(self, first: int, last: int) -> FromScope:
        """The scope of a join of these sources alone: to name another one is refused."""
        return FromScope(self.sources, first, last)

    def find(self, name: str, table: str | None = None) -> Place | None:
        """The column called so. Raises Untranslatable for a name of several meanings."""
        found = self.located(name, table)
        return found[1] if found else None

    def located(self, name: str, table: str | None = None) -> tuple[Source, Place] | None:
        """The column called so, and whose it is. Raises Untranslatable."""
        found = [
            (source, place)
            for source in self._called(table)
            if (place := source.find(name)) and (table or fold(plain(name)) not in source.merged)
        ] or self._rowids(name, table)
        if len(found) > 1:
            raise Untranslatable(f"{name}, of several tables")
        if found and not self._first <= found[0][0].number <= self._last:
            raise Untranslatable(f"a join that speaks of {name}, not of its own tables")
        return found[0] if found else None

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is, or may be, a column that the target does not have."""
        wanted = fold(plain(name))
        return any(
            wanted in map(fold, source.relation.others)
            or any(not place.source for place in source.relation.places)
            for source in self.sources
        )

    def knows(self, table: str) -> bool:
        """Whether a source is called so."""
        return bool(self._called(table))

    def column_of(self, term: Term) -> Column | None:
        """The column that a term is, None if it is none of these."""
        found = ((s, p) for s in self.sources for p in s.places if p.sql == term.sql)
        return next((source.column(place) for source, place in found), None)

    def starred(self, table: str | None = None) -> list[tuple[Source, Place]]:
        """What ``*``, or ``table.*``, stands for."""
        sources = self._called(table)
        if any(source.relation.others for source in sources):
            raise Untranslatable("* of a table with columns that are not carried")
        return [
            (source, place)
            for source in sources
            for place in source.places
            if table or not place.source or fold(plain(place.source)) not in source.merged
        ]

    def _called(self, table: str | None) -> list[Source]:
        wanted = None if table is None else fold(plain(table))
        return [s for s in self.sources if wanted is None or fold(s.alias) == wanted]

    def _rowids(self, name: str, table: str | None) -> list[tuple[Source, Place]]:
        sources = self._called(table)
        if fold(name) not in _ROWIDS or len(sources) != 1 or not sources[0].relation.rowid:
            return []
        place = sources[0].find(sources[0].relation.rowid)
        return [(sources[0], place)] if place else []
