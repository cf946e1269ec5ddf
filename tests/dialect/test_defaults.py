"""A row that says nothing gets from PostgreSQL what SQLite would have given it."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime

import psycopg
import pytest

from core.plan import Fate
from tests.plan.planning import planned

NOW = "2026-01-02 03:04:05"
# The column's declaration, and a value that its rows hold.
CLOCKS = {
    "TEXT DEFAULT CURRENT_TIMESTAMP": NOW,
    "TEXT DEFAULT (datetime('now'))": NOW,
    "TEXT DEFAULT (date())": NOW[:10],
    "TEXT DEFAULT (time('now'))": NOW[11:],
    "TEXT DEFAULT (strftime('%Y/%m/%d %H:%M', 'now'))": "2026/01/02 03:04",
    "TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))": "2026-01-02T03:04:05.678Z",
    "TEXT DEFAULT (strftime('%j', 'now', 'start of year'))": "001",
    "TEXT DEFAULT ('at ' || datetime('now', '-1 day'))": "at " + NOW,
    "TEXT DEFAULT (datetime('now', 'start of day', '+12 hours'))": NOW,
    "TEXT DEFAULT (hex(randomblob(8)))": "0123456789ABCDEF",
    "TEXT DEFAULT (substr(datetime('now'), 1, 4))": "2026",
    "INTEGER DEFAULT (strftime('%s', 'now'))": 1767322800,
    "INTEGER DEFAULT (unixepoch('now', 'start of month'))": 1767322800,
    "INTEGER DEFAULT (CAST(strftime('%s', 'now') AS INTEGER) * 1000)": 1767322800000,
    "BLOB DEFAULT (randomblob(4))": b"\x00\x01\x02\x03",
    "DATETIME DEFAULT CURRENT_TIMESTAMP": NOW,
    "DATETIME DEFAULT (datetime('now', 'utc'))": NOW,
    "DATE DEFAULT (date('now', 'start of month'))": NOW[:10],
    "TIME DEFAULT CURRENT_TIME": NOW[11:],
    "TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))": "2026-01-02T03:04:05Z",
}


@pytest.mark.parametrize(("column", "held"), CLOCKS.items())
def test_the_clock_and_chance_write_alike(column: str, held: object, database: str) -> None:
    before = _in_sqlite(column)
    rows = f"INSERT INTO t VALUES (1, {_literal(held)});"
    plan = planned(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {column});" + rows)
    (planned_column,) = (c for c in plan.tables[0].columns if c.source == "v")
    assert planned_column.default, [o for o in plan.objects if o.fate is Fate.NOT_CARRIED]
    with psycopg.connect(database, autocommit=True) as target:
        target.execute("SET TimeZone = 'Asia/Kolkata'")
        made = f"CREATE TABLE t (v {planned_column.type.sql} DEFAULT {planned_column.default})"
        target.execute(made.encode())
        target.execute("INSERT INTO t DEFAULT VALUES")
        found = target.execute("SELECT v FROM t").fetchone()
    assert found is not None
    # The hour may turn between two looks.
    assert any(_close(ours, found[0]) for ours in (before, _in_sqlite(column)))


def _in_sqlite(column: str) -> object:
    with sqlite3.connect(":memory:") as source:
        source.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {column})")
        source.execute("INSERT INTO t (id) VALUES (1)")
        return source.execute("SELECT v FROM t").fetchone()[0]


def _literal(value: object) -> str:
    return f"x'{value.hex()}'" if isinstance(value, bytes) else repr(value)


def _close(ours: object, theirs: object) -> bool:
    """Whether both say the same hour; chance has nothing but its form."""
    if isinstance(ours, bytes):
        return isinstance(theirs, bytes) and len(ours) == len(theirs)
    if isinstance(ours, int):
        unit = 1000 if ours > 10**12 else 1
        return isinstance(theirs, int) and abs(ours - theirs) <= 60 * unit
    if isinstance(theirs, datetime):
        theirs = theirs.astimezone(UTC) if theirs.tzinfo else theirs
        assert theirs.microsecond == 0
        theirs = theirs.strftime("%Y-%m-%d %H:%M:%S")
        ours = str(ours).replace("T", " ").removesuffix("Z")
    ours, theirs = str(ours), str(theirs)
    if re.fullmatch(r"[0-9A-F]{16}", ours):
        return re.fullmatch(r"[0-9A-F]{16}", theirs) is not None
    return len(ours) == len(theirs) and ours[:13] == theirs[:13]


def test_a_constant_is_asked_of_sqlite() -> None:
    plan = planned("CREATE TABLE t (a INTEGER DEFAULT (60 * 60), b TEXT DEFAULT (upper('x') || 1))")
    assert [column.default for column in plan.tables[0].columns] == ["3600", "'X1'::text"]
    assert all(o.fate is Fate.CARRIED for o in plan.objects if o.kind == "default")


@pytest.mark.parametrize(
    ("column", "detail"),
    [
        ("TEXT DEFAULT (datetime('now', 'localtime'))", "modifier localtime"),
        ("TEXT DEFAULT (date('now', '+1 month'))", "modifier +1 month"),
        ("TEXT DEFAULT (strftime('%W', 'now'))", "strftime %W"),
        ("TEXT DEFAULT (randomblob(64))", "randomblob() of many bytes"),
        ("TEXT DEFAULT (sqlite_version() || random())", "sqlite_version()"),
        ("INTEGER DEFAULT CURRENT_TIMESTAMP", "a text for v, bigint here"),
    ],
)
def test_what_is_not_certain_is_listed_with_the_part(column: str, detail: str) -> None:
    plan = planned(f"CREATE TABLE t (v {column})")
    (fate,) = (o for o in plan.objects if o.kind == "default")
    assert (fate.fate, fate.reason) == (Fate.NOT_CARRIED, "default_expression")
    assert fate.facts == {"detail": detail}
    assert fate.counts
    assert fate.original
