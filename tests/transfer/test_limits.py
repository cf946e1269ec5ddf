"""What the server refuses, and rows of every number and size: one bad thing costs itself."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import psycopg
import pytest

from core.plan import Fate
from core.source.rows import KeyKind
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import EXIT_DONE, EXIT_PARTIAL, Bounds
from core.transfer.quarantine import Quarantine
from tests.transfer.running import asked, prove, source_of, table


@pytest.mark.parametrize("chunk", [1, 2, 7, 100])
def test_rows_too_wide_for_a_page_are_found_and_set_aside(
    chunk: int, database: str, tmp_path: Path
) -> None:
    """1,600 columns: the server makes the table, and refuses the rows that fill it."""
    width, wide = 1600, {1, 5, 6, 13}
    columns = ", ".join(f"c{n} TEXT" for n in range(width))
    source = tmp_path / "wide.db"
    connection = apsw.Connection(str(source))
    connection.execute(f"CREATE TABLE wide ({columns})")
    with connection:
        for n in range(1, 14):
            row = ["12345678901" if n in wide else None] * width
            row[0] = str(n)
            connection.execute(f"INSERT INTO wide VALUES ({', '.join('?' * width)})", row)
    connection.close()
    report = migrate(asked(source, database, tmp_path, bounds=Bounds(rows=chunk)))
    assert report.exit_code == EXIT_PARTIAL
    assert (table(report, "wide").rows_target, table(report, "wide").rows_quarantined) == (9, 4)
    with psycopg.connect(database) as pg:
        entries = Quarantine(pg, report.run).entries()
    assert {(e.key, e.reason, e.detail) for e in entries} == {
        (str(n), "refused_by_server", "54000") for n in wide
    }
    prove(source, database, tmp_path)


def test_too_many_columns_cost_their_table(database: str, tmp_path: Path) -> None:
    columns = ", ".join(f"c{n}" for n in range(1601))
    source = source_of(
        tmp_path / "s.db",
        f"CREATE TABLE wide ({columns}); CREATE TABLE fine (a)",
        {"fine": [(1,)]},
    )
    report = migrate(asked(source, database, tmp_path))
    assert [t.name for t in report.tables] == ["fine"]
    assert [(o.name, o.reason) for o in report.not_carried] == [("wide", "too_many_columns")]
    prove(source, database, tmp_path)


@pytest.mark.parametrize(
    "key", ["PRIMARY KEY", "UNIQUE", "REFERENCES long"], ids=["primary", "unique", "referred"]
)
def test_a_key_too_long_costs_the_index_alone(key: str, database: str, tmp_path: Path) -> None:
    chance = random.Random(1)
    long = chance.randbytes(9000).hex()
    source = source_of(
        tmp_path / "s.db",
        f"CREATE TABLE long (a TEXT {key if 'REF' not in key else 'PRIMARY KEY'}, b INTEGER);"
        "CREATE INDEX long_a ON long (a); CREATE INDEX long_b ON long (b);"
        "CREATE TABLE child (a TEXT REFERENCES long (a))",
        {"long": [(long, 1), ("short", 2)], "child": [("short",)]},
    )
    report = migrate(asked(source, database, tmp_path))
    refused = {
        (o.kind, o.facts["sqlstate"]) for o in report.not_carried if o.reason == "build_refused"
    }
    kind = "unique" if key == "UNIQUE" else "primary_key"
    assert {(kind, "54000"), ("index", "54000")} <= refused
    # The foreign key has no key to refer to any more.
    assert refused - {(kind, "54000"), ("index", "54000")} == {("foreign_key", "42830")}
    assert "long_b" in {o.name for o in report.objects if o.fate is Fate.CARRIED}
    assert table(report, "long").rows_target == 2
    prove(source, database, tmp_path)


def test_a_real_whose_spelling_is_another_integer_stands_aside(
    database: str, tmp_path: Path
) -> None:
    """SQLite holds the two apart; as decimals they are one number."""
    source = source_of(
        tmp_path / "s.db",
        "CREATE TABLE n (a UNIQUE)",
        {"n": [(1152921504606847000,), (1.152921504606847e18,), (0.5,)]},
    )
    report = migrate(asked(source, database, tmp_path))
    assert (table(report, "n").rows_target, table(report, "n").rows_quarantined) == (2, 1)
    assert not report.not_carried
    prove(source, database, tmp_path)


def test_a_table_that_hides_its_rowid_is_carried_by_position(database: str, tmp_path: Path) -> None:
    source = source_of(
        tmp_path / "s.db",
        "CREATE TABLE hidden (rowid TEXT, oid INTEGER, _rowid_ TEXT)",
        {"hidden": [(f"r{n % 4}", "many" if n == 4 else n, None) for n in range(11)]},
    )
    report = migrate(asked(source, database, tmp_path, bounds=Bounds(rows=2)))
    with psycopg.connect(database) as pg:
        ledger = Ledger(pg)
        entries = Quarantine(pg, report.run).entries()
        plan = ledger.run(report.run).plan
    assert KeyKind.POSITION.value in plan
    assert [(e.key, e.cells[0].raw) for e in entries] == [("5", b"many")]
    assert table(report, "hidden").rows_target == 10
    prove(source, database, tmp_path)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5, 6, 7, 9])
def test_tables_around_the_size_of_a_chunk(rows: int, database: str, tmp_path: Path) -> None:
    source = source_of(
        tmp_path / "s.db",
        "CREATE TABLE by_rowid (a); CREATE TABLE by_key (a PRIMARY KEY, b) WITHOUT ROWID",
        {"by_rowid": [(n,) for n in range(rows)], "by_key": [(n, "x") for n in range(rows)]},
    )
    report = migrate(asked(source, database, tmp_path, bounds=Bounds(rows=3)))
    assert report.exit_code == EXIT_DONE
    assert [t.rows_target for t in report.tables] == [rows, rows]
    with psycopg.connect(database) as pg:
        chunks = pg.execute("SELECT range, rows_read FROM mudanza.chunk ORDER BY 1, chunk")
        read = [(int(r), int(n)) for r, n in chunks]
    for range_ in (1, 2):
        sizes = [n for r, n in read if r == range_]
        # A last chunk may be empty: a full one cannot know that nothing follows.
        assert sizes == [3] * (rows // 3) + [rows % 3]
    prove(source, database, tmp_path)


@pytest.mark.parametrize("limit", [1, 1000, 100_000])
def test_rows_bigger_than_a_chunk_go_one_by_one(limit: int, database: str, tmp_path: Path) -> None:
    sizes = [10, 5000, 0, 70_000, 300_000, 1, 1, 1]
    source = source_of(
        tmp_path / "s.db",
        "CREATE TABLE big (id INTEGER PRIMARY KEY, body BLOB, said TEXT)",
        {"big": [(n, b"\xff" * size, "é" * size) for n, size in enumerate(sizes)]},
    )
    migrate(asked(source, database, tmp_path, bounds=Bounds(rows=100, bytes=limit)))
    with psycopg.connect(database) as pg:
        found = pg.execute("SELECT rows_read, bytes FROM mudanza.chunk ORDER BY chunk").fetchall()
    for rows, size in found:
        assert rows <= 1 or size < limit + 2 * max(sizes)
    assert len(found) >= sum(2 * size >= limit for size in sizes)
    prove(source, database, tmp_path)


def test_rows_that_an_index_with_a_condition_does_not_speak_of_may_meet(
    database: str, tmp_path: Path
) -> None:
    """One moment in two spellings: only those in the index would be twins."""
    source = source_of(
        tmp_path / "s.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME, live BOOLEAN);"
        "CREATE UNIQUE INDEX one ON t (at) WHERE live = 1",
        {
            "t": [
                (1, "2024-01-02 00:00:00", 0),
                (2, "2024-01-02T00:00:00", 0),
                (3, "2024-01-02 00:00:00", 1),
            ]
        },
    )
    report = migrate(asked(source, database, tmp_path))
    assert [(t.rows_target, t.rows_quarantined) for t in report.tables] == [(3, 0)]
    assert [o.name for o in report.not_carried] == []
    prove(source, database, tmp_path)


def test_one_bad_object_never_stops_the_rest(database: str, tmp_path: Path) -> None:
    source = source_of(
        tmp_path / "s.db",
        """
        CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER DEFAULT (random()),
                        c AS (a || '!'), CHECK (b > 0));
        CREATE INDEX partial ON t (a) WHERE b & 2;
        CREATE INDEX expression ON t (a || zeroblob(b));
        CREATE INDEX fine ON t (b);
        CREATE VIEW broken AS SELECT * FROM nowhere;
        CREATE VIEW v AS SELECT printf('%s', a) FROM t;
        CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT zeroblob(NEW.b); END;
        CREATE VIRTUAL TABLE search USING rtree(id, low, high);
        CREATE TABLE orphan (a REFERENCES nowhere, b REFERENCES t (a));
        """,
        {"orphan": [(1, "x")]},
    )
    connection = apsw.Connection(str(source))
    connection.execute("INSERT INTO t (a, b) VALUES ('x', 1), ('y', 2)")
    connection.close()
    report = migrate(asked(source, database, tmp_path))
    assert report.exit_code == EXIT_PARTIAL
    lost = {o.name for o in report.not_carried}
    assert {"partial", "expression", "broken", "v", "tr", "search"} <= lost
    assert "fine" in {o.name for o in report.objects if o.fate is Fate.CARRIED}
    assert {t.name: t.rows_target for t in report.tables} == {"t": 2, "orphan": 1}
    prove(source, database, tmp_path)


def test_the_source_is_left_as_it_was(database: str, tmp_path: Path) -> None:
    source = source_of(tmp_path / "s.db", "CREATE TABLE t (a)", {"t": [(n,) for n in range(10)]})
    before, stat = source.read_bytes(), source.stat()
    migrate(asked(source, database, tmp_path))
    prove(source, database, tmp_path)
    after = source.stat()
    assert source.read_bytes() == before
    assert (after.st_mtime_ns, after.st_ino, after.st_mode) == (
        stat.st_mtime_ns,
        stat.st_ino,
        stat.st_mode,
    )
    assert {p.name for p in tmp_path.iterdir()} == {"s.db", "snapshots"}
