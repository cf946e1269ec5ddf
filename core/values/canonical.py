"""One encoding for equal values, whichever side they come from.

Both sides speak PostgreSQL's binary format: the source through the exact path,
the target through binary COPY. For most types equal values already have equal
bytes; a decimal's display scale and a jsonb's spelling do not count.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import blake2b

from core.values import documents, numeric, temporal, types
from core.values.types import TargetType

Canonical = Callable[[bytes], bytes]
Field = bytes | None

DIGEST_BYTES = 16
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)


def canonical(kind: TargetType) -> Canonical | None:
    """The function that makes equal values of ``kind`` equal bytes; None when they are."""
    if kind.name == types.NUMERIC:
        return numeric.without_scale
    return _jsonb if kind.name == types.JSONB else None


def _jsonb(wire: bytes) -> bytes:
    return documents.canonical_json(wire[1:].decode())


def row_digest(fields: list[Field]) -> bytes:
    """16 bytes that stand for a row of canonical fields."""
    parts: list[bytes] = []
    for field in fields:
        if field is None:
            parts.append(_NULL)
        else:
            parts.append(_LENGTH.pack(len(field)))
            parts.append(field)
    return blake2b(b"".join(parts), digest_size=DIGEST_BYTES).digest()


def shown(kind: TargetType, wire: Field) -> str:
    """A wire value as a person reads it."""
    if wire is None:
        return "NULL"
    return _SHOWN.get(kind.name, _hex)(wire)


def literal(kind: TargetType, wire: Field) -> str:
    """A wire value as a SQL literal of its type."""
    if wire is None:
        return "NULL"
    if kind.name in (*types.INTEGERS, types.BOOLEAN):
        return shown(kind, wire)
    text = shown(kind, wire)
    if kind.name == types.TIMESTAMPTZ:
        text += "+00"
    # Backslashes stand for themselves: standard_conforming_strings is on.
    return "'" + text.replace("'", "''") + f"'::{kind.sql}"


def _hex(wire: bytes) -> str:
    return "\\x" + wire.hex()


def _double(wire: bytes) -> str:
    text = repr(struct.unpack("!d", wire)[0])
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(text, text)


def _bigint(wire: bytes) -> int:
    number: int = struct.unpack("!q", wire)[0]
    return number


def _uuid(wire: bytes) -> str:
    h = wire.hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


_SHOWN: dict[str, Callable[[bytes], str]] = {
    types.SMALLINT: lambda w: str(int.from_bytes(w, signed=True)),
    types.INTEGER: lambda w: str(int.from_bytes(w, signed=True)),
    types.BIGINT: lambda w: str(_bigint(w)),
    types.REAL: lambda w: _double(struct.pack("!d", struct.unpack("!f", w)[0])),
    types.DOUBLE: _double,
    types.NUMERIC: lambda w: format(numeric.decode(w), "f"),
    types.BOOLEAN: lambda w: "true" if w == b"\x01" else "false",
    types.TEXT: lambda w: w.decode(errors="backslashreplace"),
    types.VARCHAR: lambda w: w.decode(errors="backslashreplace"),
    types.CHAR: lambda w: w.decode(errors="backslashreplace"),
    types.ENUM: lambda w: w.decode(errors="backslashreplace"),
    types.BYTEA: _hex,
    types.DATE: lambda w: temporal.date_text(struct.unpack("!i", w)[0] * temporal.DAY),
    types.TIME: lambda w: temporal.time_text(_bigint(w)),
    types.TIMESTAMP: lambda w: temporal.stamp_text(_bigint(w)),
    types.TIMESTAMPTZ: lambda w: temporal.stamp_text(_bigint(w)),
    types.JSON: lambda w: w.decode(errors="backslashreplace"),
    types.JSONB: lambda w: w[1:].decode(errors="backslashreplace"),
    types.UUID: _uuid,
}
