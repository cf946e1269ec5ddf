"""Every kind of thing that is not a database to be read, as a real file."""

from __future__ import annotations

import gzip
import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from core import errors
from core.source import SourceFile, inspect, open_source, take_snapshot
from tests.source import databases
from tests.source.databases import Other, as_root

needs_root = pytest.mark.skipif(not as_root(), reason="only root can become another user")
NOBODY = (65534, 65534)
ALICE, WEB = 54321, 54322


def missing(folder: Path) -> Path:
    return folder / "nosuch.db"


def below_a_file(folder: Path) -> Path:
    return databases.make(folder / "a.db") / "b.db"


def directory(folder: Path) -> Path:
    return folder


def link_to_nothing(folder: Path) -> Path:
    (folder / "link.db").symlink_to("nosuch.db")
    return folder / "link.db"


def link_to_itself(folder: Path) -> Path:
    (folder / "loop.db").symlink_to("loop.db")
    return folder / "loop.db"


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.db")
    return folder / "pipe.db"


def unix_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.db"))
    return folder / "s.db"


def device(folder: Path) -> Path:
    return Path("/dev/zero")


def empty_file(folder: Path) -> Path:
    (folder / "empty.db").touch()
    return folder / "empty.db"


def text_file(folder: Path) -> Path:
    (folder / "notes.txt").write_text("SQLite is a library.\n" * 512)
    return folder / "notes.txt"


def archive(folder: Path) -> Path:
    packed = gzip.compress(random.Random(1).randbytes(8192))
    (folder / "a.db.gz").write_bytes(packed[:8192])
    return folder / "a.db.gz"


def zeros(folder: Path) -> Path:
    (folder / "zeros.db").write_bytes(bytes(8192))
    return folder / "zeros.db"


def bad_page_size(folder: Path) -> Path:
    path = databases.make(folder / "a.db")
    damage(path, 16, b"\x03\x03")
    return path


def noise(size: int) -> Callable[[Path], Path]:
    def encrypted_database(folder: Path) -> Path:
        (folder / "secret.db").write_bytes(random.Random(size).randbytes(size))
        return folder / "secret.db"

    return encrypted_database


def odd_noise(folder: Path) -> Path:
    (folder / "noise.bin").write_bytes(random.Random(5).randbytes(8192 + 17))
    return folder / "noise.bin"


def nul_in_name(folder: Path) -> Path:
    return Path(f"{folder}/a\0b.db")


def no_utf8_in_name(folder: Path) -> Path:
    name = os.fsencode(folder) + b"/ma\xf1ana.db"
    databases.make(folder / "a.db").rename(os.fsdecode(name))
    return Path(os.fsdecode(name))


def damage(path: Path, offset: int, raw: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(raw)


def visit(path: Path, folder: Path) -> SourceFile:
    """Look, open and copy; the first refusal is what a user meets."""
    source = inspect(path)
    take_snapshot(source, folder / "copies" / "copy.db", busy_seconds=5)
    return source


@pytest.mark.parametrize(
    ("place", "refusal"),
    [
        (missing, errors.SourceMissing),
        (below_a_file, errors.SourceMissing),
        (link_to_nothing, errors.SourceMissing),
        (directory, errors.SourceIsDirectory),
        (fifo, errors.SourceNotRegularFile),
        (unix_socket, errors.SourceNotRegularFile),
        (device, errors.SourceNotRegularFile),
        (link_to_itself, errors.SourceUnreadable),
        (nul_in_name, errors.SourceUnreadable),
        (no_utf8_in_name, errors.SourceUnreadable),
        (empty_file, errors.SourceEmptyFile),
        (text_file, errors.SourceNotSqlite),
        (archive, errors.SourceNotSqlite),
        (zeros, errors.SourceNotSqlite),
        (odd_noise, errors.SourceNotSqlite),
        (bad_page_size, errors.SourceNotSqlite),
        (noise(512), errors.SourceEncrypted),
        (noise(4096), errors.SourceEncrypted),
        (noise(40 * 1024), errors.SourceEncrypted),
        (databases.leave_hot_journal, errors.SourceHotJournal),
    ],
)
def test_a_thing_that_is_no_database_is_refused(
    place: Callable[[Path], Path], refusal: type[errors.MudanzaError], tmp_path: Path
) -> None:
    path = place(tmp_path / "a.db" if place is databases.leave_hot_journal else tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(refusal) as refused:
        visit(path, tmp_path)
    assert type(refused.value) is refusal
    assert refused.value.facts["path"]
    after = [file for file in sorted(tmp_path.iterdir()) if file.name != "copies"]
    assert after == before, "a refusal makes nothing"


def test_a_hot_journal_is_left_for_its_application(tmp_path: Path) -> None:
    path = databases.leave_hot_journal(tmp_path / "a.db")
    before = databases.trace(tmp_path)
    with pytest.raises(errors.SourceHotJournal), open_source(inspect(path)):
        pass
    assert databases.trace(tmp_path) == before
    application = apsw.Connection(str(path))
    assert application.execute("PRAGMA integrity_check").get == "ok"
    application.close()
    with open_source(inspect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").get == 5000


@pytest.mark.parametrize("mode", ["persist", "truncate"])
def test_a_journal_that_lies_idle_is_not_hot(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", mode)
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    connection.close()
    assert (tmp_path / "a.db-journal").exists()
    with open_source(inspect(path)) as live:
        assert live.execute("SELECT a FROM t").get == 1


def test_a_link_is_followed_to_the_file(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    (tmp_path / "link.db").symlink_to("a.db")
    assert inspect(tmp_path / "link.db") == inspect(path)
    assert inspect(tmp_path / "link.db").path == path.resolve()


def test_another_file_in_its_place_is_noticed(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    source = inspect(path)
    databases.make(tmp_path / "b.db").replace(path)
    with pytest.raises(errors.SourceUnreadable), open_source(source):
        pass


def test_a_file_that_goes_away_is_missing(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    source = inspect(path)
    path.unlink()
    with pytest.raises(errors.SourceMissing), open_source(source):
        pass
    assert not path.exists()


# --- permissions -----------------------------------------------------------------

TRY = """
from core import errors
try:
    source = inspect(Path(sys.argv[1]))
    with open_source(source) as connection:
        print("read", connection.execute("SELECT count(*) FROM t").get, flush=True)
except errors.MudanzaError as refused:
    print(refused.id, *refused.facts.values())
"""


@needs_root
def test_a_file_without_permission_is_unreadable(open_folder: Path) -> None:
    path = databases.make(open_folder / "a.db")
    path.chmod(0o600)
    with Other(TRY, path, user=NOBODY) as other:
        assert other.finish().startswith("source_unreadable")


@needs_root
def test_a_folder_without_permission_is_unreadable(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700)
    path = databases.make(open_folder / "closed" / "a.db")
    with Other(TRY, path, user=NOBODY) as other:
        assert other.finish().startswith("source_unreadable")


@pytest.mark.skipif(as_root(), reason="root reads everything")
def test_a_file_that_its_owner_closed_is_unreadable(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db")
    path.chmod(0)
    with pytest.raises(errors.SourceUnreadable):
        inspect(path)


def give(folder: Path, uid: int, gid: int) -> None:
    for file in (folder, *folder.iterdir()):
        os.chown(file, uid, gid)


@needs_root
def test_a_stranger_may_read_a_rollback_database(open_folder: Path) -> None:
    path = databases.make(open_folder / "a.db")
    with Other(TRY, path, user=NOBODY) as other:
        assert other.finish() == "read 1000"


@needs_root
@pytest.mark.parametrize("folder_mode", [0o755, 0o777])
def test_a_stranger_may_not_open_a_closed_wal(open_folder: Path, folder_mode: int) -> None:
    path = databases.make(open_folder / "a.db", mode="wal")
    give(open_folder, ALICE, WEB)
    open_folder.chmod(folder_mode)
    before = databases.trace(open_folder)
    with Other(TRY, path, user=NOBODY) as other:
        assert other.finish().startswith("source_foreign_wal")
    assert databases.trace(open_folder) == before


@needs_root
def test_a_stranger_may_read_a_wal_that_its_application_has_open(open_folder: Path) -> None:
    path = databases.leave_frames(open_folder / "a.db", shm=True)
    give(open_folder, ALICE, WEB)
    before = databases.trace(open_folder)
    with Other(TRY, path, user=NOBODY) as other:
        assert other.finish() == "read 1001"
    assert databases.trace(open_folder) == before


@needs_root
@pytest.mark.parametrize("shm", [None, False, True])
def test_root_leaves_a_wal_as_it_was(open_folder: Path, shm: bool | None) -> None:
    path = open_folder / "a.db"
    if shm is None:
        databases.make(path, mode="wal")
    else:
        databases.leave_frames(path, shm=shm)
    give(open_folder, ALICE, WEB)
    before = [entry for entry in databases.trace(open_folder) if not entry[0].endswith("-shm")]
    with open_source(inspect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").get == (1000 if shm is None else 1001)
        owners = {(file.stat().st_uid, file.stat().st_gid) for file in open_folder.iterdir()}
        assert owners == {(ALICE, WEB)}
    after = [entry for entry in databases.trace(open_folder) if not entry[0].endswith("-shm")]
    assert after == before
    assert (open_folder / "a.db-shm").exists() is (shm is True)


@needs_root
def test_root_killed_in_the_middle_leaves_files_of_the_owner(open_folder: Path) -> None:
    path = databases.make(open_folder / "a.db", mode="wal")
    give(open_folder, ALICE, WEB)
    with Other(
        "with open_source(inspect(Path(sys.argv[1]))): print('in'); sys.stdout.flush(); input()",
        path,
    ) as other:
        assert other.wait_until_ready() == "in"
        other.kill()
    assert (open_folder / "a.db-wal").exists()
    assert {file.stat().st_uid for file in open_folder.iterdir()} == {ALICE}
    write = "apsw.Connection(sys.argv[1]).execute('INSERT INTO t VALUES (-1, 9)'); print('wrote')"
    with Other(write, path, user=(ALICE, WEB)) as application:
        assert application.finish() == "wrote"


@needs_root
def test_root_that_may_not_give_files_away_is_a_stranger(open_folder: Path) -> None:
    path = databases.make(open_folder / "a.db", mode="wal")
    give(open_folder, ALICE, WEB)
    no_chown = ("setpriv", "--inh-caps", "-chown", "--bounding-set", "-chown")
    with Other(TRY, path, under=no_chown) as other:
        assert other.finish().startswith("source_foreign_wal")
    assert [file.name for file in open_folder.iterdir()] == ["a.db"]


@needs_root
@pytest.mark.parametrize(
    ("inherits_group", "says"), [(True, "read"), (False, "source_foreign_wal")]
)
def test_the_owner_must_not_shut_out_the_group(
    open_folder: Path, inherits_group: bool, says: str
) -> None:
    """The file is its group's to write; sidecars with the owner's own group would not be."""
    path = databases.make(open_folder / "a.db", mode="wal")
    give(open_folder, ALICE, WEB)
    path.chmod(0o664)
    open_folder.chmod(0o2775 if inherits_group else 0o775)
    with Other(TRY, path, user=(ALICE, ALICE)) as other:
        assert other.finish().split()[0] == says
    assert [file.name for file in open_folder.iterdir()] == ["a.db"]


@needs_root
def test_a_wal_in_a_folder_that_cannot_be_written_is_unreadable(open_folder: Path) -> None:
    path = databases.make(open_folder / "a.db", mode="wal")
    give(open_folder, ALICE, WEB)
    open_folder.chmod(0o555)
    with Other(TRY, path, user=(ALICE, WEB)) as other:
        assert other.finish().startswith("source_unreadable")
    path.chmod(0o444)
    open_folder.chmod(0o755)
    with Other(TRY, path, user=(ALICE, WEB)) as other:
        assert other.finish().startswith("source_unreadable")
    assert [file.name for file in open_folder.iterdir()] == ["a.db"]
