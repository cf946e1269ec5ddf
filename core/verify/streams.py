"""The quick proof of a table: both sides as one stream of bytes, compared in one order.

The source goes the Arrow path, the target comes out of binary COPY; what arrived as it
was sent is the same bytes. Equal streams are parity of every value. Unequal ones prove
nothing yet: the rows may only lie in another order. Then the next order is tried, and
in the end :mod:`core.verify.rows` compares row by row, and names what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from core.plan import TablePlan
from core.plan.ddl import copy_out
from core.server.connection import Connection
from core.source.batches import Unsure
from core.source.rows import KeyKind, RowKey, quoted
from core.transfer.lots import Errand, goes_by_columns
from core.values import types
from core.values.types import Purity
from core.verify.reader import ReaderProcess
from core.verify.sides import messages

_LOT_ROWS, _LOT_BYTES = 16_384, 8 << 20
_SORTING = "SET LOCAL work_mem = '64MB'"


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
        self._source = ReaderProcess()

    def __enter__(self) -> QuickProof:
        self._source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

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
                closing(self._source.lots(errand)) as lots,
                self._connection.transaction(),
            ):
                self._connection.execute(_SORTING)
                with closing(messages(self._connection, copy)) as tuples:
                    for lot in lots:
                        _require(b"".join(islice(tuples, lot.rows)) == lot.block)
                        rows += lot.rows
                    _require(next(tuples, None) is None)
        except (_Different, Unsure):
            return None
        return rows


def _require(same: bool) -> None:
    if not same:
        raise _Different


# --- orders ------------------------------------------------------------------------------


def _orders(table: TablePlan) -> Iterator[tuple[TablePlan, str]]:
    """What to read, and the terms that sort the target: first by primary key; then as the
    rows lie there, which often is how they were copied."""
    terms = [_term(table, name) for name in table.primary_key]
    if terms and all(terms):
        key = RowKey(kind=KeyKind.COLUMNS, columns=table.primary_key)
        by_key = replace(table, source=replace(table.source, key=key))
        yield by_key, ", ".join(filter(None, terms))
    yield table, ""


def _term(table: TablePlan, name: str) -> str | None:
    """What sorts the target as SQLite sorts the source, None where nothing does."""
    column = table.column(name)
    if column.rule == "integer":
        return quoted(column.target)
    if column.rule == "text" and column.purity is Purity.TEXT and column.type.name in types.TEXTS:
        return f'{quoted(column.target)} COLLATE "C"'
    return None
