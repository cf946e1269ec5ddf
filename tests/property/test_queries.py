"""A query of SQLite's and what is said of it in PostgreSQL: the same rows from both engines."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

import apsw
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.census import take_census
from core.plan import BuildKind, Plan, make_plan
from core.plan.ddl import create_table, qualified
from core.schema import read_sqlite
from tests.property.profiles import profile

TABLES = """
    CREATE TABLE a (id INTEGER PRIMARY KEY, i INTEGER, r REAL, g TEXT, b BOOLEAN, d DATE);
    CREATE TABLE c (id INTEGER PRIMARY KEY, aid INTEGER, n INTEGER NOT NULL, t TEXT, u TEXT COLLATE NOCASE);
    CREATE VIEW w AS SELECT g, count(*) AS n, sum(i) AS i, max(r) AS r FROM a GROUP BY g;
"""
Row = tuple[object, ...]

_SMALL = st.sampled_from([None, 0, 1, 2, 5, -3, 2**40])
_REALS = st.sampled_from([None, 0.0, 0.5, -1.5, 5.0])
_WORDS = st.sampled_from([None, "", "a", "A", "b", "é", "ab", "5", " 5", "5.0"])
A_ROWS = st.lists(
    st.tuples(
        _SMALL, _REALS, _WORDS, st.sampled_from([None, 0, 1]),
        st.sampled_from([None, "2024-01-31", "2024-02-01", "1999-12-31"]),
    ),
    max_size=8,
)  # fmt: skip
C_ROWS = st.lists(
    st.tuples(st.sampled_from([None, 1, 2, 3, 4]), st.sampled_from([0, 1, 2, 5]), _WORDS, _WORDS),
    max_size=8,
)

# FROM, and what can be named of it.
_A = ["a.id", "i", "r", "g", "b", "d", "a.i"]
_C = ["c.id", "aid", "c.n", "t", "u"]
FROMS = [
    ("a", _A),
    ("main.a AS a", _A),
    ("c", _C),
    ("a JOIN c ON c.aid = a.id", _A + _C),
    ("a LEFT JOIN c ON c.aid = a.id AND c.n > 1", _A + _C),
    ("a, c", _A + _C),
    ("a, c JOIN a AS z ON z.id = c.id", [*_A, *_C, "z.g"]),
    ("c LEFT JOIN a ON a.id = c.aid", _A + _C),
    ("c RIGHT JOIN a ON a.id = c.aid", _A + _C),
    ("c FULL JOIN a ON a.id = c.aid", _A + _C),
    ("a JOIN c USING (id)", ["id", "i", "t", "c.id", "b"]),
    ("a NATURAL LEFT JOIN c", ["id", "i", "t", "n", "g"]),
    ("a LEFT JOIN (c JOIN a AS z ON z.id = c.aid) ON c.id = a.id", [*_A, "z.r", "t"]),
    ("(SELECT id, i, r, g, b, d FROM a WHERE i > 0) AS a", _A),
    ("(SELECT *, i + 1 AS j FROM a) AS a", [*_A, "j"]),
    ("w", ["g", "n", "i", "w.g"]),
    ("a JOIN w ON w.g = a.g", ["a.id", "w.n", "w.i", "b"]),
    ("c JOIN a ON a.id = c.t", ["a.id", "c.t", "g"]),
]
CONDITIONS = [
    "a.id > 1", "i", "b", "b = 0", "NOT b", "g = 'a'", "g LIKE 'a%'", "r < 1", "i IS NULL", "d > '2024-01-01'", "d IS NULL",
    "n > 1", "t = g", "u = 'AB'", "u = t", "t IN (SELECT g FROM a)", "a.id IN (SELECT aid FROM c WHERE n = 1)",
    "EXISTS (SELECT 1 FROM c AS y WHERE y.aid = a.id)", "NOT EXISTS (SELECT * FROM c y WHERE y.n = i)",
    "i = (SELECT max(n) FROM c AS y)", "i NOT IN (SELECT n FROM c)", "x = 1", "y", "c.n = 1 OR t IS NULL", "a.id = t", "n = t", "a.id <> c.u",
    "b IN (SELECT n FROM c)", "i > (SELECT avg(n) FROM c)",
]  # fmt: skip
VALUES = [
    "i + 1", "i * 2", "n - 1", "length(g)", "upper(t)", "g || 'x'", "coalesce(i, 0)", "b + 1", "CASE WHEN b THEN 'y' ELSE g END", "CAST(i AS TEXT)",
    "i IS NULL", "g = 'a'", "r / 2", "NULL", "1", "'k'", "\"word\"", "0.5", "(SELECT count(*) FROM c)", "(SELECT max(n) FROM c y WHERE y.aid = a.id)",
    "i IN (1, 5)", "EXISTS (SELECT 1 FROM c)", "g COLLATE NOCASE", "-i", "+g", "max(i, 0)", "a.id = t",
]  # fmt: skip
AGGREGATES = [
    "count(*)", "count(i)", "count(DISTINCT g)", "count(DISTINCT u)", "sum(i)", "sum(b)", "total(i)", "avg(i)", "sum(r)", "avg(r)", "total(r)", "min(i)", "max(g)",
    "min(d)", "max(b)", "min(r)", "sum(i) + 1", "count(*) FILTER (WHERE b)", "sum(DISTINCT n)", "sum(i * 2)", "max(t)", "avg(b)", "min(u)",
    "coalesce(sum(n), 0)", "sum(n) * 100 / count(*)", "CASE WHEN count(*) > 1 THEN 'many' END", "max(length(g))",
]  # fmt: skip
WINDOWS = [
    "rank() OVER (ORDER BY i)", "dense_rank() OVER (PARTITION BY g ORDER BY r DESC)", "sum(i) OVER (ORDER BY i)", "count(*) OVER (PARTITION BY b)",
    "cume_dist() OVER (ORDER BY g)", "percent_rank() OVER (ORDER BY i)", "max(i) OVER ()", "avg(i) OVER (PARTITION BY g)", "sum(n) OVER w",
    "row_number() OVER (ORDER BY a.id)", "lag(i) OVER (ORDER BY a.id)", "lead(g, 2, 'z') OVER (ORDER BY a.id)", "first_value(g) OVER (ORDER BY a.id)",
    "sum(i) OVER (ORDER BY a.id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", "nth_value(i, 2) OVER (ORDER BY a.id)", "ntile(2) OVER (ORDER BY a.id)",
]  # fmt: skip
HAVING = ["count(*) > 1", "sum(i) > 2", "max(i) IS NULL", "g IS NOT NULL", "q > 1"]


_NAMES = re.compile(r"(?<!')\b(?:[acwz]\.)?(?:id|[irgbdntuxy])\b(?!')")


def _fitting(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those that name nothing but these columns, subqueries apart."""
    known = {*names, *(name.partition(".")[2] for name in names)}
    plain = ((text, re.sub(r"\(SELECT.*\)", "", text)) for text in texts)
    return [text for text, own in plain if set(_NAMES.findall(own)) <= known]


@st.composite
def selects(draw: st.DrawFn, outputs: int | None = None, *, alias: str = "") -> str:
    """One SELECT without ORDER BY and LIMIT."""
    source, names = draw(st.sampled_from(FROMS))
    count = outputs or draw(st.integers(1, 3))
    named = st.sampled_from(names)
    plain = st.one_of(named, st.sampled_from(_fitting(VALUES, names)))
    conditions = st.sampled_from(_fitting(CONDITIONS, names))
    aggregates = _fitting(AGGREGATES, names)
    where = f" WHERE {draw(conditions)}" if draw(st.booleans()) else ""
    kind = draw(st.sampled_from(["plain", "plain", "groups", "all", "windows", "star"]))
    tail = ""
    if kind == "star" and outputs is None:
        shown = ["*"] if draw(st.booleans()) else [f"{draw(st.sampled_from('acw'))}.*", "1"]
    elif kind == "groups":
        groups = draw(st.lists(plain, min_size=1, max_size=2))
        pool = st.one_of(st.sampled_from([*groups, *groups, *aggregates]), named)
        shown = draw(st.lists(pool, min_size=count, max_size=count))
        tail = f" GROUP BY {', '.join(draw(st.sampled_from([groups, ['1']])))}"
        tail += f" HAVING {draw(st.sampled_from(HAVING))}" if draw(st.booleans()) else ""
    elif kind == "all":
        shown = draw(st.lists(st.sampled_from(aggregates), min_size=count, max_size=count))
    else:
        pool = (
            st.one_of(plain, st.sampled_from(_fitting(WINDOWS, names)))
            if kind == "windows"
            else plain
        )
        shown = draw(st.lists(pool, min_size=count, max_size=count))
        tail = " WINDOW w AS (PARTITION BY g)" if kind == "windows" and "g" in names else ""
    if alias and "*" not in shown[0]:
        shown[0] += f" AS {alias}"
    elif draw(st.booleans()) and shown[0] not in ("*", "a.*", "c.*", "w.*"):
        shown[0] += draw(st.sampled_from([" AS x", " AS y", " AS q", " AS g", " n"]))
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    return f"SELECT {distinct}{', '.join(shown)} FROM {source}{where}{tail}"


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query: one SELECT, several, one within another one, sorted or not."""
    shape = draw(st.sampled_from(["one", "one", "one", "compound", "within", "with", "recursive"]))
    order = draw(
        st.sampled_from(
            ["", " ORDER BY 1", " ORDER BY 1 DESC, 1", " ORDER BY x", " ORDER BY i + 1"]
        )
    )
    if shape == "compound":
        words = st.sampled_from([" UNION ", " UNION ALL ", " INTERSECT ", " EXCEPT "])
        count = draw(st.integers(1, 2))
        arms = draw(st.lists(selects(count), min_size=2, max_size=3))
        said = arms[0]
        for arm in arms[1:]:
            said += draw(words) + arm
        return said + order
    if shape == "within":
        inner = draw(selects(alias="x"))
        outer = draw(st.sampled_from(["*", "count(*)", "q.*, 1", "x", "DISTINCT *", "x, count(*)"]))
        tail = draw(st.sampled_from(["", " WHERE x = 1", " WHERE x > 'a'", " GROUP BY x"]))
        return f"SELECT {outer} FROM ({inner}) AS q{tail}"
    if shape == "with":
        return f"WITH q AS ({draw(selects(alias='x'))}), p(x) AS (SELECT n FROM c) SELECT * FROM q JOIN p"
    if shape == "recursive":
        word = draw(st.sampled_from(["UNION ALL", "UNION"]))
        return (
            f"WITH RECURSIVE q(x, y) AS (SELECT {draw(st.sampled_from(['1', 'n', 'id']))}, t FROM c"
            f" {word} SELECT x + 1, y FROM q WHERE x < 5) SELECT * FROM q"
        )
    return draw(selects()) + order


@pytest.fixture(scope="module")
def target(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


def planned(
    a_rows: Sequence[Row], c_rows: Sequence[Row], query: str
) -> tuple[apsw.Connection, Plan] | None:
    """A database with the query as a view, and its plan; None where SQLite refuses it."""
    source = apsw.Connection(":memory:")
    source.execute(TABLES)
    for table, rows in (("a", a_rows), ("c", c_rows)):
        for number, row in enumerate(rows, start=1):
            marks = ", ".join("?" * (len(row) + 1))
            source.execute(f"INSERT INTO {table} VALUES ({marks})", (number, *row))
    try:
        source.execute(f"CREATE VIEW v AS {query}")
        source.execute("SELECT * FROM v").fetchall()
    except apsw.Error:
        return None
    found = read_sqlite(source)
    return source, make_plan(found.database, take_census(source, found.database), notes=found.notes)


def _normal(value: object) -> object:
    """A value as both engines would give it; numbers to so many digits as are certain."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        number = float(value)
        is_whole = math.isinf(number) or number.is_integer()
        return number if is_whole else float(f"{number:.11g}")
    return value


def _answers(rows: Sequence[Row]) -> Counter[Row]:
    return Counter(tuple(map(_normal, row)) for row in rows)


def _carry(target: psycopg.Connection, source: apsw.Connection, plan: Plan) -> None:
    for table in plan.tables:
        target.execute(create_table(plan.schema, table).encode())
        marks = ", ".join(f"%s::text::{column.type.sql}" for column in table.columns)
        rows = source.execute(f"SELECT * FROM {table.name}").fetchall()
        with target.cursor() as cursor:
            name = qualified(plan.schema, table.target)
            cursor.executemany(f"INSERT INTO {name} VALUES ({marks})".encode(), rows)
    for build in plan.builds:
        if build.kind in (BuildKind.PRIMARY_KEY, BuildKind.VIEW):
            target.execute(build.sql.encode())


def check(
    target: psycopg.Connection, a_rows: Sequence[Row], c_rows: Sequence[Row], query: str
) -> bool | None:
    """Whether it could be said, None if SQLite refuses it; what was said has the same rows."""
    made = planned(a_rows, c_rows, query)
    if made is None:
        return None
    source, plan = made
    view = next((view for view in plan.views if view.name == "v"), None)
    if view is None:
        return False
    wanted = source.execute("SELECT * FROM v").fetchall()
    with target.transaction(force_rollback=True):
        _carry(target, source, plan)
        found = target.execute("SELECT * FROM v").fetchall()
    said = next(build.sql for build in plan.builds if build.table == "v")
    if not view.doubts:
        assert _answers(found) == _answers(wanted), (query, said)
    else:
        assert len(found) == len(wanted) or "distinct" in query.lower(), (query, said)
    return True


@given(a_rows=A_ROWS, c_rows=C_ROWS, query=queries())
@profile(300)
def test_the_same_rows(
    target: psycopg.Connection, a_rows: list[Row], c_rows: list[Row], query: str
) -> None:
    check(target, a_rows, c_rows, query)


@pytest.mark.soak
@pytest.mark.timeout(0)
@given(a_rows=A_ROWS, c_rows=C_ROWS, query=queries())
@profile(10_000, soak=True)
def test_the_same_rows_at_length(
    target: psycopg.Connection, a_rows: list[Row], c_rows: list[Row], query: str
) -> None:
    check(target, a_rows, c_rows, query)
