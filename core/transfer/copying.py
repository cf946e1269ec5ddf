"""The way of one row: snapshot, exact path or Arrow path, COPY, ledger.

One loop per range: read the rows past the watermark, convert them, and in one
transaction write them, set aside what cannot be written, and move the watermark.
Whatever interrupts a chunk, the ledger says afterwards whether it is in. A chunk that
the Arrow path cannot make, or the server does not take from it, goes the exact path.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from core.errors import KeyDidNotAdvance, MudanzaError, WatermarkMoved
from core.failpoints import failpoint
from core.plan import TablePlan
from core.server.faults import Fault
from core.source.rows import Row, RowChunk, read_chunk
from core.transfer.claims import UNHURRIED, FenceLost
from core.transfer.convert import Batch, TableConverter
from core.transfer.events import ChunkCommitted
from core.transfer.ledger import Ledger
from core.transfer.membership import Patience
from core.transfer.model import (
    ARROW,
    EXACT,
    AlteredCell,
    Bounds,
    ChunkLine,
    Quarantined,
    RangeClaim,
)
from core.transfer.pace import portion, rest
from core.transfer.recovery import overcome
from core.transfer.work import Work
from core.transfer.writer import Writer, blames_data
from core.values.storage import pack, shown_key, unpack

if TYPE_CHECKING:
    from core.transfer.columnar import ColumnPath
    from core.transfer.lots import Lot

# What a chunk is cut down to after each time that it took too long.
_SMALLER = 4
# The exact path makes Python's objects of a chunk's values: that is slow, and large.
_EXACT_ROWS = 10_000


def copy_range(work: Work, claim: RangeClaim) -> None:
    """Copy a claimed range from its watermark to its end, or until the run is to rest."""
    copy = _RangeCopy(work, claim)
    with closing(copy):
        _carry_on(work, copy)


def _carry_on(work: Work, copy: _RangeCopy) -> None:
    rest(work, work.orders(), rows=0, began=time.monotonic())
    while not copy.claim.finished:
        orders = work.orders()
        if work.is_to_end() or not orders.working:
            copy.hand_back()
            return
        began = time.monotonic()
        work.pulse.allow(work.member.stuck_after)
        try:
            rows = copy.chunk(portion(orders))
        except FenceLost:
            copy.look_again()
            return
        except (psycopg.Error, MudanzaError) as error:
            if not copy.recovered(error):
                return
        else:
            work.pulse.allow(math.inf)
            rest(work, orders, rows, began)


@dataclass(frozen=True, kw_only=True)
class _Cargo:
    """A chunk ready to go in: its rows, its last key (packed), whether it ends the range, the size
    of its tuples, the path it came by, the values that arrive as others. ``write`` returns what
    the server refused of them, beside what is ``quarantined`` already."""

    rows: int
    hi: bytes | None
    last: bool
    bytes: int
    path: str
    quarantined: Sequence[Quarantined]
    altered: Sequence[AlteredCell]
    write: Callable[[Writer], list[Quarantined]]


class _RangeCopy:
    """A range on its way: where it stands, and how much to take at once."""

    def __init__(self, work: Work, claim: RangeClaim) -> None:
        self.claim = claim
        self._work = work
        self._table = work.plan.tables[claim.table_number - 1]
        self._converter = TableConverter(self._table)
        self._patience = Patience(work.member)
        self._columns: ColumnPath | None = None
        self._rows_max: int | None = None
        self._left: set[bytes | None] = set()
        number = claim.table_number
        self._collisions = work.persist(lambda c: Ledger(c).collisions(work.run, number))
        if work.by_columns and not self._collisions:
            # Arrow takes long to load: not for small runs.
            from core.transfer.columnar import column_path  # noqa: PLC0415

            self._columns = column_path(Path(work.snapshot.filename), self._table)

    def close(self) -> None:
        """Read no further ahead."""
        if self._columns is not None:
            self._columns.close()

    def chunk(self, bounds: Bounds) -> int:
        """Carry the next chunk; how many rows that were. Raises FenceLost."""
        bounds = replace(bounds, rows=min(bounds.rows, self._rows_max or bounds.rows))
        line = self._by_columns(bounds) or self._by_rows(bounds)
        self._moved_to(line)
        return line.rows_read

    def _by_columns(self, bounds: Bounds) -> ChunkLine | None:
        """The next rows by the Arrow path, None where the exact path is to carry them."""
        columns = self._columns
        lot = None if columns is None else columns.next(self.claim, bounds)
        if columns is None or lot is None:
            return None
        failpoint("chunk.read")
        try:
            line = self._commit(_of_lot(lot))
        except psycopg.Error as refused:
            if not blames_data(refused):
                raise
            columns.doubt(lot.rows)
            return None
        columns.sent(line.hi, bounds)
        return line

    def _by_rows(self, bounds: Bounds) -> ChunkLine:
        """The next rows by the exact path."""
        lo, hi = self.claim.done_to, self.claim.hi
        after = None if lo is None else unpack(lo)
        until = None if hi is None else unpack(hi)
        chunk = read_chunk(
            self._work.snapshot,
            self._table.source,
            after,
            until=until,
            max_rows=min(bounds.rows, _EXACT_ROWS),
            max_bytes=bounds.bytes,
        )
        failpoint("chunk.read")
        _require_progress(self._table, after, chunk)
        batch = self._converter.batch(chunk, self._collision)
        line = self._commit(_of_batch(chunk, batch))
        if self._columns is not None:
            self._columns.passed(line.rows_read)
        return line

    def hand_back(self) -> None:
        """Let another member go on."""
        claim = self.claim
        self._work.persist(lambda c: self._work.claims(c).hand_back(claim))

    def recovered(self, error: psycopg.Error | MudanzaError) -> bool:
        """Wait until the work can go on, and see where it stands; False when the range is
        in other hands by now. Raises the error when it will not pass."""
        kind = overcome(self._work, self._patience, error, self._table.target)
        if kind is Fault.SLOW:
            self._rows_max = max(1, (self._rows_max or self._work.orders().bounds.rows) // _SMALLER)
        again = self._claimed_again()
        if again is not None:
            self.claim = again
        return again is not None

    def look_again(self) -> None:
        """After a refused commit: nothing to say if the range is in other hands. Raises
        WatermarkMoved if it is in ours alone, and stands where we never left it."""
        before = self.claim
        again = self._claimed_again()
        if again is None or again.token != before.token + 1:
            return
        if again.done_to not in self._left:
            raise WatermarkMoved(run=self._work.run, table=self._table.name)
        # The server crashed and lost our last commits: the range is claimed anew from there.
        self.claim = again
        self.hand_back()

    def _claimed_again(self) -> RangeClaim | None:
        claim = self.claim
        return self._work.persist(lambda c: self._work.claims(c).claim_again(claim))

    def _commit(self, cargo: _Cargo) -> ChunkLine:
        """Rows, quarantine, chunk line and watermark: together or not at all."""
        connection = self._work.session.connection()
        claims = self._work.claims(connection)
        with connection.transaction():
            connection.execute(UNHURRIED)
            failpoint("chunk.begun")
            refused = cargo.write(Writer(connection, self._work.plan.schema, self._table))
            failpoint("chunk.copied")
            aside = [*cargo.quarantined, *refused]
            line = ChunkLine(
                lo=self.claim.done_to,
                hi=cargo.hi,
                last=cargo.last,
                rows_read=cargo.rows,
                rows_written=cargo.rows - len(aside),
                bytes=cargo.bytes,
                path=cargo.path,
            )
            altered = _of_written(cargo.altered, refused)
            claims.checkpoint(self.claim, line, aside, altered)
        failpoint("chunk.committed")
        return line

    def _moved_to(self, line: ChunkLine) -> None:
        self._patience.restore()
        self._left.add(self.claim.done_to)
        self.claim = replace(self.claim, done_to=line.hi or line.lo, finished=line.last)
        self._work.tell(
            ChunkCommitted(
                table=self._table.name,
                rows_read=line.rows_read,
                rows_quarantined=line.rows_read - line.rows_written,
            )
        )

    def _collision(self, key: Row) -> str | None:
        return "duplicate_key" if self._collisions and pack(key) in self._collisions else None


def _of_batch(chunk: RowChunk, batch: Batch) -> _Cargo:
    return _Cargo(
        rows=len(chunk.rows),
        hi=None if chunk.hi is None else pack(chunk.hi),
        last=chunk.last,
        bytes=sum(len(row.tuple) for row in batch.rows),
        path=EXACT,
        quarantined=batch.quarantined,
        altered=batch.altered,
        write=lambda writer: writer.write(batch.rows),
    )


def _of_lot(lot: Lot) -> _Cargo:
    return _Cargo(
        rows=lot.rows,
        hi=lot.hi,
        last=lot.last,
        bytes=len(lot.block),
        path=ARROW,
        quarantined=(),
        altered=(),
        write=lambda writer: writer.write_blocks([lot.block]),
    )


def _of_written(
    altered: Sequence[AlteredCell], refused: Sequence[Quarantined]
) -> list[AlteredCell]:
    """Those of the rows that the server took: the others are in quarantine, whole."""
    left_out = {row.key for row in refused}
    return [each for each in altered if each.key not in left_out]


def _require_progress(table: TablePlan, after: Row | None, chunk: RowChunk) -> None:
    """A page that ends where the last one ended would be read for ever."""
    if after is not None and chunk.hi == after:
        raise KeyDidNotAdvance(table=table.name, key=shown_key(after))
