"""The way of one row: snapshot, exact path, COPY, ledger.

One loop per range: read the rows past the watermark, convert them, and in one
transaction write them, set aside what cannot be written, and move the watermark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import apsw

from core.errors import KeyDidNotAdvance, RunHeld
from core.plan import Plan, TablePlan
from core.server.connection import Connection
from core.source.rows import Row, RowChunk, read_chunk
from core.transfer.collisions import Collisions, find_collisions
from core.transfer.convert import Batch, TableConverter
from core.transfer.events import ChunkCommitted
from core.transfer.ledger import FenceLost, Ledger
from core.transfer.model import ChunkLine, Quarantined, Range, Run
from core.transfer.prepare import snapshot_connection
from core.transfer.writer import Writer
from core.values.storage import pack, shown_key, unpack

CHUNK_ROWS = 10_000
CHUNK_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one chunk may hold; at least one row, however large."""

    rows: int = CHUNK_ROWS
    bytes: int = CHUNK_BYTES


DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, kw_only=True)
class Work:
    """What every step of a run needs: the target, its ledger, the run and its plan."""

    connection: Connection
    ledger: Ledger
    run: Run
    plan: Plan


def copy_all(work: Work, bounds: Bounds, tell: Callable[[ChunkCommitted], None]) -> None:
    """Copy every range that is not finished, from where its watermark stands."""
    path = Path(work.run.snapshot_path)
    with snapshot_connection(path, run=str(work.run.run)) as snapshot:
        collisions = find_collisions(snapshot, work.plan)
        for range_ in work.ledger.ranges(work.run.run):
            table = work.plan.tables[range_.table_number - 1]
            standing_aside = collisions.get(table.number, {})
            _copy_range(work, snapshot, table, range_, standing_aside, bounds, tell)


def _copy_range(
    work: Work,
    snapshot: apsw.Connection,
    table: TablePlan,
    range_: Range,
    collisions: Collisions,
    bounds: Bounds,
    tell: Callable[[ChunkCommitted], None],
) -> None:
    converter = TableConverter(table)
    writer = Writer(work.connection, work.plan.schema, table)
    lo, finished = range_.done_to, range_.finished
    while not finished:
        after = None if lo is None else unpack(lo)
        chunk = read_chunk(
            snapshot, table.source, after, max_rows=bounds.rows, max_bytes=bounds.bytes
        )
        _require_progress(table, after, chunk)
        batch = converter.batch(chunk, lambda key: _collision(collisions, key))
        line = _commit(work, writer, range_, lo, chunk, batch)
        tell(
            ChunkCommitted(
                table=table.name,
                rows_read=line.rows_read,
                rows_quarantined=line.rows_read - line.rows_written,
            )
        )
        lo, finished = line.hi or lo, line.last


def _collision(collisions: Collisions, key: Row) -> str | None:
    return "duplicate_key" if collisions and pack(key) in collisions else None


def _commit(
    work: Work, writer: Writer, range_: Range, lo: bytes | None, chunk: RowChunk, batch: Batch
) -> ChunkLine:
    """Rows, quarantine, chunk line and watermark: together or not at all."""
    try:
        with work.connection.transaction():
            refused = writer.write(batch.rows)
            aside: list[Quarantined] = [*batch.quarantined, *refused]
            line = ChunkLine(
                lo=lo,
                hi=None if chunk.hi is None else pack(chunk.hi),
                last=chunk.last,
                rows_read=len(chunk.rows),
                rows_written=len(chunk.rows) - len(aside),
                bytes=chunk.size,
            )
            work.ledger.checkpoint(work.run.run, range_.range, line, aside)
            return line
    except FenceLost:
        raise RunHeld(run=work.run.run, pid=0) from None


def _require_progress(table: TablePlan, after: Row | None, chunk: RowChunk) -> None:
    """A page that ends where the last one ended would be read for ever."""
    if after is not None and chunk.hi == after:
        raise KeyDidNotAdvance(table=table.name, key=shown_key(after))
