"""The page copy: one state of the source, and the source as it was."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import time
from collections import namedtuple
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import apsw
import pytest

from core import errors
from core.source import (
    Snapshot,
    check_integrity,
    discard_snapshot,
    inspect,
    open_snapshot,
    snapshot,
    take_snapshot,
    verify_snapshot,
)
from tests.source import databases
from tests.source.databases import Other, as_root


@pytest.fixture
def source_folder(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "copies" / "copy.db"


def value(path: Path, query: str) -> object:
    connection = open_snapshot(path)
    try:
        return connection.execute(query).get
    finally:
        connection.close()


# --- what a copy is --------------------------------------------------------------


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_copy_is_private_whole_and_a_single_file(
    mode: str, source_folder: Path, into: Path
) -> None:
    path = databases.make(source_folder / "a.db", mode=mode)
    source = inspect(path)
    assert (source.journal_mode, source.page_size) == (mode, 4096)
    before = datetime.now(UTC)
    copy = take_snapshot(source, into)
    assert before <= copy.taken_at <= datetime.now(UTC)
    assert copy.source == source
    assert copy.bytes == into.stat().st_size == path.stat().st_size
    assert copy.sha256 == hashlib.sha256(into.read_bytes()).hexdigest()
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    assert [file.name for file in into.parent.iterdir()] == ["copy.db"]
    assert into.read_bytes()[96:100] == bytes(4), "no trace of the SQLite that copied it"
    assert inspect(into).journal_mode == "delete"
    assert value(into, "SELECT count(*) FROM t") == 1000
    assert value(into, "PRAGMA journal_mode") == "delete"
    assert [file.name for file in into.parent.iterdir()] == ["copy.db"]


def test_the_mode_does_not_depend_on_the_umask(source_folder: Path, into: Path) -> None:
    old = os.umask(0)
    try:
        take_snapshot(inspect(databases.make(source_folder / "a.db", mode="wal")), into)
    finally:
        os.umask(old)
    assert stat.S_IMODE(into.stat().st_mode) == 0o600
    assert stat.S_IMODE(into.parent.stat().st_mode) == 0o700


def test_nothing_is_overwritten(source_folder: Path, into: Path) -> None:
    source = inspect(databases.make(source_folder / "a.db"))
    into.parent.mkdir()
    into.write_text("mine")
    with pytest.raises(FileExistsError):
        take_snapshot(source, into)
    assert into.read_text() == "mine"


def test_implicit_rowids_keep_their_numbers(source_folder: Path, into: Path) -> None:
    connection = apsw.Connection(str(source_folder / "a.db"))
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3), (4)")
    connection.execute("DELETE FROM t WHERE a IN (1, 3); INSERT INTO t (rowid, a) VALUES (99, 9)")
    connection.close()
    take_snapshot(inspect(source_folder / "a.db"), into)
    assert value(into, "SELECT group_concat(rowid) FROM t") == "2,4,99"


@pytest.mark.parametrize("page_size", [512, 65536])
def test_page_sizes_are_kept(page_size: int, source_folder: Path, into: Path) -> None:
    connection = apsw.Connection(str(source_folder / "a.db"))
    connection.pragma("page_size", page_size)
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(9000))")
    connection.close()
    copy = take_snapshot(inspect(source_folder / "a.db"), into)
    assert copy.page_size == page_size == value(into, "PRAGMA page_size")


def test_progress_ends_at_the_whole(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db", rows=20_000, half=500)
    told: list[tuple[int, int]] = []
    copy = take_snapshot(inspect(path), into, on_progress=lambda *step: told.append(step))
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] == (copy.bytes, copy.bytes)


# --- the source is untouched -----------------------------------------------------


def test_a_rollback_source_is_untouched(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db")
    before = databases.trace(source_folder)
    take_snapshot(inspect(path), into)
    assert databases.trace(source_folder) == before


def test_a_closed_wal_source_is_untouched(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db", mode="wal")
    before = databases.trace(source_folder)
    take_snapshot(inspect(path), into)
    assert databases.trace(source_folder) == before


@pytest.mark.parametrize("shm", [True, False])
def test_frames_that_nobody_checkpointed_are_seen_and_stay(
    shm: bool, source_folder: Path, into: Path
) -> None:
    path = databases.leave_frames(source_folder / "a.db", shm=shm)
    before = databases.trace(source_folder)
    source = inspect(path)
    assert source.wal_bytes > 0
    take_snapshot(source, into)
    assert value(into, "SELECT word FROM t WHERE id = 0") == "only in the WAL"
    without_index = [file for file in databases.trace(source_folder) if "-shm" not in file[0]]
    assert without_index == [file for file in before if "-shm" not in file[0]]
    assert len(databases.trace(source_folder)) == len(before)


def test_a_wal_beside_a_rollback_header_is_read_as_sqlite_reads_it(
    source_folder: Path, into: Path
) -> None:
    path = databases.make(source_folder / "a.db")
    (source_folder / "a.db-wal").touch()
    before = databases.trace(source_folder)
    take_snapshot(inspect(path), into)
    assert databases.trace(source_folder) == before


SIT_ON = """
connection = apsw.Connection(sys.argv[1])
connection.execute("INSERT INTO t VALUES (-1, 'new')")
print("ready", flush=True)
sys.stdin.read()
connection.execute("INSERT INTO t VALUES (-2, 'newer')")
print(connection.execute("SELECT count(*) FROM t").get)
"""


def test_an_application_that_has_it_open_goes_on(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db", mode="wal")
    with Other(SIT_ON, path) as application:
        application.wait_until_ready()
        names = sorted(file.name for file in source_folder.iterdir())
        take_snapshot(inspect(path), into)
        assert sorted(file.name for file in source_folder.iterdir()) == names
        assert application.finish() == "1002"
    assert value(into, "SELECT count(*) FROM t") == 1001


TRY_TO_WRITE = """
try:
    apsw.Connection(sys.argv[1]).execute("BEGIN IMMEDIATE")
    print("took the lock")
except apsw.BusyError:
    print("locked out")
"""


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_locks_of_this_process_survive(mode: str, source_folder: Path, into: Path) -> None:
    """Closing any descriptor of a file drops the locks a process holds on it: not ours."""
    path = databases.make(source_folder / "a.db", mode=mode)
    capture = apsw.Connection(str(path))
    capture.execute("BEGIN IMMEDIATE")
    take_snapshot(inspect(path), into)
    with Other(TRY_TO_WRITE, path) as writer:
        assert writer.finish() == "locked out"
    capture.close()


# --- digests ---------------------------------------------------------------------


def twice(path: Path, folder: Path) -> tuple[Snapshot, Snapshot]:
    first, second = (take_snapshot(inspect(path), folder / f"{n}.db") for n in (1, 2))
    return first, second


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_two_copies_of_an_unchanged_source_are_equal(mode: str, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode=mode)
    first, second = twice(path, tmp_path / "copies")
    assert first.sha256 == second.sha256
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE t SET word = 'other' WHERE id = 500")
    connection.close()
    assert take_snapshot(inspect(path), tmp_path / "3.db").sha256 != first.sha256


def test_a_checkpoint_does_not_change_the_digest(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode="wal", rows=5000)
    connection = apsw.Connection(str(path))
    connection.pragma("wal_autocheckpoint", 0)
    connection.execute("DELETE FROM t WHERE id % 7 = 0; DROP INDEX t_word")
    connection.execute("INSERT INTO t SELECT id + 90000, word FROM t WHERE id < 100")
    first, second = twice(path, tmp_path / "copies")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    third = take_snapshot(inspect(path), tmp_path / "copies" / "3.db")
    connection.close()
    fourth = take_snapshot(inspect(path), tmp_path / "copies" / "4.db")
    assert len({first.sha256, second.sha256, third.sha256, fourth.sha256}) == 1


def test_a_recorded_digest_is_verified(source_folder: Path, into: Path) -> None:
    copy = take_snapshot(inspect(databases.make(source_folder / "a.db")), into)
    verify_snapshot(into, copy.sha256)
    with into.open("r+b") as file:
        file.seek(5000)
        file.write(b"?")
    with pytest.raises(errors.SnapshotLost) as lost:
        verify_snapshot(into, copy.sha256, run="r1")
    assert lost.value.facts == {"run": "r1", "path": into}
    discard_snapshot(into)
    with pytest.raises(errors.SnapshotLost):
        verify_snapshot(into, copy.sha256)
    with pytest.raises(errors.SnapshotLost):
        open_snapshot(into)
    assert not into.exists()
    discard_snapshot(into)


def test_nobody_writes_through_a_snapshot_connection(source_folder: Path, into: Path) -> None:
    take_snapshot(inspect(databases.make(source_folder / "a.db")), into)
    connection = open_snapshot(into)
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("DELETE FROM t")
    with pytest.raises(apsw.SQLError):
        connection.execute("ATTACH 'other.db' AS other")
    connection.close()


# --- writers ---------------------------------------------------------------------

# Two accounts of many pages each: money moves between them, the sum stays.
HAMMER = """
import random
chance = random.Random(1)
connection = apsw.Connection(sys.argv[1])
connection.set_busy_timeout(20000)
print("ready", flush=True)
for n in range(10**9):
    connection.execute("BEGIN IMMEDIATE")
    amount, row = chance.randrange(100), chance.randrange(1, 3000)
    connection.execute("UPDATE a SET money = money - ? WHERE id = ?", (amount, row))
    connection.execute("UPDATE b SET money = money + ? WHERE id = ?", (amount, 3001 - row))
    if n % 10 == 0:
        connection.execute("INSERT INTO b SELECT NULL, 5, randomblob(2000); INSERT INTO a SELECT NULL, -5, randomblob(2000)")
    connection.execute("COMMIT")
"""


def two_accounts(path: Path, mode: str) -> Path:
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", mode)
    connection.pragma("synchronous", 0)
    with connection:
        for table in ("a", "b"):
            connection.execute(
                f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, money INT, pad BLOB)"
            )
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
                f"INSERT INTO {table} SELECT i, 1000, randomblob(1000) FROM n"
            )
    connection.close()
    return path


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_copy_under_writers_is_one_state(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "STEP_BYTES", 256 << 10)  # some thirty steps
    path = two_accounts(tmp_path / "a.db", mode)
    digests: set[str] = set()
    progress: list[tuple[int, int]] = []
    with Other(HAMMER, path) as writer, Other(HAMMER, path) as another:
        writer.wait_until_ready(), another.wait_until_ready()
        for number in range(5):
            into = tmp_path / f"{number}.db"
            progress.append((0, 0))
            copy = take_snapshot(inspect(path), into, on_progress=lambda *now: progress.append(now))
            digests.add(copy.sha256)
            connection = open_snapshot(into)
            assert check_integrity(connection, into) == ()
            sums = "SELECT (SELECT sum(money) FROM a) + (SELECT sum(money) FROM b)"
            assert connection.execute(sums).get == 6_000_000
            connection.close()
        writer.kill(), another.kill()
    assert len(digests) == 5, "the writers did write"
    restarts = sum(now <= before and now != (0, 0) for before, now in pairwise(progress))
    assert (restarts > 0) == (mode == "delete")


HOLD = """
connection = apsw.Connection(sys.argv[1])
connection.execute(sys.argv[2]).fetchall()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_writer_that_holds_on_for_too_long_is_busy(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db")
    with Other(HOLD, path, "BEGIN EXCLUSIVE") as holder:
        holder.wait_until_ready()
        began = time.monotonic()
        with pytest.raises(errors.SourceBusy) as busy:
            take_snapshot(inspect(path), into, busy_seconds=0.3)
        assert 0.2 < time.monotonic() - began < 10
    assert busy.value.facts == {"path": path, "seconds": 0.3}
    assert list(into.parent.iterdir()) == []


def test_a_writer_that_lets_go_is_waited_for(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db")
    script = HOLD.replace("sys.stdin.read()", "import time; time.sleep(0.5)")
    with Other(script, path, "BEGIN EXCLUSIVE; INSERT INTO t VALUES (-1, 'late')") as holder:
        holder.wait_until_ready()
        take_snapshot(inspect(path), into, busy_seconds=30)
    assert value(into, "SELECT count(*) FROM t") == 1000


def test_a_writer_of_a_wal_is_not_waited_for(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db", mode="wal")
    with Other(HOLD, path, "BEGIN IMMEDIATE; INSERT INTO t VALUES (-1, 'late')") as holder:
        holder.wait_until_ready()
        take_snapshot(inspect(path), into, busy_seconds=0)
    assert value(into, "SELECT count(*) FROM t") == 1000


def test_a_database_that_one_process_keeps_for_itself_is_busy(
    source_folder: Path, into: Path
) -> None:
    path = databases.make(source_folder / "a.db", mode="wal")
    mine = "PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t VALUES (-1, 'mine')"
    with Other(HOLD, path, mine) as holder:
        holder.wait_until_ready()
        with pytest.raises(errors.SourceBusy):
            take_snapshot(inspect(path), into, busy_seconds=0.1)


# --- no room ---------------------------------------------------------------------


def test_a_disk_without_room_is_told_before(
    source_folder: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = inspect(databases.make(source_folder / "a.db"))
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(errors.SnapshotDiskFull) as full:
        take_snapshot(source, into)
    assert full.value.facts == {"path": into, "needed_bytes": source.bytes, "free_bytes": 1000}
    assert list(into.parent.iterdir()) == []


@pytest.mark.skipif(not as_root(), reason="only root can mount a small disk")
def test_a_disk_that_fills_up_is_told_and_nothing_remains(
    source_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = inspect(databases.make(source_folder / "a.db", rows=20_000))
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("this root may not mount: the quota below fills the same write path")
    try:
        monkeypatch.setattr(snapshot, "_refuse_small_disk", lambda *_: None)
        with pytest.raises(errors.SnapshotDiskFull):
            take_snapshot(source, disk / "copy.db")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_quota_counts_as_a_full_disk(source_folder: Path, into: Path) -> None:
    """The limit on file sizes stands for it: the write fails, though the disk has room."""
    path = databases.make(source_folder / "a.db", rows=20_000)
    script = """
import resource, signal
from core import errors
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    take_snapshot(inspect(Path(sys.argv[1])), Path(sys.argv[2]))
except errors.SnapshotDiskFull as full:
    print(full.id, Path(sys.argv[2]).exists())
"""
    with Other(script, path, into) as other:
        assert other.finish() == "snapshot_disk_full False"


def test_an_interrupted_copy_leaves_nothing(source_folder: Path, into: Path) -> None:
    path = databases.make(source_folder / "a.db")

    def stop(_copied: int, _all: int) -> None:
        raise OSError(errno.EINTR, "stopped by the caller")

    with pytest.raises(OSError, match="stopped by the caller"):
        take_snapshot(inspect(path), into, on_progress=stop)
    assert list(into.parent.iterdir()) == []
