"""What the statements of a trigger's body may name: tables, and the rows they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.dialect.columns import Place
from core.dialect.terms import Untranslatable
from core.schema.names import fold, unquoted

ROWIDS = ("rowid", "oid", "_rowid_")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A table or view of the source, and what it is in the target.

    ``target``: its qualified name there, quoted. ``places``: its columns in their order.
    All other columns by the names of the source: ``others`` that the target does not have;
    ``rowid`` that is the rowid under another name; ``keys`` that tell rows apart in the
    target and hold no NULL; ``upserts``, the keys that an ON CONFLICT may name; ``required``
    that hold no NULL; ``unfilled`` whose default is not carried; ``stale`` that SQLite
    generates and the target does not; ``generated`` that both do. ``ignores``: whether the
    target would pass over a new row in the very cases in which OR IGNORE does, NULLs apart;
    ``decides``: whether a constraint of its own says ON CONFLICT, as PostgreSQL's cannot.
    """

    name: str
    target: str
    places: tuple[Place, ...]
    others: frozenset[str] = frozenset()
    rowid: str = ""
    keys: tuple[tuple[str, ...], ...] = ()
    upserts: tuple[tuple[str, ...], ...] = ()
    required: frozenset[str] = frozenset()
    unfilled: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    ignores: bool = False
    decides: bool = False
    is_view: bool = False

    def place(self, name: str) -> Place | None:
        """The column called ``name``, the rowid by its own names too; None if there is none."""
        by_name = {fold(place.source): place for place in self.places}
        found = by_name.get(fold(name))
        if found is None and fold(name) in ROWIDS and self.rowid:
            return by_name.get(fold(self.rowid))
        return found


World = Mapping[str, Subject]
"""All that a statement may name, by folded name."""


def subject_of(world: World, name: str) -> Subject:
    """The table called ``name``, which may be quoted. Raises Untranslatable."""
    found = world.get(fold(unquoted(name)))
    if found is None:
        raise Untranslatable(f"{unquoted(name)}, which is not carried")
    return found


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that expressions speak of: ``called`` in the source, ``alias`` in the target.
    ``is_bare``: whether its columns go by their names alone. ``hidden``: columns of which
    nothing can be said here. ``found_as``: of a trigger's own row that is in its table now,
    the alias under which its key is the one it has there; '' for other rows."""

    subject: Subject
    called: str
    alias: str
    is_bare: bool = True
    hidden: frozenset[str] = frozenset()
    found_as: str = ""

    def find(self, name: str, table: str | None = None) -> Place | None:
        """The column called ``name``, None if it is none of this row's."""
        if (table is None and not self.is_bare) or (table and fold(table) != fold(self.called)):
            return None
        place = self.subject.place(name)
        if place is None:
            return None
        if place.source in self.hidden | self.subject.stale:
            raise Untranslatable(f"{self.called}.{place.source}")
        return replace(place, prefix=f"{self.alias}.")

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is a column that the target does not have."""
        return self.is_bare and fold(name) in map(fold, self.subject.others)

    def is_required(self, place: Place) -> bool:
        """Whether ``place`` is a column of this row's that holds no NULL."""
        return place.prefix == f"{self.alias}." and place.source in self.subject.required


@dataclass(frozen=True)
class Rows:
    """Several rows, the innermost first: a name means the first that has it."""

    rows: Sequence[Row]

    def find(self, name: str, table: str | None = None) -> Place | None:
        """The column called ``name``, None if there is none."""
        for row in self.rows:
            found = row.find(name, table)
            if found is not None or (table is None and row.lacks(name)):
                return found
        return None

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is a column that the target does not have."""
        return any(row.lacks(name) for row in self.rows)

    def named(self, table: str | None) -> Row | None:
        """The row that a name before a dot means, or the innermost without one."""
        if table is None:
            return next((row for row in self.rows if row.is_bare), None)
        return next((row for row in self.rows if fold(row.called) == fold(table)), None)

    def is_required(self, place: Place) -> bool:
        """Whether ``place`` holds no NULL."""
        return any(row.is_required(place) for row in self.rows)
