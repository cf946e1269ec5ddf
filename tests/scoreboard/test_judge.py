"""The judge names what is wrong: a harm is done to a target that was whole, and it is found."""

from __future__ import annotations

from pathlib import Path

import apsw
import psycopg
import pytest

from benchmarks.scoreboard.comparer import Fate, Kept, Listed, Listing, Verdict, judge
from tests.scoreboard.shop import SOURCE, TARGET


@pytest.fixture
def shop(tmp_path: Path, database: str) -> tuple[Path, str]:
    path = tmp_path / "shop.db"
    connection = apsw.Connection(str(path))
    connection.execute(SOURCE)
    connection.close()
    harm(database, TARGET)
    return path, database


def harm(database: str, statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(statements.encode())


def judged(shop: tuple[Path, str], listing: Listing | None = None) -> Verdict:
    path, database = shop
    return judge(path, database, listing or Listing(exit_code=0), path.parent)


def found(verdict: Verdict) -> set[str]:
    return {f"{d.table}: {d.what}" for d in verdict.defects}


def test_a_whole_target_has_no_defects(shop: tuple[Path, str]) -> None:
    verdict = judged(shop)
    assert verdict.defects == ()
    assert verdict.is_whole
    assert verdict.is_honest
    assert verdict.rows.source == verdict.rows.carried == 8
    kinds = {item.kind for item in verdict.items}
    assert kinds == {
        "table", "not_null", "primary_key", "unique", "index", "foreign_key", "check", "default",
        "collation", "generated", "sequence", "view", "trigger",
    }  # fmt: skip


HARMS = {
    "a value": (
        "UPDATE customer SET credit = 0.1::real::float8 WHERE id = 1",
        "customer: values of credit",
    ),
    "a text": ("UPDATE customer SET email = 'Ana@x.org' WHERE id = 1", "customer: values of email"),
    "bytes": (r"UPDATE purchase SET receipt = '\x00' WHERE line = 1 AND customer_id = 1", "purchase: values of receipt"),
    "NULL for a value": ("UPDATE customer SET born = NULL", "customer: values of born"),
    "a row": ("DELETE FROM purchase WHERE customer_id = 2", "purchase: rows lost"),
    "one of two equal rows": (
        "DELETE FROM remark WHERE ctid = (SELECT min(ctid) FROM remark)",
        "remark: rows lost",
    ),
    "a row of its own": ("INSERT INTO remark VALUES ('new', 1)", "remark: rows that the source has not"),
    "a row without key": ("UPDATE remark SET stars = 2 WHERE said = 'bad'", "remark: rows differ"),
    "a column": ("ALTER TABLE customer DROP born", "customer: no column born"),
    "a table": ("DROP TABLE remark", "remark: no table"),
    "a view": ("DROP VIEW spent", "spent: missing: view spent"),
    "a view of other rows": (
        "CREATE OR REPLACE VIEW spent AS SELECT customer_id, sum(price) AS total FROM purchase WHERE line = 1 GROUP BY 1",
        "spent: missing: view spent",
    ),
    "a default": ("ALTER TABLE customer ALTER name DROP DEFAULT", "customer: missing: default customer.name"),
    "another default": (
        "ALTER TABLE customer ALTER name SET DEFAULT 'Nobody'",
        "customer: missing: default customer.name",
    ),
    "a clock of another zone": (
        "ALTER TABLE customer ALTER since SET DEFAULT now()",
        "customer: missing: default customer.since",
    ),
    "NOT NULL": ("ALTER TABLE customer ALTER vip DROP NOT NULL", "customer: missing: not_null customer.vip"),
    "a rule": (
        "ALTER TABLE customer ALTER initial DROP EXPRESSION",
        "customer: missing: generated customer.initial",
    ),
    "a primary key": (
        "ALTER TABLE purchase DROP CONSTRAINT purchase_pkey",
        "purchase: missing: primary_key purchase (customer_id, line)",
    ),
    "a unique key": ("DROP INDEX customer_email_key", "customer: missing: unique customer_email_key"),
    "a key that tells cases apart": (
        "DROP INDEX customer_email_key; CREATE UNIQUE INDEX customer_email_key ON customer (email)",
        "customer: missing: unique customer_email_key",
    ),
    "an index": ("DROP INDEX remark_lower", "remark: missing: index remark_lower"),
    "a direction": (
        "DROP INDEX purchase_price; CREATE INDEX purchase_price ON purchase (price) WHERE price > 1",
        "purchase: missing: index purchase_price",
    ),
    "a condition": (
        "DROP INDEX purchase_price; CREATE INDEX purchase_price ON purchase (price DESC)",
        "purchase: missing: index purchase_price",
    ),
    "another condition": (
        "DROP INDEX purchase_price; CREATE INDEX purchase_price ON purchase (price DESC) WHERE price > 3",
        "purchase: missing: index purchase_price",
    ),
    "a foreign key": (
        "ALTER TABLE purchase DROP CONSTRAINT purchase_fk",
        "purchase: missing: foreign_key purchase_customer_id_fkey",
    ),
    "an action": (
        """ALTER TABLE purchase DROP CONSTRAINT purchase_fk,
        ADD FOREIGN KEY (customer_id) REFERENCES customer DEFERRABLE INITIALLY DEFERRED""",
        "purchase: missing: foreign_key purchase_customer_id_fkey",
    ),
    "a deferral": (
        "ALTER TABLE purchase ALTER CONSTRAINT purchase_fk NOT DEFERRABLE",
        "purchase: missing: foreign_key purchase_customer_id_fkey",
    ),
    "a check": (
        "ALTER TABLE customer DROP CONSTRAINT credit_check",
        "customer: missing: check customer: credit >= 0",
    ),
    "another check": (
        "ALTER TABLE customer DROP CONSTRAINT credit_check, ADD CHECK (credit > 0)",
        "customer: missing: check customer: credit >= 0",
    ),
    "a sequence behind": (
        "SELECT setval('customer_id_seq', 8)",
        "customer: missing: sequence customer.id",
    ),
    "a trigger": ("DROP TRIGGER counted ON remark", "remark: missing: trigger counted"),
}  # fmt: skip


@pytest.mark.parametrize("what", HARMS)
def test_a_harm_is_named(what: str, shop: tuple[Path, str]) -> None:
    statement, defect = HARMS[what]
    harm(shop[1], statement)
    verdict = judged(shop)
    assert defect in found(verdict)
    assert verdict.is_silent
    assert not verdict.is_honest


def test_a_row_that_is_listed_is_set_aside_and_not_lost(shop: tuple[Path, str]) -> None:
    harm(shop[1], "DELETE FROM purchase WHERE customer_id = 2")
    # Its table has a rowid, so that is what its key is shown by.
    verdict = judged(shop, Listing(exit_code=3, rejected={"purchase": ("3",)}))
    assert (verdict.rows.rejected, verdict.rows.lost) == (1, 0)
    assert verdict.defects == ()
    assert verdict.is_honest


def test_a_row_that_is_listed_and_there_is_one_too_many(shop: tuple[Path, str]) -> None:
    verdict = judged(shop, Listing(exit_code=3, rejected={"purchase": ("3",)}))
    assert "purchase: rows that the source has not" in found(verdict)


def test_a_key_that_no_row_has_is_named(shop: tuple[Path, str]) -> None:
    verdict = judged(shop, Listing(exit_code=3, rejected={"remark": ("77",)}))
    assert "remark: rejects that are no rows" in found(verdict)


def test_bytes_that_were_not_kept_are_named(shop: tuple[Path, str]) -> None:
    harm(shop[1], "DELETE FROM purchase WHERE customer_id = 2")

    def kept(raw: bytes) -> Listing:
        value = Kept(table="purchase", key="3", column="receipt", raw=raw)
        return Listing(exit_code=3, rejected={"purchase": ("3",)}, kept=(value,))

    assert found(judged(shop, kept(b"text"))) == set()
    assert found(judged(shop, kept(b"tex"))) == {"purchase: rejects whose bytes are not kept"}


def test_an_object_that_is_listed_is_not_silent(shop: tuple[Path, str]) -> None:
    harm(shop[1], "DROP VIEW spent")
    said = Listed(kind="view", name="spent", table="", reason="view")
    verdict = judged(shop, Listing(exit_code=3, objects=(said,)))
    assert verdict.objects[Fate.LISTED] == 1
    assert not verdict.is_silent
    assert verdict.is_honest


def test_what_is_said_to_be_rewritten_must_be_there(shop: tuple[Path, str]) -> None:
    harm(shop[1], "DROP INDEX customer_email_key")
    said = Listed(
        kind="unique", name="customer_email_key", table="customer", reason="", rewritten=True
    )
    verdict = judged(shop, Listing(exit_code=3, objects=(said,)))
    assert "customer: damaged: unique customer_email_key" in found(verdict)


def test_a_code_of_zero_beside_a_listed_object_is_not_honest(shop: tuple[Path, str]) -> None:
    harm(shop[1], "DROP VIEW spent")
    said = Listed(kind="view", name="spent", table="", reason="view")
    assert not judged(shop, Listing(exit_code=0, objects=(said,))).is_honest


def test_a_code_that_is_not_zero_beside_a_whole_target_is_not_honest(
    shop: tuple[Path, str],
) -> None:
    assert not judged(shop, Listing(exit_code=3)).is_honest


def test_names_in_lower_case_and_recorded_ones_are_found(shop: tuple[Path, str]) -> None:
    harm(shop[1], "ALTER TABLE remark RENAME TO remark_; ALTER TABLE remark_ RENAME said TO spoken")
    renamed = Listing(
        exit_code=0, tables={"remark": "remark_"}, columns={("remark", "said"): "spoken"}
    )
    assert judged(shop, renamed).defects == ()
    assert "remark: no table" in found(judged(shop))


def test_the_source_stays_as_it_is(shop: tuple[Path, str]) -> None:
    before = shop[0].read_bytes()
    judged(shop, Listing(exit_code=3, rejected={"purchase": ("3",)}))
    assert shop[0].read_bytes() == before
    assert sorted(f.name for f in shop[0].parent.iterdir()) == ["shop.db"]


SEARCHED = """
    CREATE TABLE page (id INTEGER PRIMARY KEY, body TEXT);
    CREATE VIRTUAL TABLE found USING fts5(body, content='page', content_rowid='id');
    CREATE TRIGGER fill AFTER INSERT ON page BEGIN INSERT INTO found(rowid, body) VALUES (new.id, new.body); END;
    CREATE TRIGGER more AFTER INSERT ON page BEGIN UPDATE page SET body = '' WHERE id = new.id - 1; END;
    """
SEARCHABLE = """
    CREATE TABLE page (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, body text);
    CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER more AFTER INSERT ON page FOR EACH ROW EXECUTE FUNCTION more();
    """
WORDS = "CREATE INDEX words ON page USING gin (to_tsvector('simple', coalesce(body, '')));"


def test_a_search_of_another_table_is_an_index_there(tmp_path: Path, database: str) -> None:
    path = tmp_path / "pages.db"
    connection = apsw.Connection(str(path))
    connection.execute(SEARCHED)
    connection.close()
    harm(database, SEARCHABLE)
    missing = {"found: missing: virtual_table found", "page: missing: trigger fill"}
    assert found(judged((path, database))) == missing
    harm(database, WORDS)
    assert found(judged((path, database))) == set()
    harm(database, "DROP TRIGGER more ON page")  # it does more than to fill
    assert found(judged((path, database))) == {"page: missing: trigger more"}
