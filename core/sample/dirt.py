"""What a dirty sample holds that does not fit, each at a known place.

At most three misfits go into one column, so that its declared type is kept and
the misfits are the exception. They replace values of existing rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import apsw


class MisfitKind(StrEnum):
    """In what way a value does not fit."""

    TEXT_IN_INTEGER = "text_in_integer"
    TEXT_IN_DECIMAL = "text_in_decimal"
    NOT_A_DATE = "not_a_date"
    NUL_IN_TEXT = "nul_in_text"
    INVALID_UTF8 = "invalid_utf8"
    NULL_IN_KEY = "null_in_key"
    ORPHAN = "orphan"
    TOO_MANY_DECIMALS = "too_many_decimals"
    NOT_A_BOOLEAN = "not_a_boolean"
    TOO_LONG = "too_long"
    SEQUENCE_GAP = "sequence_gap"


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """One planted misfit. ``rowid_or_key`` is the rowid, or for a SEQUENCE_GAP the last
    number that ``sqlite_sequence`` says was handed out."""

    table: str
    column: str
    rowid_or_key: int
    kind: MisfitKind


SEQUENCE_GAP = 1000
NO_PRODUCT = 2_000_000_000

# Table, column, rowid, kind, the value as an SQL expression.
_PLANTED = (
    ("products", "stock", 3, MisfitKind.TEXT_IN_INTEGER, "'many'"),
    ("products", "stock", 7, MisfitKind.TEXT_IN_INTEGER, "'12 pairs'"),
    ("payments", "fee", 2, MisfitKind.TEXT_IN_DECIMAL, "'n/a'"),
    ("payments", "fee", 5, MisfitKind.TEXT_IN_DECIMAL, "'n/a'"),
    ("reviews", "created_at", 4, MisfitKind.NOT_A_DATE, "'not a date'"),
    ("reviews", "created_at", 6, MisfitKind.NOT_A_DATE, "'2024-02-30'"),
    ("reviews", "created_at", 8, MisfitKind.NOT_A_DATE, "'now'"),
    ("reviews", "body", 1, MisfitKind.NUL_IN_TEXT, "'before' || char(0) || 'after'"),
    ("questions", "body", 2, MisfitKind.INVALID_UTF8, "CAST(x'6d61f1616e61' AS TEXT)"),
    ("questions", "body", 3, MisfitKind.INVALID_UTF8, "CAST(x'eda0bd20c3' AS TEXT)"),
    ("sessions", "token", 5, MisfitKind.NULL_IN_KEY, "NULL"),
    ("sessions", "token", 9, MisfitKind.NULL_IN_KEY, "NULL"),
    ("order_items", "product_id", 10, MisfitKind.ORPHAN, f"{NO_PRODUCT}"),
    ("order_items", "product_id", 20, MisfitKind.ORPHAN, f"{NO_PRODUCT}"),
    ("order_items", "product_id", 30, MisfitKind.ORPHAN, f"{NO_PRODUCT + 1}"),
    ("products", "price", 5, MisfitKind.TOO_MANY_DECIMALS, "12.345"),
    ("users", "is_active", 6, MisfitKind.NOT_A_BOOLEAN, "2"),
    ("addresses", "city", 11, MisfitKind.TOO_LONG, "'Llan' || printf('%.100c', 'f') || 'gogogoch'"),
)


def plant_misfits(connection: apsw.Connection) -> tuple[Misfit, ...]:
    """Put the misfits into their places; they are named in the order of planting."""
    misfits = []
    for table, column, rowid, kind, value in _PLANTED:
        connection.execute(f"UPDATE {table} SET {column} = {value} WHERE rowid = {rowid}")
        misfits.append(Misfit(table=table, column=column, rowid_or_key=rowid, kind=kind))
    misfits.append(_leave_gap(connection, "payments"))
    return tuple(misfits)


def _leave_gap(connection: apsw.Connection, table: str) -> Misfit:
    """As if the newest rows had been deleted: their numbers must not be used again."""
    widened = "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ? RETURNING seq"
    last = connection.execute(widened, (SEQUENCE_GAP, table)).get
    return Misfit(
        table=table, column="id", rowid_or_key=int(str(last)), kind=MisfitKind.SEQUENCE_GAP
    )
