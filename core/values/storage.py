"""SQLite values as bytes, without loss: what the ledger keeps of keys and rows.

``pack`` writes a row as one byte string with a tag per value; ``unpack`` reads it
back. Tags: ``0`` NULL, ``1`` INTEGER (8 bytes, big endian), ``2`` REAL (IEEE 754,
big endian), ``3`` TEXT, ``4`` BLOB, ``5`` text invalid in the source's encoding;
the last three carry a length of 8 bytes before their bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from core.source.rows import CODECS, InvalidText, Row, SqliteValue

_INTEGER = struct.Struct("!q")
_REAL = struct.Struct("!d")
_LENGTH = struct.Struct("!Q")


def storage_class(value: SqliteValue) -> str:
    """The storage class as SQLite's ``typeof`` names it."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "real"
    return "blob" if isinstance(value, bytes) else "text"


def raw_bytes(value: SqliteValue, encoding: str = "UTF-8") -> bytes:
    """The value's own bytes: text in the source's ``encoding``, as SQLite names it;
    numbers as their shortest spelling."""
    if value is None:
        return b""
    if isinstance(value, InvalidText):
        return value.raw
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode(CODECS[encoding])
    return spelled(value).encode()


def from_raw(kind: str, raw: bytes, encoding: str = "UTF-8") -> SqliteValue:
    """The value of the storage class ``kind`` whose own bytes are ``raw``."""
    if kind == "null":
        return None
    if kind == "integer":
        return int(raw)
    if kind == "real":
        return float(raw)
    if kind == "blob":
        return raw
    try:
        return raw.decode(CODECS[encoding])
    except UnicodeDecodeError:
        return InvalidText(raw)


def spelled(number: int | float) -> str:
    """A number as text: an integer's digits, a real's shortest round-trip form."""
    if isinstance(number, int):
        return str(number)
    text = repr(number)
    return {"inf": "Inf", "-inf": "-Inf"}.get(text, text)


def shown_key(key: Iterable[object]) -> str:
    """A source key as a person reads it."""
    return ", ".join(_shown_value(value) for value in key)


def _shown_value(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return spelled(value)
    return _shown_text(value)[:200]


def _shown_text(value: object) -> str:
    """Text as it is, what is no text as SQLite's SQL would write it."""
    if isinstance(value, InvalidText):
        return f"CAST({_shown_text(value.raw)} AS TEXT)"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def pack(row: Row) -> bytes:
    """The row as bytes; equal rows (class and value) give equal bytes."""
    return b"".join(_packed(value) for value in row)


def unpack(packed: bytes) -> Row:
    """The row that :func:`pack` wrote."""
    values: list[SqliteValue] = []
    at = 0
    while at < len(packed):
        value, at = _unpacked(packed, at)
        values.append(value)
    return tuple(values)


def _packed(value: SqliteValue) -> bytes:
    if value is None:
        return b"\x00"
    if isinstance(value, int):
        return b"\x01" + _INTEGER.pack(value)
    if isinstance(value, float):
        return b"\x02" + _REAL.pack(value)
    body = raw_bytes(value)
    tag = (
        b"\x05"
        if isinstance(value, InvalidText)
        else b"\x04"
        if isinstance(value, bytes)
        else b"\x03"
    )
    return tag + _LENGTH.pack(len(body)) + body


def _unpacked(packed: bytes, at: int) -> tuple[SqliteValue, int]:
    tag = packed[at]
    at += 1
    if tag == 0:
        return None, at
    if tag == 1:
        return _INTEGER.unpack_from(packed, at)[0], at + 8
    if tag == 2:
        return _REAL.unpack_from(packed, at)[0], at + 8
    (length,) = _LENGTH.unpack_from(packed, at)
    body = packed[at + 8 : at + 8 + length]
    value: SqliteValue = body
    if tag == 3:
        value = body.decode()
    elif tag == 5:
        value = InvalidText(body)
    return value, at + 8 + length
