"""Views are asked on both sides: whatever they show otherwise is found, and nothing is called
proven that is not."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import apsw
import psycopg
import pytest

from core.cli.proof import parity_document
from core.plan import Fate, ViewColumn
from core.server.connection import parse_target
from core.server.embedded import Cluster
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.values.types import TargetType
from core.verify.model import DifferenceKind, Level, Proof, QueryParity
from core.verify.questions import Question, compare_answers
from tests.verify.sites import Site, carry, site_of

SOURCE = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, price DECIMAL(8,2), hot BOOLEAN);
    INSERT INTO t VALUES (1, 'secret', 10.1, 1), (2, 'b', 20.2, 0), (3, NULL, 0.7, NULL), (4, 'b', 5, 1);
    CREATE VIEW words AS SELECT word, hot FROM t;
    CREATE VIEW sums AS SELECT hot, sum(price) AS price FROM t GROUP BY hot;
    CREATE VIEW dice AS SELECT random() AS r FROM t;
    CREATE VIEW top AS SELECT word FROM t ORDER BY hot LIMIT 1;
    CREATE VIEW over AS SELECT word FROM words WHERE hot;
    CREATE VIEW last AS SELECT count(*) AS n FROM t;
"""


@pytest.fixture(scope="module")
def carried(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("views")
    apsw.Connection(str(home / "views.db")).execute(SOURCE)
    name = f"v_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    report = carry(home / "views.db", cluster.url(name), home)
    with site_of(home / "views.db", cluster.url(name), home, report) as site:
        yield site
    cluster.drop_database(name)


def asked(site: Site, **changes: object) -> dict[str, QueryParity]:
    return {query.name: query for query in site.verify(**changes).queries}


def test_views_are_equal_or_say_why_not(carried: Site) -> None:
    report = carried.verify()
    found = {query.name: (query.outcome, query.reason) for query in report.queries}
    assert found == {
        "words": (Proof.EQUAL, ""),
        "sums": (Proof.EQUAL, ""),
        "dice": (Proof.UNPROVEN, "random"),
        "top": (Proof.EQUAL, ""),
        "over": (Proof.EQUAL, ""),
        "last": (Proof.EQUAL, ""),
    }
    assert report.parity
    assert [query.name for query in report.queries if query.is_rough] == ["sums"]


def test_views_are_asked_where_values_are_compared(carried: Site) -> None:
    assert asked(carried, level=Level.COUNTS) == {}
    assert asked(carried, level=Level.RELATIONS) == {}
    assert len(asked(carried, level=Level.ROWS)) == 6


BROKEN = {
    "a row less": ("words", "SELECT word, hot FROM t WHERE id > 1", [DifferenceKind.MISSING]),
    "a row more": (
        "words",
        "SELECT word, hot FROM t UNION ALL SELECT word, hot FROM t WHERE id = 1",
        [DifferenceKind.EXTRA],
    ),
    "another value": (
        "words",
        "SELECT upper(word) AS word, hot FROM t WHERE id = 1 UNION ALL SELECT word, hot FROM t WHERE id > 1",
        [DifferenceKind.CHANGED],
    ),
    "a sum of fewer": (
        "sums",
        "SELECT hot, sum(price) AS price FROM t WHERE id < 4 GROUP BY hot",
        [DifferenceKind.CHANGED],
    ),
    "an error": (
        "words",
        "SELECT (1 / (id - id))::text AS word, hot FROM t",
        [DifferenceKind.SHAPE],
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_a_view_shows_otherwise_is_found(what: str, carried: Site) -> None:
    name, query, kinds = BROKEN[what]
    was = carried.one("SELECT pg_get_viewdef(%s::regclass)", name)
    carried.run(f"CREATE OR REPLACE VIEW {name} AS {query}")
    try:
        report = carried.verify()
    finally:
        carried.run(f"CREATE OR REPLACE VIEW {name} AS {was}")
    found = {query.name: query for query in report.queries}
    assert not report.parity
    assert found[name].outcome is Proof.DIFFERS
    assert found[name].differences > 0
    assert {d.kind for d in found[name].samples} <= {
        *kinds,
        DifferenceKind.MISSING,
        DifferenceKind.EXTRA,
    }
    # One view costs only itself, and those that read it.
    assert found["last"].outcome is Proof.EQUAL
    assert carried.verify().parity


def test_a_view_that_is_gone_is_a_difference(carried: Site) -> None:
    carried.run("ALTER VIEW last RENAME TO least")
    try:
        (found,) = [q for q in carried.verify().queries if q.name == "last"]
    finally:
        carried.run("ALTER VIEW least RENAME TO last")
    assert found.outcome is Proof.DIFFERS
    assert [d.key for d in found.samples] == ["SQLSTATE 42P01"]


def test_values_are_masked_unless_asked_for(carried: Site) -> None:
    was = carried.one("SELECT pg_get_viewdef('words'::regclass)")
    carried.run("CREATE OR REPLACE VIEW words AS SELECT word, hot FROM t WHERE id > 1")
    try:
        masked, shown = carried.verify(reveal=False), carried.verify(reveal=True)
    finally:
        carried.run(f"CREATE OR REPLACE VIEW words AS {was}")
    assert "secret" not in str(parity_document(masked))
    assert "secret" in str(parity_document(shown)["views"])


# --- questions ----------------------------------------------------------------------------


@pytest.fixture
def server(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.url("postgres")) as connection:
        yield connection


def answer(
    server: psycopg.Connection,
    ours: str,
    theirs: str,
    *columns: ViewColumn,
    seconds: float = 20,
) -> QueryParity:
    question = Question(
        kind="view", name="q", target="q", source_sql=ours, target_sql=theirs, columns=columns
    )
    source = apsw.Connection(":memory:")
    return compare_answers(question, source, server, samples=5, seconds=seconds)


def column(
    kind: str = "double precision", rule: str = "real", *, rough: bool = False
) -> ViewColumn:
    return ViewColumn(source="c", target="c", type=TargetType(kind), rule=rule, is_rough=rough)


ROUGH = column(rough=True)
DECIMAL = column("numeric", "decimal", rough=True)


@pytest.mark.parametrize(
    ("ours", "theirs", "one", "outcome"),
    [
        ("0.1 + 0.2", "0.3", ROUGH, Proof.EQUAL),
        ("0.1 + 0.2", "0.3", column(), Proof.DIFFERS),
        ("0.1 + 0.2", "0.3", DECIMAL, Proof.EQUAL),
        ("1.00000001", "1.00000002", ROUGH, Proof.DIFFERS),
        ("1.00000001", "1.00000002", DECIMAL, Proof.DIFFERS),
        # Between these two lies the boundary of twelve digits.
        ("1.000000000005001", "1.000000000004999", ROUGH, Proof.EQUAL),
        ("1.000000000005001", "1.000000000004999", DECIMAL, Proof.EQUAL),
        ("NULL", "0", ROUGH, Proof.DIFFERS),
        ("0.0", "NULL", DECIMAL, Proof.DIFFERS),
        ("1e999", "'Infinity'", ROUGH, Proof.EQUAL),
        ("1e999", "1e308", ROUGH, Proof.DIFFERS),
        ("-0.0", "0.0", column(), Proof.EQUAL),
        ("1", "1", column("bigint", "integer"), Proof.EQUAL),
        ("1.0", "1", column("bigint", "integer"), Proof.DIFFERS),
        ("'1'", "'1'", column("bigint", "integer"), Proof.DIFFERS),
        ("2.50", "2.5", column("numeric", "decimal"), Proof.EQUAL),
    ],
)
def test_numbers_are_compared_as_their_column_says(
    ours: str, theirs: str, one: ViewColumn, outcome: Proof, server: psycopg.Connection
) -> None:
    found = answer(server, f"SELECT {ours}", f"SELECT ({theirs})::{one.type.sql}", one)
    assert found.outcome is outcome
    assert found.is_rough is one.is_rough


def test_rows_of_rough_numbers_are_told_apart_by_the_others(server: psycopg.Connection) -> None:
    columns = (column("bigint", "integer"), replace(ROUGH, source="d", target="d"))
    ours = "SELECT 1, 1.000000000005001 UNION ALL SELECT 2, 5.0 UNION ALL SELECT 2, 6.0"
    theirs = "VALUES (1::bigint, 1.000000000004999::float8), (2, 6.0), (2, {})"
    assert answer(server, ours, theirs.format(5.0), *columns).outcome is Proof.EQUAL
    found = answer(server, ours, theirs.format(5.5), *columns)
    assert (found.outcome, found.differences) == (Proof.DIFFERS, 1)
    assert [(d.column, d.source, d.target) for d in found.samples] == [("d", "5.0", "5.5")]


def test_who_gives_no_answer_in_time_proves_nothing(server: psycopg.Connection) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    one = column("bigint", "integer")
    for ours, theirs in (
        (endless, "SELECT 1::bigint"),
        ("SELECT 1", "SELECT 1::bigint FROM pg_sleep(9)"),
    ):
        found = answer(server, ours, theirs, one, seconds=0.3)
        assert (found.outcome, found.reason) == (Proof.UNPROVEN, "slow")
        # The transaction goes on, without the limit.
        assert server.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_what_the_source_cannot_answer_is_unproven(server: psycopg.Connection) -> None:
    ours = "SELECT abs(-9223372036854775807 - 1)"
    found = answer(server, ours, "SELECT 1::bigint", column("bigint", "integer"))
    assert (found.outcome, found.reason) == (Proof.UNPROVEN, "source_refused")


# --- what the server refuses ------------------------------------------------------------------


def test_a_view_that_the_server_refuses_costs_only_itself(database: str, tmp_path: Path) -> None:
    """A key too long for an index is no key on the target: what relies on it is refused."""
    source = apsw.Connection(str(tmp_path / "s.db"))
    source.execute(
        "CREATE TABLE long (k TEXT PRIMARY KEY NOT NULL, v INTEGER);"
        "CREATE VIEW relies AS SELECT k, v FROM long GROUP BY k;"
        "CREATE VIEW reads AS SELECT v FROM relies;"
        "CREATE VIEW plain AS SELECT v FROM long;"
    )
    source.execute("INSERT INTO long VALUES (?, 1)", (secrets.token_hex(30_000),))
    source.close()
    request = Request(
        source=inspect(tmp_path / "s.db"), target=parse_target(database), home=tmp_path
    )
    fates = {o.name: o for o in migrate(request).objects if o.kind == "view"}
    assert {name: fate.reason for name, fate in fates.items()} == {
        "relies": "build_refused",
        "reads": "build_refused",
        "plain": "said_anew",
    }
    assert fates["relies"].fate is Fate.NOT_CARRIED
    assert fates["relies"].original.startswith("CREATE VIEW relies")
    # Once more in its place: views go before the tables that they read.
    again = migrate(replace(request, replace=True))
    assert [o.name for o in again.objects if o.kind == "view" and not o.counts] == ["plain"]
