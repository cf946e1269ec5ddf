"""How much memory a migration takes, all its processes together, PostgreSQL's apart."""

from __future__ import annotations

import base64
import logging
import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from benchmarks.memory import Watch
from tests.conftest import REPOSITORY

LOG = logging.getLogger(__name__)

MIB = 1 << 20
ROOM = 512 * MIB
LARGE_ROW = 50_000_000
FLAT = 48 * MIB


def _peak(source: Path, database: str, *words: str) -> int:
    """The peak of carrying ``source``, in bytes: what several processes share counts once."""
    command = [sys.executable, "-m", "core.cli.main", "migrate", str(source)]
    command += ["--target", database, *words]
    home = {
        "MUDANZA_HOME": str(source.parent / "home"),
        "MUDANZA_FAIL": "",
        "MUDANZA_PATH": "arrow",
    }
    started = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env=os.environ | home,
    )
    with Watch(started.pid, seconds=0.02, closely=True) as watch:
        _, complained = started.communicate()
    assert started.returncode == 0, complained
    assert watch.looks > 20, "too few to speak of a peak"
    LOG.info("%s %s: %.0f MiB, %d looks", source.name, words, watch.pss / MIB, watch.looks)
    return watch.pss


# --- large rows -------------------------------------------------------------------------


SOAK = (pytest.mark.soak, pytest.mark.timeout(0))


@pytest.mark.parametrize(
    ("kind", "rows"),
    [("TEXT", 4), pytest.param("TEXT", 20, marks=SOAK), pytest.param("BLOB", 20, marks=SOAK)],
)
def test_rows_of_50_megabytes_take_three_of_them_at_most(
    kind: str, rows: int, database: str, tmp_path: Path
) -> None:
    source = _of_large_rows(tmp_path / "large.db", kind, rows)
    peak = _peak(source, database)
    assert peak <= ROOM + 3 * LARGE_ROW, f"{peak / MIB:.0f} MiB"
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*), min(length(body)) FROM large").fetchone()
    assert row == (rows, LARGE_ROW)


def _of_large_rows(path: Path, kind: str, rows: int) -> Path:
    chance = random.Random(rows)
    with closing(sqlite3.connect(path)) as source:
        source.execute(f"CREATE TABLE large (id INTEGER PRIMARY KEY, body {kind})")
        for _ in range(rows):
            # Nothing that PostgreSQL would try to compress: that takes its time.
            body = base64.b64encode(chance.randbytes(LARGE_ROW * 3 // 4))
            with source:
                value = body if kind == "BLOB" else body.decode()
                source.execute("INSERT INTO large (body) VALUES (?)", (value,))
    return path


# --- many rows --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "few", "many"),
    [
        ("1", 200_000, 300_000),  # a range for each hand
        pytest.param("1", 200_000, 600_000, marks=SOAK),
        pytest.param("2", 200_000, 600_000, marks=SOAK),
    ],
)
def test_more_rows_take_no_more_memory(
    workers: str, few: int, many: int, database: str, tmp_path: Path
) -> None:
    peaks = [
        _peak(_of_rows(tmp_path / f"{rows}.db", rows), database, *words, "--workers", workers)
        for rows, words in ((few, ()), (many, ("--schema", "more")))
    ]
    said = " and ".join(f"{peak / MIB:.0f} MiB" for peak in peaks)
    assert peaks[1] <= peaks[0] + FLAT, said
    assert peaks[1] <= ROOM, said


def _of_rows(path: Path, rows: int) -> Path:
    """A kilobyte a row, so that the file outgrows what may be kept of it."""
    chance = random.Random(rows)
    with closing(sqlite3.connect(path)) as source, source:
        source.execute("CREATE TABLE many (id INTEGER PRIMARY KEY, name TEXT, body TEXT)")
        source.execute("CREATE INDEX many_name ON many (name)")
        source.executemany(
            "INSERT INTO many (name, body) VALUES (?, ?)",
            ((chance.randbytes(20).hex(), chance.randbytes(480).hex()) for _ in range(rows)),
        )
    return path
