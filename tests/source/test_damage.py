"""Files that were cut, flipped or forged: each ends as a refusal or as a copy that can be read."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest

from core import errors
from core.source import check_integrity, inspect, open_snapshot, take_snapshot
from core.source.reading import reading
from core.source.sidecars import pages_in_wal
from tests.source import databases
from tests.source.databases import Other
from tests.source.test_refusals import damage

PAGE = 4096
SEED = 20261124


def copy_and_check(path: Path, into: Path) -> tuple[str, ...]:
    """The full check; the quick one finds the same damage, and nothing else."""
    snapshot = take_snapshot(inspect(path), into, busy_seconds=5)
    connection = open_snapshot(snapshot.path)
    try:
        try:
            notes = check_integrity(connection, path)
        except errors.SourceCorrupt:
            with pytest.raises(errors.SourceCorrupt):
                check_integrity(connection, path, quick=True)
            raise
        assert set(check_integrity(connection, path, quick=True)) <= set(notes)
        return notes
    finally:
        connection.close()


def test_a_sound_file_has_no_notes(tmp_path: Path) -> None:
    assert copy_and_check(databases.make(tmp_path / "a.db"), tmp_path / "copy.db") == ()


# --- cut short -------------------------------------------------------------------


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


@pytest.mark.parametrize("lost", [1, 100, PAGE - 1, PAGE, PAGE + 1, 10 * PAGE, 40 * PAGE + 512])
def test_a_file_cut_anywhere_is_truncated(lost: int, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    whole = path.stat().st_size
    cut(path, whole - lost)
    with pytest.raises(errors.SourceTruncated) as refused:
        copy_and_check(path, tmp_path / "copy.db")
    assert refused.value.facts["expected_bytes"] == whole
    assert refused.value.facts["found_bytes"] == whole - lost
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("kept", [16, 20, 99, 100, 511, 512, PAGE - 1])
def test_a_file_cut_in_its_first_page_is_truncated(kept: int, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    cut(path, kept)
    with pytest.raises(errors.SourceTruncated):
        copy_and_check(path, tmp_path / "copy.db")


def test_a_tail_that_only_holds_blob_bytes_is_missed_too(tmp_path: Path) -> None:
    """SQLite would read the missing end of the last overflow page as zeros and say ok."""
    path = tmp_path / "a.db"
    connection = apsw.Connection(str(path))
    connection.execute(
        "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(4000) || randomblob(90000))"
    )
    connection.close()
    cut(path, path.stat().st_size - 100)
    application = apsw.Connection(str(path))
    assert application.execute("PRAGMA integrity_check").get == "ok"
    application.close()
    with pytest.raises(errors.SourceTruncated):
        copy_and_check(path, tmp_path / "copy.db")


def test_old_writers_do_not_count_pages(tmp_path: Path) -> None:
    """Before 3.7.0 the page count was not kept: then only whole pages can be asked for."""
    path = databases.make(tmp_path / "a.db")
    damage(path, 28, bytes(4))
    damage(path, 92, bytes(4))
    assert copy_and_check(path, tmp_path / "copy.db") == ()
    cut(path, path.stat().st_size - 7)
    with pytest.raises(errors.SourceTruncated):
        copy_and_check(path, tmp_path / "copy2.db")


def test_bytes_after_the_last_page_are_no_harm(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    with path.open("ab") as file:
        file.write(bytes(1000))
    assert copy_and_check(path, tmp_path / "copy.db") == ()


def half_checkpointed(path: Path, *, keep_wal: bool) -> Path:
    """Killed in a checkpoint: page 1 with the new count is written, the new pages are not."""
    alive = databases.make(path.with_name("alive.db"), mode="wal", rows=10)
    old_size = alive.stat().st_size
    connection = apsw.Connection(str(alive))
    connection.pragma("wal_autocheckpoint", 0)
    connection.execute("INSERT INTO t SELECT id + 100, hex(randomblob(3000)) FROM t")
    wal = Path(f"{alive}-wal").read_bytes()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path.write_bytes(alive.read_bytes()[:old_size])
    if keep_wal:
        Path(f"{path}-wal").write_bytes(wal)
    alive.unlink()
    return path


def test_a_wal_may_hold_what_the_file_lacks(tmp_path: Path) -> None:
    path = half_checkpointed(tmp_path / "a.db", keep_wal=True)
    assert copy_and_check(path, tmp_path / "copy.db") == ()
    copy = open_snapshot(tmp_path / "copy.db")
    assert copy.execute("SELECT count(*), sum(length(word)) > 60000 FROM t").get == (20, 1)
    copy.close()


def test_without_its_wal_the_same_file_is_truncated(tmp_path: Path) -> None:
    with pytest.raises(errors.SourceTruncated):
        copy_and_check(half_checkpointed(tmp_path / "a.db", keep_wal=False), tmp_path / "copy.db")


def test_a_wal_that_lacks_them_too_does_not_help(tmp_path: Path) -> None:
    path = databases.leave_frames(tmp_path / "a.db", shm=False)
    whole = path.stat().st_size
    cut(path, whole - 3 * PAGE)
    before = path.read_bytes()
    with pytest.raises(errors.SourceTruncated) as refused:
        copy_and_check(path, tmp_path / "copy.db")
    assert refused.value.facts["found_bytes"] == whole - 3 * PAGE
    assert path.read_bytes() == before


def test_frames_of_an_older_generation_do_not_count(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode="wal")
    connection = apsw.Connection(str(path))
    connection.pragma("wal_autocheckpoint", 0)
    connection.execute("UPDATE t SET word = hex(randomblob(100))")
    many = pages_in_wal(path)
    connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    connection.execute("UPDATE t SET id = -1 WHERE id = 1")
    assert 0 < len(pages_in_wal(path)) < len(many)
    connection.close()
    assert pages_in_wal(path) == set()


# --- flipped ---------------------------------------------------------------------


@pytest.mark.parametrize("page", [2, 3, 10, 20])
@pytest.mark.parametrize(
    "harm",
    [b"\x00", b"\x07", b"\x0d\xff\xff\xff\xff\xff\xff\xff", b"\x0d\x00\x00\x7f\xff"],
    ids=["no such kind", "another kind", "all bits set", "too many cells"],
)
def test_a_damaged_tree_page_is_corrupt(page: int, harm: bytes, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", rows=3000)
    damage(path, (page - 1) * PAGE, harm)
    with pytest.raises(errors.SourceCorrupt) as refused:
        copy_and_check(path, tmp_path / "copy.db")
    assert refused.value.facts["path"] == path
    assert refused.value.facts["detail"]


def test_reading_a_damaged_page_is_corrupt_too(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", rows=3000)
    damage(path, 9 * PAGE, bytes(8))
    connection = open_snapshot(take_snapshot(inspect(path), tmp_path / "copy.db").path)
    with pytest.raises(errors.SourceCorrupt), reading(path):
        connection.execute("SELECT sum(length(word)) FROM t NOT INDEXED").fetchall()
    connection.close()


def test_a_lost_subtree_is_corrupt_although_no_page_is_odd(tmp_path: Path) -> None:
    """An interior page that forgets some children: every page left is sound, rows are gone."""
    path = tmp_path / "a.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    connection.execute(databases.ROWS.format(rows=3000, table="t", half=100))
    connection.close()
    with path.open("rb") as file:
        file.seek(PAGE)
        root = file.read(8)
    assert root[0] == 5, "the root is an interior page"
    cells = int.from_bytes(root[3:5], "big")
    damage(path, PAGE + 3, (cells - 2).to_bytes(2, "big"))
    with pytest.raises(errors.SourceCorrupt):
        copy_and_check(path, tmp_path / "copy.db")


def test_a_damaged_schema_is_unreadable(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    offset = path.read_bytes().index(b"CREATE TABLE t")
    damage(path, offset, b"CREATE TABEL t")
    with pytest.raises(errors.SourceSchemaUnreadable):
        copy_and_check(path, tmp_path / "copy.db")


# --- odd, yet readable -----------------------------------------------------------


def with_schema_edited(path: Path, build: str, old: str, new: str, *, more: str = "") -> Path:
    connection = apsw.Connection(str(path))
    connection.execute(build)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?)", (old, new))
    connection.close()
    connection = apsw.Connection(str(path))
    connection.execute(more)
    connection.close()
    return path


@pytest.mark.parametrize(
    ("build", "old", "new", "note"),
    [
        ("CREATE TABLE t (a, b); INSERT INTO t VALUES (NULL, 1)", "(a,", "(a NOT NULL,", "NULL value in t.a"),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x')", "a TEXT)", "a INT) STRICT", "non-INT value in t.a"),
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1), (1); CREATE INDEX i ON t (a)", "CREATE INDEX", "CREATE UNIQUE INDEX", "non-unique entry in index i"),
        ("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2); CREATE INDEX i ON t (a)", "t (a)", "t (b)", "row 1 missing from index i"),
    ],
)  # fmt: skip
def test_a_broken_constraint_is_a_note(
    build: str, old: str, new: str, note: str, tmp_path: Path
) -> None:
    path = with_schema_edited(tmp_path / "a.db", build, old, new)
    notes = copy_and_check(path, tmp_path / "copy.db")
    assert note in notes


def test_keys_out_of_order_in_a_table_are_damage(tmp_path: Path) -> None:
    """A table WITHOUT ROWID is its key's tree: out of order, rows would be missed by a search."""
    build = "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES ('B'), ('a')"
    path = with_schema_edited(tmp_path / "a.db", build, "a TEXT", "a TEXT COLLATE NOCASE")
    with pytest.raises(errors.SourceCorrupt):
        copy_and_check(path, tmp_path / "copy.db")


def test_what_only_the_application_has_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = apsw.Connection(str(path))
    connection.create_collation("ours", lambda a, b: (a > b) - (a < b))
    connection.create_scalar_function("twice", lambda x: 2 * x, deterministic=True)
    connection.execute("""
        CREATE TABLE words (word TEXT COLLATE ours PRIMARY KEY);
        CREATE TABLE "it's" (n); CREATE INDEX by_twice ON "it's" (twice(n));
        CREATE TABLE plain (n NOT NULL);
        INSERT INTO words VALUES ('a'), ('b'); INSERT INTO "it's" VALUES (2);
        INSERT INTO plain VALUES (1)
    """)
    connection.close()
    notes = copy_and_check(path, tmp_path / "copy.db")
    assert [note.split(":")[:2] for note in notes] == [
        ["not checked", " words"],
        ["not checked", " it's"],
    ]
    copy = open_snapshot(tmp_path / "copy.db")
    with reading(path):
        assert copy.execute("SELECT n FROM plain").get == 1
    with pytest.raises(errors.SourceSchemaUnreadable), reading(path):
        copy.execute("SELECT * FROM words ORDER BY word").fetchall()
    copy.close()


def test_damage_in_another_table_is_found_all_the_same(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", rows=3000)
    connection = apsw.Connection(str(path))
    connection.create_scalar_function("twice", lambda x: 2 * x, deterministic=True)
    connection.execute("CREATE TABLE u (n); CREATE INDEX by_twice ON u (twice(n))")
    connection.close()
    damage(path, 9 * PAGE, bytes(8))
    with pytest.raises(errors.SourceCorrupt):
        copy_and_check(path, tmp_path / "copy.db")


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_notes_are_read_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    build = f"PRAGMA encoding = '{encoding}'; CREATE TABLE ñandú (a, b); INSERT INTO ñandú VALUES (NULL, 1)"
    path = with_schema_edited(tmp_path / "a.db", build, "(a,", "(a NOT NULL,")
    assert copy_and_check(path, tmp_path / "copy.db") == ("NULL value in ñandú.a",)


def test_a_mistake_of_ours_is_not_blamed_on_the_source(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    connection = open_snapshot(path)
    with pytest.raises(apsw.SQLError), reading(path):
        connection.execute("SELECT nosuch FROM t")
    connection.close()


# --- forged ----------------------------------------------------------------------

MANY_KINDS = """
    CREATE TEMP TABLE n AS WITH RECURSIVE n(value) AS
        (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 300) SELECT value FROM n;
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, mail TEXT UNIQUE COLLATE NOCASE);
    CREATE TABLE tags (a TEXT, b TEXT, n, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB, size AS (length(body)));
    CREATE VIRTUAL TABLE search USING fts5(words);
    CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
    CREATE VIEW everyone AS SELECT mail FROM users;
    CREATE TRIGGER log AFTER INSERT ON users BEGIN INSERT INTO search VALUES (new.mail); END;
    INSERT INTO users (mail) SELECT 'user' || value FROM n WHERE value <= 200;
    INSERT INTO tags SELECT 't' || (value % 7), value, value FROM n;
    INSERT INTO files (body) SELECT randomblob(value * 40) FROM n WHERE value <= 100;
    INSERT INTO boxes SELECT value, value, value + 1 FROM n WHERE value <= 100;
    DELETE FROM users WHERE id % 3 = 0
"""

VISIT_ALL = """
from core import errors
ends = {}
for path in sorted(Path(sys.argv[1]).glob('*.db')):
    copy = path.with_suffix('.copy')
    try:
        snapshot = take_snapshot(inspect(path), copy, busy_seconds=1)
        connection = open_snapshot(snapshot.path)
        try:
            check_integrity(connection, path)
            with reading(path):
                tables = connection.execute(
                    "SELECT CAST(name AS BLOB) FROM pragma_table_list WHERE type IN ('table', 'shadow')"
                ).fetchall()
                for (name,) in tables:
                    quoted = '"' + name.decode().replace('"', '""') + '"'
                    connection.execute(f"SELECT count(*) FROM {quoted} NOT INDEXED").fetchall()
                    for row in connection.execute(f"PRAGMA table_xinfo({quoted})").fetchall():
                        column = '"' + row[1].replace('"', '""') + '"'
                        connection.execute(f"SELECT sum(length(CAST({column} AS BLOB))) FROM {quoted} NOT INDEXED").fetchall()
            end = 'readable'
        finally:
            connection.close()
    except errors.SourceRefused as refused:
        end = refused.id
    except UnicodeDecodeError:
        end = 'a name that is not UTF-8'
    except Exception as other:
        raise AssertionError(path) from other
    ends[end] = ends.get(end, 0) + 1
print(ends)
"""


def forge(raw: bytes, chance: random.Random) -> bytes:
    """One to twenty small harms: a bit, a run of bytes, a page; half of them in page 1. Or a cut."""
    body = bytearray(raw)
    for _ in range(chance.choice([1, 2, 5, 20])):
        at = chance.randrange(len(body) if chance.random() < 0.5 else PAGE)
        page = max(PAGE, at // PAGE * PAGE)
        harm = chance.randrange(4)
        if harm in (0, 1):
            body[at] ^= 1 << chance.randrange(8)
        elif harm == 2:
            body[at : at + 8] = chance.randbytes(8)[: len(body) - at]
        else:
            other = chance.randrange(1, len(body) // PAGE) * PAGE
            moved = body[other : other + PAGE]
            body[page : page + PAGE] = chance.choice([chance.randbytes(PAGE), moved])
    return bytes(body[: chance.randrange(len(body))] if chance.random() < 0.05 else body)


def test_a_hundred_forged_files_end_in_words(tmp_path: Path) -> None:
    """No crash, no hang, no error of apsw: all in one process, which has to come back."""
    whole = apsw.Connection(str(tmp_path / "whole"))
    whole.execute(MANY_KINDS)
    whole.close()
    raw = (tmp_path / "whole").read_bytes()
    chance = random.Random(SEED)
    for number in range(100):
        (tmp_path / f"{number:03}.db").write_bytes(forge(raw, chance))
    with Other(VISIT_ALL, tmp_path) as other:
        ends = other.finish(seconds=120)
    for end in ("readable", "source_corrupt", "source_schema_unreadable"):
        assert end in ends, (SEED, ends)
