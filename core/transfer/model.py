"""The nouns of a transfer, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.plan import Fate, ObjectFate
from core.source.rows import Row


class Status(StrEnum):
    """Where a run stands; it only moves down this list."""

    COPYING = "copying"
    BUILDING = "building"
    COMPLETE = "complete"
    REPLACED = "replaced"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as the ledger knows it. ``plan`` is JSON, ``plan_document`` TOML."""

    run: UUID
    target_schema: str
    source_path: str
    snapshot_path: str
    snapshot_sha256: str
    snapshot_bytes: int
    plan: str
    plan_document: str
    plan_sha256: str
    status: Status
    exit_code: int | None
    version: str
    started_by: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Range:
    """The part of a table that one worker copies; ``done_to`` is its watermark, packed."""

    range: int
    table_number: int
    source_name: str
    target_name: str
    done_to: bytes | None
    finished: bool
    chunks: int
    rows_read: int
    rows_written: int
    rows_quarantined: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class BadCell:
    """A value to blame for its row's quarantine: its storage class and its own bytes,
    text in the source's encoding; ``reason`` is an id of the catalogue."""

    column: str
    storage_class: str
    raw: bytes
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Quarantined:
    """A source row that the target cannot hold. ``reason`` is an id of the
    catalogue (``reject.<reason>``); ``detail`` is the server's word when it refused."""

    key: Row
    row: Row
    reason: str
    cells: tuple[BadCell, ...] = ()
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ChunkLine:
    """What the ledger writes of a chunk; ``lo`` and ``hi`` are packed keys."""

    lo: bytes | None
    hi: bytes | None
    last: bool
    rows_read: int
    rows_written: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """One table of a finished run; ``rows_target`` is counted on the target."""

    name: str
    target: str
    rows_source: int
    rows_target: int
    rows_quarantined: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did. ``resumed`` and ``repeated`` say whether this call went on with
    a run, or found it complete and did nothing; ``moved`` that the source is no
    longer what the run's snapshot holds."""

    run: UUID
    status: Status
    exit_code: int
    seconds: float
    rows_per_second: float
    tables: tuple[TableReport, ...]
    objects: tuple[ObjectFate, ...]
    resumed: bool = False
    repeated: bool = False
    moved: bool = False

    @property
    def not_carried(self) -> tuple[ObjectFate, ...]:
        """Objects that did not arrive."""
        return tuple(o for o in self.objects if o.fate is Fate.NOT_CARRIED)

    @property
    def rewritten(self) -> tuple[ObjectFate, ...]:
        """Objects that arrived in another form."""
        return tuple(o for o in self.objects if o.fate is Fate.REWRITTEN)


@dataclass(frozen=True, kw_only=True)
class QuarantineEntry:
    """A quarantined row as the ledger lists it."""

    table: str
    key: str
    reason: str
    detail: str
    cells: tuple[BadCell, ...] = ()
