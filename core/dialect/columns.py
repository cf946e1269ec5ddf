"""What an expression's columns have become in the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from core.schema.model import Affinity
from core.schema.names import fold
from core.source.rows import quoted
from core.values.types import Conversion


@dataclass(frozen=True, kw_only=True)
class Place:
    """A column: its names on both sides, how its values are carried, how SQLite compares
    it. ``spelling``: the one way in which the source writes its moments, '' for several.
    ``most``: how large, without sign, the largest INTEGER in it is, None where nobody knows;
    ``is_finite``: whether no value in it is an infinite REAL.
    ``prefix``: what a query says before the name, such as an alias and a dot; ``is_rough``:
    whether the last digits may be others than SQLite's: a column of a query."""

    source: str
    target: str
    conversion: Conversion
    affinity: Affinity
    collation: str = "BINARY"
    spelling: str = ""
    most: int | None = None
    is_finite: bool = True
    prefix: str = ""
    is_rough: bool = False

    @property
    def sql(self) -> str:
        """The column as an expression of PostgreSQL's."""
        return self.prefix + quoted(self.target)


class Scope(Protocol):
    """The columns that an expression can name."""

    def find(self, name: str, table: str | None = None) -> Place | None:
        """The column called ``name`` (of ``table``, if the expression says so), None if
        there is none. Raises Untranslatable for a name of several meanings."""

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is a column of the source that the target does not have."""


class Places:
    """The columns of one table by name, without ASCII case."""

    def __init__(
        self, places: Iterable[Place], others: Iterable[str] = (), table: str | None = None
    ) -> None:
        """``others``: columns of the source that the target does not have; ``table``: what
        its columns may be called by, beside their own names."""
        self._by_name: Mapping[str, Place] = {fold(place.source): place for place in places}
        self._others = {fold(name) for name in others} - self._by_name.keys()
        self._table = None if table is None else fold(table)

    @property
    def all(self) -> tuple[Place, ...]:
        """Every column that the target has, in the table's order."""
        return tuple(self._by_name.values())

    def find(self, name: str, table: str | None = None) -> Place | None:
        """The column called ``name``, None if there is none."""
        if table is not None and fold(table) != self._table:
            return None
        return self._by_name.get(fold(name))

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is a column that the target does not have."""
        return fold(name) in self._others


NOWHERE = Places(())
"""Where an expression can name no column at all: a default."""
