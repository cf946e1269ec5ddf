"""What a name in FROM stands for, and what is not certain of a query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from core.dialect.columns import Place


class Doubt(StrEnum):
    """Why a query may have other rows the next time it is asked, in SQLite as well: the
    clock, chance, the order in which rows come, rows left out by LIMIT, and columns
    beside GROUP BY that take their value from any row of the group."""

    CLOCK = "clock"
    RANDOM = "random"
    ORDER = "order"
    LIMIT = "limit"
    BARE = "bare"


@dataclass(frozen=True, kw_only=True)
class Key:
    """Columns, in folded names, of which no two rows have the same values. ``is_primary``:
    the server knows them as a table's primary key."""

    columns: frozenset[str]
    is_primary: bool = False


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table, a view or a query in FROM. ``sql`` names it in the target; ``places`` are its
    columns in the order of ``*``, one without a source name can be named by nobody;
    ``others``: columns that the target lacks; ``rowid``: which column is the rowid."""

    name: str
    sql: str
    places: tuple[Place, ...]
    others: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    rowid: str = ""


Known = Callable[[str], Relation | str | None]
"""From a folded name to what it stands for; a text says why that cannot be read."""


@dataclass
class Notes:
    """What is found while a query is said: its doubts, and the names it reads."""

    doubts: set[Doubt] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
