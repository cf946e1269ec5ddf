"""Databases that nobody here wrote: every row arrives or is quarantined, and is proven."""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import pytest

from core.server.connection import parse_target
from core.source import inspect
from core.transfer.migrate import Request, migrate
from core.verify import parity

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MUDANZA_DATA") or REPOSITORY.parent / "shared" / "data")


def databases() -> list[Path]:
    """The files of the data folder; none where there is no such folder."""
    return sorted(p for p in DATA.rglob("*") if p.suffix in (".sqlite", ".db") and p.is_file())


def prove(source: Path, database: str, folder: Path) -> str:
    """Carry and verify one database; a line that says how it went."""
    file, target = inspect(source), parse_target(database)
    report = migrate(Request(source=file, target=target, home=folder, replace=True))
    for table in report.tables:
        assert table.rows_source == table.rows_target + table.rows_quarantined, table
    proof = parity.verify(parity.Request(source=file, target=target, home=folder))
    assert sum(t.differences for t in proof.tables) == 0, proof
    assert proof.parity, proof.relations
    assert not proof.moved
    rows = sum(t.rows_source for t in report.tables)
    aside = sum(t.rows_quarantined for t in report.tables)
    return (
        f"{source.name:44} rows {rows:6} quarantined {aside:2} rewritten {len(report.rewritten):3}"
        f" not carried {len(report.not_carried):3} exit {report.exit_code}"
    )


def as_wal(source: Path, copy: Path) -> apsw.Connection:
    """A copy in WAL mode with a table that only the WAL holds; open, not checkpointed."""
    connection = apsw.Connection(str(copy))
    original = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    with connection.backup("main", original, "main") as work:
        work.step(-1)
    original.close()
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    connection.execute("CREATE TABLE only_in_wal (a INTEGER); INSERT INTO only_in_wal VALUES (7)")
    return connection


def test_every_real_database_is_carried_and_proven(
    database: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for source in databases():
        with subtests.test(source.name):
            prove(source, database, tmp_path)


def test_every_real_database_with_frames_in_its_wal(
    database: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for number, source in enumerate(databases()):
        with subtests.test(source.name):
            copy = tmp_path / f"{number}.sqlite"
            try:
                writer = as_wal(source, copy)
            except apsw.SQLError:  # a schema that SQLite cannot load cannot be changed either
                continue
            try:
                assert inspect(copy).wal_bytes > 0
                prove(copy, database, tmp_path)
            finally:
                writer.close()
