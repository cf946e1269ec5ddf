"""What tests of the catalogue put into a shop, and how they look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from tests.webapp.world import World
from webapp.models import Category, Product, ProductState, User

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
    """What a service finds."""
    with world.database.reading() as session:
        return work(session)


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
