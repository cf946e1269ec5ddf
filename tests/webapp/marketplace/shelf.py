"""What tests of the catalogue put into a shop, and how they look at it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from bs4 import BeautifulSoup
from sqlalchemy import event, insert
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.webapp.world import World
from webapp.models import Category, Order, OrderItem, OrderState, Product, ProductState, User

T = TypeVar("T")
LONG = "W" * 200


@contextmanager
def statements(world: World) -> Iterator[list[tuple[str, Any]]]:
    """The statements that the shop's database is sent meanwhile, with their values."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        sent.append((statement, values))

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)


def questions(sent: list[tuple[str, Any]]) -> list[str]:
    """Those of the statements that are not about transactions."""
    return [statement for statement, _ in sent if not statement.startswith(("BEGIN", "SELECT 1"))]


def looked(world: World, work: Callable[[Session], T]) -> T:
    """What a service finds; rows of tables as they were then."""
    with world.database.reading() as session:
        found = work(session)
        session.expunge_all()
        return found


def category(world: World, slug: str, parent: Category | None = None, **others: Any) -> Category:
    """A branch of the tree."""
    words = {"name": slug.title(), "names": {"es": f"{slug} (es)"}} | others
    made = Category(slug=slug, parent_id=parent.id if parent else None, **words)
    world.write(lambda s: s.add(made))
    return made


def fill(world: World, seller: User, count: int, **others: Any) -> None:
    """Many products, each a minute newer than the one before."""
    rows = [
        {
            "seller_id": seller.id,
            "title": f"Thing number {number}",
            "description": "Something for the house, of wood.",
            "price": Decimal(number % 997) + Decimal("0.99"),
            "currency": "EUR",
            "stock": number % 7,
            "state": ProductState.LISTED if number % 10 else ProductState.WITHDRAWN,
            "attributes": {},
            "created_at": world.now + timedelta(minutes=number),
            "updated_at": world.now,
        }
        | others
        for number in range(count)
    ]
    world.write(lambda s: s.execute(insert(Product), rows))


def bought(
    world: World, buyer: User, product: Product, state: OrderState = OrderState.PAID
) -> None:
    """An order of one piece, in some state."""
    order = Order(
        id=uuid.uuid4(),
        buyer_id=buyer.id,
        seller_id=product.seller_id,
        state=state,
        currency="EUR",
        total=product.price,
        created_at=world.now,
    )
    item = OrderItem(
        order_id=order.id,
        line=1,
        product_id=product.id,
        title=product.title,
        unit_price=product.price,
        quantity=1,
    )
    world.write(lambda s: s.add(order))
    world.write(lambda s: s.add(item))


def again(world: World, product: Product) -> Product:
    """The product as it is now."""
    return looked(world, lambda s: s.get_one(Product, product.id))


def page_of(answer: TestResponse) -> BeautifulSoup:
    """A page that was answered."""
    return BeautifulSoup(answer.text, "html.parser")


def form_of(page: BeautifulSoup, action: str) -> dict[str, str]:
    """What a form would send if nobody typed anything."""
    form = page.find("form", action=action)
    assert form is not None, action
    sent = {}
    for part in form.select("input[name], textarea[name]"):
        is_text = part.name == "textarea"
        sent[str(part["name"])] = part.text.lstrip("\n") if is_text else str(part.get("value", ""))
    for choice in form.select("select"):
        chosen = choice.select_one("option[selected]") or choice.select_one("option")
        assert chosen is not None
        sent[str(choice["name"])] = str(chosen["value"])
    return sent
