"""How many statements a request sends to its database, and how long it waits for them."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event


@dataclass
class Tally:
    """The statements so far."""

    count: int = 0
    seconds: float = 0.0


_TALLY: ContextVar[Tally | None] = ContextVar("tally", default=None)


def counted() -> Tally:
    """A new tally, to which statements of this thread are added from now on."""
    tally = Tally()
    _TALLY.set(tally)
    return tally


def watch(engine: Engine) -> None:
    """Add the engine's statements to whatever tally their thread has."""

    @event.listens_for(engine, "before_cursor_execute")
    def sent(*sent: Any) -> None:
        sent[4].shop_sent_at = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def answered(*answered: Any) -> None:
        _add(answered[2], answered[4])

    @event.listens_for(engine, "handle_error")
    def refused(error: Any) -> None:
        if error.execution_context is not None:
            _add(error.statement or "", error.execution_context)


def _add(statement: str, context: Any) -> None:
    tally = _TALLY.get()
    # How a transaction begins is SQLite's affair (database.engines), not the request's.
    if tally is not None and not statement.startswith("BEGIN"):
        tally.count += 1
        tally.seconds += time.perf_counter() - context.shop_sent_at
