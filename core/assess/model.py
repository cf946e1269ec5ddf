"""What an assessment is made of, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.assess.catalogue import Severity
from core.plan import ObjectFate
from core.source.rows import SqliteValue
from core.values.types import Conversion


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """What the plan may say about a finding. ``conversion``: the type and rule to give the
    column, where that settles it and keeps what the column means; ``plan``: the lines of the
    plan that do it, or that accept the finding ('' when neither would change a thing)."""

    conversion: Conversion | None = None
    plan: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a person should know before the move.

    ``id``: an entry of the catalogue. ``kind``: of the object, as ``kind.<kind>`` names it.
    ``object``: ``table``, ``table.column`` or an object's name. ``rows``: how many are
    concerned, 0 when it is about no rows. ``sample_keys`` and ``samples`` belong together:
    keys of the source as a person reads them, and the values found there. ``facts`` fill the
    sentences. ``counts``: ``migrate`` would end with 3 because of it, unless ``accepted``
    holds a reason why not.
    """

    id: str
    severity: Severity
    kind: str
    object: str
    table: str = ""
    column: str = ""
    rows: int = 0
    sample_keys: tuple[str, ...] = ()
    samples: tuple[SqliteValue, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    effort_minutes: int = 0
    remedy: Remedy = field(default_factory=Remedy)
    counts: bool = False
    accepted: str = ""

    @property
    def wants_decision(self) -> bool:
        """Whether it stands between the source and an exit code of 0."""
        return (self.counts or self.severity is Severity.BLOCKER) and not self.accepted


class Letter(StrEnum):
    """A: moves by itself. B: with decisions or rewriting, within some days. C: beyond."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, kw_only=True)
class Grade:
    """How hard a migration is: a letter, and a number from 1, nothing to do, to 5."""

    letter: Letter
    difficulty: int

    def __str__(self) -> str:
        return f"{self.letter}-{self.difficulty}"


@dataclass(frozen=True, kw_only=True)
class TableSize:
    """A table's rows, its bytes in the source, and those expected on the target, its
    indexes included."""

    name: str
    rows: int
    bytes: int
    target_bytes: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """How long the move may take and how much room it needs; see docs/assessment.md for
    how far off it may be."""

    seconds: float
    target_bytes: int


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """All that was found. ``suppressed``: how many findings the plan keeps out of sight,
    and those of them that are blockers still count."""

    findings: tuple[Finding, ...]
    suppressed: int
    suppressed_blockers: int
    grade: Grade
    effort_minutes: int
    effort_by_kind: Mapping[str, int]
    tables: tuple[TableSize, ...]
    estimate: Estimate
    objects: tuple[ObjectFate, ...]

    @property
    def blockers(self) -> int:
        """How many blockers nobody has accepted, shown or not."""
        shown = sum(f.severity is Severity.BLOCKER and not f.accepted for f in self.findings)
        return shown + self.suppressed_blockers

    @property
    def decisions(self) -> int:
        """How many findings want a decision."""
        return sum(f.wants_decision for f in self.findings)
