from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest

from core.schema import (
    Check,
    ConflictClause,
    Default,
    ForeignKey,
    Generated,
    Index,
    IndexTerm,
    Search,
    Sequence,
    Table,
    TableKind,
    Trigger,
    View,
    read_sqlite,
)
from tests.schema.conftest import Read

OneTable = Callable[[str], Table]


def test_an_empty_database_is_read(read: Read) -> None:
    reading = read("PRAGMA user_version = 7; PRAGMA application_id = -2")
    assert reading.notes == ()
    assert reading.database.tables == ()
    assert (reading.database.user_version, reading.database.application_id) == (7, -2)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_every_encoding_is_read(read: Read, encoding: str) -> None:
    reading = read(
        f'PRAGMA encoding = \'{encoding}\'; CREATE TABLE "t\u00e9"("\U0001f600" "\u00f1"'
        " DEFAULT '\u4e2d' COLLATE nocase CHECK(\"\U0001f600\" <> '\u4e2d'))"
    )
    assert reading.notes == ()
    assert reading.database.encoding == encoding
    (table,) = reading.database.tables
    (column,) = table.columns
    assert (table.name, column.name, column.declared_type) == ("t\u00e9", "\U0001f600", "\u00f1")
    assert column.default == Default(expression="'\u4e2d'", literal=True)
    assert table.checks[0].expression == "\"\U0001f600\" <> '\u4e2d'"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a.b",
        'say "hi"',
        "it's",
        "[x]",
        "`",
        "select",
        "x" * 100,
        "é",
        "a%b",
        "a\nb",
        "(",
        "--",
        "sqlitex",
        "K",
    ],
)
def test_every_name_is_read(memory: apsw.Connection, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    memory.execute(
        f"CREATE TABLE {quoted}({quoted} TEXT UNIQUE CHECK({quoted} <> 'x'), x AS ({quoted}));"
        f" CREATE INDEX i ON {quoted}({quoted} || 'i') WHERE {quoted} > 1"
    )
    reading = read_sqlite(memory)
    assert reading.notes == ()
    (table,) = reading.database.tables
    assert (table.name, table.columns[0].name) == (name, name)
    assert table.checks == (Check(name=None, expression=f"{quoted} <> 'x'", column=name),)
    assert table.columns[1].generation_expression == quoted
    assert table.indexes[0].terms == (IndexTerm(column=name),)
    assert table.indexes[1].terms[0].expression == f"{quoted} || 'i'"
    assert table.indexes[1].where == f"{quoted} > 1"


def test_names_that_differ_outside_ascii_are_two_names(read: Read) -> None:
    reading = read('CREATE TABLE "\u00c9"("\u00e9", "\u00c9"); CREATE TABLE "\u00e9"(a)')
    assert [table.name for table in reading.database.tables] == ["\u00c9", "\u00e9"]
    assert [column.name for column in reading.database.tables[0].columns] == ["\u00e9", "\u00c9"]


def test_tables_come_in_the_order_of_their_making(read: Read) -> None:
    reading = read("CREATE TABLE z(a); CREATE TABLE a(a); CREATE TABLE m(a)")
    assert [table.name for table in reading.database.tables] == ["z", "a", "m"]


def test_sqlites_own_tables_are_left_out(read: Read) -> None:
    reading = read(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a); CREATE INDEX i ON t(a);"
        " INSERT INTO t(a) VALUES(1); ANALYZE"
    )
    assert [table.name for table in reading.database.tables] == ["t"]


# --- columns -------------------------------------------------------------------


def test_types_are_kept_as_declared(table: OneTable) -> None:
    made = table(
        'CREATE TABLE t(a, b "INTEGER", c VARCHAR ( 10 ), d unsigned  big int, e INT/*x*/ NOT NULL)'
    )
    assert [column.declared_type for column in made.columns] == [
        "",
        "INTEGER",
        "VARCHAR ( 10 )",
        "unsigned  big int",
        "INT",
    ]


def test_what_sqlite_takes_for_the_type_is_the_type(table: OneTable) -> None:
    """It cuts GENERATED ALWAYS off the end of a type, a comment before it stays."""
    made = table("CREATE TABLE t(a, b REAL /* int */ GENERATED ALWAYS AS (a))")
    assert made.columns[1].declared_type == "REAL /* int */"
    assert made.columns[1].affinity == "integer"


def test_a_copied_table_has_the_types_that_sqlite_gave_it(table: OneTable) -> None:
    made = table("CREATE TABLE s(a VARCHAR(3), b DECIMAL); CREATE TABLE t AS SELECT *, 1+1 FROM s")
    assert [(column.name, column.declared_type) for column in made.columns] == [
        ("a", "TEXT"),
        ("b", "NUM"),
        ("1+1", ""),
    ]


@pytest.mark.parametrize(
    ("clause", "expression", "literal"),
    [
        ("DEFAULT -5", "-5", True),
        ("DEFAULT 'x''y'", "'x''y'", True),
        ('DEFAULT "word"', '"word"', True),
        ("DEFAULT word", "word", True),
        ("DEFAULT TRUE", "TRUE", True),
        ("DEFAULT NULL", "NULL", True),
        ("DEFAULT x'00ff' -- why\n", "x'00ff'", True),
        ("DEFAULT ('') /* a */ NOT NULL", "''", True),
        ("DEFAULT CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", False),
        ("DEFAULT (strftime('%s','now'))", "strftime('%s','now')", False),
    ],
)
def test_defaults(table: OneTable, clause: str, expression: str, literal: bool) -> None:
    made = table(f"CREATE TABLE t(a {clause})")
    assert made.columns[0].default == Default(expression=expression, literal=literal)


def test_collations(table: OneTable) -> None:
    made = table('CREATE TABLE t(a, b COLLATE binary, c COLLATE "nocase", d TEXT COLLATE RTrim)')
    assert [column.collation for column in made.columns] == [None, None, "NOCASE", "RTRIM"]


def test_a_collation_that_is_not_at_hand_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "made.db")
    writer = apsw.Connection(path)
    writer.create_collation("Localized", lambda a, b: (a > b) - (a < b))
    writer.execute("CREATE TABLE t(a TEXT COLLATE Localized PRIMARY KEY) WITHOUT ROWID")
    writer.close()
    reader = apsw.Connection(path)
    (made,) = read_sqlite(reader).database.tables
    reader.close()
    assert made.columns[0].collation == "Localized"
    assert made.indexes[0].terms[0].collation == "Localized"


def test_generated_columns(table: OneTable) -> None:
    made = table(
        "CREATE TABLE t(a INT, b INT GENERATED ALWAYS AS (a+1) NOT NULL, c AS ( a*2 ) STORED)"
    )
    assert [(c.generated, c.generation_expression, c.not_null) for c in made.columns] == [
        (None, None, False),
        (Generated.VIRTUAL, "a+1", True),
        (Generated.STORED, "a*2", False),
    ]


def test_a_column_added_later_is_read_with_its_constraints(table: OneTable) -> None:
    made = table(
        "CREATE TABLE t(a, CHECK(a > 0)); ALTER TABLE t ADD COLUMN b INT DEFAULT 1 CHECK(b > 0)"
        " REFERENCES t(a); ALTER TABLE t RENAME COLUMN a TO c"
    )
    assert [column.name for column in made.columns] == ["c", "b"]
    assert [(check.column, check.expression) for check in made.checks] == [
        ("b", "b > 0"),
        (None, "c > 0"),
    ]


# --- NOT NULL as SQLite enforces it ---------------------------------------------


@pytest.mark.parametrize(
    ("definition", "enforced"),
    [
        ("a TEXT PRIMARY KEY", False),
        ("a INTEGER PRIMARY KEY", True),
        ("a INT PRIMARY KEY", False),
        ("a TEXT NOT NULL", True),
        ("a TEXT PRIMARY KEY) WITHOUT ROWID, (", True),
        ("a TEXT PRIMARY KEY) STRICT, (", True),
    ],
)
def test_not_null_is_what_sqlite_enforces(
    memory: apsw.Connection, definition: str, enforced: bool
) -> None:
    body, _, options = definition.partition(")")
    memory.execute(f"CREATE TABLE t({body}, b TEXT){options.partition(',')[0]}")
    (made,) = read_sqlite(memory).database.tables
    assert made.columns[0].not_null == enforced
    try:
        memory.execute("INSERT INTO t(a) VALUES(NULL)")
    except apsw.ConstraintError:
        assert enforced
    else:
        assert (memory.execute("SELECT count(*) FROM t WHERE a IS NULL").get == 0) == enforced


# --- rowid ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("definition", "alias"),
    [
        ("a INTEGER PRIMARY KEY", "a"),
        ("a integer primary key", "a"),
        ('a "INTEGER" PRIMARY KEY', "a"),
        ("a INTEGER, PRIMARY KEY(a)", "a"),
        ("a INTEGER, PRIMARY KEY(a DESC)", "a"),
        ("a INTEGER UNIQUE PRIMARY KEY", "a"),
        ("a INTEGER PRIMARY KEY DESC", None),
        ("a INT PRIMARY KEY", None),
        ("a BIGINT PRIMARY KEY", None),
        ("a INTEGER UNIQUE", None),
        ("a INTEGER, b INTEGER, PRIMARY KEY(a, b)", None),
    ],
)
def test_the_rowid_alias_is_the_one_sqlite_uses(
    memory: apsw.Connection, definition: str, alias: str | None
) -> None:
    memory.execute(f"CREATE TABLE t({definition}); INSERT INTO t(rowid, a) VALUES(7, 9)")
    (made,) = read_sqlite(memory).database.tables
    assert made.rowid_alias == alias
    # The value given last to an alias is the rowid.
    assert (memory.execute("SELECT rowid FROM t").get == 9) == (alias is not None)


def test_a_without_rowid_table_has_none(table: OneTable) -> None:
    made = table("CREATE TABLE t(a INTEGER PRIMARY KEY, b) WITHOUT ROWID")
    assert made.without_rowid
    assert (made.rowid_alias, made.rowid_name, made.primary_key) == (None, None, ("a",))


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("a", "rowid"),
        ("a INTEGER PRIMARY KEY", "rowid"),
        ("RowId", "_rowid_"),
        ("rowid, _ROWID_", "oid"),
        ("rowid, _rowid_, OID", None),
        ("rowid, _rowid_, oid, a INTEGER PRIMARY KEY", "a"),
        ("rowid, _rowid_, oid INTEGER PRIMARY KEY", "oid"),
    ],
)
def test_the_name_of_the_rowid(memory: apsw.Connection, columns: str, name: str | None) -> None:
    memory.execute(f"CREATE TABLE t({columns})")
    (made,) = read_sqlite(memory).database.tables
    assert made.rowid_name == name


def test_autoincrement_and_its_sequence(read: Read) -> None:
    reading = read(
        "CREATE TABLE used(id INTEGER PRIMARY KEY AUTOINCREMENT, a);"
        " CREATE TABLE fresh(a INTEGER, PRIMARY KEY(a AUTOINCREMENT));"
        " CREATE TABLE plain(id INTEGER PRIMARY KEY);"
        " INSERT INTO used(id) VALUES(500); DELETE FROM used; INSERT INTO plain VALUES(3)"
    )
    assert [table.autoincrement for table in reading.database.tables] == [True, True, False]
    assert reading.database.sequences == (Sequence(table="used", last=500),)


def test_a_sequence_that_was_written_by_hand_is_tidied(read: Read) -> None:
    reading = read(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT);"
        " INSERT INTO sqlite_sequence VALUES('t', 5), ('t', '9'), ('gone', 3), ('t', NULL),"
        " (NULL, 1)"
    )
    assert reading.database.sequences == (Sequence(table="t", last=9),)


def test_strict_tables(table: OneTable) -> None:
    made = table("CREATE TABLE t(a INT, b ANY) STRICT")
    assert made.strict
    assert [str(column.affinity) for column in made.columns] == ["integer", "blob"]


# --- keys and indexes ------------------------------------------------------------


def test_primary_key_columns_come_in_key_order(table: OneTable) -> None:
    made = table("CREATE TABLE t(a, b, c, CONSTRAINT pk PRIMARY KEY(c DESC, A COLLATE NOCASE))")
    assert made.primary_key == ("c", "a")
    assert made.primary_key_name == "pk"
    assert made.indexes == (
        Index(
            name="sqlite_autoindex_t_1",
            table="t",
            unique=True,
            origin="primary",
            terms=(
                IndexTerm(column="c", descending=True),
                IndexTerm(column="a", collation="NOCASE"),
            ),
            constraint="pk",
        ),
    )


def test_the_key_of_a_rowid_alias_has_a_name_but_no_index(table: OneTable) -> None:
    made = table("CREATE TABLE t(id INTEGER CONSTRAINT pk_t PRIMARY KEY)")
    assert made.primary_key_name == "pk_t"
    assert made.indexes == ()


def test_unique_constraints_find_their_names(table: OneTable) -> None:
    made = table(
        "CREATE TABLE t(a TEXT COLLATE NOCASE CONSTRAINT one UNIQUE, b, c,"
        " CONSTRAINT same UNIQUE(A COLLATE nocase), CONSTRAINT two UNIQUE(a COLLATE BINARY),"
        " UNIQUE(b), CONSTRAINT three UNIQUE(b, c), CONSTRAINT late UNIQUE(c))"
    )
    assert [(index.constraint, [t.column for t in index.terms]) for index in made.indexes] == [
        ("one", ["a"]),
        ("two", ["a"]),
        (None, ["b"]),
        ("three", ["b", "c"]),
        ("late", ["c"]),
    ]
    assert {index.origin for index in made.indexes} == {"unique"}


def test_indexes_of_every_kind(table: OneTable) -> None:
    made = table(
        "CREATE TABLE t(a TEXT COLLATE NOCASE, b, deleted);"
        " CREATE UNIQUE INDEX i ON t(a, b COLLATE RTRIM DESC) WHERE deleted = 0;"
        " CREATE INDEX e ON t(lower(a) COLLATE NOCASE, b || 'x,' DESC, a COLLATE BINARY);"
        ' CREATE INDEX q ON t("no such column")'
    )
    first, second, third = made.indexes
    assert first == Index(
        name="i",
        table="t",
        unique=True,
        origin="index",
        terms=(
            IndexTerm(column="a", collation="NOCASE"),
            IndexTerm(column="b", collation="RTRIM", descending=True),
        ),
        where="deleted = 0",
        sql="CREATE UNIQUE INDEX i ON t(a, b COLLATE RTRIM DESC) WHERE deleted = 0",
    )
    assert second.terms == (
        IndexTerm(column=None, expression="lower(a)", collation="NOCASE"),
        IndexTerm(column=None, expression="b || 'x,'", descending=True),
        IndexTerm(column="a"),
    )
    assert third.terms == (IndexTerm(column=None, expression='"no such column"'),)


def test_conflict_clauses(table: OneTable) -> None:
    made = table("CREATE TABLE t(a NOT NULL ON CONFLICT REPLACE DEFAULT 1, b UNIQUE)")
    assert made.conflict_clauses == (
        ConflictClause(constraint="NOT NULL", columns=("a",), action="REPLACE"),
    )


# --- foreign keys ----------------------------------------------------------------


def test_foreign_keys_come_as_written_and_point_at_real_names(read: Read) -> None:
    reading = read(
        "CREATE TABLE child(x, y, z REFERENCES PARENT ON UPDATE CASCADE,"
        " CONSTRAINT pair FOREIGN KEY(X, y) REFERENCES parent(B, a) ON DELETE SET NULL"
        " DEFERRABLE INITIALLY DEFERRED, FOREIGN KEY(x) REFERENCES gone,"
        " FOREIGN KEY(y) REFERENCES gone(k), FOREIGN KEY(x, y) REFERENCES Parent);"
        ' CREATE TABLE "Parent"(id INTEGER PRIMARY KEY, "A", b)'
    )
    assert reading.notes == ()
    plain = ForeignKey(name=None, columns=("x",), parent="gone", parent_columns=())
    assert reading.database.table("CHILD").foreign_keys == (
        ForeignKey(
            name=None,
            columns=("z",),
            parent="Parent",
            parent_columns=("id",),
            on_update="CASCADE",
        ),
        ForeignKey(
            name="pair",
            columns=("x", "y"),
            parent="Parent",
            parent_columns=("b", "A"),
            on_delete="SET NULL",
            deferrable=True,
            initially_deferred=True,
        ),
        plain,
        replace(plain, columns=("y",), parent_columns=("k",)),
        replace(plain, columns=("x", "y"), parent="Parent", parent_columns=("id",)),
    )


def test_a_deferral_speaks_of_the_last_foreign_key_wherever_it_stands(
    memory: apsw.Connection,
) -> None:
    memory.execute(
        "PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY);"
        " CREATE TABLE t(a REFERENCES p, b INT DEFERRABLE INITIALLY DEFERRED);"
        " BEGIN; INSERT INTO t(a) VALUES(1)"  # refused at once, were it not deferred
    )
    (key,) = read_sqlite(memory).database.table("t").foreign_keys
    assert (key.deferrable, key.initially_deferred) == (True, True)
    memory.execute("ROLLBACK")


# --- everything else ----------------------------------------------------------------


def test_views_and_triggers_keep_their_sql(read: Read) -> None:
    view = "CREATE VIEW v AS SELECT a FROM t"
    trigger = "CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES(new.a); END"
    reading = read(f"CREATE TABLE t(a); {view};{trigger}")
    assert reading.notes == ()
    assert reading.database.views == (View(name="v", sql=view, columns=("a",)),)
    assert reading.database.triggers == (Trigger(name="tr", table="v", sql=trigger),)


def test_virtual_tables_and_their_shadows(read: Read) -> None:
    reading = read("CREATE TABLE t(a); CREATE VIRTUAL TABLE docs USING FTS5(title, body)")
    assert reading.notes == ()
    kinds = {table.name: table.kind for table in reading.database.tables}
    assert kinds.pop("t") == TableKind.ORDINARY
    assert kinds.pop("docs") == TableKind.VIRTUAL
    assert set(kinds.values()) == {TableKind.SHADOW}
    assert set(kinds) == {
        f"docs_{part}" for part in ("data", "idx", "content", "docsize", "config")
    }
    docs = reading.database.table("docs")
    assert docs.module == "FTS5"
    assert [column.name for column in docs.columns] == ["rowid", "title", "body"]
    assert (docs.primary_key, docs.rowid_alias, docs.rowid_name) == (("rowid",), "rowid", "rowid")
    assert docs.is_copied


@pytest.mark.parametrize(
    ("made", "search", "columns"),
    [
        (
            'fts5([a b], "c" UNINDEXED, tokenize = "porter unicode61")',
            Search(content=None, columns=("a b",), tokenizer="porter", key="rowid"),
            ["rowid", "a b", "c"],
        ),
        (
            'FTS4(a TEXT, b, notindexed=b, languageid="lang")',
            Search(content=None, columns=("a",), tokenizer="simple", key="docid"),
            ["docid", "a", "b", "lang"],
        ),
        (
            "fts3",
            Search(content=None, columns=("content",), tokenizer="simple", key="docid"),
            ["docid", "content"],
        ),
        (
            "fts5(a, content='t', content_rowid='a')",
            Search(content="t", columns=("a",), tokenizer="unicode61", key="rowid"),
            [],
        ),
        (
            "fts5(a, content='')",
            Search(content="", columns=("a",), tokenizer="unicode61", key="rowid"),
            [],
        ),
    ],
)
def test_searches(read: Read, made: str, search: Search, columns: list[str]) -> None:
    docs = read(f"CREATE TABLE t(a); CREATE VIRTUAL TABLE d USING {made}").database.table("d")
    assert docs.search == search
    assert [column.name for column in docs.columns] == columns
    assert docs.is_copied == bool(columns)


def test_other_virtual_tables_are_no_searches(read: Read) -> None:
    boxes = read("CREATE VIRTUAL TABLE d USING rtree(id, a, b)").database.table("d")
    assert (boxes.search, boxes.columns, boxes.is_copied) == (None, (), False)


def test_temporary_tables_are_not_the_databases(read: Read) -> None:
    reading = read("CREATE TABLE t(a); CREATE TEMP TABLE t(b, c); CREATE TEMP TABLE u(d)")
    assert [[c.name for c in table.columns] for table in reading.database.tables] == [["a"]]


def test_a_table_of_many_columns(table: OneTable) -> None:
    made = table(f"CREATE TABLE t({', '.join(f'c{number} INT' for number in range(1999))})")
    assert len(made.columns) == 1999
