"""The shop's own column types mean the same on both engines."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from tests.webapp.world import World
from webapp.models import Order, OrderItem, Product

AMOUNTS = ["0", "0.01", "0.10", "19.99", "1234567.89", "9999999999.99", "9007199254.93"]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_comes_back_to_the_cent(world: World, amount: str) -> None:
    product = world.product(world.user(), price=Decimal(amount))
    with world.database.reading() as session:
        (found,) = session.scalars(select(Product).where(Product.price == Decimal(amount)))
        assert (found.id, found.price) == (product.id, Decimal(amount).quantize(Decimal("0.01")))


@pytest.mark.parametrize("amount", ["0.001", "10000000000", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(world: World, amount: str) -> None:
    seller = world.user()
    with pytest.raises(StatementError, match="whole cents"):
        world.product(seller, price=Decimal(amount))


def test_a_moment_is_one_whatever_its_offset(world: World) -> None:
    there = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=-6)))
    made = world.user(created_at=there)
    world.now = there
    product = world.product(made)
    with world.database.reading() as session:
        found = session.get_one(Product, product.id)
        assert found.created_at == there
        assert found.created_at.tzinfo is UTC
        assert session.scalars(select(Product.id).where(Product.created_at >= there)).all() == [
            product.id
        ]


def test_a_moment_without_an_offset_is_refused(world: World) -> None:
    with pytest.raises(StatementError, match="offset"):
        world.user(created_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_line_costs_its_price_times_its_pieces(world: World) -> None:
    seller = world.user()
    product = world.product(seller)
    order = Order(
        id=uuid.uuid4(),
        buyer_id=seller.id,
        seller_id=seller.id,
        currency="EUR",
        total=Decimal("59.97"),
        created_at=world.now,
        address={"city": "Málaga", "lines": ["1"]},
    )
    item = OrderItem(
        order_id=order.id,
        line=1,
        product_id=product.id,
        title="x",
        unit_price=Decimal("19.99"),
        quantity=3,
    )

    def place(session: object) -> None:
        session.add(order)  # type: ignore[attr-defined]
        session.flush()  # type: ignore[attr-defined]
        session.add(item)  # type: ignore[attr-defined]

    world.write(place)
    with world.database.reading() as session:
        assert session.scalars(select(OrderItem.line_total)).all() == [Decimal("59.97")]
        found = session.get_one(Order, order.id)
        assert (found.id, found.address) == (order.id, {"city": "Málaga", "lines": ["1"]})
