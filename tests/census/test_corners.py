"""Values that are known to be hard, each alone and all together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.source.rows import SqliteValue
from core.values.declared import Kind
from tests.census.arrays import counted_at_once, counted_exactly, same
from tests.property import generating as g
from tests.values.test_documents import ID, JSON_ONLY, JSONB, NEITHER
from tests.values.test_temporal import ACCEPTED, REFUSED

DOCUMENTS = [
    *(*JSONB, *JSON_ONLY, *NEITHER),
    *("1e20000", "[1E20000]", "-1e-20000", "1e15999", "1E16000", "1" * 16_000, "1" * 16_001),
    *("0." + "1" * 16_000, "[" * 501 + "]" * 501, '{"a":' * 500 + "1" + "}" * 500),
    *(
        '"\\uD83D"',
        '"\\uDE00"',
        '["\\uD83D\\uDE00"]',
        '"\\ude00\\ud83d"',
        '"\\ud83d\\ud83d\\ude00"',
    ),
    # An escaped backslash: what follows it is no pair, but half of one.
    *('"\\\\ud83d\\ude00"', '"\\\\\\ud83d\\ude00"', '"\\ud83d\\\\ude00"', '"\\ud83d\\u0000"'),
    *('"\\u\\ud83d\\ude000000"', "\x00", '"\x00"', '{"a": 1, "b": {"a": 1, "a": 2}}', "[1]\x00"),
    *('{"a:1": 1, "a": "1,2"}', "[[1, [2, [3]]], {}]", "-01", "[1.]", "[-]", "-", "[NaN]"),
]
UUIDS = [
    *(ID, ID.upper(), ID.replace("e", "E"), "{" + ID + "}", ID.replace("-", ""), "1" * 32),
    *(
        ID.replace("e", "g"),
        ID.replace("-", "_"),
        "x" * 32,
        "f" * 31,
        "f" * 33,
        "{" + ID,
        ID + "\x00",
    ),
    *("ſ" * 32, "é" * 16, "{" + "f" * 32 + "}", "F" * 31 + "f", "0" * 31 + "f", "0" * 31 + "F"),
]
REALS = [
    *(0.0, -0.0, 0.1, 0.1 + 0.2, 1e15, 1e15 + 0.3, 1e15 - 0.3, 999999999999999.9, 1e16, 1e22, 1e23),
    *(5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 1e-22, 1e-23, 4.35, 1.005, 2.675),
    # Found a digit too long where n has more digits than 15, or a power of ten is no double.
    *(60559.95301393269, 0.07412518562014903, 5.5200999999999995e-24, 4.4999999999999995e-20),
    *(float("inf"), float("-inf"), 2.0**53, 2.0**53 + 2, 9007199254740993.0, 123456789012345.67),
]
INTEGERS = [
    *(0, 1, -1, 2, -5, 2**53, 2**53 + 1, -(2**53) - 1, 2**54 + 2, 2**60, 2**63 - 1, -(2**63)),
    *(2**63 - 512, 2**63 - 513, -(2**63) + 1, 2**62 + 1, 9, 10, 99, 100),
]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.JSON, DOCUMENTS),
        (Kind.UUID, UUIDS),
        (Kind.UUID, [b"", bytes(15), bytes(16), b"a" * 17]),
        (Kind.TIMESTAMP, [*(text for text, _ in ACCEPTED), *REFUSED]),
        (Kind.DECIMAL, REALS),
        (Kind.JSON, REALS),
        (Kind.BOOLEAN, INTEGERS),
        (Kind.TEXT, ["", "a", "é", "é" * 5, "😀" * 3, "\x00", "a\x00é"]),
    ],
)
def test_hard_values(kind: Kind, values: Sequence[SqliteValue]) -> None:
    kinds = frozenset({kind})
    for batches in ([values], *([[value]] for value in values)):
        same(counted_at_once(batches, kinds), counted_exactly(batches, kinds))


def test_reals_beside_a_larger_one_whose_digits_are_known() -> None:
    kinds = frozenset({Kind.DECIMAL})
    for value in REALS:
        batches = [[value, 1e308, -3.5]]
        same(counted_at_once(batches, kinds), counted_exactly(batches, kinds))


def test_every_special_value() -> None:
    kinds = frozenset(Kind)
    for value in g.SPECIAL:
        same(counted_at_once([[value]], kinds), counted_exactly([[value]], kinds))
