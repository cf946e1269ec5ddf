"""Visitors at work: one file each at a time, watched for crashes and hangs."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.malformed.forging import Forged

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT = 60.0
"""Seconds for one file."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How one file's migration ended: ``end`` is refused, copied, traceback, crash or hang."""

    forged: Forged
    end: str
    said: dict[str, Any]


class Visitor:
    """One process, begun anew after a crash or a hang."""

    def __init__(self, database: str, home: Path) -> None:
        self._database, self._home = database, home
        home.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[str] | None = None

    def visit(self, forged: Forged) -> Ended:
        """Have it migrated; never longer than the limit."""
        process = self._process or self._begin()
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"path": str(forged.path), "database": self._database, "home": str(self._home)}
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            if not waiting.select(LIMIT):
                self.close()
                return Ended(forged=forged, end="hang", said={})
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self._process = None
            return Ended(forged=forged, end="crash", said={"code": code})
        said = json.loads(line)
        return Ended(forged=forged, end=said.pop("end"), said=said)

    def _begin(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.malformed.visitor"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
        )
        return self._process

    def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def visit_all(
    files: Iterable[Forged], make_visitor: Callable[[int], Visitor], hands: int = 2
) -> Iterator[Ended]:
    """Every file, ``hands`` at a time, in the order of the files."""
    free: SimpleQueue[Visitor] = SimpleQueue()
    visitors = [make_visitor(number) for number in range(hands)]
    for visitor in visitors:
        free.put(visitor)

    def visit(forged: Forged) -> Ended:
        visitor = free.get()
        try:
            return visitor.visit(forged)
        finally:
            free.put(visitor)

    try:
        with ThreadPoolExecutor(hands) as pool:
            yield from pool.map(visit, files)
    finally:
        for visitor in visitors:
            visitor.close()
