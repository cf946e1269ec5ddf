"""The target's schema against its plan: nothing to say after a run, every drift found, and
every mending statement works as it stands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import psycopg
import pytest

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

SHOP = """
CREATE TABLE customer (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email VARCHAR(80) NOT NULL UNIQUE,
    name TEXT NOT NULL DEFAULT 'nobody',
    vip BOOLEAN NOT NULL DEFAULT 0,
    joined TIMESTAMP,
    credit DECIMAL(10,2) DEFAULT 0 CHECK (credit >= 0),
    code TEXT
);
CREATE TABLE "order" (
    id INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    total REAL NOT NULL CHECK (total > 0),
    note TEXT
);
CREATE TABLE line (
    "order" INTEGER NOT NULL,
    place INTEGER NOT NULL,
    what TEXT NOT NULL,
    amount INTEGER,
    PRIMARY KEY ("order", place),
    UNIQUE (what, place),
    FOREIGN KEY ("order") REFERENCES "order" (id)
);
CREATE TABLE orphan (id INTEGER PRIMARY KEY, of INTEGER REFERENCES customer (id));
CREATE INDEX order_by_customer ON "order" (customer, total DESC);
CREATE INDEX big_orders ON "order" (total) WHERE total > 100;
CREATE INDEX line_what ON line (what);
INSERT INTO customer VALUES (1, 'a@b.c', 'Ann', 1, '2024-01-02 03:04:05', 1.5, 'x'),
                            (2, 'd@e.f', 'Dan', 0, '2024-02-03 04:05:06', 0, NULL);
INSERT INTO "order" VALUES (1, 1, 10.5, NULL), (2, 2, 200.0, 'big');
INSERT INTO line VALUES (1, 1, 'apple', 3), (1, 2, 'pear', 4);
INSERT INTO orphan VALUES (1, 77);
"""


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

DRIFTS = {
    "column dropped": ("ALTER TABLE customer DROP COLUMN code", ["customer.code column missing"]),
    "column with its default dropped": (
        "ALTER TABLE customer DROP COLUMN name",
        ["customer.name column missing"],
    ),
    "column added": (
        "ALTER TABLE customer ADD COLUMN extra int DEFAULT 1",
        ["customer.extra column extra"],
    ),
    "column renamed": (
        'ALTER TABLE "order" RENAME COLUMN total TO sum',
        ["order.total column renamed"],
    ),
    "type narrowed": (
        "ALTER TABLE line ALTER COLUMN amount TYPE int",
        ["line.amount column type"],
    ),
    "type changed with its default": (
        "ALTER TABLE customer ALTER COLUMN vip DROP DEFAULT,"
        " ALTER COLUMN vip TYPE bigint USING vip::int, ALTER COLUMN vip SET DEFAULT 0",
        ["customer.vip column type"],
    ),
    "type made text": (
        "ALTER TABLE customer ALTER COLUMN joined TYPE text",
        ["customer.joined column type"],
    ),
    "zone given": (
        "ALTER TABLE customer ALTER COLUMN joined TYPE timestamptz USING joined AT TIME ZONE 'UTC'",
        ["customer.joined column type"],
    ),
    "scale lost": (
        "ALTER TABLE customer ALTER COLUMN credit TYPE numeric",
        ["customer.credit column type"],
    ),
    "collation given": (
        'ALTER TABLE customer ALTER COLUMN code TYPE text COLLATE "C"',
        ["customer.code column type"],
    ),
    "not null dropped": (
        "ALTER TABLE customer ALTER COLUMN email DROP NOT NULL",
        ["customer.email column nullability"],
    ),
    "not null added": (
        "ALTER TABLE line ALTER COLUMN amount SET NOT NULL",
        ["line.amount column nullability"],
    ),
    "default changed": (
        "ALTER TABLE customer ALTER COLUMN name SET DEFAULT 'somebody'",
        ["customer.name column default"],
    ),
    "default dropped": (
        "ALTER TABLE customer ALTER COLUMN credit DROP DEFAULT",
        ["customer.credit column default"],
    ),
    "default added": (
        "ALTER TABLE customer ALTER COLUMN code SET DEFAULT now()::text",
        ["customer.code column default"],
    ),
    "identity dropped": (
        "ALTER TABLE customer ALTER COLUMN id DROP IDENTITY",
        ["customer.id column identity", "customer.id sequence behind"],
    ),
    "identity made strict": (
        "ALTER TABLE customer ALTER COLUMN id SET GENERATED ALWAYS",
        ["customer.id column identity"],
    ),
    "identity made serial, under its own name": (
        "ALTER TABLE customer ALTER COLUMN id DROP IDENTITY; CREATE SEQUENCE customer_id_seq OWNED BY"
        " customer.id; ALTER TABLE customer ALTER COLUMN id SET DEFAULT nextval('customer_id_seq')",
        ["customer.id column identity", "customer.id sequence behind"],
    ),
    "sequence renamed": (
        "ALTER SEQUENCE customer_id_seq RENAME TO other_seq",
        ["customer.id sequence renamed"],
    ),
    "sequence behind": (
        "SELECT setval('customer_id_seq', 1)",
        ["customer.id sequence behind"],
    ),
    "sequence at what it gave last": (
        "SELECT setval('customer_id_seq', 2, false)",
        ["customer.id sequence behind"],
    ),
    "primary key dropped": (
        "ALTER TABLE line DROP CONSTRAINT line_pkey",
        ["line.line_pkey primary_key missing"],
    ),
    "primary key dropped with what refers to it": (
        'ALTER TABLE "order" DROP CONSTRAINT order_pkey CASCADE',
        ["order.order_pkey primary_key missing", "line.line_order_fkey foreign_key missing"],
    ),
    "primary key on other columns": (
        "ALTER TABLE line DROP CONSTRAINT line_pkey, ADD PRIMARY KEY (place, \"order\")",
        ["line.line_pkey primary_key definition"],
    ),
    "primary key renamed": (
        "ALTER TABLE line RENAME CONSTRAINT line_pkey TO line_key",
        ["line.line_pkey primary_key renamed"],
    ),
    "unique dropped": (
        "ALTER TABLE line DROP CONSTRAINT line_what_place_key",
        ["line.line_what_place_key unique missing"],
    ),
    "unique made deferrable": (
        "ALTER TABLE line DROP CONSTRAINT line_what_place_key,"
        " ADD CONSTRAINT line_what_place_key UNIQUE (what, place) DEFERRABLE",
        ["line.line_what_place_key unique definition"],
    ),
    "unique made a plain index of its name": (
        "ALTER TABLE line DROP CONSTRAINT line_what_place_key;"
        " CREATE INDEX line_what_place_key ON line (what, place)",
        ["line.line_what_place_key unique definition"],
    ),
    "unique added": (
        "ALTER TABLE customer ADD CONSTRAINT one_name UNIQUE (name)",
        ["customer.one_name unique extra"],
    ),
    "check dropped": (
        'ALTER TABLE "order" DROP CONSTRAINT order_total_check',
        ["order.order_total_check check missing"],
    ),
    "check changed": (
        'ALTER TABLE "order" DROP CONSTRAINT order_total_check,'
        " ADD CONSTRAINT order_total_check CHECK (total > 1)",
        ["order.order_total_check check definition"],
    ),
    "check renamed": (
        'ALTER TABLE "order" RENAME CONSTRAINT order_total_check TO positive',
        ["order.order_total_check check renamed"],
    ),
    "check not valid": (
        'ALTER TABLE "order" DROP CONSTRAINT order_total_check,'
        " ADD CONSTRAINT order_total_check CHECK (total > 0) NOT VALID",
        ["order.order_total_check check not_valid"],
    ),
    "check added": (
        "ALTER TABLE line ADD CONSTRAINT some CHECK (amount < 1000)",
        ["line.some check extra"],
    ),
    "index dropped": ("DROP INDEX line_what", ["line.line_what index missing"]),
    "index on another column": (
        "DROP INDEX line_what; CREATE INDEX line_what ON line (amount)",
        ["line.line_what index definition"],
    ),
    "index in another direction": (
        'DROP INDEX order_by_customer; CREATE INDEX order_by_customer ON "order" (customer, total)',
        ["order.order_by_customer index definition"],
    ),
    "index with another condition": (
        'DROP INDEX big_orders; CREATE INDEX big_orders ON "order" (total) WHERE total > 101',
        ["order.big_orders index definition"],
    ),
    "index without its condition": (
        'DROP INDEX big_orders; CREATE INDEX big_orders ON "order" (total)',
        ["order.big_orders index definition"],
    ),
    "index with another collation": (
        'DROP INDEX line_what; CREATE INDEX line_what ON line (what COLLATE "C")',
        ["line.line_what index definition"],
    ),
    "index made unique": (
        "DROP INDEX line_what; CREATE UNIQUE INDEX line_what ON line (what)",
        ["line.line_what index definition"],
    ),
    "index of another method": (
        "DROP INDEX line_what; CREATE INDEX line_what ON line USING hash (what)",
        ["line.line_what index definition"],
    ),
    "index renamed": (
        "ALTER INDEX line_what RENAME TO by_what",
        ["line.line_what index renamed"],
    ),
    "index added": ("CREATE INDEX more ON line (amount)", ["line.more index extra"]),
    "index not to be used": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'line_what'::regclass",
        ["line.line_what index invalid"],
    ),
    "foreign key dropped": (
        "ALTER TABLE line DROP CONSTRAINT line_order_fkey",
        ["line.line_order_fkey foreign_key missing"],
    ),
    "foreign key with another action": (
        'ALTER TABLE "order" DROP CONSTRAINT order_customer_fkey,'
        " ADD CONSTRAINT order_customer_fkey FOREIGN KEY (customer) REFERENCES customer"
        " DEFERRABLE INITIALLY DEFERRED",
        ["order.order_customer_fkey foreign_key definition"],
    ),
    "foreign key not deferrable, under another name": (
        'ALTER TABLE "order" DROP CONSTRAINT order_customer_fkey, ADD CONSTRAINT strict'
        " FOREIGN KEY (customer) REFERENCES customer ON DELETE CASCADE",
        ["order.order_customer_fkey foreign_key definition"],
    ),
    "foreign key deferred by itself no more": (
        'ALTER TABLE "order" ALTER CONSTRAINT order_customer_fkey DEFERRABLE INITIALLY IMMEDIATE',
        ["order.order_customer_fkey foreign_key definition"],
    ),
    "foreign key not valid": (
        "ALTER TABLE line DROP CONSTRAINT line_order_fkey, ADD CONSTRAINT line_order_fkey"
        ' FOREIGN KEY ("order") REFERENCES "order" NOT VALID',
        ["line.line_order_fkey foreign_key not_valid"],
    ),
    "foreign key renamed and not valid": (
        'ALTER TABLE line DROP CONSTRAINT line_order_fkey, ADD CONSTRAINT to_order'
        ' FOREIGN KEY ("order") REFERENCES "order" NOT VALID',
        ["line.line_order_fkey foreign_key renamed", "line.line_order_fkey foreign_key not_valid"],
    ),
    "foreign key added": (
        "ALTER TABLE orphan ADD CONSTRAINT self FOREIGN KEY (id) REFERENCES orphan",
        ["orphan.self foreign_key extra"],
    ),
    "table dropped": (
        "DROP TABLE orphan",
        ["orphan table missing", "orphan.orphan_pkey primary_key missing",
         "orphan.orphan_of_fkey foreign_key missing"],
    ),
    "table dropped with what refers to it": (
        "DROP TABLE customer CASCADE; TRUNCATE \"order\", line",
        [
            "customer table missing",
            "customer.customer_pkey primary_key missing",
            "customer.customer_email_key unique missing",
            "customer.customer_credit_check check missing",
            "order.order_customer_fkey foreign_key missing",
            "orphan.orphan_of_fkey foreign_key missing",
            "customer.id sequence behind",
        ],
    ),
    "table renamed": ("ALTER TABLE orphan RENAME TO foundling", ["orphan table renamed"]),
    "tables added, in a circle": (
        "CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY REFERENCES one);"
        " ALTER TABLE one ADD FOREIGN KEY (id) REFERENCES two",
        ["one table extra", "two table extra"],
    ),
    "table without a log": ("ALTER TABLE line SET UNLOGGED", ["line table unlogged"]),
    "views added": (
        "CREATE VIEW alone AS SELECT id FROM customer; CREATE VIEW above AS SELECT * FROM alone;"
        " CREATE MATERIALIZED VIEW kept AS SELECT * FROM above",
        ["kept view extra", "above view extra", "alone view extra"],
    ),
    "trigger added": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER t BEFORE UPDATE ON line FOR EACH ROW EXECUTE FUNCTION f()",
        ["line.t trigger extra"],
    ),
    "two at once that stand in each other's way": (
        "ALTER INDEX line_what RENAME TO gone; CREATE INDEX line_what ON customer (code);"
        " CREATE VIEW seen AS SELECT amount FROM line; CREATE TABLE far (id bigint REFERENCES orphan)",
        [
            "seen view extra",
            "customer.line_what index extra",
            "far table extra",
            "line.line_what index renamed",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_drift_is_found_and_its_statement_mends_it(drift: str, shop: Shop) -> None:
    statement, expected = DRIFTS[drift]
    shop.run(statement)

    found = shop.differences()

    assert shown(found) == expected
    for difference in found:
        assert difference.mend
        shop.run(difference.mend)
    assert shop.differences() == []


@pytest.mark.parametrize("drift", DRIFTS)
def test_all_statements_mend_in_their_common_order(drift: str, shop: Shop) -> None:
    shop.run(DRIFTS[drift][0])

    shop.run(";\n".join(statement for _, statement in statements(shop.differences())))

    assert shop.differences() == []


def test_a_schema_that_drifted_everywhere_is_mended_at_once(shop: Shop) -> None:
    """What does not forbid another drift, all together."""
    alone = ("dropped with", "renamed", "table", "identity", "at once", "primary key on")
    done = []
    for drift, (statement, _) in DRIFTS.items():
        if not any(word in drift for word in alone):
            try:
                shop.run(statement)
                done.append(drift)
            except psycopg.Error:
                continue  # another one has taken what it would change
    assert len(done) > 25

    shop.run(";\n".join(statement for _, statement in statements(shop.differences())))

    assert shop.differences() == []
