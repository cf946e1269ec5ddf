"""The worker: makes the calls in the outbox until it is told to end."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from types import FrameType

from sqlalchemy.exc import DBAPIError

from webapp import open_database
from webapp.database import Frozen
from webapp.providers import providers
from webapp.services import outbox
from webapp.settings import Settings, SettingsRefused, read_settings

_LOG = logging.getLogger(__name__)
IDLE_SECONDS = 1.0
PAUSE_SECONDS = 5.0
"""After the database refused: it is being moved, or away."""


def main() -> int:
    """Work until SIGTERM or Ctrl-C; what is begun is finished."""
    try:
        settings = read_settings()
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    ending = Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    work(settings, ending)
    return 0


def work(
    settings: Settings, ending: Event, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Drain the outbox again and again until ``ending``."""
    database, called = open_database(settings), providers(settings)
    try:
        while not ending.is_set():
            ending.wait(_drained(lambda: outbox.drain(database, called, clock)))
    finally:
        database.close()


def _drained(drain: Callable[[], int]) -> float:
    """How long to rest after draining once, in seconds."""
    try:
        return 0 if drain() else IDLE_SECONDS
    except (Frozen, DBAPIError) as error:
        _LOG.warning("outbox: resting: %s", type(error).__name__)
        return PAUSE_SECONDS


if __name__ == "__main__":
    sys.exit(main())
