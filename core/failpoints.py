"""Places in the code where a test may make the process die, fail, wait or stop.

Inert unless :func:`arm` was called with what ``MUDANZA_FAIL`` says:
``name:n:action``, the n-th time that ``name`` is passed. Actions: ``sigkill``,
``sigstop``, ``raise``, ``sleep=SECONDS``. Several are parted by commas.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass

from core.errors import WrongUsage

POINTS = (
    "begin.prepared",
    "begin.tables",
    "begin.written",
    "begin.committed",
    "take.epoch",
    "take.tokens",
    "take.committed",
    "release.before",
    "join.registered",
    "claim.range",
    "chunk.read",
    "chunk.begun",
    "chunk.copied",
    "chunk.lined",
    "chunk.fenced",
    "chunk.committed",
    "claim.build",
    "build.made",
    "build.added",
    "build.fenced",
    "build.committed",
    "leave.before",
    "move.written",
    "grant.moved",
    "reclaim.ended",
    "reclaim.freed",
    "finish.counted",
    "finish.complete",
    "repair.taken",
    "replay.written",
    "replay.moved",
    "replay.fenced",
    "replay.committed",
    "edit.written",
)
"""Every failpoint there is: a test walks them all."""


class FailpointFired(Exception):
    """What the action ``raise`` raises. No program but a test ever sees it."""


@dataclass(frozen=True)
class _Armed:
    point: str
    hit: int
    action: str


_armed: list[_Armed] = []
_hits: Counter[str] = Counter()
_counting = threading.Lock()


def arm(spec: str) -> None:
    """Arm what ``spec`` says; '' disarms everything. Raises WrongUsage."""
    _hits.clear()
    _armed[:] = [_read(part.strip()) for part in spec.split(",") if part.strip()]


def failpoint(point: str) -> None:
    """Pass ``point``; does nothing unless a test armed it."""
    if not _armed:
        return
    with _counting:
        _hits[point] += 1
        hit = _hits[point]
    for armed in _armed:
        if armed.point == point and armed.hit == hit:
            _act(armed.action)


def _read(part: str) -> _Armed:
    point, _, rest = part.partition(":")
    hit, _, action = rest.partition(":")
    known = action in ("sigkill", "sigstop", "raise") or action.startswith("sleep=")
    if point not in POINTS or not hit.isdecimal() or not known:
        raise WrongUsage(detail=f"MUDANZA_FAIL: {part}")
    return _Armed(point, int(hit), action)


def _act(action: str) -> None:
    if action == "raise":
        raise FailpointFired
    if action.startswith("sleep="):
        time.sleep(float(action.removeprefix("sleep=")))
        return
    os.kill(os.getpid(), signal.SIGKILL if action == "sigkill" else signal.SIGSTOP)
