"""What years of careless programs leave behind: tables with every kind of dirt, each at a
known place. They come beside the marketplace's own tables, which stay as they are.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import apsw

LEGACY_ROWS = 40
_WIDE, _TOO_WIDE = 1_100, 1_601
_LONG_KEY = 8_000
_LONG_NAME = "what_the_customer_said_when_the_parcel_arrived_late_and_the_box_was_open"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One kind of dirt at one place. ``kind`` is a name such as ``integer.text``;
    ``object`` is the table, ``table.column`` or object that has it; ``keys`` are the rows'
    keys as text, () where it is about no rows or about nearly all."""

    kind: str
    object: str
    keys: tuple[str, ...] = ()


def plant_all_dirt(path: Path) -> tuple[Planted, ...]:
    """Add the tables to the database at ``path``; what is dirty in them, by name."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("ignore_check_constraints", True)
        with connection:
            planted = (*_orders(connection), *_others(connection))
        _forbid_null(connection)
    finally:
        connection.close()
    return planted


# --- one table of orders, a column for each kind of value ------------------------------------

# Name, declared type, the clean value of row n, and the dirt: kind, row, value. All SQL.
_Dirt = tuple[tuple[str, int, str], ...]
_COLUMNS: tuple[tuple[str, str, str, _Dirt], ...] = (
    ("code", "INTEGER", "n * 10", (("integer.text", 1, "'many'"),)),
    ("pieces", "INTEGER CHECK (pieces > 0)", "n", (("integer.fraction", 2, "12.5"),)),
    ("serial", "BIGINT", "n", (("integer.beyond_bigint", 3, "9223372036854775808"),)),
    (
        "weight",
        "REAL",
        "n / 4.0",
        (("number.text", 4, "'heavy'"), ("value.bytes_in_typed", 23, "x'01'")),
    ),
    ("amount", "DECIMAL(10, 2)", "n / 2.0", (("decimal.text", 5, "'n/a'"),)),
    ("rate", "DECIMAL(5, 3)", "n / 8.0", (("decimal.beyond_scale", 6, "1.23456"),)),
    ("tax", "NUMERIC(6, 2)", "n", (("decimal.beyond_precision", 7, "123456.5"),)),
    (
        "balance",
        "DECIMAL(22, 2)",
        "n",
        (("decimal.rounded_in_source", 8, "'12345678901234567890.12'"),),
    ),
    ("ceiling", "DECIMAL(8, 2)", "n", (("decimal.infinite", 9, "9e999"),)),
    ("paid", "BOOLEAN", "n % 2", (("boolean.other_value", 10, "2"),)),
    ("gift", "BOOLEAN", "iif(n % 2, 'Y', 'N')", (("boolean.spelled", 0, ""),)),
    (
        "sent_on",
        "DATE",
        "date('2024-01-01', n || ' days')",
        (
            ("moment.impossible", 11, "'2024-02-30'"),
            ("moment.magic_word", 12, "'now'"),
            ("moment.unreadable", 14, "'1/2/2024'"),
        ),
    ),
    (
        "opens_at",
        "TIME",
        "printf('%02d:30', n % 24)",
        (("moment.beyond_a_day", 13, "'25:00'"), ("moment.other_shape", 15, "'2024-01-02'")),
    ),
    ("ordered_at", "TIMESTAMP", "1700000000 + n", (("moment.epoch", 0, ""),)),
    ("imported_at", "DATETIME", "1700000000123 + n", (("moment.epoch", 0, ""),)),
    ("moon_at", "DATETIME", "2460000.5 + n / 4.0", (("moment.julian", 0, ""),)),
    (
        "changed_at",
        "DATETIME",
        "datetime('2024-01-01', n || ' hours')",
        (("moment.mixed_offset", 16, "'2024-01-02 03:04:05+02:00'"),),
    ),
    (
        "closed_at",
        "DATETIME",
        "datetime('2024-01-01', n || ' hours')",
        (("moment.several_spellings", 17, "'2024-01-02T03:04:05'"),),
    ),
    ("birthday", "DATE", "date('1990-01-01', n || ' days')", (("value.empty", 24, "''"),)),
    ("body", "TEXT", "'text ' || n", (("text.nul", 18, "'a' || char(0) || 'b'"),)),
    ("notes", "TEXT", "'note ' || n", (("text.invalid", 19, "CAST(x'6d61f1' AS TEXT)"),)),
    ("label", "VARCHAR(10)", "'label ' || n", (("text.bytes", 20, "x'00ff'"),)),
    (
        "tag",
        "CHAR(8)",
        "'tag' || n",
        (("text.too_long", 21, "'much too long'"), ("text.trailing_blanks", 22, "'ab  '")),
    ),
    ("picture", "BLOB", "zeroblob(n)", (("bytes.text", 25, "'aGVsbG8='"),)),
    ("thumb", "BLOB", "zeroblob(n)", (("bytes.number", 26, "7"),)),
    ("doc", "JSON", """'{"n": ' || n || '}'""", (("json.invalid", 27, "'{bad}'"),)),
    ("meta", "JSON", "'{}'", (("json.duplicate_keys", 28, """'{"a": 1, "a": 2}'"""),)),
    ("extra", "JSON", "'[]'", (("json.not_in_jsonb", 29, r"""'{"a": "\u0000"}'"""),)),
    ("ref", "UUID", "printf('a%031x', n)", (("uuid.invalid", 30, "'no uuid'"),)),
    (
        "uid",
        "UUID",
        "printf('a%031x', n)",
        (("uuid.several_forms", 31, "'550e8400-e29b-41d4-a716-446655440000'"),),
    ),
    ("anything", "", "n", (("object.untyped", 0, ""),)),
    ("odd", "WHATEVER", "n", (("object.type_by_census", 0, ""),)),
    ("city", "TEXT COLLATE NOCASE", "'city ' || n", (("object.collation", 0, ""),)),
    ("xmin", "INTEGER", "n", (("name.system_column", 0, ""),)),
    (_LONG_NAME, "TEXT", "'nothing'", (("name.too_long", 0, ""),)),
    ("", "INTEGER", "n", (("name.empty", 0, ""),)),
)
_TABLE = "legacy_orders"


def _orders(connection: apsw.Connection) -> Iterator[Planted]:
    declared = ", ".join(f'"{name}" {kind}' for name, kind, _, _ in _COLUMNS)
    clean = ", ".join(f"({value})" for _, _, value, _ in _COLUMNS)
    numbers = (
        f"WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {LEGACY_ROWS})"
    )
    connection.execute(f"CREATE TABLE {_TABLE} (id INTEGER PRIMARY KEY, {declared})")
    connection.execute(f"INSERT INTO {_TABLE} {numbers} SELECT n, {clean} FROM r")
    for name, _, _, dirt in _COLUMNS:
        for kind, row, value in dirt:
            if row:
                connection.execute(f'UPDATE {_TABLE} SET "{name}" = {value} WHERE id = {row}')
            yield Planted(kind=kind, object=f"{_TABLE}.{name}", keys=(str(row),) if row else ())
    connection.execute(f"UPDATE {_TABLE} SET pieces = -1 WHERE id = 32")
    yield Planted(kind="check.broken", object=f"{_TABLE}: pieces > 0", keys=("32",))


# --- keys, references, names and widths --------------------------------------------------------

_SQL = """
CREATE TABLE legacy_users (token TEXT PRIMARY KEY, mood TEXT);
INSERT INTO legacy_users VALUES ('a', 'good'), (NULL, 'bad'), ('c', NULL);
CREATE TABLE legacy_slots (id INTEGER PRIMARY KEY, starts DATETIME UNIQUE);
INSERT INTO legacy_slots VALUES
    (1, '2024-01-01T00:00:00Z'), (2, '2024-01-01T01:00:00+01:00'), (3, '2024-01-02T00:00:00Z');
CREATE TABLE legacy_items (
    id INTEGER PRIMARY KEY,
    order_id INTEGER CONSTRAINT item_order REFERENCES legacy_orders (id),
    slot_id INTEGER CONSTRAINT item_slot REFERENCES legacy_slots (id),
    gone_id INTEGER CONSTRAINT item_gone REFERENCES long_dropped (id),
    code INTEGER CONSTRAINT item_code REFERENCES legacy_orders (code),
    owner TEXT CONSTRAINT item_owner REFERENCES legacy_slots (id),
    name TEXT UNIQUE ON CONFLICT REPLACE
);
INSERT INTO legacy_items VALUES
    (1, 39, 1, 7, 390, 'ann', 'one'), (2, 999, 2, 7, 390, 'bob', 'two'),
    (3, 39, 2, 7, 390, 'cid', 'three'), (4, 39, 1, 7, 390, 'dan', 'four');
CREATE TABLE legacy_counter (id INTEGER PRIMARY KEY, n INTEGER);
INSERT INTO legacy_counter VALUES (9223372036854775807, 1);
CREATE TABLE legacy_bills (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER);
INSERT INTO legacy_bills VALUES (1, 1), (90000, 2);
DELETE FROM legacy_bills WHERE id = 90000;
CREATE TABLE legacy_log (message TEXT);
INSERT INTO legacy_log VALUES ('same'), ('same');
CREATE TABLE legacy_pages (id INTEGER PRIMARY KEY, path TEXT);
CREATE INDEX legacy_pages_path ON legacy_pages (path);
CREATE VIEW legacy_search AS SELECT id FROM legacy_orders WHERE notes LIKE 'note%';
CREATE VIEW legacy_broken AS SELECT * FROM long_dropped;
PRAGMA user_version = 7;
PRAGMA application_id = 1297437007;
"""
_OTHERS = (
    Planted(kind="key.null", object="legacy_users.token", keys=("2",)),
    Planted(kind="column.null", object="legacy_users.mood", keys=("3",)),
    Planted(kind="key.duplicate", object="legacy_slots", keys=("2",)),
    Planted(kind="reference.orphans", object="item_order", keys=("2",)),
    Planted(kind="reference.set_aside", object="item_slot", keys=("2", "3")),
    Planted(kind="object.parent_missing", object="item_gone"),
    Planted(kind="object.parent_not_unique", object="item_code"),
    Planted(kind="object.types_differ", object="item_owner"),
    Planted(kind="object.conflict_clause", object="UNIQUE (name) ON CONFLICT REPLACE"),
    Planted(kind="sequence.at_end", object="legacy_counter.id"),
    Planted(kind="sequence.far_ahead", object="legacy_bills.id"),
    Planted(kind="table.no_key", object="legacy_log"),
    Planted(kind="index.key_too_long", object="legacy_pages_path"),
    Planted(kind="table.row_too_wide", object="legacy_wide"),
    Planted(kind="object.too_many_columns", object="legacy_too_wide"),
    Planted(kind="text.like_case", object="legacy_search"),
    Planted(kind="source.view_broken", object="legacy_broken"),
    Planted(kind="source.user_version", object="user_version"),
    Planted(kind="source.application_id", object="application_id"),
)


def _others(connection: apsw.Connection) -> Sequence[Planted]:
    connection.execute(_SQL)
    # Without repetition: it would be compressed, and then it would fit.
    digests = b"".join(sha256(bytes([n])).digest() for n in range(_LONG_KEY // 32))
    path = b64encode(digests).decode()[:_LONG_KEY]
    connection.execute("INSERT INTO legacy_pages VALUES (1, ?)", (path,))
    _make_wide(connection, "legacy_wide", _WIDE)
    _make_wide(connection, "legacy_too_wide", _TOO_WIDE)
    return _OTHERS


def _make_wide(connection: apsw.Connection, name: str, columns: int) -> None:
    listed = ", ".join(f"c{n} INTEGER" for n in range(1, columns))
    connection.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {listed})")
    connection.execute(f"INSERT INTO {name} VALUES ({', '.join(['1'] * columns)})")


def _forbid_null(connection: apsw.Connection) -> None:
    """NOT NULL written into the schema of a table that has a NULL already."""
    connection.execute("""
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'mood TEXT', 'mood TEXT NOT NULL')
        WHERE name = 'legacy_users';
        PRAGMA writable_schema = RESET;
    """)
