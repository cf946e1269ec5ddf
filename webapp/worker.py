"""The worker: makes the calls in the outbox until it is told to end. It refuses to serve
anybody; as many as wanted may run."""

from __future__ import annotations

import http.client
import logging
import signal
import sys
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event
from types import FrameType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from webapp import open_database
from webapp.database import Frozen
from webapp.providers import FakePayments, providers
from webapp.services.calls import drain_once
from webapp.settings import Settings, SettingsRefused, read_settings

__all__ = ["drain_once", "main", "work"]

_LOG = logging.getLogger(__name__)
IDLE_SECONDS = 1.0
PAUSE_SECONDS = 5.0
"""After the database refused: it is being moved, or away."""


def main() -> int:
    """Work until SIGTERM or Ctrl-C; the call in hand is finished. 2: the settings are wrong."""
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


def work(settings: Settings, ending: Event) -> None:
    """Drain the outbox again and again until ``ending``."""
    database, called = open_database(settings), providers(settings)
    _LOG.info("worker: begins on %s", database.backend)
    try:
        while not ending.is_set():
            rest = IDLE_SECONDS
            try:
                drain_once(database, called, datetime.now(UTC), ending.is_set)
            except (Frozen, DBAPIError, NoConnection) as error:
                _LOG.warning("worker: rests: %s", type(error).__name__)
                rest = PAUSE_SECONDS
            if isinstance(called.payments, FakePayments):
                _tell_news(called.payments, settings.public_url)
            ending.wait(rest)
    finally:
        database.close()
        _LOG.info("worker: has ended")


def _tell_news(payments: FakePayments, shop: str) -> None:
    """A real provider would call the shop by itself; the fake one lives here."""
    address = f"{shop}/payments/webhook/{payments.name}"

    def post(headers: Mapping[str, str], body: bytes) -> bool:
        request = urllib.request.Request(address, body, dict(headers))  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(request, timeout=PAUSE_SECONDS):  # noqa: S310
                return True
        except (OSError, http.client.HTTPException) as error:
            _LOG.info("worker: news not told: %s", type(error).__name__)
            return False

    payments.tell(post)


if __name__ == "__main__":
    sys.exit(main())
