"""Each kind of dirt is really there, as SQLite itself sees it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.webapp.seed.test_seed import NOW
from tests.webapp.world import PASSWORD, settings_for
from webapp import open_database
from webapp.seed import DIRT, Size, seed
from webapp.seed.dirt import FIRST

# Of each kind, what counts it: 1 for each thing that is as dirty as its name says.
PROOFS = {
    "integer.text": "SELECT count(*) FROM product WHERE typeof(stock) = 'text'",
    "integer.fraction": "SELECT count(*) FROM product WHERE typeof(version) = 'real'",
    "integer.empty": "SELECT count(*) FROM product WHERE category_id = ''",
    "integer.beyond_bigint": "SELECT count(*) FROM cart_item WHERE typeof(quantity) = 'real' AND quantity > 9e18",
    "integer.stars": "SELECT count(*) FROM review WHERE rating = '5 stars'",
    "money.words": "SELECT count(*) FROM product WHERE price = 'N/A'",
    "money.comma": "SELECT count(*) FROM shop_order WHERE total = '1.234,50'",
    "money.decimals": "SELECT count(*) FROM product WHERE typeof(price) = 'real' AND round(price, 2) <> price",
    "money.binary": "SELECT count(*) FROM payment WHERE amount <> 0.3 AND round(amount, 2) = 0.3",
    "money.free": "SELECT count(*) FROM order_item WHERE typeof(unit_price) = 'text' AND unit_price * quantity = 0",
    "text.bytes": "SELECT count(*) FROM product WHERE typeof(description) = 'blob'",
    "text.packed": "SELECT count(*) FROM login_attempt WHERE typeof(address) = 'blob'",
    "bytes.text": "SELECT count(*) FROM product_image WHERE typeof(content) = 'text'",
    "boolean.spelled": "SELECT count(*) - 1 FROM user_account WHERE is_disabled IN ('t', 'yes')",
    "moment.empty": "SELECT count(*) FROM user_account WHERE created_at = ''",
    "moment.naive": "SELECT count(*) FROM product WHERE updated_at GLOB '????-??-?? ??:??:??'",
    "moment.spellings": "SELECT count(*) - 1 FROM product WHERE created_at IN ('2019-05-04T10:11:12Z', '2019-05-04 12:11+02:00')",
    "moment.american": "SELECT count(*) FROM user_account WHERE deleted_at GLOB '*/*'",
    "moment.impossible": "SELECT count(*) FROM question WHERE answered_at GLOB '*-02-30*'",
    "moment.word": "SELECT count(*) FROM shop_order WHERE paid_at = 'yesterday'",
    "moment.epoch": "SELECT count(*) FROM user_account WHERE typeof(created_at) = 'integer'",
    "moment.epoch_ms": "SELECT count(*) FROM payment WHERE typeof(settled_at) = 'integer' AND settled_at > 1e12",
    "moment.julian": "SELECT count(*) FROM login_attempt WHERE typeof(at) = 'real'",
    "text.nul": "SELECT count(*) FROM product WHERE instr(CAST(title AS BLOB), x'00')",
    "text.invalid": "SELECT count(*) FROM product WHERE CAST(description AS BLOB) = x'6d61f1616e61'",
    "text.surrogate": "SELECT count(*) FROM shop_order WHERE CAST(note AS BLOB) = x'eda0bd'",
    "text.too_long": "SELECT count(*) FROM user_account WHERE length(display_name) > 200",
    "text.currency": "SELECT count(*) FROM product WHERE length(currency) > 3",
    "json.invalid": "SELECT count(*) FROM user_account WHERE NOT json_valid(preferences)",
    "json.empty": "SELECT count(*) FROM payment_event WHERE payload = ''",
    "json.duplicate_keys": "SELECT count(*) FROM product WHERE (SELECT count(*) > count(DISTINCT key) FROM json_each(attributes))",
    "json.surrogate": r"SELECT count(*) FROM product WHERE instr(attributes, '\ud83d')",
    "json.nul": r"SELECT count(*) FROM product WHERE instr(attributes, '\u0000')",
    "json.null": "SELECT count(*) FROM outbox_message WHERE json_type(payload) = 'null'",
    "uuid.number": "SELECT count(*) FROM shop_order WHERE id NOT LIKE '________-____-____-____-____________'",
    "key.case": "SELECT count(*) FROM (SELECT 1 FROM user_account GROUP BY lower(email) HAVING count(*) > 1)",
    "key.accents": "SELECT count(*) - 1 FROM user_account WHERE username IN ('Ángela', 'ángela')",
    "orphan.seller": "SELECT count(*) FROM product WHERE seller_id NOT IN (SELECT id FROM user_account)",
    "orphan.favourite": "SELECT count(*) FROM favourite WHERE product_id NOT IN (SELECT id FROM product)",
    "orphan.review": "SELECT count(*) FROM review WHERE product_id NOT IN (SELECT id FROM product)",
    "orphan.line": "SELECT count(*) FROM order_item WHERE order_id NOT IN (SELECT id FROM shop_order)",
    "orphan.branch": "SELECT count(*) FROM category WHERE parent_id NOT IN (SELECT id FROM category)",
    "check.circle": "SELECT count(*) FROM category WHERE parent_id = id",
    "check.stock": "SELECT count(*) FROM product WHERE typeof(stock) = 'integer' AND stock < 0",
    "check.title": "SELECT count(*) FROM product WHERE title = ''",
    "check.rating": "SELECT count(*) FROM review WHERE typeof(rating) = 'integer' AND rating > 5",
    "check.quantity": "SELECT count(*) FROM order_item WHERE quantity = 0",
    "check.role": "SELECT count(*) FROM user_account WHERE role NOT IN ('user', 'seller', 'admin')",
    "check.username": "SELECT count(*) FROM user_account WHERE length(username) < 2",
    "table.keyless": "SELECT count(*) FROM (SELECT 1 FROM old_orders GROUP BY number, placed HAVING count(*) > 1)",
    "table.spaces": "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'Users_Backup 2019'",
    "table.keyword": "SELECT count(*) = 4 FROM pragma_table_info('order') WHERE type = ''",
    "table.rowid": "SELECT count(*) = 2 AND min(rowid) < 0 FROM import_log WHERE line = 'began'",
    "key.null": "SELECT count(*) - 1 FROM coupon WHERE code IS NULL",
    "table.without_rowid": "SELECT wr FROM pragma_table_list('old_setting')",
    "view.old": "SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name = 'sales_by_customer'",
    "trigger.old": "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = 'old_orders_diary'",
}  # fmt: skip


@pytest.fixture(scope="module")
def dirty(templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop of many years."""
    return _shop(templates, tmp_path_factory.mktemp("dirty"), dirt=True)


@pytest.fixture(scope="module")
def clean(templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop, new."""
    return _shop(templates, tmp_path_factory.mktemp("clean"), dirt=False)


def _shop(templates: dict[str, str], folder: Path, *, dirt: bool) -> Path:
    file = folder / "shop.db"
    shutil.copy(templates["sqlite"], file)
    database = open_database(settings_for(f"sqlite:///{file}"))
    seed(database, Size.SMALL, password=PASSWORD, now=NOW, dirt=dirt)
    database.close()
    return file


def asked(file: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(file)
    connection.text_factory = bytes
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_each_kind_has_a_name_and_a_proof() -> None:
    ids = [dirt.id for dirt in DIRT]
    assert len(set(ids)) == len(ids)
    assert set(ids) == set(PROOFS)


@pytest.mark.parametrize("kind", PROOFS)
def test_a_kind_is_there_once(kind: str, dirty: Path) -> None:
    assert asked(dirty, PROOFS[kind]) == [(1,)]


@pytest.mark.parametrize("kind", [d.id for d in DIRT if d.rows])
def test_a_clean_shop_has_none_of_it(kind: str, clean: Path) -> None:
    ((found,),) = asked(clean, PROOFS[kind])
    assert found <= 0


def test_what_is_not_dirty_stays_as_it_is(clean: Path, dirty: Path) -> None:
    for table in _tables(clean):
        columns = ", ".join(f'"{name.decode()}"' for name in _columns(clean, table))
        ours = set(asked(clean, f"SELECT {columns} FROM {table}"))
        assert ours
        if table == "user_account":
            continue  # the salt
        assert ours <= set(asked(dirty, f"SELECT {columns} FROM {table}")), table


def test_dirty_rows_are_numbered_apart(clean: Path, dirty: Path) -> None:
    for table in ("user_account", "product", "category"):
        (most,) = asked(clean, f"SELECT max(id) FROM {table}")
        (least,) = asked(dirty, f"SELECT min(id), max(id) FROM {table} WHERE id >= {FIRST}")
        assert most[0] < FIRST <= least[0] < least[1]


def _tables(file: Path) -> Iterator[str]:
    for (name,) in asked(
        file,
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        " AND name NOT LIKE 'product_search%' AND name NOT LIKE 'sqlite_%'",
    ):
        yield name.decode()


def _columns(file: Path, table: str) -> list[bytes]:
    return [name for (name,) in asked(file, f"SELECT name FROM pragma_table_info('{table}')")]
