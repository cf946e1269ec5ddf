"""The quick proof of many tables at once, in processes of their own.

Each table is proven by one process (:mod:`core.verify.prover`): it reads the snapshot,
and the target by a connection of its own that sees what the verification's sees. Nothing
but a number comes back.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock
from typing import Self

from core.plan import TablePlan, to_json

PROCESSES = 2
"""Each takes about 100 MiB, and a core of both this host and the server's."""


@dataclass(frozen=True, kw_only=True)
class Standstill:
    """Both sides, standing still: the source as ``snapshot``, which is the run's own or
    equal to it (the census speaks of no other); the target as a transaction sees it that
    has exported its ``view`` and stays open."""

    snapshot: str
    conninfo: str
    shown: str
    schema: str
    view: str


class Provers:
    """The processes; from the beginning they load their libraries, from :meth:`begin` on
    they prove."""

    def __init__(self) -> None:
        self._processes = [_Process() for _ in range(PROCESSES)]
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        self._pool = ThreadPoolExecutor(PROCESSES, thread_name_prefix="prover")
        self._found: dict[int, Future[int | None]] = {}

    def __enter__(self) -> Self:
        for process in self._processes:
            self._idle.put(process)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()
        self._pool.shutdown()

    def begin(self, standstill: Standstill, tables: Iterable[TablePlan]) -> None:
        """Prove ``tables``, the largest first; once."""
        for table in sorted(tables, key=lambda table: -table.rows):
            self._found[table.number] = self._pool.submit(self._proven, standstill, table)

    def rows(self, table: TablePlan) -> int | None:
        """How many rows both sides have, if they were found to be the same; else None.
        Waits for it."""
        found = self._found.get(table.number)
        return None if found is None else found.result()

    def _proven(self, standstill: Standstill, table: TablePlan) -> int | None:
        process = self._idle.get()
        try:
            return process.rows(standstill, table)
        finally:
            self._idle.put(process)


class _Process:
    """One of them; started anew when it is asked again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = _started()
        self._told: Standstill | None = None
        self._changing = Lock()
        self._has_ended = False

    def rows(self, standstill: Standstill, table: TablePlan) -> int | None:
        """What it says of a table; None where it dies over it, or is ended."""
        process = self._running()
        if process is None:
            return None
        with suppress(OSError):
            if self._told is None:
                _tell(process, standstill)
                self._told = standstill
            _tell(process, table)
            assert process.stdout is not None
            answer = process.stdout.readline()
            if answer:
                rows = json.loads(answer)
                return None if rows is None else int(rows)
        self._kill()
        return None

    def end(self) -> None:
        """End it, whatever it is doing: it only reads."""
        with self._changing:
            self._has_ended = True
        self._kill()

    def _running(self) -> subprocess.Popen[bytes] | None:
        with self._changing:
            if self._process is None and not self._has_ended:
                self._process = _started()
            return self._process

    def _kill(self) -> None:
        with self._changing:
            process, self._process, self._told = self._process, None, None
        if process is not None:
            process.kill()
            process.communicate()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "core.verify.prover"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a defect's message may show values; the exact path goes on
    )


def _tell(process: subprocess.Popen[bytes], what: TablePlan | Standstill) -> None:
    assert process.stdin is not None
    process.stdin.write(to_json(what).encode() + b"\n")
    process.stdin.flush()
