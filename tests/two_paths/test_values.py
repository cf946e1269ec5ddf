"""The two paths make the same bytes of the same values, or the Arrow path makes none."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.source.rows import SqliteValue
from core.values import types
from core.values.types import Conversion, Reject, TargetType
from tests.property import generating as g
from tests.property.profiles import profile
from tests.property.test_values import (
    BOOLEANS,
    EPOCH_NUMBERS,
    FEEDS,
    JSON_TEXTS,
    MOMENT_TEXTS,
    UUID_TEXTS,
)
from tests.two_paths.columns import by_columns, by_rows, counted, stored

ALL = [conversion for conversions, _ in FEEDS.values() for conversion in conversions]
ALL += [
    Conversion(TargetType(types.NUMERIC, precision=p, scale=s), "decimal")
    for p, s in ((10, 2), (15, 4), (18, 9), (38, 22), (38, 0), (2, 2), (1, 0))
]
MONEY = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
THEMES: list[st.SearchStrategy[SqliteValue]] = [
    *(feed for _, feed in FEEDS.values()), MONEY, st.one_of(MONEY, st.integers(-(10**6), 10**6)),
    MOMENT_TEXTS, JSON_TEXTS, EPOCH_NUMBERS, UUID_TEXTS, st.floats(allow_nan=False), st.text(),
    st.datetimes().map(lambda at: at.isoformat(" ", "microseconds")), st.dates().map(str),
    st.times().map(lambda at: at.isoformat("microseconds")), st.integers(0, 1),
    st.uuids().map(str), st.uuids().map(lambda u: u.hex), st.binary(min_size=16, max_size=16),
    *(st.sampled_from(b.rule.removeprefix("boolean:").split("/")) for b in BOOLEANS[:3]),
]  # fmt: skip
COLUMNS = st.sampled_from(THEMES).flatmap(
    lambda theme: st.lists(st.one_of(theme, theme, theme, st.none()), max_size=30)
)


def check(path: Path, values: Sequence[SqliteValue], batch_rows: int) -> int:
    """How many values of all conversions went the Arrow path."""
    taken = 0
    with stored(path, values) as reader:
        for conversion in ALL:
            expected = by_rows(conversion, values)
            made = by_columns(reader, conversion, counted(conversion, values), batch_rows)
            for number, tuples in enumerate(made):
                part = expected[number * batch_rows : (number + 1) * batch_rows]
                if tuples is not None:
                    refused = [o for o in part if isinstance(o, Reject)]
                    assert not refused, (conversion, values)
                    assert tuples == b"".join(o for o in part if not isinstance(o, Reject)), (
                        conversion,
                        values,
                    )
                    taken += len(part)
    return taken


@given(values=COLUMNS, batch_rows=st.sampled_from([1, 3, 100]))
@profile(150)
def test_both_paths_make_the_same_bytes(
    tmp_path: Path, values: list[SqliteValue], batch_rows: int
) -> None:
    check(tmp_path / "t.db", values, batch_rows)


@pytest.mark.soak
@pytest.mark.timeout(0)
@given(values=COLUMNS, batch_rows=st.sampled_from([1, 3, 100]))
@profile(2_000, soak=True)
def test_both_paths_make_the_same_bytes_at_length(
    tmp_path: Path, values: list[SqliteValue], batch_rows: int
) -> None:
    check(tmp_path / "t.db", values, batch_rows)


@pytest.mark.parametrize("value", g.SPECIAL, ids=repr)
def test_every_special_value_goes_the_same_way(tmp_path: Path, value: SqliteValue) -> None:
    check(tmp_path / "t.db", [value, None, value], 2)


COMMON = {
    "integer": (ALL[0], [1, None, -(2**63), 2**63 - 1]),
    "real": (ALL[1], [0.1, None, -0.0, float("inf"), 5e-324]),
    "reals and integers": (ALL[1], [0.1, 7, None, 2**53]),
    "money": (Conversion(TargetType(types.NUMERIC, precision=10, scale=2), "decimal"), [12.34, 5, None, 0.1, -99999999.99]),
    "whole": (Conversion(TargetType(types.NUMERIC), "decimal"), [1, 0, None, 10**18, -12345]),
    "bool": (BOOLEANS[0], [0, 1, None]),
    "word": (BOOLEANS[3], ["false", "true", None]),
    "text": (Conversion(TargetType(types.TEXT), "text"), ["", "é😀", None, "\\N"]),
    "varchar": (Conversion(TargetType(types.VARCHAR, length=4), "text"), ["😀😀😀😀", None]),
    "spelled": (Conversion(TargetType(types.TEXT), "spelled"), [1, -(2**63), None]),
    "blob": (Conversion(TargetType(types.BYTEA), "bytes"), [b"", b"\x00\xff", None]),
    "text as bytes": (Conversion(TargetType(types.BYTEA), "bytes"), ["é", None]),
    "date": (Conversion(TargetType(types.DATE), "iso"), ["0001-01-01", "9999-12-31", "2024-02-29", None]),
    "time": (Conversion(TargetType(types.TIME), "iso"), ["23:59:59.999999", "00:00:00", None]),
    "timestamp": (Conversion(TargetType(types.TIMESTAMP), "iso"), ["2024-01-02 03:04:05.123456", "2024-01-02T03:04:05", "1969-12-31", None]),
    "timestamptz": (Conversion(TargetType(types.TIMESTAMPTZ), "iso"), ["2024-01-02T03:04:05+05:30", "2024-01-02 03:04:05Z", None]),
    "epoch": (Conversion(TargetType(types.TIMESTAMP), "epoch:ms"), [1700000000123, -1, None]),
    "jsonb": (Conversion(TargetType(types.JSONB), "json"), ['{"a": [1.50, "é"]}', None]),
    "json": (Conversion(TargetType(types.JSON), "json"), ['{"a": 1, "a": 2}', None]),
    "uuid": (Conversion(TargetType(types.UUID), "uuid"), ["550e8400-e29b-41d4-a716-446655440000", None]),
    "uuid bare": (Conversion(TargetType(types.UUID), "uuid"), ["550e8400e29b41d4a716446655440000"]),
    "uuid bytes": (Conversion(TargetType(types.UUID), "uuid"), [bytes(range(16)), None]),
    "nothing": (ALL[0], [None, None]),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMON)
def test_what_is_common_does_go_the_arrow_path(tmp_path: Path, name: str) -> None:
    conversion, values = COMMON[name]
    with stored(tmp_path / "t.db", values) as reader:
        made = by_columns(reader, conversion, counted(conversion, values), 100)
    outcomes = by_rows(conversion, values)
    assert made == [b"".join(o for o in outcomes if isinstance(o, bytes))]
    assert struct.unpack_from("!h", made[0] or b"") == (1,)
