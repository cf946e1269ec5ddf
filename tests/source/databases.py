"""SQLite files in the states that a source may be found in, made by apsw."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import apsw

ROWS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
    "INSERT INTO {table} SELECT i, hex(randomblob({half})) FROM n"
)


def make(path: Path, *, mode: str = "delete", rows: int = 1000, half: int = 100) -> Path:
    """A closed database with a table ``t`` of ``rows`` rows of some ``2 * half`` bytes, indexed."""
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", mode)
    with connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
        connection.execute(ROWS.format(rows=rows, table="t", half=half))
        connection.execute("CREATE INDEX t_word ON t (word)")
    connection.close()
    return path


def leave_frames(path: Path, *, shm: bool) -> Path:
    """A WAL database whose writer died: row 0 is in the WAL only, nobody has it open."""
    alive = make(path.with_name(f"alive-{path.name}"), mode="wal")
    connection = apsw.Connection(str(alive))
    connection.execute("INSERT INTO t VALUES (0, 'only in the WAL')")
    for kind in ("", "-wal", "-shm") if shm else ("", "-wal"):
        shutil.copy(f"{alive}{kind}", f"{path}{kind}")
    connection.close()
    alive.unlink()
    return path


def leave_hot_journal(path: Path) -> Path:
    """A database whose writer died in the middle of a change."""
    alive = make(path.with_name(f"alive-{path.name}"), rows=5000)
    connection = apsw.Connection(str(alive))
    connection.execute("PRAGMA cache_size = 5; BEGIN; UPDATE t SET word = hex(randomblob(100))")
    for kind in ("", "-journal"):
        shutil.copy(f"{alive}{kind}", f"{path}{kind}")
    connection.close()
    alive.unlink()
    return path


def trace(folder: Path) -> list[tuple[str, int, int, str]]:
    """All that a visit could have changed: names, sizes, times of writing, contents.

    Not to be called while a connection of this process is open on a file there:
    reading it would drop the connection's locks.
    """
    return [
        (
            file.name,
            file.stat().st_size,
            file.stat().st_mtime_ns,
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )
        for file in sorted(folder.iterdir())
        if file.is_file()
    ]


class Other:
    """Another process that runs ``script`` with apsw; ``arguments`` are its ``sys.argv[1:]``.

    It says ``ready`` by printing a line, and ends when its standard input closes
    or when it is killed. As root it may become another user, once all is imported.
    """

    def __init__(
        self,
        script: str,
        *arguments: object,
        user: tuple[int, int] | None = None,
        under: tuple[str, ...] = (),
    ) -> None:
        become = ""
        if user is not None:
            become = f"os.setgroups([]); os.setgid({user[1]}); os.setuid({user[0]})\n"
        head = "import apsw, os, sys\nfrom pathlib import Path\nfrom core.source import *\nfrom core.source.reading import reading\n"
        self._process = subprocess.Popen(
            [*under, sys.executable, "-c", head + become + script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def wait_until_ready(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, self._process.communicate()[1]
        return line

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def finish(self, seconds: float = 60) -> str:
        """Close its input, wait for its end, and return what it printed."""
        out, err = self._process.communicate(timeout=seconds)
        assert self._process.returncode == 0, err
        return out.strip()


def as_root() -> bool:
    return os.geteuid() == 0
