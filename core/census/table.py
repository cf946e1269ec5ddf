"""Counting one table: its rows, its columns, and where it may be cut into ranges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from core.census.model import TableCensus
from core.census.tally import ColumnTally
from core.source.rows import KeyKind, Row, RowChunk, TableSource

RANGE_BYTES = 128 << 20

Tally = TypeVar("Tally", bound=ColumnTally)


class TableTally(Generic[Tally]):
    """Adds up one table, the rows coming in key order."""

    def __init__(self, source: TableSource, tallies: Mapping[str, Tally], range_rows: int) -> None:
        self.tallies = tallies
        self._table = source.table
        # Paging by position from the middle would read all that lies before.
        self._is_cut = source.key.kind is not KeyKind.POSITION
        self._range_rows = range_rows
        self._cuts: list[Row] = []
        self._rows = self._since_rows = self._since_bytes = 0
        self._at: Row | None = None

    def add(self, chunk: RowChunk) -> None:
        """Count one chunk."""
        for tally, column in zip(
            self.tallies.values(), zip(*chunk.rows, strict=True), strict=False
        ):
            tally.add(column)
        self.passed(len(chunk.rows), chunk.size, chunk.hi)

    def passed(self, rows: int, size: int, hi: Row | None) -> None:
        """So many rows with so many bytes of text and blobs have been counted, up to ``hi``."""
        if hi is None:
            return
        self._cut_if_due()
        self._rows += rows
        self._since_rows += rows
        self._since_bytes += size
        self._at = hi

    def _cut_if_due(self) -> None:
        """Cut where the last rows ended, now that more have come: never at the table's end."""
        due = self._since_rows >= self._range_rows or self._since_bytes >= RANGE_BYTES
        if due and self._is_cut and self._at is not None:
            self._cuts.append(self._at)
            self._since_rows = self._since_bytes = 0

    def result(self, unreadable: Mapping[str, str]) -> TableCensus:
        """The census of everything added."""
        return TableCensus(
            table=self._table,
            rows=self._rows,
            columns={name: tally.result() for name, tally in self.tallies.items()},
            unreadable=unreadable,
            cuts=tuple(self._cuts),
        )
