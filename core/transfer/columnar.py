"""A range by the Arrow path: lots that are made ahead of the writer, or doubt.

While the member sends a chunk and commits it, the next one is read and encoded. In
doubt nothing is made here: the rows go the exact path.
"""

from __future__ import annotations

from pathlib import Path

from core.plan import TablePlan
from core.source.ahead import Ahead
from core.source.batches import Unsure
from core.transfer.lots import Errand, Lot, goes_by_columns, lots
from core.transfer.model import Bounds, RangeClaim

DOUBT_ROWS = 10_000
"""How many rows go the exact path where a chunk could not be made."""


def column_path(snapshot: Path, table: TablePlan) -> ColumnPath | None:
    """The Arrow path of a table, None if one of its columns has none."""
    return ColumnPath(snapshot, table) if goes_by_columns(table) else None


class ColumnPath:
    """The Arrow path of one table's range. Used by one thread, which closes it."""

    def __init__(self, snapshot: Path, table: TablePlan) -> None:
        self._snapshot = snapshot
        self._table = table
        self._doubted = 0
        self._lots: Ahead[Lot] | None = None
        self._next: tuple[bytes | None, Bounds] | None = None

    def next(self, claim: RangeClaim, bounds: Bounds) -> Lot | None:
        """The chunk past the range's watermark, None where the exact path is to make it."""
        if self._doubted > 0:
            return None
        if self._lots is None or self._next != (claim.done_to, bounds):
            self.close()
            self._lots = Ahead(lots(self._errand(claim, bounds)), "ahead", depth=2)
        # Only :meth:`sent` says that what follows this chunk comes next: if its commit is
        # lost, the same rows do.
        self._next = None
        try:
            return next(self._lots, None)
        except Unsure:
            self.doubt(DOUBT_ROWS)
            return None

    def sent(self, done_to: bytes | None, bounds: Bounds) -> None:
        """The chunk is in, and the range stands at ``done_to``."""
        self._next = done_to, bounds

    def doubt(self, rows: int) -> None:
        """Let the next ``rows`` go the exact path."""
        self._doubted = rows
        self.close()

    def passed(self, rows: int) -> None:
        """So many rows have gone the exact path."""
        self._doubted -= rows

    def close(self) -> None:
        """Make no more."""
        if self._lots is not None:
            self._lots.close()
            self._lots = None

    def _errand(self, claim: RangeClaim, bounds: Bounds) -> Errand:
        return Errand(
            snapshot=str(self._snapshot),
            table=self._table,
            after=None if claim.done_to is None else claim.done_to.hex(),
            until=None if claim.hi is None else claim.hi.hex(),
            rows=bounds.rows,
            size=bounds.bytes,
        )
