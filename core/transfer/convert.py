"""A chunk of rows through the exact path: what goes in, what is set aside."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from core.plan import ColumnPlan, TablePlan
from core.source.rows import Row, RowChunk, SqliteValue
from core.transfer.model import AlteredCell, BadCell, Quarantined
from core.values.exact import Converter, Outcome, converter
from core.values.storage import raw_bytes, storage_class
from core.values.types import Altered, Reject

Fields = list[bytes | None]

_COUNT = struct.Struct("!h")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)
# What binary COPY wants before and after the tuples.
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
COPY_TRAILER = b"\xff\xff"


@dataclass(frozen=True)
class Encoded:
    """A row ready for binary COPY, with what it was made from."""

    key: Row
    row: Row
    tuple: bytes


@dataclass
class Batch:
    """A converted chunk: rows to write, rows to set aside, and values of the rows to write
    that arrive as another one."""

    rows: list[Encoded] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    altered: list[AlteredCell] = field(default_factory=list)


class TableConverter:
    """The exact path of one table's rows."""

    def __init__(self, table: TablePlan) -> None:
        self._columns = table.columns
        self._encoding = table.source.encoding
        self._converters: list[Converter] = [
            converter(c.conversion, self._encoding) for c in table.columns
        ]
        self._required = [i for i, c in enumerate(table.columns) if c.not_null]
        self._altering = [i for i, c in enumerate(table.columns) if c.conversion.alters]

    @property
    def alters(self) -> bool:
        """Whether a value may arrive as another one."""
        return bool(self._altering)

    def fields(self, row: Row) -> Fields | tuple[BadCell, ...]:
        """The row's values in PostgreSQL's form, or the values that have none."""
        outcomes = [convert(value) for convert, value in zip(self._converters, row, strict=True)]
        for i in self._altering:
            outcomes[i] = _arriving(outcomes[i])
        if any(type(o) is Reject for o in outcomes) or any(
            outcomes[i] is None for i in self._required
        ):
            return tuple(self._blame(row, outcomes))
        return cast(Fields, outcomes)

    def altered(self, row: Row) -> tuple[BadCell, ...]:
        """The values of a row that arrive as another one, as the source has them."""
        found = ((i, self._converters[i](row[i])) for i in self._altering)
        return tuple(
            self._cell(self._columns[i], row[i], outcome.reason)
            for i, outcome in found
            if isinstance(outcome, Altered)
        )

    def batch(self, chunk: RowChunk, refused: Callable[[Row], str | None]) -> Batch:
        """All rows of a chunk; ``refused(key)`` names the reason why a row that could
        be converted is set aside all the same."""
        batch = Batch()
        for key, row in zip(chunk.keys, chunk.rows, strict=True):
            fields = self.fields(row)
            if isinstance(fields, tuple):
                batch.quarantined.append(
                    Quarantined(key=key, row=row, reason=fields[0].reason, cells=fields)
                )
            elif reason := refused(key):
                batch.quarantined.append(Quarantined(key=key, row=row, reason=reason))
            else:
                batch.rows.append(Encoded(key, row, copy_tuple(fields)))
                batch.altered.extend(AlteredCell(key, cell) for cell in self.altered(row))
        return batch

    def _blame(self, row: Row, outcomes: list[Outcome]) -> list[BadCell]:
        cells: list[BadCell] = []
        for column, value, outcome in zip(self._columns, row, outcomes, strict=True):
            if isinstance(outcome, Reject):
                cells.append(self._cell(column, value, outcome.reason))
            elif outcome is None and column.not_null:
                cells.append(self._cell(column, value, "null_in_not_null"))
        return cells

    def _cell(self, column: ColumnPlan, value: SqliteValue, reason: str) -> BadCell:
        return BadCell(
            column=column.source,
            storage_class=storage_class(value),
            raw=raw_bytes(value, self._encoding),
            rule=column.rule,
            reason=reason,
        )


def _arriving(outcome: Outcome) -> Outcome:
    return outcome.wire if isinstance(outcome, Altered) else outcome


def copy_tuple(fields: Fields) -> bytes:
    """The fields as one tuple of binary COPY."""
    parts = [_COUNT.pack(len(fields))]
    for value in fields:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(_LENGTH.pack(len(value)))
            parts.append(value)
    return b"".join(parts)


def split_tuple(message: bytes, at: int = 0) -> tuple[Fields, int]:
    """The fields of one tuple of binary COPY, and where the next one begins."""
    (count,) = _COUNT.unpack_from(message, at)
    at += 2
    fields: Fields = []
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(message, at)
        at += 4
        if length < 0:
            fields.append(None)
        else:
            fields.append(message[at : at + length])
            at += length
    return fields, at
