"""Views in a plan: what they read, in which order they are built, what they are called."""

from __future__ import annotations

import pytest

from core.plan import (
    BuildKind,
    Choices,
    ColumnChoice,
    Plan,
    TableChoice,
    from_json,
    to_json,
)
from core.plan.ddl import script
from tests.plan.planning import planned

TABLES = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BOOLEAN);
    CREATE TABLE u (id INTEGER PRIMARY KEY, t INTEGER);
    INSERT INTO t VALUES (1, 'x', 1);
"""


def built(plan: Plan) -> dict[str, str]:
    """Each view's statement."""
    return {b.table: b.sql for b in plan.builds if b.kind is BuildKind.VIEW}


def refused(plan: Plan) -> dict[str, str]:
    """Each view that is not carried, and why."""
    return {o.name: o.facts["detail"] for o in plan.objects if o.kind == "view"}


def test_a_view_comes_after_the_views_that_it_reads() -> None:
    plan = planned(
        f"{TABLES} CREATE VIEW top AS SELECT * FROM Middle; CREATE VIEW middle AS SELECT * FROM low, u;"
        "CREATE VIEW low AS SELECT a FROM t;"
    )
    assert list(built(plan)) == ["low", "middle", "top"]
    assert [b.kind for b in plan.builds][-3:] == [BuildKind.VIEW] * 3
    assert {view.name: view.tables for view in plan.views} == {
        "low": ("t",),
        "middle": ("t", "u"),
        "top": ("t", "u"),
    }
    assert [b.reads for b in plan.builds if b.table == "middle"] == [("low", "u")]


def test_names_follow_the_plan() -> None:
    choices = Choices(
        tables={"t": TableChoice(target="people", columns={"a": ColumnChoice(target="name")})}
    )
    plan = planned(f"{TABLES} CREATE VIEW v AS SELECT A FROM T WHERE b = 1", choices)
    assert built(plan) == {
        "v": 'CREATE VIEW "public"."v" ("a") AS SELECT "T"."name" AS "a"'
        ' FROM "public"."people" AS "T" WHERE "T"."b"'
    }


def test_a_table_that_is_left_out_leaves_its_views_out() -> None:
    choices = Choices(tables={"t": TableChoice(carry=False)})
    plan = planned(
        f"{TABLES} CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT id FROM u;", choices
    )
    assert list(built(plan)) == ["w"]
    assert refused(plan) == {"v": "t, a table that is not carried"}


def test_a_view_has_its_own_name_before_an_index_has_it() -> None:
    plan = planned("CREATE TABLE t (a TEXT PRIMARY KEY); CREATE VIEW t_pkey AS SELECT a FROM t")
    assert [view.target for view in plan.views] == ["t_pkey"]
    assert [b.name for b in plan.builds if b.kind is BuildKind.PRIMARY_KEY] != ["t_pkey"]


def test_long_and_equal_names_of_columns_become_others() -> None:
    long = "n" * 70
    plan = planned(f"{TABLES} CREATE VIEW v AS SELECT a AS {long}1, a AS {long}2, a, a FROM t")
    names = [column.target for column in plan.views[0].columns]
    assert len(set(names)) == 4
    assert all(len(name) <= 63 for name in names)
    assert [column.source for column in plan.views[0].columns] == [
        f"{long}1",
        f"{long}2",
        "a",
        "a:1",
    ]


def test_doubts_are_handed_on() -> None:
    plan = planned(
        f"{TABLES} CREATE VIEW v AS SELECT a, datetime('now') AS n FROM t LIMIT 1;"
        "CREATE VIEW w AS SELECT count(*) AS n FROM v; CREATE VIEW x AS SELECT count(*) AS n FROM t;"
    )
    doubts = {view.name: view.doubts for view in plan.views}
    assert doubts == {"v": ("clock", "limit"), "w": ("clock", "limit"), "x": ()}


def test_a_plan_with_views_survives_the_ledger_and_is_printed_whole() -> None:
    plan = planned(f"{TABLES} CREATE VIEW v AS SELECT sum(b) AS s, a FROM t GROUP BY a")
    assert from_json(Plan, to_json(plan)) == plan
    assert built(plan)["v"] in script(plan)


KEYS = {
    "a table's own key": ("SELECT t.*, count(*) AS n FROM t GROUP BY id", '"t"."a" AS "a"'),
    "another key": (
        "SELECT k.a, k.w, count(*) AS n FROM k GROUP BY w",
        '(array_agg("k"."a"))[1] AS "a"',
    ),
    "a key looked up": (
        "SELECT u.id, a, count(*) AS n FROM u LEFT JOIN t ON t.id = u.t GROUP BY u.id",
        '(array_agg("t"."a"))[1] AS "a"',
    ),
    "a key by WHERE": (
        "SELECT u.id, a, count(*) AS n FROM u, t WHERE t.id = u.t GROUP BY u.id",
        '(array_agg("t"."a"))[1] AS "a"',
    ),
    "a view's key": (
        "SELECT u.id, g.n, count(*) AS c FROM u JOIN g ON g.a = u.word GROUP BY u.id",
        '(array_agg("g"."n"))[1] AS "n"',
    ),
}
MORE = """
    CREATE TABLE k (id INTEGER PRIMARY KEY, w TEXT NOT NULL UNIQUE, a TEXT, maybe TEXT UNIQUE);
    CREATE TABLE one (x INTEGER);
    ALTER TABLE u ADD COLUMN word TEXT;
    CREATE VIEW g AS SELECT a, count(*) AS n FROM t GROUP BY a;
"""


@pytest.mark.parametrize("what", KEYS)
def test_what_a_key_fixes_is_said_beside_it(what: str) -> None:
    query, said = KEYS[what]
    plan = planned(f"{TABLES}{MORE} CREATE VIEW v AS {query}")
    assert said in built(plan)["v"]
    assert [view.doubts for view in plan.views if view.name == "v"] == [()]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, a FROM t GROUP BY a",
        "SELECT a, count(*) FROM t",
        "SELECT a, max(id) FROM t GROUP BY b",
        "SELECT k.a FROM k GROUP BY maybe",
        "SELECT t.a FROM u LEFT JOIN t ON t.id = u.t AND u.word = 'x' GROUP BY u.t",
        "SELECT t.a, max(u.id) FROM t JOIN u ON u.t <> t.id GROUP BY u.word",
        "SELECT t.a, count(*) FROM t WHERE id = 1",
        "SELECT u.word, max(u.id) FROM t LEFT JOIN u ON u.t = t.id GROUP BY t.id",
    ],
)
def test_what_nothing_fixes_is_refused(query: str) -> None:
    plan = planned(f"{TABLES}{MORE} CREATE VIEW v AS {query}")
    assert refused(plan) == {"v": "a bare column beside GROUP BY"}


def test_any_row_of_the_group_is_as_good_beside_the_first_table_s_key() -> None:
    query = "SELECT t.id, u.word FROM t LEFT JOIN u ON u.t = t.id GROUP BY t.id"
    plan = planned(f"{TABLES}{MORE} CREATE VIEW v AS {query}")
    assert [view.doubts for view in plan.views if view.name == "v"] == [("bare",)]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("SELECT * FROM t JOIN u ON k.id = u.t JOIN k", "a join that speaks of id, not of its own tables"),
        ("SELECT * FROM t FULL JOIN u ON t.id < u.t", "FULL JOIN on anything but equal columns"),
        ("SELECT * FROM t RIGHT JOIN u USING (id)", "USING or NATURAL of an unusual join"),
        ("SELECT a FROM t LIMIT (SELECT 1)", "a LIMIT that is no constant"),
        ("SELECT a || 'x' FROM t UNION SELECT w FROM k ORDER BY a || 'x'", "ORDER BY an expression over a compound"),
        ("SELECT a FROM t WHERE id IN one", "IN something else than a query or a list"),
        ("SELECT a FROM t WHERE (id, a) IN (SELECT 1, 2)", "RowValue"),
        ("SELECT (SELECT sum(t.id) FROM u) FROM t", "an aggregate of an outer query's column"),
        ("SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t", "RANGE by a distance"),
        ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) SELECT x FROM c", "a recursive query with LIMIT"),
        ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT 'a' FROM c) SELECT x FROM c", "a column of several kinds: integer, text"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_by_name(query: str, detail: str) -> None:
    plan = planned(f"{TABLES}{MORE} CREATE VIEW v AS {query}")
    assert refused(plan) == {"v": detail}


SAID = {
    "SELECT max(a) AS m FROM t": 'SELECT CAST(max("t"."a" COLLATE "C") AS text) COLLATE "default" AS "m"'
    ' FROM "public"."t" AS "t"',
    "SELECT a FROM t ORDER BY a DESC": 'SELECT "t"."a" AS "a" FROM "public"."t" AS "t"'
    ' ORDER BY "t"."a" COLLATE "C" DESC NULLS LAST',
    "SELECT DISTINCT a FROM t ORDER BY a LIMIT 1, 2": 'SELECT q."a" FROM (SELECT DISTINCT "t"."a" AS "a"'
    ' FROM "public"."t" AS "t") AS q ORDER BY q."a" COLLATE "C" NULLS FIRST LIMIT 2 OFFSET 1',
    "SELECT a FROM t WHERE a < 'b' AND b = 0": 'SELECT "t"."a" AS "a" FROM "public"."t" AS "t"'
    """ WHERE ("t"."a" COLLATE "C" < 'b') AND (NOT "t"."b")""",
    "SELECT avg(id) AS m, count(*) AS n FROM u": 'SELECT CAST(((sum("u"."id"))::float8'
    ' / nullif(count("u"."id"), 0)) AS double precision) AS "m", CAST(count(*) AS bigint) AS "n"'
    ' FROM "public"."u" AS "u"',
}


@pytest.mark.parametrize("query", SAID)
def test_what_is_said(query: str) -> None:
    """The order of bytes is asked for: another one shows only under another collation."""
    said = built(planned(f"{TABLES} CREATE VIEW v AS {query}"))["v"]
    assert said.partition(" AS ")[2] == SAID[query]
