"""What a column is given: PostgreSQL's column holds what the exact path makes of SQLite's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dialect import Place, Places, Untranslatable, Volatility, value
from core.dialect.assignments import assigned
from core.schema.affinity import affinity
from core.server.embedded import Cluster
from core.values import types
from core.values.canonical import literal
from core.values.exact import converter
from core.values.types import Conversion, Reject, TargetType
from tests.property.profiles import profile
from tests.property.test_conditions import DECLARED, NUMBERS, ROWS, WORDS, Row

STAMP, DAY = "9999-99-99 99:99:99", "9999-99-99"
ROW: Row = (1, 5, 0.5, "a", "AB", "s ", 1, 0, "yes", "2024-01-31", "2024-02-01")


def place(
    declared: str, kind: TargetType | str, rule: str, spelling: str = "", name: str = "v"
) -> Place:
    """A column of ``declared`` type that the plan carries as ``kind`` by ``rule``."""
    target = TargetType(kind) if isinstance(kind, str) else kind
    return Place(
        source=name,
        target=name,
        conversion=Conversion(target, rule),
        affinity=affinity(declared),
        spelling=spelling,
    )


def places_of(row: Row) -> Places:
    """The columns, as a census of this row would know them."""
    sizes = {name: abs(v) for name, v in zip(DECLARED, row, strict=True) if isinstance(v, int)}
    return Places(
        replace(
            place(declared, kind, rule, DAY if kind == types.DATE else "", name),
            collation=collation,
            most=sizes.get(name, 0),
        )
        for name, (declared, kind, rule, collation, _) in DECLARED.items()
    )


TARGETS = [
    place("INTEGER", types.BIGINT, "integer"),
    place("NUMERIC", types.BIGINT, "integer"),
    place("BLOB", types.BIGINT, "integer"),
    place("REAL", types.DOUBLE, "real"),
    place("NUMERIC", types.DOUBLE, "real"),
    place("DECIMAL", types.NUMERIC, "decimal"),
    place("DECIMAL", TargetType(types.NUMERIC, precision=9, scale=2), "decimal"),
    place("REAL", types.NUMERIC, "decimal"),
    place("BOOLEAN", types.BOOLEAN, "boolean:0/1"),
    place("TEXT", types.BOOLEAN, "boolean:no/yes"),
    place("TEXT", types.TEXT, "text"),
    place("VARCHAR", TargetType(types.VARCHAR, length=3), "text"),
    place("BLOB", types.TEXT, "text"),
    place("NUMERIC", types.TEXT, "text"),
    place("NUMERIC", types.TEXT, "spelled"),
    place("BLOB", types.TEXT, "spelled"),
    place("BLOB", types.BYTEA, "bytes"),
    place("DATE", types.DATE, "iso", DAY),
    place("DATETIME", types.TIMESTAMP, "iso"),
    place("DATETIME", types.TIMESTAMP, "iso", STAMP),
    place("INTEGER", types.TIMESTAMPTZ, "epoch:s"),
    place("TEXT", types.JSONB, "json"),
    place("TEXT", types.UUID, "uuid"),
]
OTHERS = st.sampled_from(
    ["NULL", "b", "c", "w", "d", "e", "date(d)", "datetime(d)", "datetime(d, '+1 day')",
     "strftime('%Y-%m-%d %H:%M', d)", "strftime('%s', d)", "unixepoch(d)", "b = 1", "NOT c", "'yes'",
     "'2024-02-29 12:00:00'", "'2024-02-30'", "'{\"a\": 1}'", "1.25", "-1", "'1'", "'5.5'", "' 7 '", "1e3",
     "1700000000", "''", "'12:30'", "CASE WHEN b THEN 1 ELSE 0 END", "CASE WHEN i > 1 THEN d ELSE d END"]
)  # fmt: skip


@pytest.fixture(scope="module")
def target(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        columns = ", ".join(f"{name} {kind}" for name, (_, kind, *_) in DECLARED.items())
        connection.execute(f"CREATE TEMP TABLE x ({columns})".encode())
        yield connection


def stored(row: Row, expression: str, at: Place) -> object:
    """What SQLite keeps of the expression in a column of that affinity."""
    with sqlite3.connect(":memory:") as source:
        columns = ", ".join(f"{name} {declared}" for name, (declared, *_) in DECLARED.items())
        source.execute(f"CREATE TABLE x ({columns})")
        source.execute(f"INSERT INTO x VALUES ({', '.join('?' * len(row))})", row)
        source.execute(f"CREATE TABLE y (v {at.affinity.value})")
        source.execute(f"INSERT INTO y SELECT {expression} FROM x")
        return source.execute("SELECT v FROM y").fetchone()[0]


def check(target: psycopg.Connection, row: Row, expression: str, at: Place) -> bool:
    """Whether it could be said; what was said must give the column the value, or an error
    where the value fits no such column."""
    try:
        said = assigned(value(expression, places_of(row), Volatility.VOLATILE), at, is_stable=True)
    except Untranslatable:
        return False
    wanted = converter(at.conversion)(stored(row, expression, at))  # type: ignore[arg-type]
    marks = ", ".join(f"%s::text::{kind}" for _, kind, *_ in DECLARED.values())
    with target.transaction(force_rollback=True):
        target.execute(f"INSERT INTO x VALUES ({marks})".encode(), row)
        target.execute(f"CREATE TEMP TABLE y (v {at.conversion.type.sql})".encode())
        filled = f"INSERT INTO y SELECT {said} FROM x".encode()
        if isinstance(wanted, Reject):
            with pytest.raises(psycopg.DataError):
                target.execute(filled)
            return True
        target.execute(filled)
        shown = literal(at.conversion.type, wanted)
        (same,) = target.execute(
            f"SELECT v IS NOT DISTINCT FROM {shown} FROM y".encode()
        ).fetchone()  # type: ignore[misc]
        assert same, (expression, said, shown)
    return True


@given(rows=ROWS, expression=NUMBERS | WORDS | OTHERS, at=st.sampled_from(TARGETS))
@profile(400)
def test_the_column_holds_what_sqlite_would_have_stored(
    target: psycopg.Connection, rows: list[Row], expression: str, at: Place
) -> None:
    check(target, rows[0], expression, at)


@pytest.mark.parametrize("at", TARGETS, ids=lambda at: f"{at.conversion.type.sql}-{at.affinity}")
def test_every_kind_of_column_takes_something(target: psycopg.Connection, at: Place) -> None:
    tried = ["i + j", "r", "b = 1", "w", "t", "d", "datetime(d)", "unixepoch(d)", "'{}'", "x'00'"]
    tried.append("'12345678-1234-1234-1234-123456789abc'")
    said = [expression for expression in tried if check(target, ROW, expression, at)]
    assert said or at.conversion.rule == "bytes"


SAID = [
    ("datetime('now')", TARGETS[19],
     "(date_trunc('second', (statement_timestamp() AT TIME ZONE 'UTC')))::timestamp"),
    ("strftime('%Y-%m-%dT%H:%M:%fZ', 'now')", place("TIMESTAMP", types.TIMESTAMPTZ, "iso"),
     "(date_trunc('milliseconds', (statement_timestamp() AT TIME ZONE 'UTC')) AT TIME ZONE 'UTC')"),
    ("strftime('%Y-%m-%dT%H:%M:%S', 'now')", TARGETS[19],  # however the rows are spelled
     "(date_trunc('second', (statement_timestamp() AT TIME ZONE 'UTC')))::timestamp"),
    ("'2024-01-31T10:00:00'", TARGETS[19], "'2024-01-31 10:00:00'::timestamp"),
    ("date('now')", TARGETS[17],
     "(date_trunc('day', (statement_timestamp() AT TIME ZONE 'UTC')))::date"),
    ("1", TARGETS[8], "true"),
    ("i", TARGETS[0], '"i"'),
    ("i + 1", TARGETS[0], '(("i"::numeric + 1::numeric))::bigint'),
    ("i", TARGETS[10], '("i")::text'),
    ("'7'", TARGETS[0], "7"),
    ("NULL", TARGETS[0], "NULL"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "at", "said"), SAID)
def test_what_is_said(expression: str, at: Place, said: str) -> None:
    assert assigned(value(expression, places_of(ROW), Volatility.VOLATILE), at) == said


REFUSED = [
    ("t", TARGETS[0]),  # a text may be a number, or none
    ("r", TARGETS[0]),
    ("r", TARGETS[5]),
    ("datetime('now')", TARGETS[17]),  # a day's column takes no time of day
    ("strftime('%Y-%m-%d %H:%M:%S', 'now')", place("TIMESTAMP", types.TIMESTAMPTZ, "iso")),
    ("i", TARGETS[8]),
    ("w", TARGETS[8]),
    ("b", TARGETS[9]),
    ("2", TARGETS[8]),
    ("t", TARGETS[13]),
    ("i", TARGETS[12]),
    ("julianday('now')", TARGETS[3]),
    ("t", TARGETS[21]),
]


@pytest.mark.parametrize(("expression", "at"), REFUSED)
def test_what_is_not_certain_is_refused(expression: str, at: Place) -> None:
    places = places_of((2, *ROW[1:]))
    with pytest.raises(Untranslatable) as refused:
        assigned(value(expression, places, Volatility.VOLATILE), at)
    assert at.source in str(refused.value)


def test_a_text_of_the_session_stands_only_where_it_may() -> None:
    moment = place("TEXT", types.DATE, "iso", DAY, name="d")
    term = value("d", places_of(ROW))
    assert moment.conversion == term.place.conversion  # type: ignore[union-attr]
    with pytest.raises(Untranslatable):
        assigned(term, TARGETS[10])
