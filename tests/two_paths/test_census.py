"""One census, whether values are counted one by one or by columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.census import Census, take_census
from core.sample import build_sample
from core.schema import read_sqlite
from core.source import inspect
from core.source.rows import SqliteValue, bound
from core.source.snapshot import accept_collations, open_snapshot, take_snapshot
from tests.property import generating as g
from tests.property.profiles import profile
from tests.real.test_real import databases


def counted(path: Path, *, by_columns: bool, range_rows: int = 1000) -> Census:
    connection = open_snapshot(path)
    try:
        accept_collations(connection)
        database = read_sqlite(connection).database
        return take_census(connection, database, range_rows=range_rows, by_columns=by_columns)
    finally:
        connection.close()


def check(path: Path) -> None:
    one_by_one, at_once = (counted(path, by_columns=way) for way in (False, True))
    assert one_by_one.tables.keys() == at_once.tables.keys()
    for name, table in one_by_one.tables.items():
        # Batches are cut where they end.
        assert replace(at_once.tables[name], cuts=table.cuts) == table


@pytest.mark.parametrize("dirt", [False, True])
def test_a_marketplace_has_one_census(dirt: bool, tmp_path: Path) -> None:
    build_sample(tmp_path / "market.db", rows=6_000, dirt=dirt)
    check(tmp_path / "market.db")


def test_every_real_database_has_one_census(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for number, source in enumerate(databases()):
        with subtests.test(source.name):
            check(take_snapshot(inspect(source), tmp_path / f"{number}.db").path)


def of_columns(path: Path, kinds: list[str], rows: list[list[SqliteValue]]) -> Path:
    path.unlink(missing_ok=True)
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(kinds))
    with apsw.Connection(str(path)) as connection:
        connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})")
        for row in rows:
            marks, bindings = bound(tuple(row))
            connection.execute(f"INSERT INTO t VALUES (NULL, {', '.join(marks)})", bindings)
    return path


TABLES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(st.sampled_from([t for t in g.TYPES if '"' not in t]), min_size=width, max_size=width),
        g.THEMES.flatmap(
            lambda theme: st.lists(
                st.lists(st.one_of(theme, theme, theme, g.ANYTHING), min_size=width, max_size=width),
                max_size=30,
            )
        ),
    )
)  # fmt: skip


@given(table=TABLES)
@profile(200)
def test_whatever_a_table_holds_it_has_one_census(
    tmp_path: Path, table: tuple[list[str], list[list[SqliteValue]]]
) -> None:
    path = of_columns(tmp_path / "t.db", *table)
    one_by_one, at_once = (counted(path, by_columns=way, range_rows=7) for way in (False, True))
    found = at_once.tables["t"]
    assert replace(found, cuts=one_by_one.tables["t"].cuts) == one_by_one.tables["t"]
    # Every seven rows, none at the end: or ranges would be empty.
    assert len(found.cuts) == max(0, (found.rows - 1) // 7)


def test_a_column_that_changes_its_class_on_the_way(tmp_path: Path) -> None:
    values: list[SqliteValue] = [
        *range(9000), *(n / 4 for n in range(9000)), *map(str, range(9000)), *([None] * 9000), b"\x00", 2**60,
    ]  # fmt: skip
    check(of_columns(tmp_path / "t.db", [""], [[value] for value in values]))


def test_more_columns_than_flags_fit_in_a_number(tmp_path: Path) -> None:
    row: list[SqliteValue] = ["x"] * 130
    check(of_columns(tmp_path / "t.db", [""] * 130, [row, row, [*row[:100], 5, *row[101:]]]))


def test_large_rows_come_one_by_one(tmp_path: Path) -> None:
    large = "y" * (20 << 20)
    check(of_columns(tmp_path / "t.db", ["TEXT"], [["x"], [large], ["x"], [large]]))
