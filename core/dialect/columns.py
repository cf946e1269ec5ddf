"""What an expression's columns have become in the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.schema.model import Affinity
from core.schema.names import fold
from core.values.types import Conversion


@dataclass(frozen=True, kw_only=True)
class Place:
    """A column: its names on both sides, how its values are carried, how SQLite compares
    it. ``spelling``: the one way in which the source writes its moments, '' for several.
    ``most``: how large, without sign, the largest INTEGER in it is, None where nobody knows."""

    source: str
    target: str
    conversion: Conversion
    affinity: Affinity
    collation: str = "BINARY"
    spelling: str = ""
    most: int | None = None


class Places:
    """The columns of one table by name, without ASCII case."""

    def __init__(self, places: Iterable[Place], others: Iterable[str] = ()) -> None:
        """``others``: columns of the source that the target does not have."""
        self._by_name: Mapping[str, Place] = {fold(place.source): place for place in places}
        self._others = {fold(name) for name in others} - self._by_name.keys()

    def find(self, name: str) -> Place | None:
        """The column called ``name``, None if there is none."""
        return self._by_name.get(fold(name))

    def lacks(self, name: str) -> bool:
        """Whether ``name`` is a column that the target does not have."""
        return fold(name) in self._others
