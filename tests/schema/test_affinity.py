from __future__ import annotations

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.schema import Affinity, affinity

PIECES = ["int", "char", "clob", "text", "blob", "real", "floa", "doub", "an", "y", "i", "x", " "]
SAID = st.lists(st.sampled_from(PIECES + [piece.upper() for piece in PIECES])).map("".join)


def affinity_by_sqlite(declared_type: str) -> Affinity:
    """What a CAST to the type makes of the text '1.5' tells the affinities apart."""
    connection = apsw.Connection(":memory:")
    kind, value = connection.execute(
        f"SELECT typeof(x), CAST(x AS TEXT) FROM (SELECT CAST('1' || '.5' AS {declared_type}) AS x)"
    ).get
    if kind != "real":
        return {"text": Affinity.TEXT, "blob": Affinity.BLOB, "integer": Affinity.INTEGER}[kind]
    assert value == "1.5"
    whole = connection.execute(f"SELECT typeof(CAST('1' AS {declared_type}))").get
    return Affinity.REAL if whole == "real" else Affinity.NUMERIC


@settings(deadline=None)
@given(SAID.filter(str.strip))
def test_the_rules_are_those_of_sqlite(declared_type: str) -> None:
    assert affinity(declared_type) == affinity_by_sqlite(f'"{declared_type}"')


@pytest.mark.parametrize(
    ("declared_type", "expected"),
    [
        ("", Affinity.BLOB),
        ("INTEGER", Affinity.INTEGER),
        ("FLOATING POINT", Affinity.INTEGER),
        ("VARCHAR(10)", Affinity.TEXT),
        ("STRING", Affinity.NUMERIC),
        ("DOUBLE PRECISION", Affinity.REAL),
        ("DECIMAL(10,2)", Affinity.NUMERIC),
        ("BOOLEAN", Affinity.NUMERIC),
        ("ANY", Affinity.NUMERIC),
        ("\u0130NT", Affinity.NUMERIC),
    ],
)
def test_known_words(declared_type: str, expected: Affinity) -> None:
    assert affinity(declared_type) == expected


def test_any_converts_nothing_in_a_strict_table() -> None:
    assert affinity("any", strict=True) == Affinity.BLOB
    assert affinity("INT", strict=True) == Affinity.INTEGER
