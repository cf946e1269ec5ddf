"""What the ledger keeps of keys and rows comes back as it was."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.source.rows import InvalidText, Row, SqliteValue
from core.values.storage import pack, raw_bytes, spelled, storage_class, unpack

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.binary(min_size=1).map(InvalidText),
)
ROWS = st.lists(VALUES, max_size=6).map(tuple)


def _alike(one: Row, other: Row) -> bool:
    """Equal in class and bits: 1 is not 1.0, and -0.0 is not 0.0."""
    return len(one) == len(other) and all(map(_same, one, other))


def _same(one: SqliteValue, other: SqliteValue) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("!d", one) == struct.pack("!d", other)
    return type(one) is type(other) and one == other


@settings(derandomize=True, deadline=None)
@given(ROWS)
def test_unpack_gives_back_what_was_packed(row: Row) -> None:
    assert _alike(unpack(pack(row)), row)


@settings(derandomize=True, deadline=None)
@given(ROWS, ROWS)
def test_other_rows_have_other_bytes(one: Row, other: Row) -> None:
    assert (pack(one) == pack(other)) == _alike(one, other)


@pytest.mark.parametrize(
    ("value", "kind", "raw"),
    [
        (None, "null", b""),
        (0, "integer", b"0"),
        (-(2**63), "integer", b"-9223372036854775808"),
        (0.1 + 0.2, "real", b"0.30000000000000004"),
        (1e22, "real", b"1e+22"),
        (float("inf"), "real", b"Inf"),
        ("é\x00", "text", b"\xc3\xa9\x00"),
        (InvalidText(b"\xff"), "text", b"\xff"),
        (b"\x00\xff", "blob", b"\x00\xff"),
    ],
)
def test_class_and_bytes_of_a_value(value: SqliteValue, kind: str, raw: bytes) -> None:
    assert storage_class(value) == kind
    assert raw_bytes(value) == raw


@settings(derandomize=True, deadline=None)
@given(st.floats(allow_nan=False))
def test_a_spelled_real_is_read_back_bit_for_bit(value: float) -> None:
    assert struct.pack("!d", float(spelled(value))) == struct.pack("!d", value)
