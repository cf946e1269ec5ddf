"""The nouns of a transfer, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.errors import MudanzaError, read
from core.plan import Fate, ObjectFate, Plan
from core.source.rows import Row
from core.transfer.states import WORKING, Status

EXIT_DONE, EXIT_PARTIAL, EXIT_NO = 0, 3, 4

CHUNK_ROWS = 50_000
CHUNK_BYTES = 16 << 20
RANGE_CHUNKS = 10
LEASE = 30.0

ARROW, EXACT = "arrow", "exact"
# Below so many rows a run ends sooner than Arrow is loaded.
_ARROW_ROWS, _ARROW_BYTES = 20_000, 2 << 20


class Way(StrEnum):
    """Which path rows may go: the Arrow path wherever a table can, the exact path alone,
    or Arrow where it is worth loading."""

    AUTO = "auto"
    ARROW = ARROW
    EXACT = EXACT

    def by_columns(self, plan: Plan) -> bool:
        """Whether the Arrow path is to be looked for."""
        if self is not Way.AUTO:
            return self is Way.ARROW
        return sum(table.rows for table in plan.tables) >= _ARROW_ROWS

    def counts_by_columns(self, size: int) -> bool:
        """Whether the census of a database of so many bytes is to be left to Arrow."""
        if self is not Way.AUTO:
            return self is Way.ARROW
        return size >= _ARROW_BYTES


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one chunk may hold; at least one row, however large."""

    rows: int = CHUNK_ROWS
    bytes: int = CHUNK_BYTES

    @property
    def range_rows(self) -> int:
        """After how many rows a table may be cut into ranges, the unit that a member owns."""
        return self.rows * RANGE_CHUNKS


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What bounds the waiting of a run, in seconds.

    lease: without a heartbeat for so long a member counts as dead. chunk, build: one
    statement. lock: for somebody else's lock. patience: for a server that does not answer.
    """

    lease: float = LEASE
    chunk: float = 600
    build: float = 12 * 3600
    lock: float = 10
    patience: float = 120


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Orders:
    """How a run is to go on, as its row says just now. ``copiers``: members that copy
    and among which ``rows_per_second`` is shared; ``load_max``: no chunk is begun while
    more sessions of others are active on the server. None is no limit."""

    status: Status
    bounds: Bounds
    rows_per_second: float | None
    load_max: int | None
    copiers: int

    @property
    def working(self) -> bool:
        """Whether members are to go on."""
        return self.status in WORKING


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
class Step:
    """A step of a run's history: the state that it came to, the arrow's reason, and what
    was said of it: the asker's note, or the error that stopped the run, as written."""

    status: Status
    reason: str
    detail: str
    by: str
    at: datetime

    @property
    def error(self) -> MudanzaError | None:
        """What stopped the run, if this step says so."""
        return read(self.detail) if self.status is Status.FAILED else None

    @property
    def note(self) -> str:
        """What the asker said."""
        return "" if self.status is Status.FAILED else self.detail


def process_name(account: str, host: str, pid: object) -> str:
    """A process as people know it."""
    return f"{account}@{host} ({pid})"


@dataclass(frozen=True, kw_only=True)
class Participant:
    """A member that has not left, as others see it. ``beat_seconds``: since it last showed
    life; ``lost``: it counts as dead; ``waits_for``: why it does not copy just now."""

    member: UUID
    host: str
    pid: int
    account: str
    copies: bool
    coordinates: bool
    joined_at: datetime
    beat_seconds: float
    slowest_beat: float
    waits_for: str
    lost: bool


@dataclass(frozen=True, kw_only=True)
class TableProgress:
    """How many rows of a table have their place, in the target or in quarantine."""

    name: str
    target: str
    rows: int
    rows_done: int
    rows_quarantined: int
    finished: bool


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Rows per second since those who are at work joined, and lately."""

    whole: float
    recent: float


@dataclass(frozen=True, kw_only=True)
class Range:
    """The part of a table that one member copies: the keys past ``lo``, up to ``hi``,
    packed; None is the table's own end. ``done_to`` is its watermark."""

    range: int
    table_number: int
    source_name: str
    target_name: str
    lo: bytes | None
    hi: bytes | None
    done_to: bytes | None
    finished: bool
    chunks: int
    rows_read: int
    rows_written: int
    rows_quarantined: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class RangeClaim:
    """A range in a member's hands: nothing of it is committed under another token."""

    range: int
    table_number: int
    hi: bytes | None
    done_to: bytes | None
    finished: bool
    token: int


@dataclass(frozen=True, kw_only=True)
class BuildClaim:
    """A build in a member's hands; ``added``: its constraint stands, its rows are not
    yet looked at."""

    number: int
    token: int
    added: bool


@dataclass(frozen=True, kw_only=True)
class BadCell:
    """A value to blame for its row's quarantine: its storage class and its own bytes,
    text in the source's encoding; ``reason`` is an id of the catalogue."""

    column: str
    storage_class: str
    raw: bytes
    rule: str
    reason: str


@dataclass(frozen=True)
class AlteredCell:
    """A value that arrived as another one, because the plan says so: the key of its row,
    and what it is in the source."""

    key: Row
    cell: BadCell


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
    """What the ledger writes of a chunk: ``lo`` and ``hi`` are packed keys, ``bytes`` the
    size of its tuples, ``path`` is the one that it came by."""

    lo: bytes | None
    hi: bytes | None
    last: bool
    rows_read: int
    rows_written: int
    bytes: int
    path: str


@dataclass(frozen=True, kw_only=True)
class TableReport:
    """One table of a finished run; ``rows_target`` is counted on the target;
    ``values_altered`` arrived as others by a rule of the plan, and are kept as they were."""

    name: str
    target: str
    rows_source: int
    rows_target: int
    rows_quarantined: int
    seconds: float
    values_altered: int = 0


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did. ``resumed`` and ``repeated`` say whether this call went on with
    a run, or found it complete and did nothing; ``moved`` that the source is no
    longer what the run's snapshot holds; ``paused`` by whom, if it rests."""

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
    paused: Step | None = None

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
    """A quarantined row as the ledger lists it. ``source_key`` and ``row`` are packed."""

    range: int
    table: str
    key: str
    reason: str
    detail: str
    table_number: int
    source_key: bytes
    row: bytes
    quarantined_at: datetime
    cells: tuple[BadCell, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A value that a person put in a source value's place: both by storage class and raw
    bytes; ``after_packed`` is the new one as the ledger packs it."""

    table_number: int
    source_key: bytes
    column: str
    before_class: str
    before_raw: bytes
    after_class: str
    after_raw: bytes
    after_packed: bytes
    reason: str
    edited_by: str
    edited_at: datetime
