"""Ordering and paying in a shop under test, as its parts do it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from tests.webapp.world import World
from webapp.models import Order, OrderState, OutboxMessage, Payment, PaymentState, Product, User
from webapp.providers import FakePayments, Letter, Providers
from webapp.services import calls, orders
from webapp.services.people import Viewer
from webapp.web.shop import EXTENSION

HOME = {
    "name": "Ana Pérez",
    "street": "Calle Mayor 1",
    "postcode": "42001",
    "city": "Soria",
    "country": "ES",
}


class Letters:
    """Mail that is kept to be read."""

    def __init__(self) -> None:
        self.sent: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.sent.append(letter)


def viewer(user: User) -> Viewer:
    return Viewer(id=user.id, username=user.username, role=user.role, session_id=0)


def providers(world: World) -> Providers:
    found: Providers = world.app.extensions[EXTENSION].providers
    return found


def fake(world: World, behaviour: str | None = None) -> FakePayments:
    """The shop's payments, behaving so from now on."""
    found = providers(world).payments
    assert isinstance(found, FakePayments)
    if behaviour is not None:
        found.behaviour = behaviour
    return found


def place(world: World, buyer: User, *lines: tuple[int, int]) -> uuid.UUID:
    """One order, its money not asked for yet."""
    (made,) = world.write(
        lambda s: orders.place(
            s, viewer(buyer), lines, address=HOME, note="", provider="fake", now=world.now
        )
    )
    return made.id


def charge(world: World, order_id: uuid.UUID) -> None:
    """Ask for its money, as the shop does while the buyer waits."""
    calls.charge_now(world.database, providers(world), [order_id], now=world.now, seconds=5)


def drain(world: World, mail: Any = None) -> int:
    """Everything that is due now."""
    called = Providers(providers(world).payments, mail or Letters())
    return calls.drain_once(world.database, called, world.now)


def states(world: World, order_id: uuid.UUID) -> tuple[OrderState, PaymentState]:
    with world.database.reading() as session:
        order, payment = session.execute(
            select(Order.state, Payment.state).join(Payment).where(Order.id == order_id)
        ).one()
    return order, payment


def stock(world: World, product: Product) -> int:
    with world.database.reading() as session:
        return session.get_one(Product, product.id).stock


def messages(world: World, *of: Any) -> list[OutboxMessage]:
    with world.database.reading() as session:
        return list(session.scalars(select(OutboxMessage).where(*of).order_by(OutboxMessage.id)))


def as_buyer(world: World, buyer: User, service: Callable[..., object], id_: uuid.UUID) -> None:
    """One of the services that take an order's id."""
    world.write(lambda s: service(s, viewer(buyer), id_, now=world.now))
