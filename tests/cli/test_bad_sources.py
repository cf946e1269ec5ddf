"""Every kind of bad source, given to the real command with a real target."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.cli.command import Command
from tests.cli.conftest import left_in
from tests.cli.refusal import check_refused
from tests.source import databases


def missing(folder: Path) -> Path:
    return folder / "nosuch.db"


def directory(folder: Path) -> Path:
    return folder


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.db")
    return folder / "pipe.db"


def device(_folder: Path) -> Path:
    return Path("/dev/zero")


def unix_socket(folder: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "s.db"))
    return folder / "s.db"


def empty_file(folder: Path) -> Path:
    (folder / "empty.db").touch()
    return folder / "empty.db"


def not_sqlite(folder: Path) -> Path:
    (folder / "notes.db").write_text("SQLite is a library.\n" * 512)
    return folder / "notes.db"


def encrypted(folder: Path) -> Path:
    (folder / "secret.db").write_bytes(random.Random(1).randbytes(16384))
    return folder / "secret.db"


def truncated(folder: Path) -> Path:
    path = databases.make(folder / "cut.db")
    os.truncate(path, path.stat().st_size - 5000)
    return path


def corrupt(folder: Path) -> Path:
    path = databases.make(folder / "corrupt.db")
    with path.open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"\xff" * 3 * 4096)
    return path


def without_tables(folder: Path) -> Path:
    path = folder / "bare.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE t (a); DROP TABLE t")
    connection.close()
    return path


def hot_journal(folder: Path) -> Path:
    return databases.leave_hot_journal(folder / "hot.db")


NOBODY = 65534
Made = Callable[[Path], Path]

BAD: list[tuple[Made, str]] = [
    (missing, "source_missing"),
    (directory, "source_is_directory"),
    (fifo, "source_not_regular_file"),
    (device, "source_not_regular_file"),
    (unix_socket, "source_not_regular_file"),
    (empty_file, "source_empty_file"),
    (not_sqlite, "source_not_sqlite"),
    (encrypted, "source_encrypted"),
    (truncated, "source_truncated"),
    (corrupt, "source_corrupt"),
    (without_tables, "source_has_no_tables"),
    (hot_journal, "source_hot_journal"),
]


@pytest.mark.parametrize(("make", "error"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_a_bad_source_is_refused(
    make: Made, error: str, command: Command, tmp_path: Path, untouched: str
) -> None:
    path = make(tmp_path)
    check_refused(command, error, "migrate", path, "--target", untouched, target=untouched)


def test_an_empty_path_is_refused(command: Command, untouched: str) -> None:
    refusal = "source_path_empty"
    check_refused(command, refusal, "migrate", "", "--target", untouched, target=untouched)


@pytest.mark.parametrize("order", [("plan",), ("verify",)])
def test_the_other_commands_refuse_it_as_well(
    order: tuple[str, ...], command: Command, tmp_path: Path, untouched: str
) -> None:
    target = () if order == ("plan",) else ("--target", untouched)
    path = missing(tmp_path)
    check_refused(command, "source_missing", *order, path, *target, target=untouched)


def test_people_get_two_sentences_and_nothing_on_standard_output(
    command: Command, tmp_path: Path
) -> None:
    answer = command.run("plan", missing(tmp_path))
    assert answer.code == 1
    assert answer.out == ""
    first, second = answer.err.splitlines()
    assert first == f"Stopped: There is no file at {missing(tmp_path)}."
    assert second.startswith("What to do: ")


def test_the_wal_of_another_user_is_refused_and_left_alone(
    command: Command, reachable_folder: Path, untouched: str
) -> None:
    folder = reachable_folder / "app"
    folder.mkdir()
    folder.chmod(0o777)
    path = databases.make(folder / "wal.db", mode="wal")
    path.chmod(0o644)
    before = databases.trace(folder)
    command.home.chmod(0o777)
    check_refused(
        command,
        "source_foreign_wal",
        "migrate",
        path,
        "--target",
        untouched,
        target=untouched,
        user=NOBODY,
    )
    assert databases.trace(folder) == before


def test_only_virtual_tables_finish_with_nothing_carried(
    command: Command, tmp_path: Path, database: str
) -> None:
    path = tmp_path / "virtual.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE VIRTUAL TABLE found USING rtree(id, low, high)")
    connection.close()
    answer = command.run("migrate", path, "--target", database, "--json")
    assert answer.code == 3, answer.err
    assert answer.json["tables"] == []
    lost = {(o["kind"], o["name"]) for o in answer.json["objects"]["not_carried"]}
    assert ("virtual_table", "found") in lost
    assert "found" not in left_in(database)
