"""Ctrl-C, or SIGTERM, at a safe place: the first asks, the second insists.

Python raises KeyboardInterrupt wherever it stands, also inside a driver's callback,
which prints it and goes on. So the first signal only leaves a mark, and the work
stops where it next tells how far it is: between two chunks, not inside one.
"""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """While entered, the first signal is kept until :meth:`heed`; a second raises at once."""

    def __init__(self) -> None:
        self._asked = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def heed(self) -> None:
        """Raise KeyboardInterrupt if somebody asked."""
        if self._asked:
            raise KeyboardInterrupt

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
