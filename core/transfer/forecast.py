"""How long the rest of a run will take, from what was seen so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_FROM_SHARE = 0.01
WINDOW_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """How fast a run goes, and the seconds it may still take, at least and at most; None
    before 1 % is done, and while nothing moves."""

    rows_per_second: float
    seconds_min: float | None = None
    seconds_max: float | None = None


class Forecast:
    """An outlook from what was seen so far.

    The range lies between the rate of the whole time and that of the last half minute:
    they differ where tables do.
    """

    def __init__(self, rows: int, done: int, now: float) -> None:
        self._rows = rows
        self._first = (now, done)
        self._seen: deque[tuple[float, int]] = deque([self._first])

    def outlook(self, done: int, now: float) -> Outlook:
        """The outlook when ``done`` rows of all have their place, ``now`` in seconds."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > WINDOW_SECONDS:
            self._seen.popleft()
        whole, recent = _rate(self._first, (now, done)), _rate(self._seen[0], (now, done))
        return outlook(self._rows, done, whole=whole, recent=recent)


def outlook(rows: int, done: int, *, whole: float, recent: float) -> Outlook:
    """The outlook when ``done`` of ``rows`` have their place, from the rates of the whole
    time and of the last half minute. When all have, only what is built is left: of that
    nothing is known."""
    if not (whole and recent) or not rows * _FROM_SHARE <= done < rows:
        return Outlook(rows_per_second=recent)
    left = sorted((rows - done) / rate for rate in (whole, recent))
    return Outlook(rows_per_second=recent, seconds_min=left[0], seconds_max=left[1])


def _rate(start: tuple[float, int], end: tuple[float, int]) -> float:
    seconds = end[0] - start[0]
    return (end[1] - start[1]) / seconds if seconds > 0 else 0.0
