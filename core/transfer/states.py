"""The states of a run, and every way from one to another.

What is not in the table of arrows is refused, here and by the ledger itself: its
history refers to its own copy of the table.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """Where a run stands."""

    COPYING = "copying"
    BUILDING = "building"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    COMPLETE = "complete"
    REPLACED = "replaced"


class Arrow(NamedTuple):
    """A way from one state to another; ``reason`` is an id of the catalogue
    (``step.<reason>``). ``start`` is None for a run that did not exist."""

    start: Status | None
    end: Status
    reason: str


_UNFINISHED = (Status.COPYING, Status.BUILDING, Status.PAUSED, Status.FAILED)

ARROWS: tuple[Arrow, ...] = (
    Arrow(None, Status.COPYING, "begun"),
    Arrow(Status.COPYING, Status.BUILDING, "rows_done"),
    Arrow(Status.BUILDING, Status.COMPLETE, "all_done"),
    Arrow(Status.COPYING, Status.PAUSED, "pause_asked"),
    Arrow(Status.BUILDING, Status.PAUSED, "pause_asked"),
    Arrow(Status.PAUSED, Status.COPYING, "resume_asked"),
    Arrow(Status.COPYING, Status.FAILED, "stopped"),
    Arrow(Status.BUILDING, Status.FAILED, "stopped"),
    Arrow(Status.FAILED, Status.COPYING, "taken_up"),
    *(Arrow(status, Status.CANCELLED, "cancel_asked") for status in _UNFINISHED),
    *(
        Arrow(status, Status.REPLACED, "replaced")
        for status in (*_UNFINISHED, Status.CANCELLED, Status.COMPLETE)
    ),
)

WORKING = (Status.COPYING, Status.BUILDING)
"""The states in which members work."""


ENDED = (Status.CANCELLED, Status.COMPLETE, Status.REPLACED)
"""The states from which nothing is copied or built any more."""


def arrow(start: Status | None, end: Status) -> Arrow | None:
    """The arrow between two states, None when there is none."""
    return next((a for a in ARROWS if (a.start, a.end) == (start, end)), None)
