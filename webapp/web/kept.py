"""Answers that are kept for some seconds: what every page shows, and nobody needs to the second.

Each process keeps its own. What is somebody's alone is never kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Kept:
    """``seconds``: how old an answer may be; with 0 none is kept."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, ask: Callable[[], T]) -> T:
        """The answer under ``key``, asked for anew when it is too old."""
        with self._lock:
            asked_at, answer = self._answers.get(key, (float("-inf"), None))
        if self._clock() - asked_at < self._seconds:
            return cast(T, answer)
        # Asked without the lock: two may ask at once, nobody waits for another's database.
        fresh = ask()
        with self._lock:
            self._answers[key] = (self._clock(), fresh)
        return fresh
