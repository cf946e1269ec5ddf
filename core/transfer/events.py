"""What a run tells of itself while it works, as frozen values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class SnapshotTaken:
    """The pages are copied, though perhaps not on disk yet. ``seconds``: how long that took."""

    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """The census has seen some more rows of a table."""

    table: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class CensusTaken:
    """Every value has been counted, and SQLite's own check went on meanwhile; how many
    ``seconds`` the one took, and ``check_seconds`` the other."""

    seconds: float
    check_seconds: float


@dataclass(frozen=True, kw_only=True)
class RunBegun:
    """A run stands in the ledger. ``rows_done``: already safe from before."""

    run: UUID
    rows: int
    rows_done: int
    resumed: bool


@dataclass(frozen=True, kw_only=True)
class ChunkCommitted:
    """A chunk and its line in the ledger are committed."""

    table: str
    rows_read: int
    rows_quarantined: int


@dataclass(frozen=True, kw_only=True)
class Progressed:
    """How far the run is by its ledger, whoever works on it. ``building``: names of what
    is being built; ``waits_for``: why members do not copy just now, without repeats."""

    rows_done: int
    building: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The member of this process does not copy just now, and why; told again and again
    for as long as it lasts."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class BuildBegun:
    """A key, an index, a foreign key or a sequence is being built."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Built:
    """A key, an index, a foreign key or a sequence has its fate."""

    kind: str
    name: str
    carried: bool


Event = (
    SnapshotTaken
    | Scanned
    | CensusTaken
    | RunBegun
    | ChunkCommitted
    | Progressed
    | Waiting
    | BuildBegun
    | Built
)
Tell = Callable[[Event], None]
