"""Worker processes: started with an errand, watched, replaced when they die.

An errand goes to a worker through its standard input, password and all, and nowhere
else. That pipe stays open: when it closes, whoever sent the worker is gone, and it
ends after its chunk. Its answer, done or an error, is one line on its standard output.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Container
from contextlib import suppress

from core.errors import WorkerFailed, read
from core.transfer.hand import Errand

DONE = "done"
"""What a worker says in the end; anything else is the error that stopped it."""

_LOOK_SECONDS = 0.2
_END_SECONDS = 20.0
_DEATHS_PER_WORKER = 5


class Workers:
    """So many worker processes on one errand."""

    def __init__(self, number: int, errand: Errand) -> None:
        self._number = number
        self._errand = errand
        self._processes: list[subprocess.Popen[bytes]] = []
        self._deaths = 0
        self._silent_since: float | None = None

    def work(self, watch: Callable[[], None], silent: Callable[[], Container[int]]) -> None:
        """Let them work until all have ended; ``watch`` is called meanwhile, and ``silent``
        says by number which of them show no life.

        Raises what stopped a worker, WorkerFailed when they die again and again, and
        what ``watch`` raises; the others are then let go after their chunks.
        """
        try:
            self._processes = [self._start() for _ in range(self._number)]
            while self._processes:
                time.sleep(_LOOK_SECONDS)
                watch()
                self._replace_silent(silent())
                self._processes = [p for p in map(self._looked_after, self._processes) if p]
        finally:
            self._let_go()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.transfer.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # or closing the pipe to a dead one would try to write again
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it died at once: looking after it will tell
            process.stdin.write(self._errand.to_line())
        return process

    def _looked_after(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes] | None:
        """The process that is to be watched on: this one, or the one in its place."""
        if process.poll() is None:
            return process
        if self._ended_well(process):
            return None
        self._deaths += 1
        if self._deaths > _DEATHS_PER_WORKER * self._number:
            raise WorkerFailed(detail=f"exit {process.returncode}")
        return self._start()

    def _replace_silent(self, silent: Container[int]) -> None:
        """Kill those that are left, once we have seen none of them show life for a lease:
        others have done what they held, and they would be waited for in vain."""
        now = time.monotonic()
        if not all(process.pid in silent for process in self._processes):
            self._silent_since = None
            return
        # From now: while the server was away, nobody could show life.
        self._silent_since = self._silent_since or now
        if now - self._silent_since > self._errand.limits.lease:
            for process in self._processes:
                process.kill()

    def _ended_well(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it said that it is done. Raises what it said instead."""
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin, process.stdout:
            said = process.stdout.read()
        if not said:
            return False
        answer = said.decode().strip()
        if answer != DONE:
            raise read(answer) or WorkerFailed(detail=answer)
        return True

    def _let_go(self) -> None:
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
        until = time.monotonic() + _END_SECONDS
        for process in self._processes:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
