"""Values that a person puts in a source value's place, for the next replay.

The source's own value stays in the quarantine, and in its history afterwards; who put
what in its place, when and why is only ever added to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import (
    EditDoesNotFit,
    QuarantineColumnUnknown,
    QuarantineRowAmbiguous,
    QuarantineRowUnknown,
    WrongUsage,
)
from core.failpoints import failpoint
from core.plan import ColumnPlan, TablePlan
from core.source.rows import CODECS, InvalidText, SqliteValue
from core.transfer.membership import who
from core.transfer.model import QuarantineEntry
from core.transfer.quarantine import Selection, Values
from core.transfer.replay import edited_row
from core.transfer.resting import Resting, at_rest
from core.transfer.steering import Place
from core.values.exact import converter
from core.values.storage import pack, raw_bytes, storage_class, unpack
from core.values.types import Altered, Reject

CLASSES = ("integer", "real", "text", "blob")
_INTEGERS = range(-(2**63), 2**63)


@dataclass(frozen=True, kw_only=True)
class NewValue:
    """What a person typed: a ``text``, or ``raw`` bytes, or neither for NULL; and the
    storage class it is to have, '' for what suits the column's rule."""

    text: str | None = None
    raw: bytes | None = None
    storage_class: str = ""


NULL = NewValue()


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """Which rows get which value in which column, by its name in the source, and why.
    ``bulk``: every selected row; else it must be one."""

    place: Place
    selection: Selection
    column: str
    value: NewValue
    reason: str
    bulk: bool = False


def edit(request: EditRequest) -> tuple[QuarantineEntry, ...]:
    """Put the value in place; the rows that have it now.

    Raises RunUnfinished, RunHeld, QuarantineRowUnknown, QuarantineRowAmbiguous,
    QuarantineColumnUnknown, EditDoesNotFit, WrongUsage; then nothing was put anywhere.
    """
    with at_rest(request.place) as resting:
        entries = _meant(resting, request)
        values = resting.quarantine.edited_values()
        with resting.connection.transaction():
            for entry in entries:
                table = resting.plan.tables[entry.table_number - 1]
                before = values.get((entry.table_number, entry.source_key), {})
                _put(resting, request, entry, table, before)
            failpoint("edit.written")
            resting.lease.beat(resting.connection)  # the fence: it asks for the epoch
    return tuple(entries)


def _meant(resting: Resting, request: EditRequest) -> list[QuarantineEntry]:
    selection = request.selection
    entries = resting.quarantine.entries(selection)
    shown = selection.row or selection.reason
    if not entries:
        raise QuarantineRowUnknown(row=shown, run=resting.run.run)
    if len(entries) > 1 and not request.bulk:
        raise QuarantineRowAmbiguous(row=shown, rows=len(entries))
    return entries


def _put(
    resting: Resting,
    request: EditRequest,
    entry: QuarantineEntry,
    table: TablePlan,
    earlier: Values,
) -> None:
    place, column = _column(table, request.column)
    encoding = table.source.encoding
    value = value_of(request.value, column, encoding)
    _require_fit(table, column, value)
    before = edited_row(table, unpack(entry.row), earlier)[place]
    resting.connection.execute(
        "INSERT INTO mudanza.quarantine_edit (run, table_number, source_key, column_name,"
        " before_class, before_raw, after_class, after_raw, after_packed, reason, edited_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            resting.run.run,
            table.number,
            entry.source_key,
            column.source,
            storage_class(before),
            raw_bytes(before, encoding),
            storage_class(value),
            raw_bytes(value, encoding),
            pack((value,)),
            request.reason,
            who(),
        ),
    )


def _column(table: TablePlan, name: str) -> tuple[int, ColumnPlan]:
    for place, column in enumerate(table.columns):
        if column.source == name:
            return place, column
    raise QuarantineColumnUnknown(table=table.name, column=name)


def _require_fit(table: TablePlan, column: ColumnPlan, value: SqliteValue) -> None:
    outcome = converter(column.conversion, table.source.encoding)(value)
    if isinstance(outcome, Reject | Altered) or (outcome is None and column.not_null):
        name = f"{table.name}.{column.source}"
        raise EditDoesNotFit(column=name, type=column.type.sql, rule=column.rule)


# --- what was typed ---------------------------------------------------------------------


def value_of(new: NewValue, column: ColumnPlan, encoding: str) -> SqliteValue:
    """The value that a person means for a column. Raises WrongUsage for a text that is no
    value of its storage class."""
    if new.raw is not None:
        return _text(new.raw, encoding) if new.storage_class == "text" else new.raw
    if new.text is None:
        return None
    kind = new.storage_class or _suiting(column, new.text)
    try:
        return _READ[kind](new.text)
    except ValueError:
        raise WrongUsage(detail=f"{column.source}: --class {kind}") from None


def _suiting(column: ColumnPlan, text: str) -> str:
    """The storage class that the column's first rule takes."""
    rule = column.conversion.first.rule
    if rule == "decimal":
        return "integer" if re.fullmatch(r"[+-]?\d+", text, re.ASCII) else "real"
    if rule == "boolean:0/1" or rule.startswith("epoch:"):
        return "integer"
    return rule if rule in ("integer", "real") else "text"


def _integer(text: str) -> int:
    number = int(text)
    if number not in _INTEGERS:
        raise ValueError(text)
    return number


_READ: dict[str, Callable[[str], SqliteValue]] = {
    "integer": _integer,
    "real": float,
    "text": str,
    "blob": str.encode,
}


def _text(raw: bytes, encoding: str) -> SqliteValue:
    try:
        return raw.decode(CODECS[encoding])
    except UnicodeDecodeError:
        return InvalidText(raw)
