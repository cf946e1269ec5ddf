"""One object that cannot be read costs that object, and leaves a note."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from core.errors import SourceSchemaUnreadable
from core.schema import NoteReason, Reading, TableKind, read_sqlite
from tests.schema.conftest import Read

Tampered = Callable[[str, dict[str, bytes]], Reading]


@pytest.fixture
def tampered(tmp_path: Path) -> Tampered:
    """Make a database, replace the stored SQL of objects, and read it through a defensive connection."""

    def run(sql: str, replaced: dict[str, bytes]) -> Reading:
        path = str(tmp_path / "tampered.db")
        writer = apsw.Connection(path)
        writer.execute(sql)
        writer.execute("PRAGMA writable_schema = ON")
        for name, text in replaced.items():
            writer.execute(
                "UPDATE sqlite_schema SET sql = CAST(? AS TEXT) WHERE name = ?", (text, name)
            )
        writer.close()
        reader = apsw.Connection(path)
        reader.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        reading = read_sqlite(reader)
        # Whatever was read can also be selected through the same connection.
        for table in reading.database.tables:
            if table.kind is TableKind.ORDINARY:
                reader.execute(f'SELECT * FROM "{table.name}"').fetchall()
        with pytest.raises(apsw.SQLError, match="may not be modified"):
            reader.execute("DELETE FROM sqlite_schema")
        reader.close()
        return reading

    return run


def noted(reading: Reading) -> dict[str, NoteReason]:
    return {note.object: note.reason_id for note in reading.notes}


def test_what_sqlite_cannot_load_leaves_the_rest_readable(tampered: Tampered) -> None:
    reading = tampered(
        "CREATE TABLE good(a UNIQUE, b); CREATE TABLE bad(a); CREATE TABLE child(x REFERENCES bad);"
        " CREATE INDEX i ON good(a); CREATE INDEX k ON good(b); CREATE VIEW v AS SELECT 1;"
        " CREATE TRIGGER tr AFTER INSERT ON good BEGIN SELECT 1; END",
        {
            "bad": b"CREATE TABLE bad(",
            "i": b"CREATE INDEX i ON good(gone, gone)",
            "v": b"CREATE VIEW v AS",
            "tr": b"CREATE TRIGGER tr what",
        },
    )
    assert [table.name for table in reading.database.tables] == ["good", "child"]
    assert [index.name for index in reading.database.table("good").indexes] == [
        "sqlite_autoindex_good_1",
        "k",
    ]
    assert reading.database.views == ()
    assert noted(reading) == {
        "bad": NoteReason.OBJECT_MALFORMED,
        "i": NoteReason.OBJECT_MALFORMED,
        "v": NoteReason.OBJECT_MALFORMED,
        "tr": NoteReason.SQL_UNPARSED,
    }


def test_sql_that_is_not_text_is_read_by_pragmas_alone(tampered: Tampered) -> None:
    reading = tampered(
        "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b REFERENCES p, UNIQUE(b));"
        " CREATE TABLE d(a)",
        {
            "t": b"CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b REFERENCES p CHECK(b"
            b" <> '\xff'), UNIQUE(b))",
            "d": b"CREATE TABLE d(a DEFAULT 'caf\xe9')",
        },
    )
    assert noted(reading) == {"t": NoteReason.SQL_NOT_TEXT, "d": NoteReason.SQL_NOT_TEXT}
    first, second = reading.database.tables
    assert (first.rowid_alias, first.autoincrement, first.checks) == ("a", True, ())
    assert [key.parent for key in first.foreign_keys] == ["p"]
    assert second.columns[0].default is not None
    assert second.columns[0].default.expression == "'caf\ufffd'"


def test_names_that_are_not_text_cannot_be_asked_for(tampered: Tampered) -> None:
    reading = tampered(
        "CREATE TABLE good(a); CREATE TABLE t(a, b); CREATE INDEX i ON t(b)",
        {"t": b'CREATE TABLE t("caf\xe9", b)'},
    )
    assert [table.name for table in reading.database.tables] == ["good"]
    assert {(n.object, n.reason_id) for n in reading.notes} == {
        ("t", NoteReason.SQL_NOT_TEXT),
        ("t", NoteReason.NAME_NOT_TEXT),
        ("i", NoteReason.TABLE_UNREAD),
    }


def test_an_object_whose_own_name_is_not_text_is_noted(tmp_path: Path) -> None:
    path = str(tmp_path / "latin.db")
    writer = apsw.Connection(path)
    writer.execute(
        "CREATE TABLE good(a); CREATE TABLE bad(a); CREATE INDEX i ON good(a);"
        " PRAGMA writable_schema = ON;"
        " UPDATE sqlite_schema SET name = CAST(x'62e9' AS TEXT), tbl_name = CAST(x'62e9' AS TEXT),"
        " sql = CAST(CAST('CREATE TABLE \"b' AS BLOB) || x'e9' || CAST('\"(a)' AS BLOB) AS TEXT)"
        " WHERE name = 'bad';"
        " UPDATE sqlite_schema SET name = CAST(x'69e9' AS TEXT),"
        " sql = CAST(CAST('CREATE INDEX \"i' AS BLOB) || x'e9' || CAST('\" ON good(a)' AS BLOB)"
        " AS TEXT) WHERE name = 'i'"
    )
    writer.close()
    reader = apsw.Connection(path)
    reading = read_sqlite(reader)
    reader.close()
    assert [(table.name, table.indexes) for table in reading.database.tables] == [("good", ())]
    assert [(n.kind, n.object, n.reason_id) for n in reading.notes] == [
        ("table", "b\ufffd", NoteReason.NAME_NOT_TEXT),
        ("index", "i\ufffd", NoteReason.NAME_NOT_TEXT),
    ]


def test_a_virtual_table_without_its_module_is_listed_and_noted(tampered: Tampered) -> None:
    reading = tampered(
        "CREATE VIRTUAL TABLE vt USING fts5(a)",
        {"vt": b"CREATE VIRTUAL TABLE vt USING VirtualNothing(a)"},
    )
    assert reading.database.table("vt").module == "VirtualNothing"
    assert noted(reading) == {"vt": NoteReason.MODULE_MISSING}
    assert "no such module: VirtualNothing" in reading.notes[0].detail


def test_a_view_that_does_not_compile_is_kept_and_noted(read: Read) -> None:
    reading = read(
        "CREATE TABLE t(a); CREATE VIEW fine AS SELECT a FROM t;"
        " CREATE VIEW lost AS SELECT a FROM gone; CREATE VIEW far AS SELECT no_such_function(a) FROM t"
    )
    assert [view.name for view in reading.database.views] == ["fine", "lost", "far"]
    assert noted(reading) == {"lost": NoteReason.VIEW_BROKEN, "far": NoteReason.VIEW_BROKEN}
    assert "no_such_function" in reading.notes[1].detail


def test_a_schema_that_cannot_be_loaded_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "future.db"
    writer = apsw.Connection(str(path))
    writer.execute("CREATE TABLE t(a)")
    writer.close()
    content = bytearray(path.read_bytes())
    content[47] = 99  # the schema format number: https://sqlite.org/fileformat2.html section 1.3
    path.write_bytes(content)
    reader = apsw.Connection(str(path))
    with pytest.raises(SourceSchemaUnreadable) as refused:
        read_sqlite(reader)
    reader.close()
    assert refused.value.facts == {"path": str(path), "detail": "unsupported file format"}
