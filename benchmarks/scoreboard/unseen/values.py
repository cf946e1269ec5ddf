"""Columns of every kind, and what is stored in them: mostly what was declared."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Value = int | float | str | bytes | None
Maker = Callable[[Random, int], Value]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of column: how it may be declared, its values, its dirt, literals for its
    default and conditions for its CHECK (``{}`` stands for the column)."""

    declared: tuple[str, ...]
    make: Maker
    dirt: tuple[Value, ...]
    defaults: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


def _word(chance: Random) -> str:
    return "".join(
        chance.choice("abcdefgh ijklmnopqrstuvwxyzäéñ") for _ in range(chance.randint(1, 12))
    )


def _moment(chance: Random, _row: int) -> str:
    day = f"{chance.randint(1995, 2026):04}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return f"{day} {chance.randint(0, 23):02}:{chance.randint(0, 59):02}:{chance.randint(0, 59):02}"


def _document(chance: Random, row: int) -> str:
    return json.dumps({"n": row, "tags": [_word(chance)], "deep": {"x": chance.random()}})


KINDS: dict[str, Kind] = {
    "integer": Kind(
        declared=("INTEGER", "INT", "BIGINT", "SMALLINT", "UNSIGNED BIG INT", "MEDIUMINT", "INT8"),
        make=lambda c, _: c.choice((c.randint(-50, 50), c.randint(0, 10**6), c.randint(-(2**63), 2**63 - 1))),
        dirt=("", "n/a", 12.5, "12 pieces", b"\x01", 1e300),
        defaults=("0", "-1", "42", "'7'", "(1 + 2)", "NULL", "0x1F"),
        checks=("{} >= -9223372036854775807", "{} IS NOT 13", "typeof({}) <> 'blob'", "{} BETWEEN -1e19 AND 1e19"),
    ),
    "real": Kind(
        declared=("REAL", "DOUBLE", "FLOAT", "DOUBLE PRECISION"),
        make=lambda c, _: c.choice((c.random(), c.uniform(-1e6, 1e6), 0.1 + 0.2, 1e-300, -0.0, float(c.randint(0, 99)))),
        dirt=("", "unknown", "1,5", b"\xff", float("inf")),
        defaults=("0.0", "1.5", "1e3", "-0.25", "(3 / 2.0)"),
        checks=("{} < 1e308", "{} <> 13.13", "abs({}) >= 0"),
    ),
    "decimal": Kind(
        declared=("DECIMAL(10,2)", "NUMERIC(8,3)", "NUMERIC", "DECIMAL", "NUMBER(12,4)"),
        make=lambda c, _: c.choice((c.randint(0, 10**6), c.randint(0, 10**7) / 100, f"{c.randint(0, 999)}.{c.randint(0, 99):02}")),
        dirt=("", "12.3456789", "1/2", 1e22),
        defaults=("0", "0.00", "9.99", "'1.50'"),
        checks=("{} >= 0 OR {} IS NULL OR typeof({}) = 'text'", "{} <> 13.13"),
    ),
    "boolean": Kind(
        declared=("BOOLEAN", "BOOL"),
        make=lambda c, _: c.randint(0, 1),
        dirt=(2, "yes", "", "true", 1.0),
        defaults=("0", "1", "TRUE", "FALSE", "'f'"),
        checks=("{} IN (0, 1) OR typeof({}) <> 'integer' OR {} = 2", "{} IS NOT 7"),
    ),
    "text": Kind(
        declared=("TEXT", "VARCHAR(20)", "CHARACTER(12)", "CLOB", "NVARCHAR(40)", "VARCHAR(3)", "text"),
        make=lambda c, _: _word(c),
        dirt=("", "x" * 300, "nul\0inside", b"bytes\xff", 17, "línea\nnueva\t\\N", "'; --"),
        defaults=("''", "'none'", "'it''s'", '"draft"', "NULL", "'0'", "(lower('ABC'))"),
        checks=("length({}) < 1000", "{} <> 'forbidden'", "{} NOT LIKE '%zzz%'", "{} IS NULL OR {} NOT GLOB '*[0-9][0-9][0-9][0-9]*'"),
    ),
    "date": Kind(
        declared=("DATE",),
        make=lambda c, r: _moment(c, r)[:10],
        dirt=("", "2024-02-30", "1/2/2024", "now", 0),
        defaults=("CURRENT_DATE", "'2000-01-01'", "(date('now'))"),
        checks=("{} > '1900-01-01' OR {} = '' OR typeof({}) <> 'text' OR {} LIKE '1%'",),
    ),
    "moment": Kind(
        declared=("DATETIME", "TIMESTAMP"),
        make=_moment,
        dirt=("", "2024-01-02T03:04:05+02:00", 1700000000, "yesterday", "2024-01-02 25:00:00"),
        defaults=("CURRENT_TIMESTAMP", "(datetime('now'))", "'1970-01-01 00:00:00'", "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"),
    ),
    "time": Kind(
        declared=("TIME",),
        make=lambda c, r: _moment(c, r)[11:],
        dirt=("25:00", "24:00:00", "noon", ""),
        defaults=("CURRENT_TIME", "'08:00:00'"),
    ),
    "epoch": Kind(
        declared=("INTEGER", "TIMESTAMP"),
        make=lambda c, _: c.randint(946684800, 1767225600),
        dirt=("", 0, 1700000000123),
        defaults=("(strftime('%s', 'now'))", "(CAST(strftime('%s', 'now') AS INTEGER))", "0"),
    ),
    "document": Kind(
        declared=("JSON", "JSONB"),
        make=_document,
        dirt=("", "{bad}", '{"a": 1, "a": 2}', '{"n": "a\\u0000b"}', "[1, 2"),
        defaults=("'{}'", "'[]'", "(json_object('a', 1))"),
        checks=("json_valid({}) OR {} IS NULL OR length({}) < 20",),
    ),
    "uuid": Kind(
        declared=("UUID", "GUID", "CHAR(36)"),
        make=lambda c, _: str(uuid.UUID(int=c.getrandbits(128), version=4)),
        dirt=("", "not-a-uuid", "{550E8400-E29B-41D4-A716-446655440000}", b"\x55" * 16),
        defaults=("(lower(hex(randomblob(16))))",),
        checks=("length({}) <= 38",),
    ),
    "bytes": Kind(
        declared=("BLOB", "BINARY(16)", "VARBINARY"),
        make=lambda c, _: c.randbytes(c.randint(0, 40)),
        dirt=("text", "aGVsbG8=", "\\x41", 5),
        defaults=("x''", "x'00ff'", "(zeroblob(4))"),
        checks=("length({}) < 5000",),
    ),
    "anything": Kind(
        declared=("", "ANY", "STRING", "MONEY", "POINT", "ENUM", "GEOMETRY"),
        make=lambda c, r: c.choice((r, float(r), _word(c), c.randbytes(3), None)),
        dirt=(2**63 - 1, "007", 7, 7.0, "7"),
        defaults=("'?'", "0", "x'01'"),
    ),
}  # fmt: skip
