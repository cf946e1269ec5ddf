"""What PostgreSQL can keep of a JSON text, asked of PostgreSQL itself."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.source.rows import InvalidText, SqliteValue
from core.values.documents import (
    Standing,
    canonical_json,
    document_text,
    standing,
    uuid_form,
)

JSONB = [
    *("{}", "[]", "1", "-0", "1.50", "1E+2", "1e-3", '""', '"a"', "true", "null", " [ 1 ] "),
    *('{"a": {"a": 1}}', '[{"a": 1}, {"a": 1}]', '"\\u00e9"', '"\\ud83d\\ude00"', '"\\\\u0000"'),
    *('"\\\\\\\\u0000"', "12345678901234567890123456789012345678901234567890", '"[[[["', '"\\"{"'),
    *('"' + "[" * 600 + '"', "[" * 500 + "]" * 500, '{"": 0}', '"\x7f"', "\t\n\r1", '"\\/"'),
    *("1e1000", '{"a": 1, "A": 2}', '{"\\u0061": 1, "b": 2}'),
]
JSON_ONLY = [
    *('{"a": 1, "a": 2}', '{"a": 1, "\\u0061": 1}', '[{"x": {"a": 1, "a": 1}}]'),
    *('"\\u0000"', '{"\\u0000": 1}', '["a\\u0000b"]', '"\\\\\\u0000"'),
    *('"\\ud83d"', '"\\ude00"', '{"\\ud83d": 1}'),
]
NEITHER = [
    *("", " ", "{bad}", "nul", "{'a': 1}", '{"a": NaN}', "Infinity", "-Infinity", "NaN", "01"),
    *("+1", ".5", "1.", "1e", "[1,]", '{"a": 1,}', "[1] 2", '"a', '"\n"', '"\t"', '"\x01"'),
    *('"\\x41"', '"\\u12"', "\ufeff1", "\xa01", "١", "/**/1", "TRUE", "{1: 2}", '"\\ud83dx'),
]


@pytest.mark.parametrize(
    ("texts", "expected", "kinds"),
    [
        (JSONB, Standing.JSONB, {"json", "jsonb"}),
        (JSON_ONLY, Standing.JSON, {"json"}),
        (NEITHER, Standing.NONE, set[str]()),
    ],
)
def test_the_server_takes_what_we_say_it_takes(
    texts: list[str], expected: Standing, kinds: set[str], database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for text in texts:
            assert (text, standing(text)) == (text, expected)
            taken = {kind for kind in ("json", "jsonb") if _takes(connection, text, kind)}
            # jsonb takes equal keys, and keeps one of them.
            assert (text, taken - {"jsonb"}) == (text, kinds - {"jsonb"})
            assert "jsonb" in taken or "jsonb" not in kinds


def _takes(connection: psycopg.Connection[tuple[object, ...]], text: str, kind: str) -> bool:
    try:
        connection.execute(f"SELECT %s::{kind}", (text,))
    except psycopg.DataError:
        return False
    return True


@pytest.mark.parametrize("text", ["[" * 501 + "]" * 501, '"\x00"', "1e20000", "[" * 100_000])
def test_what_could_hurt_the_server_is_no_json(text: str) -> None:
    assert standing(text) is Standing.NONE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', ' {"b":2,"a":1} '),
        ("1.0", "1"),
        ("1E+2", "100"),
        ("-0", "0.00"),
        ('"\\u00e9"', '"é"'),
        ("[1.50]", "[1.5]"),
        ("120", "1.2e2"),
    ],
)
def test_equal_documents_have_one_spelling(one: str, other: str) -> None:
    assert canonical_json(one) == canonical_json(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", '"1"'),
        ("1", "true"),
        ("0", "false"),
        ("null", '"null"'),
        ("[]", "{}"),
        ("[1, 2]", "[2, 1]"),
        ("1", "-1"),
        ('{"a": 1}', '{"A": 1}'),
        ('{"number": "1"}', "1"),
        # More digits than a decimal context keeps.
        ("1" * 40 + "1", "1" * 40 + "2"),
        ("0." + "1" * 40 + "1", "0." + "1" * 40 + "2"),
    ],
)
def test_other_documents_have_other_spellings(one: str, other: str) -> None:
    assert canonical_json(one) != canonical_json(other)


@settings(derandomize=True, deadline=None)
@given(
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
)
def test_a_stored_number_is_a_document(number: float) -> None:
    text = document_text(number)

    assert text is not None
    assert standing(text) is Standing.JSONB


@pytest.mark.parametrize("value", [None, b"{}", float("inf"), InvalidText(b"\xff")])
def test_what_cannot_be_a_document(value: SqliteValue) -> None:
    assert document_text(value) is None


ID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    ("value", "style", "case"),
    [
        (ID, "dashed", "lower"),
        (ID.upper(), "dashed", "upper"),
        (ID.replace("e84", "E84"), "dashed", "mixed"),
        (ID.replace("-", ""), "hex", "lower"),
        ("{" + ID + "}", "braced", "lower"),
        (bytes.fromhex(ID.replace("-", "")), "bytes", "none"),
        (ID.translate(str.maketrans("abcdef", "012345")), "dashed", "none"),
    ],
)
def test_forms_of_a_uuid(value: SqliteValue, style: str, case: str) -> None:
    form = uuid_form(value)

    assert form is not None
    assert (form.style, form.case, len(form.octets)) == (style, case, 16)


@pytest.mark.parametrize(
    "value",
    [
        *("", "none", ID[:-1], ID + "0", "(" + ID + ")", "urn:uuid:" + ID, "{" + ID, ID + "\n"),
        *(ID.replace("-", "_"), ID.replace("5", "٥"), b"", b"x" * 15, b"x" * 36, 5, 1.5, None),
    ],
)
def test_what_is_no_uuid(value: SqliteValue) -> None:
    assert uuid_form(value) is None


def test_an_exponent_beyond_every_decimal_is_no_json() -> None:
    for text in (
        "1e9999999999999999999",
        "[0e00000000000010000000000000000]",
        "-1E-99999999999999999999",
    ):
        assert standing(text) is Standing.NONE
