"""Where a plan says that a column holds apart what SQLite holds apart, it does."""

from __future__ import annotations

import apsw
from hypothesis import given
from hypothesis import strategies as st

from core.census import take_census
from core.plan import make_plan
from core.plan.choices import Choices, ColumnChoice, TableChoice
from core.plan.model import ColumnPlan
from core.schema import read_sqlite
from core.source.rows import SqliteValue
from core.values import types
from core.values.exact import converter
from core.values.types import Conversion, Reject, TargetType
from tests.property import generating as g
from tests.property.profiles import profile
from tests.property.test_values import MOMENT_TEXTS, UUID_TEXTS

UUID = ColumnChoice(conversion=Conversion(TargetType(types.UUID), "uuid"))
TWINS = st.sampled_from(
    ["2024-01-02", "2024-01-02 00:00:00", "2024-01-02T00:00:00", "2024-01-02 00:00:00.0", "00:00", "24:00:00", "2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05+00:00", "00:00:00",
     "550e8400-e29b-41d4-a716-446655440000", "550E8400-E29B-41D4-A716-446655440000", "550e8400e29b41d4a716446655440000"]
)  # fmt: skip


def planned(kind: str, values: list[SqliteValue], choice: ColumnChoice | None) -> ColumnPlan:
    connection = apsw.Connection(":memory:")
    connection.execute(f"CREATE TABLE t (c {kind})")
    connection.executemany("INSERT INTO t VALUES (?)", ((v,) for v in values))
    database = read_sqlite(connection).database
    tables = {} if choice is None else {"t": TableChoice(columns={"c": choice})}
    plan = make_plan(database, take_census(connection, database), choices=Choices(tables=tables))
    return plan.tables[0].columns[0]


def check(kind: str, values: list[SqliteValue], choice: ColumnChoice | None) -> None:
    column = planned(kind, values, choice)
    if column.injective and column.rule in ("iso", "uuid"):
        made = [converter(column.conversion)(value) for value in set(values)]
        kept = [m for m in made if m is not None and not isinstance(m, Reject)]
        assert len(set(kept)) == len(kept), (column, values)


@given(
    kind=st.sampled_from(["DATE", "TIME", "DATETIME", "TIMESTAMPTZ", "UUID", "TEXT"]),
    values=st.lists(st.one_of(TWINS, TWINS, MOMENT_TEXTS, UUID_TEXTS, g.MOMENTS, g.UUIDS), max_size=8),
    choice=st.sampled_from([None, UUID]),
)  # fmt: skip
@profile(1_500)
def test_an_injective_column_joins_nothing(
    kind: str, values: list[SqliteValue], choice: ColumnChoice | None
) -> None:
    check(kind, values, choice)


def test_a_uuid_that_a_person_chose_is_not_known_to_be_written_in_one_way() -> None:
    twins: list[SqliteValue] = [
        "550e8400-e29b-41d4-a716-446655440000",
        "550E8400-E29B-41D4-A716-446655440000",
    ]
    assert not planned("TEXT", twins, UUID).injective
    assert planned("UUID", twins[:1], None).injective


def test_one_spelling_with_an_offset_may_mean_one_instant_twice() -> None:
    twins: list[SqliteValue] = ["2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05+00:00"]
    assert not planned("TIMESTAMPTZ", twins, None).injective
    assert planned("DATETIME", ["2024-01-02 03:04:05"], None).injective
    assert not planned("DATETIME", ["2024-01-02 03:04:05", "2024-01-02T03:04:05"], None).injective
