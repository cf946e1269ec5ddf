"""Rows into the target, inside the caller's transaction.

A chunk goes in with one binary COPY. If the server refuses it, the chunk is
halved in savepoints until the rows to blame stand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import psycopg

from core.plan.ddl import copy_in
from core.plan.model import TablePlan
from core.server.connection import Connection
from core.transfer.convert import COPY_HEADER, COPY_TRAILER, Encoded
from core.transfer.model import Quarantined

# SQLSTATE classes that blame the data: data exception, integrity violation,
# program limit exceeded (a row or a field too big).
_DATA_CLASSES = ("22", "23", "54")


BLOCK_BYTES = 256 << 10


class Writer:
    """Writes rows of one table."""

    def __init__(self, connection: Connection, schema: str, table: TablePlan) -> None:
        self._connection = connection
        self._copy = copy_in(schema, table)

    def write(
        self, rows: Sequence[Encoded], gives_way: Callable[[psycopg.Error], bool] = lambda _: False
    ) -> list[Quarantined]:
        """Write ``rows``; the ones that the server refused come back. ``gives_way`` is told
        what it refuses, and says whether that stands in the way no longer."""
        if not rows:
            return []
        try:
            with self._connection.transaction():
                self.write_blocks(_blocks(rows))
            return []
        except psycopg.Error as refused:
            if not blames_data(refused):
                raise
            if gives_way(refused):
                return self.write(rows, gives_way)
            if len(rows) == 1:
                return [_refused(rows[0], refused)]
        middle = len(rows) // 2
        return [*self.write(rows[:middle], gives_way), *self.write(rows[middle:], gives_way)]

    def write_blocks(self, blocks: Iterable[bytes]) -> list[Quarantined]:
        """Write tuples that stand together in ``blocks``: all of them, so none comes back.
        Raises psycopg.Error when the server refuses one."""
        with self._connection.cursor() as cursor, cursor.copy(self._copy.encode()) as copy:
            copy.write(COPY_HEADER)
            for block in blocks:
                for start in range(0, len(block), BLOCK_BYTES):
                    copy.write(memoryview(block)[start : start + BLOCK_BYTES])
            copy.write(COPY_TRAILER)
        return []


def _blocks(rows: Sequence[Encoded]) -> Iterator[bytes]:
    """The rows in blocks of about BLOCK_BYTES: few calls for small rows, no copy of a large one."""
    block: list[bytes] = []
    size = 0
    for row in rows:
        block.append(row.tuple)
        size += len(row.tuple)
        if size >= BLOCK_BYTES:
            yield b"".join(block) if len(block) > 1 else block[0]
            block, size = [], 0
    yield b"".join(block)


def blames_data(error: psycopg.Error) -> bool:
    """Whether the server refused because of the rows, not of anything around them."""
    return (error.sqlstate or "").startswith(_DATA_CLASSES)


def _refused(row: Encoded, error: psycopg.Error) -> Quarantined:
    return Quarantined(
        key=row.key, row=row.row, reason="refused_by_server", detail=error.sqlstate or ""
    )
