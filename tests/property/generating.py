"""Strategies: whole databases that nobody would write, and somebody has."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apsw
from hypothesis import strategies as st

from core.source.rows import InvalidText, SqliteValue

# --- values ---------------------------------------------------------------------

INTEGERS = st.one_of(
    st.integers(-2, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(
        [
            2**63 - 1,
            -(2**63),
            2**53,
            2**53 + 1,
            -(2**53) - 1,
            2**60,
            1152921504606847000,
            1700000000,
            1700000000123,
            20240102,
            2460000,
            4294967295,
            -4294967297,
        ]
    ),
)
REALS = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from(
        [
            0.1 + 0.2,
            -0.0,
            0.0,
            5e-324,
            -2.2e-308,
            1.7976931348623157e308,
            12.345,
            12.34,
            float("inf"),
            float("-inf"),
            1.152921504606847e18,
            2460310.5,
            1e22,
            1.0,
        ]
    ),
)
_MOMENTS = [
    "2024-01-02",
    "2024-02-29",
    "2024-02-30",
    "0001-01-01",
    "9999-12-31",
    "0000-00-00",
    "24-1-2",
    "2024-01-02 03:04:05",
    "2024-01-02T03:04:05",
    "2024-01-02 03:04",
    "2024-01-02 03:04:60",
    "2024-01-02 03:04:05.1",
    "2024-01-02 03:04:05.123456",
    "2024-01-02 03:04:05.1234567",
    "2024-01-02 03:04:05.123456000",
    "2024-01-02T03:04:05Z",
    "2024-01-02 03:04:05+02:00",
    "2024-01-02 03:04:05 -0530",
    "0001-01-01 00:00:00+15:59",
    "9999-12-31 23:59:59-15:59",
    "2024-01-02 01:04:05Z",
    "2024-01-02 03:04:05+16:00",
    "24:00:00",
    "24:00:01",
    "03:04",
    "03:04:05.5",
    "now",
    "today",
    "infinity",
    "epoch",
    "2024-01-02 24:00:00",
    " 2024-01-02",
]
MOMENTS = st.sampled_from(_MOMENTS)
_DOCUMENTS = [
    "{}",
    "[]",
    "null",
    "1",
    '"a"',
    '{"a":1}',
    '{"a": 1, "a": 2}',
    '{"b":1,"a":[1.50,1e2]}',
    "[1e400]",
    "[-0.0]",
    '"\\ud800"',
    '"\\u0000"',
    "{",
    "NaN",
    "[01]",
    "[" * 600 + "]" * 600,
    '{"\\u0061":1,"a":2}',
    '"\\ud83d\\ude00"',
    "[12345678901234567890.10]",
    " {} ",
]
DOCUMENTS = st.sampled_from(_DOCUMENTS)
_UUIDS = [
    "550e8400-e29b-41d4-a716-446655440000",
    "550E8400-E29B-41D4-A716-446655440000",
    "550e8400e29b41d4a716446655440000",
    "{550e8400-e29b-41d4-a716-446655440000}",
    "550e8400-e29b-41d4-a716-44665544000g",
    "11111111-2222-3333-4444-555555555555",
    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "aAaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
]
UUIDS = st.sampled_from(_UUIDS)
_WORDS = ["t", "f", "true", "false", "T", "F", "Y", "N", "yes", "True", "False", "0", "1", ""]
WORDS = st.sampled_from(_WORDS)
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "a",
            "A",
            "a ",
            "é",
            "é",
            "😀",
            "👩\u200d👩\u200d👧",
            "\\N",
            "\\.",
            "a\tb\r\n",
            "%s",
            "x" * 300,
            "n\x00l",
            "\x00",
            "12",
            "1.50",
            "abc  ",
            "ß",
            "\u202eabc",
            "\x01",
            "\ufeff",
            "\uffff",
        ]
    ),
    st.text(max_size=6),
)
BLOBS = st.one_of(
    st.sampled_from([b"", b"\x00\xff", b"a", b"31", bytes(16), bytes(range(16))]),
    st.binary(max_size=20),
)
INVALID = st.sampled_from(
    [InvalidText(b"f\xffo"), InvalidText(b"\xed\xa0\x80"), InvalidText(b"\xc3\x28\x00\xd8")]
)
ANYTHING: st.SearchStrategy[SqliteValue] = st.one_of(
    st.none(), INTEGERS, REALS, TEXTS, MOMENTS, DOCUMENTS, UUIDS, WORDS, BLOBS, INVALID
)
# Every value that is known to have tripped somebody, once each.
SPECIAL: list[SqliteValue] = [
    None, 0, 1, 2, -1, 2**63 - 1, -(2**63), 2**53 + 1, 2**60, 1152921504606847000, 1700000000, 20240102,
    0.0, -0.0, 5e-324, -2.2e-308, 1.7976931348623157e308, float("inf"), float("-inf"), 0.1 + 0.2,
    12.345, 12.34, 1e22, 1.152921504606847e18, 2460310.5, 9999.99, 9999.995, -0.5,
    "", "a", "A", "a ", "abcd", "abcde", "abc  ", "abcd ", "é", "😀", "😀😀😀😀", "n\x00l", "\\N", "\ufeff",
    b"", b"a", b"\x00\xff", bytes(16), InvalidText(b"f\xffo"), InvalidText(b"\xed\xa0\x80"),
    *_MOMENTS, *_DOCUMENTS, *_UUIDS, *_WORDS,
]  # fmt: skip
# One thing in several spellings, which a key must hold apart or set aside.
SAME = st.sampled_from(["2024-01-02", "2024-01-02 00:00:00", "2024-01-02T00:00", "2024-01-03"])
TWINS = st.sampled_from([1, "1", 2, "2", 1.5, "1.5", b"1", "a", b"a", "A"])
ZERO_ONE = st.integers(0, 1)
KEYS = st.one_of(st.integers(1, 4), st.sampled_from(["a", "A", "b", "b "]))
_THEMES: list[st.SearchStrategy[SqliteValue]] = [
    ANYTHING, INTEGERS, REALS, TEXTS, MOMENTS, DOCUMENTS, UUIDS, WORDS, BLOBS, ZERO_ONE, KEYS, SAME, TWINS,
    st.one_of(INTEGERS, REALS), st.one_of(TEXTS, BLOBS), st.none(),
]  # fmt: skip
THEMES = st.sampled_from(_THEMES)

# --- declared types -------------------------------------------------------------

TYPES = [
    "", "INTEGER", "INT", "TINYINT", "UNSIGNED BIG INT", "BIGINT", "INT8", "REAL", "DOUBLE PRECISION",
    "FLOAT", "NUMERIC", "DECIMAL(6,2)", "DECIMAL(10)", "DECIMAL(2,5)", "NUMERIC(1001,3)", "BOOLEAN",
    "BOOL", "DATE", "DATETIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIME", "TEXT",
    "CLOB", "VARCHAR(4)", "VARCHAR(0)", "VARCHAR", "CHAR(10)", "NVARCHAR(100)", "JSON", "JSONB",
    "BLOB", "BYTEA", "UUID", "GUID", "MONEY", "POINT", "STRING", "ANY", '"x INT); DROP TABLE t"',
    "VARCHAR(99999999999)", "FLOATING POINT", "année",
]  # fmt: skip
STRICT_TYPES = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]
NAMES = [
    "a", "b", "c", "A b", "select", "user", "é", 'q"q', "it's", "😀", "x" * 70, "x" * 63 + "A",
    "x" * 63 + "B", "ñ" * 40, "ctid", "xmin", "tableoid", "rowid", "oid", "_rowid_", "%s", "$1", "{c}",
    "", "a.b", "new\nline", 'a"; DROP TABLE x; --', "id", "unnamed",
]  # fmt: skip
DEFAULTS = [
    "", "DEFAULT 1", "DEFAULT -2.5", "DEFAULT 'x'", "DEFAULT NULL", "DEFAULT x'00ff'", "DEFAULT TRUE",
    "DEFAULT '2024-01-02'", "DEFAULT CURRENT_TIMESTAMP", "DEFAULT (1 + 1)", "DEFAULT 'it''s \\'",
    "DEFAULT 9e999", "DEFAULT '{}'",
]  # fmt: skip
COLLATIONS = ["", "", "", "COLLATE NOCASE", "COLLATE RTRIM"]
ACTIONS = ["", "ON DELETE CASCADE", "ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED"]

MATCHED: list[tuple[str, st.SearchStrategy[SqliteValue]]] = [
    ("TIMESTAMP", SAME), ("DATETIME", SAME), ("", TWINS), ("BLOB", TWINS), ("REAL", REALS),
    ("BOOLEAN", ZERO_ONE), ("UUID", UUIDS), ("JSON", DOCUMENTS), ("DECIMAL(6,2)", REALS),
]  # fmt: skip

# --- tables ---------------------------------------------------------------------


@dataclass(frozen=True)
class TableDraft:
    """A table to make: its name, its SQL (indexes after it), its rows."""

    name: str
    columns: tuple[str, ...]
    statements: tuple[str, ...]
    rows: list[list[SqliteValue]] = field(default_factory=list)


@dataclass(frozen=True)
class Draft:
    """A database to make."""

    encoding: str
    tables: tuple[TableDraft, ...]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@st.composite
def databases(draw: st.DrawFn) -> Draft:
    names = draw(_distinct_names(1, 4))
    tables: list[TableDraft] = []
    for name in names:
        tables.append(draw(_table(name, [*tables])))
    encoding = draw(st.sampled_from(["UTF-8", "UTF-8", "UTF-16le", "UTF-16be"]))
    return Draft(encoding, tuple(tables))


def _distinct_names(low: int, high: int) -> st.SearchStrategy[list[str]]:
    return st.lists(
        st.sampled_from(NAMES), min_size=low, max_size=high, unique_by=lambda n: n.lower()
    )


@st.composite
def _table(draw: st.DrawFn, name: str, others: Sequence[TableDraft]) -> TableDraft:
    strict = draw(st.integers(0, 4)) == 0
    columns = tuple(draw(_distinct_names(1, 5)))
    types = [draw(st.sampled_from(STRICT_TYPES if strict else TYPES)) for _ in columns]
    themes = [draw(THEMES) for _ in columns]
    if not strict and draw(st.booleans()):
        # A type and what belongs into it, in a key of its own.
        types[0], themes[0] = draw(st.sampled_from(MATCHED))
    lines = [draw(_column(c, t)) for c, t in zip(columns, types, strict=True)]
    key, alias = draw(_primary_key(columns))
    if alias is not None:
        lines[alias] = f"{quoted(columns[alias])} INTEGER PRIMARY KEY"
    lines += [key] if key else []
    lines += [f"UNIQUE ({quoted(columns[0])})"] if draw(st.booleans()) else []
    lines += [draw(_unique(columns)) for _ in range(draw(st.sampled_from([0, 0, 1])))]
    lines += [
        draw(_reference(columns, [*others, TableDraft(name, columns, ())]))
        for _ in range(draw(st.sampled_from([0, 0, 1, 2])))
    ]
    tail = ["STRICT"] if strict else []
    tail += ["WITHOUT ROWID"] if (key or alias is not None) and draw(st.booleans()) else []
    create = f"CREATE TABLE {quoted(name)} ({', '.join(lines)}) {', '.join(tail)}"
    indexes = [draw(_index(name, columns, n)) for n in range(draw(st.sampled_from([0, 0, 1, 2])))]
    values = [st.one_of(t, t, t, t, t, ANYTHING) for t in themes]
    rows = draw(st.lists(st.tuples(*values).map(list), max_size=14))
    return TableDraft(name, columns, (create, *indexes), rows)


@st.composite
def _column(draw: st.DrawFn, name: str, type_: str) -> str:
    parts = [quoted(name), type_, draw(st.sampled_from(COLLATIONS))]
    parts += [draw(st.sampled_from(DEFAULTS)) if draw(st.booleans()) else ""]
    parts += ["NOT NULL" if draw(st.integers(0, 5)) == 0 else ""]
    return " ".join(parts)


@st.composite
def _primary_key(draw: st.DrawFn, columns: Sequence[str]) -> tuple[str, int | None]:
    """A PRIMARY KEY constraint, or the place of a rowid alias, or neither."""
    what = draw(st.sampled_from(["none", "alias", "columns", "columns"]))
    if what == "alias":
        return "", draw(st.integers(0, len(columns) - 1))
    if what == "none":
        return "", None
    return f"PRIMARY KEY ({draw(_terms(columns))})", None


@st.composite
def _terms(draw: st.DrawFn, columns: Sequence[str]) -> str:
    chosen = draw(st.lists(st.sampled_from(columns), min_size=1, max_size=3, unique=True))
    ways = st.sampled_from(["", "", "DESC", "COLLATE NOCASE", "COLLATE RTRIM DESC"])
    return ", ".join(f"{quoted(c)} {draw(ways)}" for c in chosen)


@st.composite
def _unique(draw: st.DrawFn, columns: Sequence[str]) -> str:
    return f"UNIQUE ({draw(_terms(columns))})"


@st.composite
def _index(draw: st.DrawFn, table: str, columns: Sequence[str], number: int) -> str:
    unique = draw(st.sampled_from(["", "UNIQUE "]))
    name = quoted(f"{table} i{number}")
    return f"CREATE {unique}INDEX {name} ON {quoted(table)} ({draw(_terms(columns))})"


@st.composite
def _reference(draw: st.DrawFn, columns: Sequence[str], parents: Sequence[TableDraft]) -> str:
    parent = draw(st.sampled_from(parents))
    width = draw(st.integers(1, min(2, len(columns), len(parent.columns))))
    own = draw(st.permutations(columns))[:width]
    referred = draw(st.permutations(parent.columns))[:width]
    to = f" ({', '.join(map(quoted, referred))})" if draw(st.booleans()) else ""
    action = draw(st.sampled_from(ACTIONS))
    listed = ", ".join(map(quoted, own))
    return f"FOREIGN KEY ({listed}) REFERENCES {quoted(parent.name)}{to} {action}"


# --- building -------------------------------------------------------------------


def build(path: Path, draft: Draft) -> None:
    """Make the database; rows that SQLite itself refuses are left out."""
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA encoding = '{draft.encoding}'").fetchall()
    connection.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").fetchall()
    connection.execute("PRAGMA foreign_keys = OFF").fetchall()
    with connection:
        for table in draft.tables:
            for statement in table.statements:
                with contextlib.suppress(apsw.ConstraintError):
                    connection.execute(statement)
            for row in table.rows:
                with contextlib.suppress(apsw.ConstraintError, apsw.MismatchError):
                    insert(connection, table.name, row)
    connection.close()


def insert(connection: apsw.Connection, table: str, row: Sequence[SqliteValue]) -> None:
    marks = ", ".join("CAST(? AS TEXT)" if isinstance(v, InvalidText) else "?" for v in row)
    values = [v.raw if isinstance(v, InvalidText) else v for v in row]
    connection.execute(f"INSERT INTO {quoted(table)} VALUES ({marks})", values)
