"""Keys, indexes, sequences and shapes: what is broken is named, and nothing else is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from core.source import inspect
from core.verify.model import DifferenceKind, Level, ParityReport
from tests.verify.sites import Site, differences

# What is done to the target, and the relations that no longer hold: kind and table.
BROKEN = {
    "index dropped": ("DROP INDEX ix_orders_status", {("index", "orders")}),
    "unique index dropped": ("DROP INDEX ux_addresses_label", {("unique", "addresses")}),
    "unique constraint dropped": (
        "ALTER TABLE products DROP CONSTRAINT products_sku_key",
        {("unique", "products")},
    ),
    "unique index made plain": (
        (
            "DROP INDEX ux_addresses_label;"
            "CREATE INDEX ux_addresses_label ON addresses (user_id, label, street)"
        ),
        {("unique", "addresses")},
    ),
    "index on another column": (
        "DROP INDEX ix_orders_user_id; CREATE INDEX ix_orders_user_id ON orders (address_id)",
        {("index", "orders")},
    ),
    "collated index on the column itself": (
        "DROP INDEX uq_users_email; CREATE UNIQUE INDEX uq_users_email ON users (email)",
        {("unique", "users")},
    ),
    "index on some rows only": (
        (
            "DROP INDEX ix_orders_user_id;"
            "CREATE INDEX ix_orders_user_id ON orders (user_id) WHERE user_id > 5"
        ),
        {("index", "orders")},
    ),
    "foreign key dropped": (
        "ALTER TABLE products DROP CONSTRAINT products_seller_id_fkey",
        {("foreign_key", "products")},
    ),
    "foreign key not valid": (
        (
            "ALTER TABLE products DROP CONSTRAINT products_seller_id_fkey;"
            "ALTER TABLE products ADD CONSTRAINT products_seller_id_fkey"
            " FOREIGN KEY (seller_id) REFERENCES users (id) NOT VALID"
        ),
        {("foreign_key", "products")},
    ),
    "check dropped": (
        "ALTER TABLE stock DROP CONSTRAINT stock_amount_check",
        {("check", "stock")},
    ),
    "check not valid": (
        (
            "ALTER TABLE stock DROP CONSTRAINT stock_amount_check;"
            "ALTER TABLE stock ADD CONSTRAINT stock_amount_check CHECK (amount >= 0) NOT VALID"
        ),
        {("check", "stock")},
    ),
    "partial index made whole": (
        "DROP INDEX stock_live; CREATE UNIQUE INDEX stock_live ON stock (place)",
        {("unique", "stock")},
    ),
    "primary key dropped": (
        "ALTER TABLE order_items DROP CONSTRAINT order_items_pkey",
        {("primary_key", "order_items")},
    ),
    "primary key of other columns": (
        (
            "ALTER TABLE favourites DROP CONSTRAINT favourites_pkey;"
            "ALTER TABLE favourites ADD PRIMARY KEY (product_id, user_id)"
        ),
        {("primary_key", "favourites")},
    ),
    "sequence set back": (
        "SELECT setval(pg_get_serial_sequence('orders', 'id'), 1)",
        {("sequence", "orders")},
    ),
    "identity dropped": (
        "ALTER TABLE orders ALTER COLUMN id DROP IDENTITY",
        {("sequence", "orders")},
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_relation_is_named(what: str, clone: Site) -> None:
    statements, wanted = BROKEN[what]
    clone.run(statements)
    report = clone.verify()
    assert not report.parity
    assert {(r.kind, r.table) for r in report.relations if not r.holds} == wanted
    assert not any(t.differences for t in report.tables)


# What is done to the target's table, and how the report says so.
RESHAPED = {
    "table dropped": ("DROP TABLE reviews CASCADE", ["table missing"]),
    "type changed": (
        "ALTER TABLE reviews ALTER COLUMN title TYPE varchar(200)",
        ["title is character varying(200), not character varying(100)"],
    ),
    "type changed to an equal one": (
        "ALTER TABLE reviews ALTER COLUMN body TYPE varchar",
        ["body is character varying, not text"],
    ),
    "column dropped": ("ALTER TABLE reviews DROP COLUMN stars", ["stars missing"]),
    "column renamed": ("ALTER TABLE reviews RENAME COLUMN stars TO star", ["stars missing"]),
}


@pytest.mark.parametrize("what", RESHAPED)
def test_a_table_of_another_shape_is_named(what: str, clone: Site) -> None:
    statement, wanted = RESHAPED[what]
    clone.run(statement)
    for level in (Level.FULL, Level.ROWS, Level.COUNTS, Level.RELATIONS):
        found = differences(clone.verify(level=level), "reviews")
        assert [(d.kind, d.key) for d in found] == [(DifferenceKind.SHAPE, w) for w in wanted]


# --- the source moved on ----------------------------------------------------------


def test_a_column_added_in_the_source_is_named(clone: Site, tmp_path: Path) -> None:
    report = _after(clone, tmp_path, "ALTER TABLE reviews ADD COLUMN extra TEXT")
    assert [d.key for d in differences(report, "reviews")] == ["extra not in the plan"]
    assert report.moved


def test_a_column_dropped_in_the_source_is_named(clone: Site, tmp_path: Path) -> None:
    report = _after(clone, tmp_path, "ALTER TABLE reviews DROP COLUMN title")
    assert [d.key for d in differences(report, "reviews")] == ["title gone from the source"]


def test_a_table_added_in_the_source_is_named(clone: Site, tmp_path: Path) -> None:
    report = _after(clone, tmp_path, "CREATE TABLE fresh (a)")
    assert [d.kind for d in differences(report, "fresh")] == [DifferenceKind.SHAPE]


def test_a_table_dropped_in_the_source_is_named(clone: Site, tmp_path: Path) -> None:
    report = _after(clone, tmp_path, "DROP TABLE heap")
    assert [d.key for d in differences(report, "heap")] == ["table gone from the source"]


def test_rows_changed_in_the_source_are_named_and_it_is_said_to_have_moved(
    clone: Site, tmp_path: Path
) -> None:
    report = _after(clone, tmp_path, "UPDATE notes SET word = 'new' WHERE id = 3")
    assert [(d.key, d.column, d.source) for d in differences(report, "notes")] == [
        ("3", "word", "new")
    ]
    assert report.moved
    # The run's own snapshot has not moved.
    assert clone.verify(run=report.run).parity


def _after(site: Site, folder: Path, statement: str) -> ParityReport:
    """The verification of a source on which ``statement`` was run."""
    path = folder / "moved.db"
    shutil.copy(site.source.path, path)
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()
    moved = replace(site, request=replace(site.request, source=inspect(path)))
    return moved.verify()


# --- levels -----------------------------------------------------------------------

CHANGED = "UPDATE notes SET word = 'other' WHERE id = 5"
GONE = "DELETE FROM heap WHERE b = 3"
UNINDEXED = "DROP INDEX ix_orders_status"
SEEN = {
    Level.COUNTS: {GONE},
    Level.ROWS: {GONE, CHANGED},
    Level.RELATIONS: {GONE, UNINDEXED},
    Level.FULL: {GONE, CHANGED, UNINDEXED},
}


@pytest.mark.parametrize("level", Level)
def test_a_level_sees_what_it_says(level: Level, site: Site) -> None:
    report = site.verify(level=level)
    assert report.parity
    assert report.level is level
    assert bool(report.relations) == (level in (Level.RELATIONS, Level.FULL))
    assert bool(report.values) == (level in (Level.ROWS, Level.FULL))
    counted = {t.name: (t.rows_source, t.rows_target) for t in report.tables}
    assert counted == {t.name: (t.rows_source, t.rows_target) for t in site.report.tables}


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("change", [CHANGED, GONE, UNINDEXED])
def test_a_level_sees_no_more_and_no_less(level: Level, change: str, clone: Site) -> None:
    clone.run(change)
    assert clone.verify(level=level).parity == (change not in SEEN[level])
