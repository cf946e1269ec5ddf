"""The quarantine as a file: CSV for a person's spreadsheet, JSONL without any loss.

Both hold the values of rows, so whoever writes them writes them privately.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from io import StringIO

from core.plan import Plan, TablePlan
from core.source.rows import SqliteValue
from core.transfer.model import QuarantineEntry
from core.values.storage import raw_bytes, storage_class, unpack


class Format(StrEnum):
    """How the quarantine is written."""

    CSV = "csv"
    JSONL = "jsonl"


CSV_COLUMNS = (
    "table",
    "key",
    "id",
    "reason",
    "detail",
    "column",
    "storage_class",
    "value",
    "bytes",
    "rule",
    "type",
)


def exported(entries: Iterable[QuarantineEntry], plan: Plan, how: Format) -> str:
    """All of ``entries`` in a file's text."""
    return as_csv(entries, plan) if how is Format.CSV else as_jsonl(entries, plan)


# --- CSV --------------------------------------------------------------------------------

# A spreadsheet takes what begins so for a formula; the last four are their wide forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_csv(entries: Iterable[QuarantineEntry], plan: Plan) -> str:
    """A line per value to blame, or one for a row without any. No cell begins as a formula
    does: one that would has an apostrophe before it, and so has one that begins with an
    apostrophe. ``bytes`` are the value's own, as SQL writes a blob."""
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(CSV_COLUMNS)
    for entry in entries:
        for line in _csv_lines(entry, plan.tables[entry.table_number - 1]):
            writer.writerow([_harmless(cell) for cell in line])
    return text.getvalue()


def _csv_lines(entry: QuarantineEntry, table: TablePlan) -> Iterator[Sequence[str]]:
    named = (entry.table, entry.key, entry.source_key.hex(), entry.reason, entry.detail)
    if not entry.cells:
        yield (*named, "", "", "", "", "", "")
    for cell in entry.cells:
        kind = table.column(cell.column).type.sql
        value = _printable(cell.raw.decode(errors="backslashreplace"))
        raw = f"x'{cell.raw.hex()}'"
        yield (
            *(entry.table, entry.key, entry.source_key.hex(), cell.reason, entry.detail),
            *(cell.column, cell.storage_class, value, raw, cell.rule, kind),
        )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


# --- JSONL ------------------------------------------------------------------------------


def as_jsonl(entries: Iterable[QuarantineEntry], plan: Plan) -> str:
    """A row per line: its key and every value of it by storage class and bytes in hex, text
    in the source's own encoding, numbers as they are spelled."""
    lines = (_jsonl_line(entry, plan.tables[entry.table_number - 1]) for entry in entries)
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def _jsonl_line(entry: QuarantineEntry, table: TablePlan) -> dict[str, object]:
    encoding = table.source.encoding
    row = zip(table.columns, unpack(entry.row), strict=True)
    return {
        "table": entry.table,
        "target": table.target,
        "id": entry.source_key.hex(),
        "key": [_value(value, encoding) for value in unpack(entry.source_key)],
        "reason": entry.reason,
        "detail": entry.detail,
        "quarantined_at": entry.quarantined_at.isoformat(),
        "encoding": encoding,
        "row": [{"column": column.source, **_value(value, encoding)} for column, value in row],
        "cells": [
            {
                "column": cell.column,
                "storage_class": cell.storage_class,
                "hex": cell.raw.hex(),
                "rule": cell.rule,
                "type": table.column(cell.column).type.sql,
                "reason": cell.reason,
            }
            for cell in entry.cells
        ],
    }


def _value(value: SqliteValue, encoding: str) -> dict[str, str]:
    return {"storage_class": storage_class(value), "hex": raw_bytes(value, encoding).hex()}
