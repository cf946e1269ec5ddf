"""Databases that nobody here wrote: every row arrives or is quarantined, and is proven.

``pytest -s tests/real`` shows a line for each.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import apsw
import psycopg
import pytest

from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import RunReport
from core.verify import parity

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("MUDANZA_DATA") or REPOSITORY.parent / "shared" / "data")
HEAD = (
    f"{'name':46} {'rows':>6} {'target':>6} {'aside':>5} {'rewritten':>9} {'lost':>4} exit parity"
)


@dataclass(frozen=True)
class Outcome:
    """One database, carried and verified."""

    name: str
    report: RunReport
    proof: parity.ParityReport

    @property
    def line(self) -> str:
        """As a line of the table."""
        tables = self.report.tables
        source, target, aside = (
            sum(getattr(t, f"rows_{side}") for t in tables)
            for side in ("source", "target", "quarantined")
        )
        return (
            f"{self.name:46} {source:6} {target:6} {aside:5} {len(self.report.rewritten):9}"
            f" {len(self.report.not_carried):4} {self.report.exit_code:4} {self.proof.parity}"
        )


def databases() -> list[Path]:
    """The files of the data folder; none where there is no such folder."""
    return sorted(p for p in DATA.rglob("*") if p.suffix in (".sqlite", ".db") and p.is_file())


def prove(source: Path, database: str, folder: Path) -> Outcome:
    """Carry and verify one database."""
    file, target = inspect(source), parse_target(database)
    report = migrate(Request(source=file, target=target, home=folder, replace=True))
    for table in report.tables:
        assert table.rows_source == table.rows_target + table.rows_quarantined, table
    proof = parity.verify(parity.Request(source=file, target=target, home=folder))
    assert sum(t.differences for t in proof.tables) == 0, proof
    assert proof.parity, proof.relations
    assert not proof.moved
    return Outcome(source.name, report, proof)


def show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def as_wal(source: Path, copy: Path) -> apsw.Connection | None:
    """A copy in WAL mode with rows that only the WAL holds; open, not checkpointed. None when
    SQLite cannot load the schema, and so cannot change anything either."""
    connection = apsw.Connection(str(copy))
    original = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)
    with connection.backup("main", original, "main") as work:
        work.step(-1)
    original.close()
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA wal_autocheckpoint = 0").fetchall()
    chance = random.Random(source.name)
    try:
        connection.execute("CREATE TABLE only_in_wal (a INTEGER PRIMARY KEY, b BLOB)")
        rows = ((n, chance.randbytes(50)) for n in range(1, 101))
        connection.executemany("INSERT INTO only_in_wal VALUES (?, ?)", rows)
        connection.execute("DELETE FROM only_in_wal WHERE a > 40")
    except apsw.SQLError:
        connection.close()
        return None
    return connection


def test_every_real_database_is_carried_and_proven(
    database: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    show(f"\n{HEAD}")
    for source in databases():
        with subtests.test(source.name):
            before = source.read_bytes()
            show(prove(source, database, tmp_path).line)
            assert source.read_bytes() == before


def test_every_real_database_with_frames_in_its_wal(
    database: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for number, source in enumerate(databases()):
        with subtests.test(source.name):
            copy = tmp_path / f"{number}.sqlite"
            writer = as_wal(source, copy)
            if writer is None:
                continue
            try:
                assert inspect(copy).wal_bytes > 0
                outcome = prove(copy, database, tmp_path)
                counted = {t.name: t.rows_target for t in outcome.report.tables}
                assert counted["only_in_wal"] == 40
                _check_arrived(database, writer)
                assert inspect(copy).wal_bytes > 0, "somebody has checkpointed the source"
            finally:
                writer.close()


def _check_arrived(database: str, writer: apsw.Connection) -> None:
    """What the WAL alone holds, on both sides, by their own SQL."""
    select = "SELECT a, b FROM only_in_wal ORDER BY a"
    with psycopg.connect(database) as connection:
        arrived = connection.execute(select.replace("only", "public.only").encode()).fetchall()
    assert arrived == writer.execute(select).fetchall()
