"""Quarantined rows, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.cli.speaking import out, tell
from core.cli.tables import table
from core.transfer.model import QuarantineEntry


def quarantine_document(
    entries: Sequence[QuarantineEntry], *, reveal: bool
) -> list[dict[str, Any]]:
    """Quarantined rows for programs."""
    return [
        {
            "table": e.table,
            "key": e.key,
            "reason": e.reason,
            "says": tell(f"reject.{e.reason}"),
            "detail": e.detail,
            "cells": [
                {
                    "column": c.column,
                    "storage_class": c.storage_class,
                    "rule": c.rule,
                    "reason": c.reason,
                    "bytes": len(c.raw),
                    "raw": c.raw.hex() if reveal else None,
                }
                for c in e.cells
            ],
        }
        for e in entries
    ]


def print_quarantine(entries: Sequence[QuarantineEntry], total: int, *, reveal: bool) -> None:
    """Quarantined rows for people, a line per value to blame; ``total`` is how many there are."""
    if not entries:
        out.print(tell("result.no_quarantine"))
        return
    columns = (
        ("column.table", "left"),
        ("column.key", "left"),
        ("column.column", "left"),
        ("column.kind", "left"),
        ("column.value", "left"),
        ("column.reason", "left"),
    )
    out.print(table("title.quarantine", columns, _quarantine_rows(entries, reveal)))
    if total > len(entries):
        out.print(tell("result.more_rows", listed=len(entries), rows=total))


def _quarantine_rows(
    entries: Sequence[QuarantineEntry], reveal: bool
) -> Iterable[tuple[str, str, str, str, str, str]]:
    for e in entries:
        if not e.cells:
            reason = tell(f"reject.{e.reason}") + (f" ({e.detail})" if e.detail else "")
            yield (e.table, e.key, "", "", "", reason)
        for c in e.cells:
            value = c.raw[:60].decode(errors="backslashreplace") if reveal else f"•••({len(c.raw)})"
            yield (e.table, e.key, c.column, c.storage_class, value, tell(f"reject.{c.reason}"))
