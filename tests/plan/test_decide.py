"""Which type a column gets: limits, widening, and the chain behind them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.plan.decide import fits, misfits_allowed
from core.source.rows import InvalidText, SqliteValue
from core.values.exact import converter
from core.values.types import Conversion, Reject, TargetType
from tests.plan.planning import census_of, decided

GOOD_DAY, BAD_DAY = "2024-01-02", "2024-02-30"


@pytest.mark.parametrize(
    ("good", "bad", "kept"),
    [
        (1, 3, True),
        (1, 4, False),
        (0, 1, False),
        (0, 3, False),
        (3_996, 4, True),
        (3_995, 4, False),
        (3_995, 5, False),
        (4_995, 5, True),
        (2_997, 3, True),
    ],
)
def test_a_declared_type_survives_few_misfits(good: int, bad: int, *, kept: bool) -> None:
    decision = decided("DATE", [GOOD_DAY] * good + [BAD_DAY] * bad)

    assert decision.conversion.type.sql == ("date" if kept else "text")
    assert decision.retyped is not kept
    assert decision.misfits == (bad if kept else 0)


@pytest.mark.parametrize(
    ("values", "allowed"), [(0, 3), (3_999, 3), (4_000, 4), (4_999, 4), (1_000_000, 1_000)]
)
def test_the_limit_is_three_or_a_thousandth(values: int, allowed: int) -> None:
    assert misfits_allowed(census_of([1] * values)) == allowed


def test_null_is_neither_a_value_nor_a_misfit() -> None:
    decision = decided("INTEGER", [1, "a", "b", "c", "d", *[None] * 10_000])

    assert decision.conversion.type.sql == "text"


@pytest.mark.parametrize(
    ("declared_type", "values", "sql", "rule"),
    [
        # The chain: the first that holds every value exactly.
        ("TEXT", [1, 2, 3, 4], "bigint", "integer"),
        ("TEXT", [1, 0.5, 2, 3], "double precision", "real"),
        ("TEXT", [2**53 + 1, 0.5, 2, 3], "numeric", "decimal"),
        ("BLOB", [1, 2, 3, 4, "a"], "text", "spelled"),
        ("INTEGER", ["a", "b", "c", "d"], "text", "text"),
        ("INTEGER", ["a", "b\x00", b"c", InvalidText(b"\xff")], "bytea", "bytes"),
        ("DATE", [1, 0.5, "a", b"c"], "bytea", "bytes:spelled"),
        # Reals and infinities.
        ("REAL", [1, 0.5, float("inf")], "double precision", "real"),
        ("REAL", [2**53 + 1, 0.5], "double precision", "real"),
        ("DECIMAL(10,2)", [1.25, float("inf")], "numeric", "decimal"),
        ("DECIMAL(10,2)", [1.25, 99999999], "numeric(10,2)", "decimal"),
        ("DECIMAL(10,2)", [1.255], "numeric", "decimal"),
        ("DECIMAL(10,2)", [100000000], "numeric", "decimal"),
        ("DECIMAL(5)", [99999], "numeric(5,0)", "decimal"),
        # Booleans.
        ("BOOLEAN", [0, 1], "boolean", "boolean:0/1"),
        ("BOOLEAN", [0, 1, 2], "boolean", "boolean:0/1"),
        ("BOOLEAN", [0, 2, 3, 4, 5], "bigint", "integer"),
        ("BOOLEAN", [1.0], "double precision", "real"),
        ("BOOLEAN", ["Y", "N"], "boolean", "boolean:N/Y"),
        ("BOOLEAN", ["true", "false", 1], "boolean", "boolean:false/true"),
        ("BOOLEAN", ["yes", "no"], "text", "text"),
        # Moments.
        ("DATETIME", ["2024-01-02 03:04:05"], "timestamp", "iso"),
        ("DATETIME", ["2024-01-02 03:04:05Z"], "timestamptz", "iso"),
        ("DATETIME", ["2024-01-02 03:04:05Z", "2024-01-02 03:04:05"], "text", "text"),
        ("TIMESTAMPTZ", ["2024-01-02 03:04:05"], "timestamp", "iso"),
        ("DATE", ["2024-01-02 03:04:05"], "timestamp", "iso"),
        ("DATE", ["2024-01-02"], "date", "iso"),
        ("TIME", ["12:00"], "time", "iso"),
        ("DATETIME", ["12:00"], "time", "iso"),
        ("DATETIME", [1_700_000_000], "bigint", "integer"),
        # Width, JSON, UUID.
        ("VARCHAR(3)", ["abc"], "varchar(3)", "text"),
        ("VARCHAR(3)", ["abcd"], "text", "text"),
        ("CHAR(3)", ["ab "], "varchar(3)", "text"),
        ("VARCHAR", ["a"], "text", "text"),
        ("JSON", ["{}", "[1]", 1, 0.5], "jsonb", "json"),
        ("JSON", ["{}", '{"a": 1, "a": 2}'], "json", "json"),
        ("JSON", ["{}", "{"], "text", "text"),
        ("JSON", ["{}", float("inf")], "text", "spelled"),
        ("UUID", ["550e8400-e29b-41d4-a716-446655440000"], "uuid", "uuid"),
        ("UUID", ["550e8400-e29b-41d4-a716-446655440000", "x"], "text", "text"),
        (
            "UUID",
            ["550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000"],
            "text",
            "text",
        ),
        # No declared type, or none we know.
        ("", [1, 2], "bigint", "integer"),
        ("WHATEVER", ["a"], "text", "text"),
        ("WHATEVER", [1, "a"], "text", "spelled"),
    ],
)
def test_what_a_column_becomes(
    declared_type: str, values: list[SqliteValue], sql: str, rule: str
) -> None:
    conversion = decided(declared_type, values).conversion

    assert (conversion.type.sql, conversion.rule) == (sql, rule)


def test_a_key_cannot_be_json() -> None:
    values: list[SqliteValue] = ['{"a": 1, "a": 2}']

    assert decided("JSON", values).conversion.type.sql == "json"
    assert decided("JSON", values, in_key=True).conversion.type.sql == "text"


@pytest.mark.parametrize(
    ("declared_type", "sql", "widened"),
    [
        ("INTEGER", "bigint", False),
        ("REAL", "double precision", False),
        ("DECIMAL(12,3)", "numeric(12,3)", False),
        ("DECIMAL(2,5)", "numeric", True),
        ("BOOLEAN", "boolean", False),
        ("DATE", "date", False),
        ("TIME", "time", False),
        ("DATETIME", "timestamp", False),
        ("TIMESTAMPTZ", "timestamptz", False),
        ("VARCHAR(5)", "varchar(5)", False),
        ("VARCHAR(0)", "text", True),
        ("TEXT", "text", False),
        ("JSON", "jsonb", False),
        ("BLOB", "bytea", False),
        ("UUID", "uuid", False),
        ("", "text", False),
    ],
)
def test_a_column_without_values_is_what_was_declared(
    declared_type: str, sql: str, *, widened: bool
) -> None:
    decision = decided(declared_type, [None, None])

    assert decision.conversion.type.sql == sql
    assert (decision.retyped, decision.widened) == (False, widened)


VALUES = st.lists(
    st.one_of(
        st.none(),
        st.sampled_from([0, 1, 2, -5, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)]),
        st.floats(allow_nan=False),
        st.sampled_from(["", "a", "0", "1", "Y", "N", "true", "{}", '{"a":1,"a":2}', "a\x00"]),
        st.sampled_from([GOOD_DAY, BAD_DAY, "12:00", "2024-01-02 03:04", "2024-01-02 03:04Z"]),
        st.sampled_from(
            ["550e8400-e29b-41d4-a716-446655440000", "550e8400e29b41d4a716446655440000"]
        ),
        st.sampled_from([b"", b"\x00", b"x" * 16, InvalidText(b"\xff")]),
    ),
    max_size=8,
)
DECLARED = st.sampled_from(
    [
        *("", "INTEGER", "REAL", "DECIMAL", "DECIMAL(5,2)", "BOOLEAN", "DATE", "TIME", "DATETIME"),
        *("TIMESTAMPTZ", "VARCHAR(2)", "TEXT", "JSON", "BLOB", "UUID", "WHATEVER"),
    ]
)


@settings(derandomize=True, deadline=None)
@given(DECLARED, VALUES)
def test_the_census_counts_what_the_exact_path_accepts(
    declared_type: str, values: list[SqliteValue]
) -> None:
    decision = decided(declared_type, values)
    convert = converter(decision.conversion)
    refused = [v for v in values if isinstance(convert(v), Reject)]
    present = sum(v is not None for v in values)

    assert fits(decision.conversion, census_of(values, declared_type)) == present - len(refused)
    assert decision.misfits == len(refused)
    assert len(refused) <= 3


@settings(derandomize=True, deadline=None)
@given(VALUES)
def test_bytes_hold_everything(values: list[SqliteValue]) -> None:
    convert = converter(Conversion(TargetType("bytea"), "bytes:spelled"))

    assert not any(isinstance(convert(value), Reject) for value in values)
