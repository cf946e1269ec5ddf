"""Many at once: stock is never oversold, a key orders once, and orders never block for ever."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.webapp.world import World
from webapp.models import Order, OrderItem, Payment, Product, User
from webapp.services import orders
from webapp.services.errors import OutOfStock, Refused
from webapp.services.people import Viewer

T = TypeVar("T")
HOME = {"name": "Ana", "street": "Calle 1", "city": "Soria", "country": "ES"}


def viewer(user: User) -> Viewer:
    return Viewer(id=user.id, username=user.username, role=user.role, session_id=0)


def together(works: list[Callable[[], T]]) -> list[T | Refused]:
    """What each answers or raises, all begun at one moment."""
    ready = Barrier(len(works))

    def begin(work: Callable[[], T]) -> T | Refused:
        ready.wait()
        try:
            return work()
        except Refused as error:
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(begin, works))


def order(world: World, buyer: User, *lines: tuple[int, int]) -> Callable[[], list[Order]]:
    def work(session: Session) -> list[Order]:
        return orders.place(
            session, viewer(buyer), lines, address=HOME, note="", provider="fake", now=world.now
        )

    return lambda: world.write(work)


def count(world: World, table: Any) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_fifty_buyers_of_the_last_five_make_five_orders(busy_world: World) -> None:
    world = busy_world
    lamp = world.product(world.user(), stock=5)
    buyers = [world.user() for _ in range(50)]
    answers = together([order(world, buyer, (lamp.id, 1)) for buyer in buyers])
    assert Counter(type(answer) for answer in answers) == {list: 5, OutOfStock: 45}
    with world.database.reading() as session:
        assert session.get_one(Product, lamp.id).stock == 0
    assert count(world, Order) == count(world, OrderItem) == count(world, Payment) == 5


def test_one_key_sent_twenty_times_at_once_orders_once(busy_world: World) -> None:
    world = busy_world
    lamp, buyer = world.product(world.user()), world.user()

    def work(session: Session) -> orders.Placed:
        return orders.place_once(
            session, viewer(buyer), "key-1", [(lamp.id, 2)], address=HOME, note="",
            provider="fake", now=world.now,
        )  # fmt: skip

    answers = together([lambda: world.write(work)] * 20)
    assert {type(answer) for answer in answers} == {orders.Placed}
    placed = [answer for answer in answers if isinstance(answer, orders.Placed)]
    assert len({answer.order_ids for answer in placed}) == 1
    assert sum(not answer.is_repeated for answer in placed) == 1
    assert count(world, Order) == 1


def test_orders_of_the_same_products_in_any_order_all_come_through(busy_world: World) -> None:
    world = busy_world
    seller = world.user()
    a, b = world.product(seller, stock=100), world.product(seller, stock=100)
    buyers = [world.user() for _ in range(20)]
    works = [
        order(world, buyer, (a.id, 1), (b.id, 1))
        if n % 2
        else order(world, buyer, (b.id, 1), (a.id, 1))
        for n, buyer in enumerate(buyers)
    ]
    for _ in range(4):
        assert {type(answer) for answer in together(works)} == {list}
    with world.database.reading() as session:
        assert [session.get_one(Product, p.id).stock for p in (a, b)] == [20, 20]


def test_of_an_order_that_lacks_one_thing_nothing_is_ordered(world: World) -> None:
    seller, buyer = world.user(), world.user()
    there, gone, few = (world.product(seller, stock=n) for n in (3, 0, 1))
    answer = together([order(world, buyer, (there.id, 1), (gone.id, 1), (few.id, 2))])[0]
    assert isinstance(answer, OutOfStock)
    assert [(s.product_id, s.wanted, s.left) for s in answer.shortages] == [
        (gone.id, 1, 0),
        (few.id, 2, 1),
    ]
    assert count(world, Order) == 0
    with world.database.reading() as session:
        assert session.get_one(Product, there.id).stock == 3


def test_prices_and_titles_are_copied(world: World) -> None:
    buyer = world.user()
    lamp = world.product(world.user(), "A lamp", price=Decimal("0.10"))
    (placed,) = order(world, buyer, (lamp.id, 3))()
    world.write(lambda s: _dearer(s, lamp.id))
    with world.database.reading() as session:
        seen = orders.order(session, viewer(buyer), placed.id)
    assert [(line.title, line.unit_price, line.line_total) for line in seen.lines] == [
        ("A lamp", Decimal("0.10"), Decimal("0.30"))
    ]
    assert seen.total == Decimal("0.30")


def _dearer(session: Session, product_id: int) -> None:
    product = session.get_one(Product, product_id)
    product.price, product.title = Decimal(99), "Another lamp"


def test_products_of_two_sellers_become_two_orders(world: World) -> None:
    buyer = world.user()
    one, other = world.product(world.user()), world.product(world.user())
    placed = order(world, buyer, (one.id, 1), (other.id, 1))()
    assert {o.seller_id for o in placed} == {one.seller_id, other.seller_id}
    assert all(isinstance(o.id, uuid.UUID) for o in placed)
