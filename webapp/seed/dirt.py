"""What years of SQLite leave behind: values that no column should hold, rows that refer to
nothing, tables that nobody remembers.

All of it is in rows and tables of its own, numbered from FIRST: the shop's pages, which the
types would stop at such a value, show none of it. It is written in plain SQL, past the types,
the foreign keys and the checks.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from itertools import count

from webapp.database import Database

FIRST = 9_000_000
"""The number of the legacy person, product and category; the dirty rows' are above."""

FIRST_ORDER = f"00000000-0000-4000-8000-{FIRST:012}"
NOBODY = 424_242_424
"""A number that nothing has."""


class DirtRefused(Exception):
    """PostgreSQL would refuse most of it: dirt is for SQLite."""


@dataclass(frozen=True)
class Dirt:
    """One kind. ``rows``: what differs from a clean row of ``table``, as SQL expressions;
    ``sql``: statements that leave something else behind."""

    id: str
    what: str
    table: str
    rows: tuple[dict[str, str], ...] = ()
    sql: tuple[str, ...] = field(default=(), repr=False)


_WHEN = "'2019-05-04 10:11:12.000000+00:00'"

# A clean row of each table; {n} is its number.
_CLEAN: dict[str, dict[str, str]] = {
    "user_account": {
        "id": "{n}",
        "email": "'legacy{n}@example.com'",
        "username": "'legacy{n}'",
        "role": "'user'",
        "display_name": "'Somebody of before'",
        "preferences": "'{{}}'",
        "is_disabled": "1",
        "created_at": _WHEN,
    },
    "category": {
        "id": "{n}",
        "slug": "'legacy-{n}'",
        "name": "'Of before'",
        "names": "'{{}}'",
        "position": "99",
    },
    "product": {
        "id": "{n}",
        "seller_id": f"{FIRST}",
        "title": "'A thing of before'",
        "description": "''",
        "price": "1.5",
        "currency": "'EUR'",
        "stock": "0",
        "state": "'withdrawn'",
        "attributes": "'{{}}'",
        "created_at": _WHEN,
        "updated_at": _WHEN,
    },
    "product_image": {
        "product_id": f"{FIRST}",
        "number": "{n}",
        "media_type": "'image/png'",
        "digest": "''",
        "alternative": "''",
        "content": "x'89504e47'",
        "created_at": _WHEN,
    },
    "favourite": {"user_id": f"{FIRST}", "product_id": "{n}", "created_at": _WHEN},
    "review": {
        "product_id": f"{FIRST}",
        "user_id": "{n}",
        "rating": "5",
        "body": "''",
        "created_at": _WHEN,
    },
    "question": {
        "id": "{n}",
        "product_id": f"{FIRST}",
        "user_id": f"{FIRST}",
        "body": "'?'",
        "created_at": _WHEN,
    },
    "cart_item": {
        "user_id": f"{FIRST}",
        "product_id": "{n}",
        "quantity": "1",
        "created_at": _WHEN,
    },
    "shop_order": {
        "id": "'00000000-0000-4000-8000-{n:012}'",
        "buyer_id": f"{FIRST}",
        "seller_id": f"{FIRST}",
        "state": "'cancelled'",
        "currency": "'EUR'",
        "total": "1.5",
        "address": "'{{}}'",
        "note": "''",
        "created_at": _WHEN,
    },
    "order_item": {
        "order_id": f"'{FIRST_ORDER}'",
        "line": "{n}",
        "product_id": f"{FIRST}",
        "title": "'A thing of before'",
        "unit_price": "1.5",
        "quantity": "1",
    },
    "payment": {
        "id": "{n}",
        "order_id": "'00000000-0000-4000-8000-{n:012}'",
        "provider": "'cash'",
        "idempotency_key": "'legacy-{n}'",
        "state": "'failed'",
        "amount": "1.5",
        "currency": "'EUR'",
        "detail": "'{{}}'",
        "created_at": _WHEN,
    },
    "payment_event": {
        "provider": "'cash'",
        "event_id": "'legacy-{n}'",
        "kind": "'old'",
        "payload": "'{{}}'",
        "received_at": _WHEN,
    },
    "login_attempt": {
        "id": "{n}",
        "account": "'legacy@example.com'",
        "address": "'192.0.2.1'",
        "at": _WHEN,
    },
    "outbox_message": {
        "id": "{n}",
        "kind": "'mail'",
        "payload": "'{{}}'",
        "attempts": "9",
        "created_at": _WHEN,
        "due_at": _WHEN,
        "done_at": _WHEN,
    },
}

_BEFORE = ("user_account", "category", "product", "shop_order")
"""A clean row of each is there, at FIRST, for the others to refer to."""

_INVALID_UTF8 = "CAST(x'6d61f1616e61' AS TEXT)"
_UUID_OF_NOTHING = "'00000000-0000-4000-8000-ffffffffffff'"

DIRT: tuple[Dirt, ...] = (
    # --- values of another storage class
    Dirt("integer.text", "a word where a number should be", "product", ({"stock": "'many'"},)),
    Dirt("integer.fraction", "a fraction of a version", "product", ({"version": "1.5"},)),
    Dirt("integer.empty", "no text for no category", "product", ({"category_id": "''"},)),
    Dirt(
        "integer.beyond_bigint",
        "a number that is too large for an integer",
        "cart_item",
        ({"quantity": "9223372036854775808"},),
    ),
    Dirt("integer.stars", "a rating with its unit", "review", ({"rating": "'5 stars'"},)),
    Dirt("money.words", "N/A for a price", "product", ({"price": "'N/A'"},)),
    Dirt("money.comma", "an amount as Spaniards write it", "shop_order", ({"total": "'1.234,50'"},)),
    Dirt("money.decimals", "tenths of a cent", "product", ({"price": "19.999"},)),
    Dirt("money.binary", "an amount that was divided", "payment", ({"amount": "0.1 + 0.2"},)),
    Dirt("money.free", "a word times a number is 0 to SQLite", "order_item", ({"unit_price": "'free'"},)),
    Dirt("text.bytes", "bytes where text should be", "product", ({"description": "x'00ff'"},)),
    Dirt("text.packed", "an address as its four bytes", "login_attempt", ({"address": "x'c0000201'"},)),
    Dirt("bytes.text", "a picture as base64", "product_image", ({"content": "'iVBORw0KGgo='"},)),
    # --- booleans
    Dirt(
        "boolean.spelled",
        "t and yes for true",
        "user_account",
        ({"is_disabled": "'t'"}, {"is_disabled": "'yes'"}),
    ),
    # --- moments
    Dirt("moment.empty", "no text for no moment", "user_account", ({"created_at": "''"},)),
    Dirt("moment.naive", "local time, of nobody knows where", "product", ({"updated_at": "'2019-05-04 12:11:12'"},)),
    Dirt(
        "moment.spellings",
        "the same moment, spelled in other ways",
        "product",
        ({"created_at": "'2019-05-04T10:11:12Z'"}, {"created_at": "'2019-05-04 12:11+02:00'"}),
    ),
    Dirt("moment.american", "month before day", "user_account", ({"deleted_at": "'5/4/2019 10:11 AM'"},)),
    Dirt("moment.impossible", "a day that never was", "question", ({"answered_at": "'2019-02-30 10:00:00+00:00'"},)),
    Dirt("moment.word", "yesterday", "shop_order", ({"paid_at": "'yesterday'"},)),
    Dirt("moment.epoch", "seconds since 1970", "user_account", ({"created_at": "1556964672"},)),
    Dirt("moment.epoch_ms", "milliseconds since 1970", "payment", ({"settled_at": "1556964672123"},)),
    Dirt("moment.julian", "a Julian day", "login_attempt", ({"at": "2458607.9244"},)),
    # --- text
    Dirt("text.nul", "a NUL in the midst of a title", "product", ({"title": "'before' || char(0) || 'after'"},)),
    Dirt("text.invalid", "Latin-1 under the name of UTF-8", "product", ({"description": _INVALID_UTF8},)),
    Dirt("text.surrogate", "half of an emoji, as its three bytes", "shop_order", ({"note": "CAST(x'eda0bd' AS TEXT)"},)),
    Dirt("text.too_long", "more than the column takes", "user_account", ({"display_name": "printf('%.260c', 'n')"},)),
    Dirt("text.currency", "four letters for a currency", "product", ({"currency": "'EURO'"},)),
    # --- documents
    Dirt("json.invalid", "a Python dict for a document", "user_account", ({"preferences": "'{{''a'': True}}'"},)),
    Dirt("json.empty", "no text for no document", "payment_event", ({"payload": "''"},)),
    Dirt("json.duplicate_keys", "a key that comes twice", "product", ({"attributes": """'{{"a": 1, "a": 2}}'"""},)),
    Dirt("json.surrogate", "half of an emoji", "product", ({"attributes": r"""'{{"a": "\ud83d"}}'"""},)),
    Dirt("json.nul", "a NUL in a document", "product", ({"attributes": r"""'{{"a": "\u0000"}}'"""},)),
    Dirt("json.null", "a document that says null", "outbox_message", ({"payload": "'null'"},)),
    # --- keys
    Dirt("uuid.number", "an order numbered by the shop before this one", "shop_order", ({"id": "'A-2018/17'"},)),
    Dirt("key.case", "one address in two cases", "user_account", ({"email": "'Maria@Example.com'"}, {"email": "'maria@example.com'"})),
    Dirt("key.accents", "one name in two cases, of which SQLite knows no lower", "user_account", ({"username": "'Ángela'"}, {"username": "'ángela'"})),
    Dirt("orphan.seller", "a product of a person who is gone", "product", ({"seller_id": f"{NOBODY}"},)),
    Dirt("orphan.favourite", "a favourite that is gone", "favourite", ({},)),
    Dirt("orphan.review", "a review of a product that is gone", "review", ({"product_id": f"{NOBODY}", "user_id": f"{FIRST}"},)),
    Dirt("orphan.line", "a line of no order", "order_item", ({"order_id": _UUID_OF_NOTHING},)),
    Dirt("orphan.branch", "a branch of no tree", "category", ({"parent_id": f"{NOBODY}"},)),
    # --- rules that were made later than the rows
    Dirt("check.circle", "a branch that grows out of itself", "category", ({"parent_id": "{n}"},)),
    Dirt("check.stock", "fewer than none", "product", ({"stock": "-3"},)),
    Dirt("check.title", "a thing without a name", "product", ({"title": "''"},)),
    Dirt("check.rating", "seven of five", "review", ({"rating": "7"},)),
    Dirt("check.quantity", "none of it", "order_item", ({"quantity": "0"},)),
    Dirt("check.role", "a role that is no longer", "user_account", ({"role": "'root'"},)),
    Dirt("check.username", "a name of one letter", "user_account", ({"username": "'x'"},)),
    # --- tables that nobody remembers
    Dirt(
        "table.keyless",
        "no key, rows that are twice there, dates in every spelling",
        "old_orders",
        sql=(
            """CREATE TABLE old_orders (number INTEGER, placed DATETIME, amount DECIMAL(8, 2),
              paid BOOLEAN, customer VARCHAR(20), remarks TEXT)""",
            """INSERT INTO old_orders VALUES
              (1, '2012-01-02', 10, 't', 'Núñez', NULL), (1, '2012-01-02', 10, 't', 'Núñez', NULL),
              (2, '2012-01-03 10:11', 10.5, 'f', 'Smith', ''),
              (3, '2012-01-04T10:11:12+01:00', 12.125, 't', 'X', 'late'),
              (4, 1325721600, 'n/a', 'f', 'Y', NULL), ('5a', '4.1.2012', NULL, 'f', NULL, NULL),
              (NULL, NULL, NULL, NULL, NULL, NULL)""",
        ),
    ),
    Dirt(
        "table.spaces",
        "a copy by hand, with spaces in its names",
        "Users_Backup 2019",
        sql=(
            """CREATE TABLE "Users_Backup 2019" ("Full Name" varchar,
              "E-Mail" text COLLATE NOCASE, "the ""since"" of it" date, uid UUID, "Größe %" FLOAT)""",
            """INSERT INTO "Users_Backup 2019" VALUES
              ('Ana', 'ANA@example.com', '2011-01-01', '550E8400-E29B-41D4-A716-446655440000', 1.5),
              ('ana', 'ana@example.com', '', '550e8400e29b41d4a716446655440001', 9e999),
              ('Ñ', NULL, '01/02/2011', 'no uuid', 'tall')""",
        ),
    ),
    Dirt(
        "table.keyword",
        "called as SQL's own words, columns without types",
        "order",
        sql=(
            'CREATE TABLE "order" ("select", "from", "where", "group")',
            """INSERT INTO "order" VALUES (1, 'a', 2.5, x'00'), ('1', 'b', NULL, 'x')""",
        ),
    ),
    Dirt(
        "table.rowid",
        "nothing but lines, told apart by their rowid",
        "import_log",
        sql=(
            "CREATE TABLE import_log (line TEXT)",
            """INSERT INTO import_log (rowid, line) VALUES (-5, 'began'), (7, 'went on'),
              (9000000000, NULL), (9000000001, 'began')""",
        ),
    ),
    Dirt(
        "key.null",
        "a key that is NULL, twice",
        "coupon",
        sql=(
            "CREATE TABLE coupon (code TEXT PRIMARY KEY, percent INTEGER DEFAULT '10')",
            "INSERT INTO coupon VALUES ('SUMMER', 10), (NULL, 20), (NULL, 20), ('winter', '5%')",
        ),
    ),
    Dirt(
        "table.without_rowid",
        "kept by its key alone, in an order without case",
        "old_setting",
        sql=(
            """CREATE TABLE old_setting (name TEXT COLLATE NOCASE PRIMARY KEY, value ANY)
              WITHOUT ROWID""",
            """INSERT INTO old_setting VALUES ('theme', 'dark'), ('Volume', 11), ('ratio', 0.1),
              ('blob', x'00'), ('none', NULL)""",
        ),
    ),
    Dirt(
        "view.old",
        "a view over what nobody remembers",
        "sales_by_customer",
        sql=(
            """CREATE VIEW sales_by_customer AS SELECT customer, count(*) AS orders,
              sum(amount) AS amount FROM old_orders WHERE customer IS NOT NULL GROUP BY customer""",
        ),
    ),
    Dirt(
        "trigger.old",
        "a trigger that keeps a diary",
        "old_orders",
        sql=(
            """CREATE TRIGGER old_orders_diary AFTER INSERT ON old_orders BEGIN
              INSERT INTO import_log (line) VALUES ('order ' || new.number); END""",
        ),
    ),
)  # fmt: skip
"""All kinds. Frozen: what is written about them elsewhere goes by their ids."""


def require_sqlite(database: Database) -> None:
    """Raises DirtRefused on PostgreSQL."""
    if database.backend != "sqlite":
        raise DirtRefused


def plant(database: Database) -> tuple[str, ...]:
    """Leave every kind in the live database, in one transaction; their ids.

    Raises DirtRefused.
    """
    require_sqlite(database)
    connection = sqlite3.connect(str(database.engine.url.database), isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements():
            connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return tuple(dirt.id for dirt in DIRT)


def _statements() -> list[str]:
    numbers = count(FIRST + 1)
    return [
        *(_row(table, {}, FIRST) for table in _BEFORE),
        *(_row(dirt.table, row, next(numbers)) for dirt in DIRT for row in dirt.rows),
        *(statement for dirt in DIRT for statement in dirt.sql),
    ]


def _row(table: str, differs: dict[str, str], number: int) -> str:
    values = {name: sql.format(n=number) for name, sql in (_CLEAN[table] | differs).items()}
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"
