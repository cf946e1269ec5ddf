"""The target's schema against its plan: nothing to say after a run, every drift found, and
every mending statement works as it stands."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.errors import OtherSource, TargetPrivilege
from core.plan import parse_document
from core.plan.diff import Aspect, Difference, Kind, Severity, Why, statements
from core.server.connection import parse_target
from core.source import inspect
from core.source.opening import SourceFile
from core.transfer.begin import Request as Migration
from core.transfer.migrate import migrate
from core.verify.schema import Request, compare_schema
from tests.cases.reading import case_names, read_case
from tests.cases.running import build_source

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MUDANZA_DATA") or REPOSITORY.parent / "shared" / "data")

FOLDER = Path(__file__).parent
SHOP = (FOLDER / "shop.sql").read_text(encoding="utf-8")
DRIFTS = {
    drift["name"]: drift
    for drift in tomllib.loads((FOLDER / "drifts.toml").read_text(encoding="utf-8"))["drift"]
}


@dataclass(frozen=True)
class Shop:
    """A shop that was carried over, and a connection to change it by."""

    source: SourceFile
    address: str
    connection: psycopg.Connection[tuple[object, ...]]

    def run(self, statements: str) -> None:
        self.connection.execute(statements.encode())

    def differences(self) -> list[Difference]:
        request = Request(source=self.source, target=parse_target(self.address))
        return list(compare_schema(request).differences)


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Shop]:
    source = build_source(SHOP, tmp_path / "shop.db")
    target = parse_target(database)
    migrate(Migration(source=source, target=target, home=tmp_path))
    with psycopg.connect(database, autocommit=True) as connection:
        yield Shop(source, database, connection)


def shown(differences: list[Difference]) -> list[str]:
    return [f"{d.object} {d.kind} {d.aspect}" for d in differences]


# --- nothing to say ------------------------------------------------------------------


def test_a_fulfilled_plan_has_no_differences(shop: Shop) -> None:
    assert shop.differences() == []


@pytest.mark.parametrize("name", case_names())
def test_no_case_differs_from_its_plan(name: str, tmp_path: Path, database: str) -> None:
    case = read_case(name)
    source = build_source(case.source, tmp_path / "source.db")
    target = parse_target(database)
    choices = None if case.plan is None else parse_document(case.plan, "plan.toml")
    migrate(Migration(source=source, target=target, home=tmp_path, choices=choices))

    assert compare_schema(Request(source=source, target=target)).differences == ()


def test_of_two_foreign_keys_with_one_name_the_carried_one_is_expected(
    tmp_path: Path, database: str
) -> None:
    statements = """
        CREATE TABLE p (id INTEGER PRIMARY KEY, x INTEGER, UNIQUE (id, x));
        CREATE TABLE c (a INTEGER, b INTEGER, FOREIGN KEY (a, b) REFERENCES p (id, x),
                        FOREIGN KEY (a, b) REFERENCES p);
    """
    source, target = build_source(statements, tmp_path / "source.db"), parse_target(database)
    report = migrate(Migration(source=source, target=target, home=tmp_path))
    assert [o.kind for o in report.not_carried] == ["foreign_key"]

    assert compare_schema(Request(source=source, target=target)).differences == ()


@pytest.mark.soak
def test_no_real_database_differs_from_its_plan(
    database: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    files = sorted(p for p in DATA.rglob("*") if p.suffix in (".sqlite", ".db") and p.is_file())
    for path in files:
        with subtests.test(path.name):
            source, target = inspect(path), parse_target(database)
            migrate(Migration(source=source, target=target, home=tmp_path, replace=True))
            assert compare_schema(Request(source=source, target=target)).differences == ()


# --- drifts ---------------------------------------------------------------------------


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_found_and_its_statement_mends_it(drift: str, shop: Shop) -> None:
    shop.run(DRIFTS[drift]["sql"])

    found = shop.differences()

    assert shown(found) == DRIFTS[drift]["found"]
    for difference in found:
        assert difference.mend
        shop.run(difference.mend)
    assert shop.differences() == []


@pytest.mark.parametrize("drift", DRIFTS)
def test_all_statements_mend_in_their_common_order(drift: str, shop: Shop) -> None:
    shop.run(DRIFTS[drift]["sql"])

    shop.run(";\n".join(statement for _, statement in statements(shop.differences())))

    assert shop.differences() == []


def test_a_schema_that_drifted_everywhere_is_mended_at_once(shop: Shop) -> None:
    """Whatever does not forbid another drift, all together."""
    alone = ("dropped with", "renamed", "table", "identity", "at once", "primary key on")
    done = 0
    for drift, planted in DRIFTS.items():
        if not any(word in drift for word in alone):
            with suppress(psycopg.Error):  # another one has taken what it would change
                shop.run(planted["sql"])
                done += 1
    assert done > 25

    shop.run(";\n".join(statement for _, statement in statements(shop.differences())))

    assert shop.differences() == []


def test_there_are_many_kinds_of_drift() -> None:
    found = {tuple(line.split()[1:]) for drift in DRIFTS.values() for line in drift["found"]}
    assert len(found) > 20


def test_rows_stay_through_the_mending_of_a_type(shop: Shop) -> None:
    def rows() -> list[tuple[object, ...]]:
        return shop.connection.execute("SELECT vip, joined, credit FROM customer").fetchall()

    before = rows()
    for drift in ("type changed with its default", "type made text", "zone given"):
        shop.run("SET TIME ZONE 'Asia/Tokyo'")
        shop.run(DRIFTS[drift]["sql"])
        shop.run("SET TIME ZONE 'America/Lima'")
        for difference in shop.differences():
            shop.run(difference.mend)
        assert rows() == before


def test_a_column_whose_values_are_gone_is_not_mended(shop: Shop) -> None:
    shop.run("ALTER TABLE line DROP COLUMN what")

    column, *rest = shop.differences()

    assert (column.object, column.aspect) == ("line.what", Aspect.MISSING)
    assert (column.mend, column.why, column.severity) == ("", Why.VALUES_GONE, Severity.BLOCKER)
    assert [d.kind for d in rest] == [Kind.UNIQUE, Kind.INDEX]

    shop.run("TRUNCATE line")  # without rows nothing is in its way
    for difference in shop.differences():
        shop.run(difference.mend)
    assert shop.differences() == []


def test_what_would_destroy_rows_says_so(shop: Shop) -> None:
    shop.run("CREATE TABLE more (a int); CREATE MATERIALIZED VIEW seen AS SELECT 1 AS one")
    shop.run("ALTER TABLE line ADD COLUMN extra int; CREATE INDEX by_extra ON line (extra)")

    destructive = {d.object: d.destructive for d in shop.differences()}

    assert destructive == {"seen": True, "line.by_extra": False, "line.extra": True, "more": True}


def test_a_difference_says_how_source_plan_and_target_have_it(shop: Shop) -> None:
    shop.run("ALTER TABLE customer ALTER COLUMN credit TYPE numeric; DROP INDEX big_orders")

    column, index = shop.differences()

    assert (column.source, column.expected, column.target) == (
        "credit DECIMAL(10,2)",
        "numeric(10,2)",
        "numeric",
    )
    assert index.source == 'CREATE INDEX big_orders ON "order" (total) WHERE total > 100'
    assert index.expected.startswith("btree (total) WHERE (total > ")
    assert index.target == ""


# --- what is no difference ---------------------------------------------------------------


def test_rows_that_came_later_and_orphans_that_found_a_parent_are_none(shop: Shop) -> None:
    shop.run("INSERT INTO customer (email) VALUES ('g@h.i'), ('j@k.l')")
    shop.run("INSERT INTO customer (id, email) VALUES (77, 'm@n.o')")
    assert shown(shop.differences()) == ["customer.id sequence behind"]
    shop.run("SELECT setval('customer_id_seq', 77)")
    shop.run("ALTER TABLE orphan VALIDATE CONSTRAINT orphan_of_fkey")

    assert shop.differences() == []


def test_what_the_target_has_beside_its_relations_is_none(shop: Shop) -> None:
    shop.run(
        "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE TYPE t AS (a int)"
    )
    shop.run("COMMENT ON TABLE line IS 'mine'; CREATE SCHEMA own; CREATE TABLE own.t (a int)")

    assert shop.differences() == []


def test_nothing_is_left_behind_or_waited_for(shop: Shop) -> None:
    """It works beside somebody who holds every table, and leaves no schema."""
    question = "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1"
    before = shop.connection.execute(question).fetchall()
    shop.run('BEGIN; LOCK customer, line, orphan, "order" IN SHARE ROW EXCLUSIVE MODE')

    assert shop.differences() == []

    shop.run("COMMIT")
    assert shop.connection.execute(question).fetchall() == before


# --- without a run, with a plan file, in other schemas -----------------------------------


def test_an_empty_target_lacks_everything_and_can_be_made(tmp_path: Path, database: str) -> None:
    source = build_source(SHOP, tmp_path / "shop.db")
    request = Request(source=source, target=parse_target(database), schema='the "new" one')

    report = compare_schema(request)

    assert report.run is None
    assert {d.aspect for d in report.differences} == {Aspect.MISSING}
    assert report.differences[0].kind is Kind.SCHEMA
    with psycopg.connect(database, autocommit=True) as connection:
        for difference in report.differences:
            connection.execute(difference.mend.encode())
    assert compare_schema(request).differences == ()


def test_a_plan_file_is_asked_instead_of_the_run(shop: Shop) -> None:
    text = 'mudanza_plan = 1\n[[table]]\nname = "line"\ntarget = "item"\n'
    choices = parse_document(text, "plan.toml")
    request = Request(source=shop.source, target=parse_target(shop.address), choices=choices)

    assert shown(list(compare_schema(request).differences)) == ["item table renamed"]


def test_another_source_is_refused(shop: Shop, tmp_path: Path) -> None:
    other = build_source("CREATE TABLE t (a)", tmp_path / "other.db")
    with pytest.raises(OtherSource):
        compare_schema(Request(source=other, target=parse_target(shop.address)))


def test_a_role_that_may_make_no_schema_is_told_so(shop: Shop) -> None:
    shop.run("DROP ROLE IF EXISTS reader_only; CREATE ROLE reader_only LOGIN PASSWORD 'x'")
    shop.run("GRANT USAGE ON SCHEMA mudanza, public TO reader_only")
    shop.run("GRANT SELECT ON ALL TABLES IN SCHEMA mudanza, public TO reader_only")
    try:
        words = conninfo_to_dict(shop.address) | {"user": "reader_only", "password": "x"}
        target = parse_target(make_conninfo(**words))
        with pytest.raises(TargetPrivilege):
            compare_schema(Request(source=shop.source, target=target))
    finally:
        shop.run("DROP OWNED BY reader_only; DROP ROLE reader_only")
