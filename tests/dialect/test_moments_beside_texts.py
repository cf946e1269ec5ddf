"""SQLite compares the texts of moments; PostgreSQL compares the moments, with one outcome."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from core.dialect import Place, Places, Untranslatable, Volatility, value
from core.schema.affinity import affinity
from core.values import types
from core.values.types import Conversion, TargetType

SIGNS = ["<", "<=", ">", ">=", "=", "<>", "IS", "IS NOT"]
HELD = [
    "2024-01-01 00:00:00", "2024-01-01 00:00:01", "2023-12-31 23:59:59", "2024-02-29 12:00:00",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59", None,
]  # fmt: skip
TEXTS = ["2024-01-01", "2024-01-01 00:00", "2024-01-01 00:00:00", "9999-12-31", "0001-01-01"]


def places(spelling: str = "9999-99-99 99:99:99") -> Places:
    stamp = Conversion(TargetType(types.TIMESTAMP), "iso")
    place = Place(
        source="s", target="s", conversion=stamp, affinity=affinity("DATETIME"), spelling=spelling
    )
    return Places([place])


@pytest.mark.parametrize("text", TEXTS)
def test_one_outcome_for_every_moment(text: str, database: str) -> None:
    with sqlite3.connect(":memory:") as source, psycopg.connect(database) as target:
        source.execute("CREATE TABLE t (n INTEGER, s DATETIME)")
        target.execute("CREATE TABLE t (n int, s timestamp)")
        rows = list(enumerate(HELD))
        source.executemany("INSERT INTO t VALUES (?, ?)", rows)
        with target.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s::timestamp)", rows)
        for sign in SIGNS:
            for asked in (f"s {sign} '{text}'", f"'{text}' {sign} s"):
                said = value(asked, places()).sql
                wanted = source.execute(f"SELECT {asked} FROM t ORDER BY n").fetchall()
                found = target.execute(f"SELECT {said} FROM t ORDER BY n".encode()).fetchall()
                assert found == wanted, (asked, said)


def test_the_clock_beside_a_moment_is_compared_as_a_text() -> None:
    said = value("s > datetime('now', '-1 day')", places(), Volatility.STABLE).sql
    assert said.count("to_char") == 2
    assert 'COLLATE "C"' in said


@pytest.mark.parametrize(
    ("asked", "spelling"),
    [
        ("s > '2024'", "9999-99-99 99:99:99"),
        ("s > '2024-01-01T00:00:00'", "9999-99-99 99:99:99"),
        ("s > '2024-01-01 00:00:00'", "9999-99-99"),
        ("s > '2024-02-30'", "9999-99-99"),
        ("s > 'now'", "9999-99-99"),
        ("s > ''", "9999-99-99"),
        ("s > '2024-01-01'", ""),
    ],
)
def test_what_is_spelled_otherwise_is_refused(asked: str, spelling: str) -> None:
    with pytest.raises(Untranslatable):
        value(asked, places(spelling))
