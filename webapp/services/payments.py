"""Money: asked for after an order is committed, never within a transaction, and once.

What a provider is asked stands in the outbox; what it answered comes here. An answer may come
twice, late, or through a webhook first: each step is taken from one state alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.database import inserted
from webapp.models import (
    Order,
    OrderState,
    OutboxKind,
    OutboxMessage,
    Payment,
    PaymentEvent,
    PaymentState,
)
from webapp.services import orders
from webapp.services.errors import Conflict, NotFound
from webapp.services.people import Viewer

ALLOWED: Mapping[PaymentState, frozenset[PaymentState]] = {
    PaymentState.PENDING: frozenset({PaymentState.CAPTURED, PaymentState.FAILED}),
    PaymentState.FAILED: frozenset({PaymentState.PENDING, PaymentState.CAPTURED}),
    PaymentState.CAPTURED: frozenset({PaymentState.REFUNDING}),
    PaymentState.REFUNDING: frozenset({PaymentState.REFUNDED}),
    PaymentState.REFUNDED: frozenset(),
}
"""A payment that failed may be tried again, and may turn out to have been captured after all."""


@dataclass(frozen=True)
class Due:
    """What a provider is to be asked for. ``key``: it charges or refunds once for it."""

    order_id: uuid.UUID
    provider: str
    key: str
    amount: Decimal
    currency: str
    reference: str | None = None


# --- what is to be asked -------------------------------------------------------------------


def charge_due(session: Session, order_id: uuid.UUID) -> Due | None:
    """What is to be charged for an order; None when there is nothing (any more)."""
    return _due(session, order_id, PaymentState.PENDING, OrderState.PLACED)


def refund_due(session: Session, order_id: uuid.UUID) -> Due | None:
    """What is to be paid back for an order; None when there is nothing (any more)."""
    return _due(session, order_id, PaymentState.REFUNDING, None)


def _due(
    session: Session, order_id: uuid.UUID, state: PaymentState, order: OrderState | None
) -> Due | None:
    found = select(Payment).join(Order).where(Payment.order_id == order_id, Payment.state == state)
    if order is not None:
        found = found.where(Order.state == order)
    payment = session.scalar(found)
    if payment is None:
        return None
    return Due(
        order_id,
        payment.provider,
        payment.idempotency_key,
        payment.amount,
        payment.currency,
        payment.reference,
    )


# --- what was answered ---------------------------------------------------------------------


def captured(session: Session, order_id: uuid.UUID, reference: str, *, now: datetime) -> bool:
    """The provider has the money; whether that was news.

    An order that was cancelled meanwhile gives it back.
    """
    values = {"reference": reference, "settled_at": now}
    if not _move(session, order_id, PaymentState.CAPTURED, values):
        return False
    if orders.move(session, order_id, OrderState.PAID, now=now):
        return True
    _give_back(session, order_id, now=now)
    return True


def declined(session: Session, order_id: uuid.UUID, reason: str, *, now: datetime) -> bool:
    """The provider will not charge; whether that was news. The buyer may try again."""
    values = {"detail": {"reason": reason}, "settled_at": now}
    return _move(session, order_id, PaymentState.FAILED, values, (PaymentState.PENDING,))


def refunded(session: Session, order_id: uuid.UUID, *, now: datetime) -> bool:
    """The money is back; whether that was news."""
    return _move(session, order_id, PaymentState.REFUNDED, {"settled_at": now})


def received(
    session: Session,
    provider: str,
    event_id: str,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
) -> bool:
    """Write down what a provider tells; False when it had told so before."""
    values = {
        "provider": provider,
        "event_id": event_id,
        "kind": kind,
        "payload": dict(payload),
        "received_at": now,
    }
    return inserted(session, PaymentEvent, values)


# --- what people ask -----------------------------------------------------------------------


def try_again(session: Session, viewer: Viewer, order_id: uuid.UUID, *, now: datetime) -> None:
    """Ask for the money of one's order once more, under a new key: under the old one a
    provider would only say again what it said. Raises NotFound, Conflict."""
    payment = session.scalar(
        select(Payment).join(Order).where(Payment.order_id == order_id, Order.buyer_id == viewer.id)
    )
    if payment is None:
        raise NotFound
    tries = int(payment.detail.get("tries", 1)) + 1
    values = {"idempotency_key": f"{order_id.hex}-{tries}", "detail": {"tries": tries}}
    is_open = session.scalar(select(Order.state).where(Order.id == order_id)) is OrderState.PLACED
    if not is_open or not _move(
        session, order_id, PaymentState.PENDING, values, (PaymentState.FAILED,)
    ):
        raise Conflict
    _ask(session, OutboxKind.CHARGE, order_id, now)


def refund(session: Session, viewer: Viewer, order_id: uuid.UUID, *, now: datetime) -> None:
    """The seller pays back. Raises NotFound, Conflict unless it is paid."""
    seller = session.scalar(select(Order.seller_id).where(Order.id == order_id))
    if seller != viewer.id:
        raise NotFound
    if not orders.move(session, order_id, OrderState.REFUNDED, now=now):
        raise Conflict
    _give_back(session, order_id, now=now)


def _give_back(session: Session, order_id: uuid.UUID, *, now: datetime) -> None:
    if _move(session, order_id, PaymentState.REFUNDING, {}):
        _ask(session, OutboxKind.REFUND, order_id, now)


def _ask(session: Session, kind: OutboxKind, order_id: uuid.UUID, now: datetime) -> None:
    payload = {"order_id": str(order_id)}
    session.add(OutboxMessage(kind=kind, payload=payload, created_at=now, due_at=now))


def _move(
    session: Session,
    order_id: uuid.UUID,
    to: PaymentState,
    values: Mapping[str, Any],
    origins: tuple[PaymentState, ...] = (),
) -> bool:
    """Compare and set; whether it was in a state from which it may go there."""
    allowed = origins or tuple(state for state, nexts in ALLOWED.items() if to in nexts)
    moved = (
        update(Payment)
        .where(Payment.order_id == order_id, Payment.state.in_(allowed))
        .values({"state": to, **values})
    )
    return bool(session.execute(moved).rowcount)  # type: ignore[attr-defined]
