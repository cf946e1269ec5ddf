"""How much memory a process and all that it started take, read from ``/proc``."""

from __future__ import annotations

import os
import threading
from pathlib import Path

RSS_SECONDS = 0.05
PSS_EVERY, GROWN = 10, 1.05
"""PSS is asked for at each tenth look, and when RSS has grown by a twentieth since the
highest: the kernel walks all pages to answer."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch(threading.Thread):
    """The largest sums seen, in bytes, while it is entered; it looks every so many ``seconds``.

    ``rss`` counts what several processes share once for each of them; ``pss`` counts
    it once in all, and is looked at more rarely (``closely``: every time). Children of other processes, such as
    PostgreSQL's, are not of the tree.
    """

    def __init__(self, pid: int, *, seconds: float = RSS_SECONDS, closely: bool = False) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._seconds = seconds
        self._pss_every = 1 if closely else PSS_EVERY
        self._enough = threading.Event()
        self.rss = self.pss = self.looks = 0

    def run(self) -> None:
        """Look until it is left."""
        while not self._enough.wait(self._seconds):
            pids = tree(self._pid)
            rss = sum(map(_rss, pids))
            if self.looks % self._pss_every == 0 or rss > self.rss * GROWN:
                self.pss = max(self.pss, sum(map(_pss, pids)))
            self.rss = max(self.rss, rss)
            self.looks += 1

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self.join()


def tree(pid: int) -> list[int]:
    """The process and those that descend from it."""
    found = [pid]
    for parent in found:  # grows while it is walked
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, _read(children).split())
    return found


def _rss(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def _pss(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        name, *amount = line.split()
        if name == "Pss:":
            return int(amount[0]) * 1024
    return 0


def _read(file: Path) -> str:
    """Its text; '' when the process is gone."""
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
