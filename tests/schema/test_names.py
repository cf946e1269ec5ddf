from __future__ import annotations

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.schema import Column, Table, fold, unquoted
from core.source.rows import quoted

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(deadline=None)
@given(NAMES)
def test_sqlite_reads_a_quoted_name_back_exactly(name: str) -> None:
    connection = apsw.Connection(":memory:")
    answer = connection.execute(f"SELECT 1 AS {quoted(name)}").description
    assert answer[0][0] == name


@settings(deadline=None)
@given(NAMES)
def test_unquoting_undoes_quoting(name: str) -> None:
    assert unquoted(quoted(name)) == name


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("plain", "plain"),
        ('"a""b"', 'a"b'),
        ("'it''s'", "it's"),
        ("`a``b`", "a`b"),
        ('[a"b ]', 'a"b '),
        ('""', ""),
        ('"', '"'),
    ],
)
def test_every_kind_of_quotes_comes_off(token: str, name: str) -> None:
    assert unquoted(token) == name


def test_only_ascii_letters_fold() -> None:
    # U+212A, the Kelvin sign, is k to Unicode and nothing of the kind to SQLite.
    assert fold("AZaz_É\u212aİ") == "azaz_É\u212aİ"


def test_a_column_is_found_as_spelled_before_it_is_found_folded() -> None:
    table = Table(
        name="t",
        columns=tuple(Column(name=name, declared_type="") for name in ("A", "a", "É", "Bb")),
    )
    assert [table.column(name).name for name in ("a", "A", "É", "bB")] == ["a", "A", "É", "Bb"]
    with pytest.raises(KeyError):
        table.column("é")
