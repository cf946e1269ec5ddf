"""Not faster than people want: by rows per second, or by the target's load."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from core.errors import LoadInvisible
from core.server.connection import Connection, Target
from core.transfer.events import Waiting
from core.transfer.model import Bounds, Orders
from core.transfer.work import Work

RATE, LOAD = "rate", "load"
_LOOK_SECONDS = 0.25


def portion(orders: Orders) -> Bounds:
    """How much the next chunk may hold: at a given pace not more than a second's rows; the
    bytes are shared among all that copy, for memory is."""
    bounds = orders.bounds
    bounds = replace(bounds, bytes=max(1, bounds.bytes // max(1, orders.copiers)))
    if orders.rows_per_second is None:
        return bounds
    share = max(1, math.ceil(orders.rows_per_second / max(1, orders.copiers)))
    return replace(bounds, rows=min(bounds.rows, share))


def rest(work: Work, orders: Orders, rows: int, began: float) -> None:
    """Wait until the next chunk may begin, or the orders change.

    ``began``: when the last chunk did, ``rows`` how many it carried.
    """
    reason = _reason(work, orders, rows, began)
    if not reason:
        return
    work.wait_for(reason)
    while reason and not work.is_to_end():
        work.tell(Waiting(reason=reason))
        time.sleep(_LOOK_SECONDS if reason == LOAD else _slice(orders, rows, began))
        now = work.orders()
        if (now.status, now.rows_per_second, now.load_max) != (
            orders.status,
            orders.rows_per_second,
            orders.load_max,
        ):
            break
        reason = _reason(work, now, rows, began)
    work.wait_for("")


def _reason(work: Work, orders: Orders, rows: int, began: float) -> str:
    if orders.rows_per_second is not None and time.monotonic() < _due(orders, rows, began):
        return RATE
    load_max = orders.load_max
    if load_max is not None and work.persist(others_active)[0] > load_max:
        return LOAD
    return ""


def _due(orders: Orders, rows: int, began: float) -> float:
    """When so many rows are paid for, the pace being shared among those that copy."""
    assert orders.rows_per_second is not None
    return began + rows * max(1, orders.copiers) / orders.rows_per_second


def _slice(orders: Orders, rows: int, began: float) -> float:
    return min(_LOOK_SECONDS, max(0.0, _due(orders, rows, began) - time.monotonic()))


def others_active(connection: Connection) -> tuple[int, int]:
    """How many sessions of others are active on the server, and how many do not show
    whether they are: those of other roles, unless ours may read all statistics."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE state = 'active'), count(*) FILTER (WHERE state IS NULL)"
        " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() AND pid NOT IN (SELECT backend_pid FROM mudanza.session)"
    ).fetchone()
    assert row is not None
    return int(str(row[0])), int(str(row[1]))


def require_sight(connection: Connection, target: Target) -> None:
    """Raise LoadInvisible for a role that is not shown what other roles' sessions do."""
    row = connection.execute(
        "SELECT current_user, pg_has_role(current_user, 'pg_read_all_stats', 'usage')"
    ).fetchone()
    assert row is not None
    if not row[1]:
        raise LoadInvisible(target=target.shown, role=row[0])
