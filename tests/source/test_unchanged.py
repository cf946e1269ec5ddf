"""Whether a live source still is what its snapshot holds: in doubt, no."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from core.source import Snapshot, inspect, take_snapshot
from core.source.unchanged import still_holds
from tests.source import databases
from tests.source.databases import Other
from tests.source.test_snapshot import TRY_TO_WRITE

MODES = ("delete", "wal")

CHANGES = {
    "a value": "UPDATE t SET word = 'other' WHERE id = 500",
    "a value of one byte": "UPDATE t SET word = 'x' || substr(word, 2) WHERE id = 1",
    "a row more": "INSERT INTO t VALUES (99999, 'new')",
    "a row less": "DELETE FROM t WHERE id = 7",
    "an index": "CREATE INDEX another ON t (word)",
    "a version": "PRAGMA user_version = 7",
}


def there(path: Path, into: Path) -> Snapshot:
    return take_snapshot(inspect(path), into)


def holds(path: Path, copy: Snapshot) -> bool:
    return still_holds(inspect(path), copy.path, copy.sha256)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("rows", [0, 1000, 40_000])
def test_a_source_that_nobody_touched_still_is(mode: str, rows: int, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode=mode, rows=rows)
    copy = there(path, tmp_path / "copy.db")
    before = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert holds(path, copy)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_is_seen(mode: str, change: str, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode=mode, rows=1000)
    copy = there(path, tmp_path / "copy.db")
    connection = apsw.Connection(str(path))
    connection.execute(change)
    connection.close()
    assert not holds(path, copy)


def test_frames_in_a_wal_are_doubt(tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode="wal", rows=1000)
    copy = there(path, tmp_path / "copy.db")
    connection = apsw.Connection(str(path))
    connection.pragma("wal_autocheckpoint", 0)
    connection.execute("UPDATE t SET word = 'other' WHERE id = 500")
    assert not holds(path, copy)
    connection.close()


@pytest.mark.parametrize("harm", ["gone", "changed", "cut", "longer"])
def test_a_snapshot_that_is_not_the_recorded_one_holds_nothing(harm: str, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", rows=1000)
    copy = there(path, tmp_path / "copy.db")
    whole = copy.path.read_bytes()
    match harm:
        case "gone":
            copy.path.unlink()
        case "changed":
            copy.path.write_bytes(whole[:24] + b"abcd" + whole[28:])  # what a copy has of its own
        case "cut":
            copy.path.write_bytes(whole[:-4096])
        case _:
            copy.path.write_bytes(whole + bytes(4096))
    assert not holds(path, copy)


@pytest.mark.parametrize("mode", MODES)
def test_who_writes_meanwhile_is_not_held_off_for_long(mode: str, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode=mode, rows=40_000)
    copy = there(path, tmp_path / "copy.db")
    writer = apsw.Connection(str(path))
    writer.set_busy_timeout(2000)
    steps: list[tuple[int, int]] = []

    def write_once(done: int, whole: int) -> None:
        if not steps:
            writer.execute("UPDATE t SET word = 'other' WHERE id = 1")
        steps.append((done, whole))

    assert not still_holds(inspect(path), copy.path, copy.sha256, on_progress=write_once)
    assert steps == [(4 << 20, copy.bytes)], "it went on, or never began"
    writer.close()


@pytest.mark.parametrize("mode", MODES)
def test_locks_of_this_process_survive(mode: str, tmp_path: Path) -> None:
    path = databases.make(tmp_path / "a.db", mode=mode)
    copy = there(path, tmp_path / "copy.db")
    capture = apsw.Connection(str(path))
    capture.execute("BEGIN IMMEDIATE")
    holds(path, copy)
    with Other(TRY_TO_WRITE, path) as other:
        assert other.finish() == "locked out"
    capture.close()
