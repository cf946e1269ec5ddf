"""Letters about orders, in the language of whoever gets them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from babel.numbers import format_currency
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from webapp.models import Order, User
from webapp.services.outbox import put_mail

LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class _Letter:
    """A letter by language: (subject, body)."""

    en: tuple[str, str]
    es: tuple[str, str]


_TO_BUYER = {
    "placed": _Letter(
        ("Your order {id}", "Thank you for your order at {other}: {total}."),
        ("Tu pedido {id}", "Gracias por tu pedido a {other}: {total}."),
    ),
    "paid": _Letter(
        ("Paid: order {id}", "{total} were paid to {other}. You hear from us when it is sent."),
        ("Pagado: pedido {id}", "Se han pagado {total} a {other}. Te avisaremos cuando se envíe."),
    ),
    "declined": _Letter(
        (
            "Not paid: order {id}",
            "Your payment of {total} was declined. You can try again: look under Orders.",
        ),
        (
            "Sin pagar: pedido {id}",
            "Tu pago de {total} fue rechazado. Puedes intentarlo otra vez desde Pedidos.",
        ),
    ),
    "shipped": _Letter(
        ("On its way: order {id}", "{other} has sent what you ordered."),
        ("En camino: pedido {id}", "{other} ha enviado lo que pediste."),
    ),
    "cancelled": _Letter(
        (
            "Cancelled: order {id}",
            "Your order at {other} is cancelled. If it was paid, {total} come back to you.",
        ),
        (
            "Cancelado: pedido {id}",
            "Tu pedido a {other} está cancelado. Si se llegó a pagar, te devolvemos {total}.",
        ),
    ),
    "refunded": _Letter(
        ("Refunded: order {id}", "{other} gives {total} back to you."),
        ("Reembolsado: pedido {id}", "{other} te devuelve {total}."),
    ),
}
_TO_SELLER = {
    "paid": _Letter(
        (
            "You sold something: order {id}",
            "{other} has paid {total}. Please send it: look under Sales.",
        ),
        (
            "Has vendido algo: pedido {id}",
            "{other} ha pagado {total}. Envíalo, por favor: mira en Ventas.",
        ),
    ),
    "cancelled": _Letter(
        ("Cancelled: order {id}", "The order of {other} for {total} is cancelled. Do not send it."),
        (
            "Cancelado: pedido {id}",
            "El pedido de {other} por {total} está cancelado. No lo envíes.",
        ),
    ),
}


def tell(session: Session, order_id: uuid.UUID, what: str, *, now: datetime) -> None:
    """Leave letters to whoever is concerned. ``what``: a state of the order, or ``declined``."""
    order = session.scalars(
        select(Order)
        .options(joinedload(Order.buyer), joinedload(Order.seller))
        .where(Order.id == order_id)
    ).one()
    for letters, to, other in (
        (_TO_BUYER, order.buyer, order.seller),
        (_TO_SELLER, order.seller, order.buyer),
    ):
        if what in letters and to.deleted_at is None:
            subject, body = _written(letters[what], order, to, other)
            put_mail(session, to.email, subject, body, now=now)


def _written(letter: _Letter, order: Order, to: User, other: User) -> tuple[str, str]:
    language = to.language if to.language in LANGUAGES else LANGUAGES[0]
    facts = {
        "id": str(order.id)[:8],
        "other": other.display_name or other.username,
        "total": format_currency(order.total, order.currency, locale=language),
    }
    subject, body = letter.es if language == "es" else letter.en
    return subject.format_map(facts), body.format_map(facts) + "\n"
