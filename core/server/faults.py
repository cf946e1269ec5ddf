"""What an error of the server asks of the one who met it: try again, or stop.

By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
"""

from __future__ import annotations

from enum import StrEnum

import psycopg

from core.errors import TargetLost, TargetUnreachable


class Fault(StrEnum):
    """The kinds of errors that pass."""

    LOST = "lost"
    """The session is gone, or none can be had just now: connect again."""
    CONFLICT = "conflict"
    """Deadlock or serialization failure: the same once more."""
    LOCKED = "locked"
    """Somebody held a lock for longer than lock_timeout."""
    SLOW = "slow"
    """The statement ran into statement_timeout: less at once."""


_BY_SQLSTATE = {
    "40001": Fault.CONFLICT,
    "40P01": Fault.CONFLICT,
    "55P03": Fault.LOCKED,
    "57014": Fault.SLOW,
    "57P01": Fault.LOST,  # the administrator ended the session
    "57P02": Fault.LOST,  # another backend crashed
    "57P03": Fault.LOST,  # starting up, or shutting down
    "57P05": Fault.LOST,  # idle session
    "25P03": Fault.LOST,  # idle in a transaction
    "25P04": Fault.LOST,  # a transaction that took too long
    "53300": Fault.LOST,  # too many connections
}


def fault(error: BaseException) -> Fault | None:
    """The kind of an error that passes; None for one that will not."""
    if isinstance(error, TargetLost | TargetUnreachable):
        return Fault.LOST
    if not isinstance(error, psycopg.Error):
        return None
    state = error.sqlstate
    if state is None:
        # libpq noticed by itself that nobody answers any more.
        return Fault.LOST if isinstance(error, psycopg.OperationalError) else None
    # 08P01 speaks of malformed binary data, on a connection that lives on.
    lost = state.startswith("08") and state != "08P01"
    return Fault.LOST if lost else _BY_SQLSTATE.get(state)


# Refusals that concern an object: its data, its definition, its size.
_OBJECT_CLASSES = ("0A", "22", "23", "42", "54")
_NO_RIGHT = "42501"


def concerns_object(error: psycopg.Error) -> bool:
    """Whether the server refused because of the object that was to be made."""
    state = error.sqlstate or ""
    return state.startswith(_OBJECT_CLASSES) and state != _NO_RIGHT
