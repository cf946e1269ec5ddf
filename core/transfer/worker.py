"""A worker process: the program that :mod:`core.transfer.workers` starts."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from contextlib import suppress
from pathlib import Path

from core.errors import MudanzaError, WorkerFailed, written
from core.failpoints import arm
from core.settings import read_settings
from core.transfer.hand import Errand, lend
from core.transfer.workers import DONE


def main() -> None:
    """Read an errand from standard input, do it, say how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever sent us decides when we end
    arm(read_settings().failpoints)
    with os.fdopen(os.dup(0), "rb") as stdin:
        errand = Errand.from_line(stdin.readline())
    alone = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(alone,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: alone.set())  # after the chunk
    _say(_answer(errand, alone))


def _wait_for_the_end(alone: threading.Event) -> None:
    """Standard input ends when whoever holds its other end lets go, or dies."""
    while os.read(0, 1):
        pass
    alone.set()


def _say(answer: str) -> None:
    """Unbuffered, for nothing may be left to say at exit: perhaps nobody listens any more."""
    with suppress(BrokenPipeError):
        os.write(1, answer.encode() + b"\n")


def _answer(errand: Errand, alone: threading.Event) -> str:
    """DONE, or the error that stopped the work, as written."""
    try:
        lend(errand, alone.is_set)
    except MudanzaError as stopped:
        return written(stopped)
    except Exception as unforeseen:  # noqa: BLE001  # its message may show values of rows
        frame = traceback.extract_tb(unforeseen.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return written(WorkerFailed(detail=f"{type(unforeseen).__name__} at {place}"))
    return DONE


if __name__ == "__main__":
    main()
