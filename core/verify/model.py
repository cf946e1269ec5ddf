"""What verification says, as frozen values. A difference is a value, never an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Level(StrEnum):
    """How much is compared: counts; every value; keys and relations; all of it."""

    COUNTS = "counts"
    ROWS = "rows"
    RELATIONS = "relations"
    FULL = "full"

    def includes(self, other: Level) -> bool:
        """Whether this level does what ``other`` does. Counts are in every level."""
        return other is Level.COUNTS or self in (Level.FULL, other)


class DifferenceKind(StrEnum):
    """In what way the two sides differ."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    COUNT = "count"
    QUARANTINE = "quarantine"
    AGGREGATE = "aggregate"
    SHAPE = "shape"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference: the row's key, the column, and both values as a person reads
    them (masked unless asked for). A row that is missing or extra has no column."""

    kind: DifferenceKind
    key: str = ""
    column: str = ""
    source: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class EditedCell:
    """A value of the target that is not the source's, because a person put it there: both
    as a person reads them (masked unless asked for), who did it, when, and why."""

    key: str
    column: str
    source: str
    target: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class TableParity:
    """One table: rows on each side, rows in quarantine, how many differences, and
    some of them. ``altered``: values that arrived as others by a rule of the plan, kept in
    quarantine as they were; ``edited``: rows that arrived with values that a person put in
    place, some of which are named. ``values`` is how many values were compared."""

    name: str
    target: str
    rows_source: int
    rows_target: int
    quarantined: int
    differences: int
    samples: tuple[Difference, ...] = ()
    values: int = 0
    altered: int = 0
    edited: int = 0
    edits: tuple[EditedCell, ...] = ()


class Proof(StrEnum):
    """What came of asking both sides one question."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNPROVEN = "unproven"


@dataclass(frozen=True, kw_only=True)
class QueryParity:
    """One query that both sides answered: a view. ``kind``: what it is of; ``reason``: of what
    is unproven, an id of the catalogue (``unproven.<reason>``) with its ``facts``;
    ``is_rough``: numbers were compared to some digits only."""

    kind: str
    name: str
    target: str
    outcome: Proof
    rows_source: int = 0
    rows_target: int = 0
    differences: int = 0
    samples: tuple[Difference, ...] = ()
    values: int = 0
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    is_rough: bool = False


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A key, foreign key, index or sequence of the plan, and whether it holds in the
    target. ``detail``: what was found."""

    kind: str
    name: str
    table: str
    holds: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """The result. ``moved``: the source is no longer what the run's snapshot holds."""

    run: UUID
    level: Level
    tables: tuple[TableParity, ...]
    relations: tuple[Relation, ...] = ()
    queries: tuple[QueryParity, ...] = ()
    moved: bool = False
    seconds: float = 0.0

    @property
    def parity(self) -> bool:
        """Whether both sides are equal in everything that was compared."""
        return (
            not any(t.differences for t in self.tables)
            and all(relation.holds for relation in self.relations)
            and not any(query.outcome is Proof.DIFFERS for query in self.queries)
        )

    @property
    def values(self) -> int:
        """How many values were compared."""
        tables = sum(table.values for table in self.tables)
        return tables + sum(query.values for query in self.queries)
