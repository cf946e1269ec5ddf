"""How much memory a migration takes, all its processes together, PostgreSQL's apart."""

from __future__ import annotations

import base64
import logging
import os
import random
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.conftest import REPOSITORY

LOG = logging.getLogger(__name__)

MIB = 1 << 20
ROOM = 512 * MIB
LARGE_ROW = 50_000_000
FLAT = 48 * MIB


class Watch(threading.Thread):
    """The largest sum of the memory of a process and all that it started.

    Each process's proportional share (PSS): what several share counts once.
    """

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid
        self._enough = threading.Event()
        self.peak = self.samples = 0

    def run(self) -> None:
        while not self._enough.wait(0.02):
            self.peak = max(self.peak, sum(map(_share, _tree(self._pid))))
            self.samples += 1

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self.join()


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, _text(task).split())
    return found


def _share(pid: int) -> int:
    """In bytes; 0 for a process that is gone."""
    lines = (line.split() for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines())
    return next((int(line[1]) * 1024 for line in lines if line[0] == "Pss:"), 0)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""


def _peak(source: Path, database: str, *words: str) -> int:
    """The peak of carrying ``source``, in bytes."""
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
    with Watch(started.pid) as watch:
        _, complained = started.communicate()
    assert started.returncode == 0, complained
    assert watch.samples > 20, "too few to speak of a peak"
    LOG.info("%s %s: %.0f MiB, %d samples", source.name, words, watch.peak / MIB, watch.samples)
    return watch.peak


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
        ("1", 60_000, 120_000),
        pytest.param("1", 60_000, 600_000, marks=SOAK),
        pytest.param("2", 200_000, 600_000, marks=SOAK),  # a range for each of them
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
