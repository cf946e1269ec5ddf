"""Runs as people start them, in processes of their own, so that anything may befall them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg

from core.transfer.model import EXIT_PARTIAL
from tests.conftest import REPOSITORY

EXIT = EXIT_PARTIAL
"""How an undisturbed run of our source ends: some of its rows are quarantined."""

# What nobody may ever see: a defect that was met, not a fault.
_DEFECT = re.compile(r"Traceback|Exception ignored|Exception in|did not foresee", re.IGNORECASE)


@dataclass
class Command:
    """``mudanza migrate`` of one source into one target, as often as needed."""

    source: Path
    url: str
    home: Path
    workers: int = 4
    chunk_rows: int = 50
    more: tuple[str, ...] = ()
    errors: list[str] = field(default_factory=list)

    def start(self, *more: str, failpoints: str = "") -> Started:
        """Start it once more."""
        words = ["migrate", str(self.source), "--target", self.url, "--json", *self.more, *more]
        words += ["--workers", str(self.workers), "--chunk-rows", str(self.chunk_rows)]
        with self.said.open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.cli.main", *words],
                stdout=subprocess.PIPE,
                stderr=said,
                env=self.environment(failpoints),
            )
        return Started(self, process)

    def environment(self, failpoints: str = "") -> dict[str, str]:
        """The environment of its processes."""
        return os.environ | {
            "MUDANZA_HOME": str(self.home),
            "MUDANZA_LANG": "en",
            "MUDANZA_FAIL": failpoints,
            # However few its rows: those of dirty tables go the exact path all the same.
            "MUDANZA_PATH": "arrow",
            "PYTHONPATH": str(REPOSITORY),
        }

    @property
    def said(self) -> Path:
        """All that its processes said on standard error, orphans included."""
        return self.home / "stderr"

    def require_no_defect(self) -> None:
        """Whatever befell its processes, each ended with a word of ours."""
        said = self.said.read_text(encoding="utf-8")
        assert not _DEFECT.search(said), said
        assert "unexpected" not in self.errors, said

    def rows(self, sql: str) -> list[Any]:
        """What a statement finds in the target."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def rows_done(self) -> int:
        """How many rows have their place, by the ledger; 0 while there is none."""
        try:
            return int(self.rows("SELECT coalesce(sum(rows_read), 0) FROM mudanza.chunk")[0][0])
        except psycopg.errors.UndefinedTable:
            return 0

    def until(self, what: Callable[[], object], *, seconds: float = 20.0) -> None:
        """Wait until ``what`` is true; it must be so in time."""
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, self.said.read_text(encoding="utf-8")
            time.sleep(0.02)


@dataclass
class Started:
    """A process of the command, and the workers that it starts."""

    command: Command
    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in (*self.workers(), self.process.pid):
            send(pid, signal.SIGKILL)
        self.process.communicate()

    @property
    def pid(self) -> int:
        """The process that coordinates, or waits to."""
        return self.process.pid

    def workers(self) -> list[int]:
        """Its worker processes that are alive now."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [int(pid) for pid in children.split()]

    def ended(self, within: float) -> int | None:
        """Its exit code, None if it is still there after so many seconds."""
        try:
            said, _ = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            return None
        document = json.loads(said) if said else {}
        if "error" in document:
            self.command.errors.append(document["error"]["id"])
        return self.process.returncode

    def end(self, *, seconds: float = 60.0) -> int:
        """Its exit code; it must end in time."""
        code = self.ended(seconds)
        assert code is not None, self.command.said.read_text(encoding="utf-8")
        return code


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
