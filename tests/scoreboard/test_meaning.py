"""What the judge takes for equal, and what not: the list in its own words, by example."""

from __future__ import annotations

from decimal import Decimal

import pytest

from benchmarks.scoreboard.comparer.meaning import Stored, Text, Value, same


def text(of: str) -> Text:
    return Text(of.encode())


CARRIED: list[tuple[Stored, str, Value]] = [
    (None, "integer", None),
    (5, "integer", 5),
    (-(2**63), "integer", -(2**63)),
    (5, "numeric", Decimal("5.00")),
    (5, "double", 5.0),
    (5, "text", "5"),
    (1, "boolean", True),
    (0, "boolean", False),
    (0.1 + 0.2, "double", 0.30000000000000004),
    (float("inf"), "double", float("inf")),
    (0.1 + 0.2, "numeric", Decimal("0.30000000000000004")),
    (12.345, "numeric", Decimal("12.3450")),
    (2.0, "integer", 2),
    (1e300, "text", "1.0e+300"),
    (text("é"), "text", "é"),
    (text(""), "text", ""),
    (text("abc"), "bytea", b"abc"),
    (Text(b"\xff"), "bytea", b"\xff"),
    (text("Yes"), "boolean", True),
    (text("12"), "integer", 12),
    (text("1.10"), "numeric", Decimal("1.1")),
    (text("2024-02-29"), "date", "2024-02-29"),
    (text("24:00"), "time", "24:00:00"),
    (text("2024-01-02T03:04:05.500"), "timestamp", "2024-01-02 03:04:05.5"),
    (text("2024-01-02"), "timestamp", "2024-01-02 00:00:00"),
    (text("2024-01-02 03:04:05+02:00"), "timestamptz", "2024-01-02 01:04:05+00"),
    (text("0001-01-01 00:00:00+14"), "timestamptz", "0001-12-31 10:00:00+00 BC"),
    (text("9999-12-31 23:59:59-15:59"), "timestamptz", "10000-01-01 15:58:59+00"),
    (text("{550E8400E29B41D4A716446655440000}"), "uuid", "550e8400-e29b-41d4-a716-446655440000"),
    (b"\x55" * 16, "uuid", "55555555-5555-5555-5555-555555555555"),
    (text('{"a": [1, 2.50], "b": null}'), "json", '{"b": null, "a": [1, 2.5]}'),
    (text('{"a":1,"a":2}'), "json", '{"a":1,"a":2}'),
    (b"\x00\xff", "bytea", b"\x00\xff"),
]

DAMAGED: list[tuple[Stored, str, Value]] = [
    (None, "text", ""),
    (text(""), "text", None),
    (0, "timestamp", None),
    (5, "integer", 6),
    (2, "boolean", True),
    (1, "boolean", False),
    (2**53 + 1, "double", 9007199254740992.0),
    (0.1, "double", 0.10000000149011612),
    (-0.0, "double", 0.0),
    (12.345, "numeric", Decimal("12.35")),
    (12.5, "integer", 13),
    (0.1 + 0.2, "text", "0.3"),
    (text("abc\0def"), "text", "abc"),
    (text("abc  "), "text", "abc"),
    (text("007"), "integer", 7),
    (text("maybe"), "boolean", True),
    (text("aaaa"), "bytea", b"\x69\xa6\x9a"),
    (text("hello"), "text", "Hello"),
    (text("2023-02-29"), "date", "2023-03-01"),
    (text("now"), "date", "2024-01-02"),
    (1700000000, "timestamp", "2023-11-14 22:13:20"),
    (text("2024-01-02 03:04:05+02:00"), "timestamp", "2024-01-02 03:04:05"),
    (text("2024-01-02 03:04:05.9"), "timestamp", "2024-01-02 03:04:05"),
    (text('{"a":1,"a":2}'), "json", '{"a": 2}'),
    (text("true"), "json", "1"),
    (text("not-a-uuid"), "uuid", "550e8400-e29b-41d4-a716-446655440000"),
    (b"\x01", "integer", 1),
    (b"abc", "bytea", b"abd"),
]


@pytest.mark.parametrize(("stored", "kind", "found"), CARRIED)
def test_what_means_the_same_is_carried(stored: Stored, kind: str, found: Value) -> None:
    assert same(stored, kind, found)


@pytest.mark.parametrize(("stored", "kind", "found"), DAMAGED)
def test_all_else_is_damaged(stored: Stored, kind: str, found: Value) -> None:
    assert not same(stored, kind, found)
