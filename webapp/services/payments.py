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
    Payment,
    PaymentEvent,
    PaymentState,
)
from webapp.providers import Event, EventKind
from webapp.services import letters, orders, outbox
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

CHARGE, REFUND = OutboxKind.CHARGE, OutboxKind.REFUND


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


def charge_due(session: Session, order_id: uuid.UUID, *, was_asked: bool) -> Due | None:
    """What is to be charged for an order; None when there is nothing (any more).

    ``was_asked``: the provider may have charged it without our hearing of it. It is asked
    again then even for an order that was cancelled since: money that moved must come back.
    """
    return _due(session, order_id, PaymentState.PENDING, None if was_asked else OrderState.PLACED)


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
    values = {"reference": reference, "detail": {}, "settled_at": now}
    if not _move(session, order_id, PaymentState.CAPTURED, values):
        return False
    if not orders.move(session, order_id, OrderState.PAID, now=now):
        _give_back(session, order_id, now=now)
    return True


def declined(
    session: Session, order_id: uuid.UUID, key: str, reason: str, *, now: datetime
) -> bool:
    """The provider will not charge under ``key``; whether that was news. The buyer may try
    again, under another: what is said of an earlier one then changes nothing."""
    values = {"detail": {"reason": reason}, "settled_at": now}
    if not _move(session, order_id, PaymentState.FAILED, values, (PaymentState.PENDING,), key):
        return False
    letters.tell(session, order_id, "declined", now=now)
    return True


def refunded(session: Session, order_id: uuid.UUID, *, now: datetime) -> bool:
    """The money is back; whether that was news."""
    return _move(session, order_id, PaymentState.REFUNDED, {"settled_at": now})


def told(session: Session, provider: str, event: Event, *, now: datetime) -> bool:
    """Write down what a provider tells by itself, and what follows; False when it had told so
    before, or of a payment that is none of ours."""
    order_id = _order_of(session, provider, event)
    values = {
        "provider": provider,
        "event_id": event.id,
        "kind": event.kind.value,
        "payload": dict(event.payload),
        "received_at": now,
    }
    if order_id is None or not inserted(session, PaymentEvent, values):
        return False
    if event.kind is EventKind.CAPTURED:
        captured(session, order_id, event.reference, now=now)
    elif event.kind is EventKind.FAILED and not outbox.is_pending(session, CHARGE, order_id):
        # While the provider is being asked, its answer counts, not what it told before.
        declined(session, order_id, event.key, "payment_failed", now=now)
    elif event.kind is EventKind.REFUNDED:
        refunded(session, order_id, now=now)
    return True


def _order_of(session: Session, provider: str, event: Event) -> uuid.UUID | None:
    try:
        named = uuid.UUID(event.order_id)
    except ValueError:
        return None
    return session.scalar(
        select(Payment.order_id).where(Payment.order_id == named, Payment.provider == provider)
    )


# --- what people ask -----------------------------------------------------------------------


def try_again(session: Session, viewer: Viewer, order_id: uuid.UUID, *, now: datetime) -> None:
    """Ask for the money of one's order once more. Raises NotFound, Conflict.

    After a refusal under a new key: under the old one a provider would only say again what it
    said. Where the answer never came and nobody asks any more, under the same one.
    """
    payment = session.scalar(
        select(Payment).join(Order).where(Payment.order_id == order_id, Order.buyer_id == viewer.id)
    )
    if payment is None:
        raise NotFound
    state = session.scalar(select(Order.state).where(Order.id == order_id).with_for_update())
    if state is not OrderState.PLACED or not _reopened(session, payment):
        raise Conflict
    outbox.put_call(session, CHARGE, order_id, now=now)


def _reopened(session: Session, payment: Payment) -> bool:
    if payment.state is PaymentState.PENDING:
        return not outbox.is_pending(session, CHARGE, payment.order_id)
    key = _next_key(payment.order_id, payment.idempotency_key)
    values: dict[str, Any] = {"idempotency_key": key, "detail": {}, "settled_at": None}
    return _move(
        session, payment.order_id, PaymentState.PENDING, values, (PaymentState.FAILED,),
        payment.idempotency_key,
    )  # fmt: skip


def _next_key(order_id: uuid.UUID, key: str) -> str:
    """Of the second try, the third, and so on."""
    tries = int(key.removeprefix(f"{order_id.hex}-")) if key.startswith(order_id.hex) else 1
    return f"{order_id.hex}-{tries + 1}"


def refund(session: Session, viewer: Viewer, order_id: uuid.UUID, *, now: datetime) -> None:
    """The seller pays back. Raises NotFound, Conflict unless it is paid."""
    orders.require_side(session, viewer, order_id, "seller")
    if not orders.move(session, order_id, OrderState.REFUNDED, now=now):
        raise Conflict
    _give_back(session, order_id, now=now)


def _give_back(session: Session, order_id: uuid.UUID, *, now: datetime) -> None:
    if _move(session, order_id, PaymentState.REFUNDING, {}):
        outbox.put_call(session, REFUND, order_id, now=now)


def _move(
    session: Session,
    order_id: uuid.UUID,
    to: PaymentState,
    values: Mapping[str, Any],
    origins: tuple[PaymentState, ...] = (),
    key: str | None = None,
) -> bool:
    """Compare and set; whether it was in a state from which it may go there, and had that key
    if one is given."""
    allowed = origins or tuple(state for state, nexts in ALLOWED.items() if to in nexts)
    moved = update(Payment).where(Payment.order_id == order_id, Payment.state.in_(allowed))
    if key is not None:
        moved = moved.where(Payment.idempotency_key == key)
    return bool(session.execute(moved.values({"state": to, **values})).rowcount)  # type: ignore[attr-defined]
