"""The quick proof of a table: both sides as one stream of bytes, compared in one order.

The source goes the Arrow path, the target comes out of binary COPY; what arrived as it
was sent is the same bytes. Equal streams are parity of every value. Unequal ones prove
nothing yet: the rows may only lie in another order. Then the next order is tried, and
in the end :mod:`core.verify.rows` compares row by row, and names what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from psycopg import Copy
from psycopg.abc import Buffer
from psycopg.pq.abc import PGconn

from core.plan import TablePlan
from core.plan.ddl import copy_out
from core.server.connection import Connection
from core.source.ahead import Ahead
from core.source.batches import Unsure
from core.source.rows import KeyKind, RowKey, quoted
from core.transfer.convert import COPY_HEADER, COPY_TRAILER
from core.transfer.lots import Errand, goes_by_columns, lots
from core.values import types
from core.values.types import Purity

_LOT_ROWS, _LOT_BYTES = 16_384, 8 << 20
# A scan that joins another one half-way would not begin where the rows do.
_SETTINGS = "SET LOCAL work_mem = '64MB'; SET LOCAL synchronize_seqscans = off"


class _Different(Exception):
    """The streams part. Never shown to people."""


class QuickProof:
    """Both sides, standing still: the source as ``snapshot``, which is the run's own or
    equal to it (the census speaks of no other); the target in the transaction that
    ``connection`` is in."""

    def __init__(self, snapshot: Path, connection: Connection, schema: str) -> None:
        self._snapshot = snapshot
        self._connection = connection
        self._schema = schema

    def rows(self, table: TablePlan) -> int | None:
        """How many rows both sides have, if they were found to be the same; else None."""
        if not goes_by_columns(table):
            return None
        for ours, theirs in _orders(table):
            errand = Errand(
                snapshot=str(self._snapshot),
                table=ours,
                after=None,
                until=None,
                rows=_LOT_ROWS,
                size=_LOT_BYTES,
                proof=True,
            )
            rows = self._compared(errand, copy_out(self._schema, table, theirs))
            if rows is not None:
                return rows
        return None

    def _compared(self, errand: Errand, copy: str) -> int | None:
        rows = 0
        try:
            with (
                closing(Ahead(lots(errand), "encoder")) as coming,
                self._connection.transaction(),
            ):
                self._connection.execute(_SETTINGS)
                with _tuples(self._connection, copy) as tuples:
                    for lot in coming:
                        _require(tuples.take(lot.rows) == lot.block)
                        rows += lot.rows
                    _require(tuples.take(1) == COPY_TRAILER)
        except (_Different, Unsure):
            return None
        return rows


def _require(same: bool) -> None:
    if not same:
        raise _Different


@contextmanager
def _tuples(connection: Connection, copy_out: str) -> Iterator[_Tuples]:
    with connection.cursor() as cursor, cursor.copy(copy_out.encode()) as copy:
        yield _Tuples(connection.pgconn, copy)


class _Tuples:
    """The tuples of a binary COPY, many at a time.

    A driver that hands over each of them by itself spends more on that than the server on
    making them. So what libpq has at hand is taken from it, and the driver waits for more.
    """

    def __init__(self, pgconn: PGconn, copy: Copy) -> None:
        self._fetch = pgconn.get_copy_data
        self._copy = copy
        self._begun = self._has_ended = False

    def take(self, rows: int) -> bytes:
        """So many tuples; fewer, and then the trailer, if the target has no more of them."""
        block = BytesIO()
        while rows and not self._has_ended:
            size, data = self._fetch(1) if self._begun else (0, b"")
            message = data if size > 0 else self._waited()
            block.write(message)
            rows -= 1
            if len(message) <= len(COPY_TRAILER):
                self._has_ended = True
                self._copy.read()  # nothing more: the driver is to know
        return block.getvalue()

    def _waited(self) -> Buffer:
        """The next tuple, when it comes. The first has the header before it."""
        message = self._copy.read()
        if self._begun:
            return message
        self._begun = True
        return memoryview(message)[len(COPY_HEADER) :] or self._waited()


# --- orders ------------------------------------------------------------------------------


def _orders(table: TablePlan) -> Iterator[tuple[TablePlan, str]]:
    """What to read, and the terms that sort the target: first as the rows lie there, which
    often is how they were copied; then by primary key."""
    yield table, ""
    terms = [_term(table, name) for name in table.primary_key]
    if terms and all(terms):
        key = RowKey(kind=KeyKind.COLUMNS, columns=table.primary_key)
        by_key = replace(table, source=replace(table.source, key=key))
        yield by_key, ", ".join(filter(None, terms))


def _term(table: TablePlan, name: str) -> str | None:
    """What sorts the target as SQLite sorts the source, None where nothing does."""
    column = table.column(name)
    if column.rule == "integer":
        return quoted(column.target)
    if column.rule == "text" and column.purity is Purity.TEXT and column.type.name in types.TEXTS:
        return f'{quoted(column.target)} COLLATE "C"'
    return None
