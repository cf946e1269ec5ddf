"""Decimals as PostgreSQL's binary format writes them, asked of PostgreSQL itself."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.values import numeric

DECIMALS = [
    *("0", "1", "-1", "9999", "10000", "10001", "-12345678901234567890.12", "0.1", "0.0001"),
    *("0.00001", "1.10", "100.00", "1E+22", "1E-7", "5E-324", "1.7976931348623157E+308"),
    *("123456789.000100000", "-0.0", "99999999.99", "1000000000000000000000000.5", "12.345"),
]


@pytest.mark.parametrize("text", DECIMALS)
def test_the_server_reads_and_writes_the_same_bytes(text: str, database: str) -> None:
    value = Decimal(text)
    with psycopg.connect(database) as connection:
        cursor = connection.cursor(binary=True)
        row = cursor.execute("SELECT numeric_send(%s::text::numeric)", (format(value, "f"),))
        (sent,) = row.fetchone() or (b"",)

    assert numeric.encode(value) == sent
    assert numeric.decode(sent) == value


@pytest.mark.parametrize(
    ("text", "precision", "scale", "shown"),
    [
        ("1.1", 10, 2, "1.10"),
        ("1", 10, 2, "1.00"),
        ("0", 10, 2, "0.00"),
        ("-99999999.99", 10, 2, "-99999999.99"),
        ("100", 3, 0, "100"),
        ("1.0", 5, 0, "1"),
        ("1E+3", 6, 1, "1000.0"),
        ("0.00005", 10, 5, "0.00005"),
        ("12345678901234567890", 30, 10, "12345678901234567890.0000000000"),
    ],
)
def test_a_declared_scale_is_shown(
    text: str, precision: int, scale: int, shown: str, database: str
) -> None:
    wire = numeric.encode(Decimal(text), scale)
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE TABLE t (n numeric({precision},{scale}))")
        with connection.cursor().copy("COPY t FROM STDIN (FORMAT BINARY)") as copy:
            field = b"\x00\x01" + len(wire).to_bytes(4) + wire
            copy.write(b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8 + field + b"\xff\xff")
        row = connection.execute("SELECT n::text FROM t").fetchone()

    assert row == (shown,)


@settings(derandomize=True, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_encode_and_decode_are_inverse(value: Decimal) -> None:
    assert numeric.decode(numeric.encode(value)) == value


@settings(derandomize=True, deadline=None)
@given(st.floats(allow_nan=False))
def test_every_real_is_its_shortest_spelling(value: float) -> None:
    decoded = numeric.decode(numeric.encode(Decimal(repr(value))))

    assert float(decoded) == value
    assert decoded == Decimal(repr(value))


@settings(derandomize=True, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), st.integers(4, 30))
def test_the_display_scale_does_not_count_for_equality(value: Decimal, scale: int) -> None:
    with_scale = numeric.without_scale(numeric.encode(value, scale))

    assert with_scale == numeric.without_scale(numeric.encode(value))


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0", (0, 0)),
        ("0.00", (0, 0)),
        ("1", (1, 0)),
        ("100", (3, 0)),
        ("1E+5", (6, 0)),
        ("1.10", (1, 1)),
        ("0.001", (0, 3)),
        ("-12.345", (2, 3)),
        ("1E-7", (0, 7)),
        ("120.0", (3, 0)),
    ],
)
def test_how_many_digits_a_number_needs(text: str, digits: tuple[int, int]) -> None:
    assert numeric.digits_of(Decimal(text)) == digits
