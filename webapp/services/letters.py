"""Letters about orders, in the language of whoever gets them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from webapp.models import Order, OrderState, User
from webapp.services.outbox import put_mail

SUBJECTS = {
    "placed": {"en": "Your order %(id)s", "es": "Tu pedido %(id)s"},
    "sold": {"en": "You sold something: %(id)s", "es": "Has vendido algo: %(id)s"},
    "shipped": {"en": "On its way: %(id)s", "es": "En camino: %(id)s"},
    "cancelled": {"en": "Cancelled: %(id)s", "es": "Cancelado: %(id)s"},
    "refunded": {"en": "Refunded: %(id)s", "es": "Reembolsado: %(id)s"},
}
BODIES = {
    "placed": {
        "en": "Thank you, %(name)s. You ordered for %(total)s %(currency)s.",
        "es": "Gracias, %(name)s. Has hecho un pedido de %(total)s %(currency)s.",
    },
    "sold": {
        "en": "%(name)s, somebody ordered from you for %(total)s %(currency)s.",
        "es": "%(name)s, alguien te ha hecho un pedido de %(total)s %(currency)s.",
    },
    "shipped": {
        "en": "%(name)s, what you ordered has been sent.",
        "es": "%(name)s, lo que pediste ya se ha enviado.",
    },
    "cancelled": {
        "en": "%(name)s, the order for %(total)s %(currency)s is cancelled.",
        "es": "%(name)s, el pedido de %(total)s %(currency)s está cancelado.",
    },
    "refunded": {
        "en": "%(name)s, you get %(total)s %(currency)s back.",
        "es": "%(name)s, te devolvemos %(total)s %(currency)s.",
    },
}


def placed(session: Session, order_ids: Sequence[uuid.UUID], *, now: datetime) -> None:
    """To the buyer and each seller."""
    for order in _orders(session, order_ids):
        _write(session, "placed", order, order.buyer, now)
        _write(session, "sold", order, order.seller, now)


def shipped(session: Session, order_id: uuid.UUID, *, now: datetime) -> None:
    """To the buyer."""
    for order in _orders(session, [order_id]):
        _write(session, "shipped", order, order.buyer, now)


def ended(session: Session, order_id: uuid.UUID, *, now: datetime) -> None:
    """To both, of an order that was cancelled or refunded."""
    for order in _orders(session, [order_id]):
        kind = "refunded" if order.state is OrderState.REFUNDED else "cancelled"
        _write(session, kind, order, order.buyer, now)
        if kind == "cancelled":
            _write(session, kind, order, order.seller, now)


def _orders(session: Session, order_ids: Sequence[uuid.UUID]) -> list[Order]:
    found = (
        select(Order)
        .options(joinedload(Order.buyer), joinedload(Order.seller))
        .where(Order.id.in_(list(order_ids)))
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(found))


def _write(session: Session, kind: str, order: Order, to: User, now: datetime) -> None:
    if to.deleted_at is not None:
        return
    language = to.language if to.language in ("en", "es") else "en"
    facts = {
        "id": str(order.id)[:8],
        "name": to.display_name or to.username,
        "total": f"{order.total:.2f}",
        "currency": order.currency,
    }
    subject, body = SUBJECTS[kind][language] % facts, BODIES[kind][language] % facts
    put_mail(session, to.email, subject, body, now=now)
