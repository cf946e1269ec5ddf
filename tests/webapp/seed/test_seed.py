"""A seeded shop: the same for the same size, whole, and quick to make."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from PIL import Image
from sqlalchemy import func, select, text

from tests.webapp.world import PASSWORD, World
from webapp.models import (
    Base,
    Category,
    Order,
    OrderItem,
    OrderState,
    OutboxMessage,
    Payment,
    PaymentState,
    Product,
    ProductImage,
    ProductState,
    Role,
    User,
)
from webapp.seed import ADMIN, BUYER, SELLER, DirtRefused, NotEmpty, Seeded, Size, seed
from webapp.seed.words import TITLE_MAX

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = [t for t in Base.metadata.sorted_tables if not t.info.get("is_view")]


def seeded(world: World, **words: Any) -> Seeded:
    return seed(world.database, Size.SMALL, **({"password": PASSWORD, "now": NOW} | words))


def everything(world: World) -> dict[str, list[Any]]:
    """All rows but the hash of the password, whose salt is never the same."""
    with world.database.reading() as session:
        return {
            t.name: sorted(map(repr, session.execute(
                select(*(c for c in t.columns if (t.name, c.name) != ("user_account", "password")))
            )))
            for t in TABLES
        }  # fmt: skip


def emptied(world: World) -> None:
    def all_of_it(session: Any) -> None:
        for table in reversed(TABLES):
            session.execute(table.delete())

    world.write(all_of_it)


def test_a_small_shop_is_made_in_two_seconds(world: World) -> None:
    began = time.monotonic()
    seeded(world)
    assert time.monotonic() - began < 2


def test_the_same_size_gives_the_same_rows_whatever_the_hour(world: World) -> None:
    seeded(world)
    first = everything(world)
    emptied(world)
    world.now = replace_year(world.now)
    seeded(world)
    assert everything(world) == first
    assert all(first.values()), "a table without rows proves nothing"


def replace_year(moment: datetime) -> datetime:
    return moment.replace(year=moment.year + 3)


def test_what_it_says_is_what_is_there(world: World) -> None:
    said = seeded(world)
    with world.database.reading() as session:
        counted = {t.name: session.scalar(select(func.count()).select_from(t)) for t in TABLES}
    assert said.rows == counted
    assert (said.size, said.dirt) == (Size.SMALL, ())


def test_nothing_secret_is_said(world: World) -> None:
    said = repr(seeded(world))
    assert PASSWORD not in said
    assert "argon2" not in said


def test_a_shop_that_holds_anything_is_left_alone(world: World) -> None:
    world.user()
    before = everything(world)
    with pytest.raises(NotEmpty):
        seeded(world)
    assert everything(world) == before


def test_the_known_people_have_the_password_that_was_given(world: World) -> None:
    seeded(world)
    with world.database.reading() as session:
        people = {u.username: u for u in session.scalars(select(User))}
        session.expunge_all()
    known = {name: people[name].role for name in (BUYER, SELLER, ADMIN)}
    assert known == {BUYER: Role.USER, SELLER: Role.SELLER, ADMIN: Role.ADMIN}
    (hashed,) = {u.password for u in people.values() if u.deleted_at is None}
    assert {u.password for u in people.values() if u.deleted_at} == {None}
    assert hashed is not None
    assert PasswordHasher().verify(hashed, PASSWORD)
    found = extract_parameters(hashed)
    assert (found.time_cost, found.memory_cost, found.parallelism) == (2, 19_456, 1)
    assert not any(people[name].is_disabled for name in known)


def test_the_known_buyer_has_bought_and_the_known_seller_sells(world: World) -> None:
    seeded(world)
    with world.database.reading() as session:
        people = {u.username: u.id for u in session.scalars(select(User))}
        bought = session.scalar(select(func.count()).where(Order.buyer_id == people[BUYER]))
        offered = session.scalar(select(func.count()).where(Product.seller_id == people[SELLER]))
    assert bought > 5
    assert offered > 5


def test_orders_and_payments_are_in_all_states_and_agree(world: World) -> None:
    seeded(world)
    with world.database.reading() as session:
        pairs = session.execute(
            select(Order.state, Payment.state).join(Payment, Payment.order_id == Order.id)
        ).all()
        sums = select(OrderItem.order_id, func.count(), func.sum(OrderItem.line_total))
        totals = {
            o: (n, Decimal(str(s)))
            for o, n, s in session.execute(sums.group_by(OrderItem.order_id))
        }
        orders = session.execute(select(Order.id, Order.total, Order.seller_id)).all()
        sellers = dict(map(tuple, session.execute(select(Product.id, Product.seller_id))))
        items = session.execute(select(OrderItem.order_id, OrderItem.product_id)).all()
    assert {state for state, _ in pairs} == set(OrderState)
    assert {state for _, state in pairs} == set(PaymentState)
    paid = {PaymentState.CAPTURED, PaymentState.REFUNDING, PaymentState.REFUNDED}
    for state, money in pairs:
        assert (money in paid) == (
            state in (OrderState.PAID, OrderState.SHIPPED, OrderState.REFUNDED)
        )
    for order in orders:
        lines, total = totals[order.id]
        assert (lines >= 2, total.quantize(order.total)) == (True, order.total)
    by_order = {o.id: o.seller_id for o in orders}
    assert all(sellers[product] == by_order[order] for order, product in items)


def test_titles_are_of_all_kinds(world: World) -> None:
    seeded(world)
    with world.database.reading() as session:
        titles = session.scalars(select(Product.title)).all()
        states = set(session.scalars(select(Product.state)))
        parents = session.scalars(select(Category.parent_id)).all()
    lengths = {len(title) for title in titles}
    assert max(lengths) == TITLE_MAX
    assert any(" de " in title for title in titles)
    assert any(" with " in title or " for " in title for title in titles)
    assert any(ord(letter) > 0x1F000 for title in titles for letter in title)
    assert states == set(ProductState)
    assert None in parents
    assert len(set(parents)) > 2


def test_pictures_are_whole(world: World) -> None:
    seeded(world)
    with world.database.reading() as session:
        contents = set(session.scalars(select(ProductImage.content)))
    assert len(contents) > 10
    for content in contents:
        with Image.open(BytesIO(content)) as opened:
            opened.verify()
            assert (opened.format, opened.size) == ("PNG", (160, 120))


def test_nothing_that_was_made_up_is_ever_due(world: World) -> None:
    seeded(world)
    with world.database.reading() as session:
        waiting = session.scalars(
            select(OutboxMessage.due_at).where(OutboxMessage.done_at.is_(None))
        ).all()
    assert waiting
    assert min(waiting) > NOW.replace(month=12)


def test_the_shop_counts_on_past_what_it_was_given(world: World) -> None:
    said = seeded(world)
    person = world.user()
    assert person.id == said.rows["user_account"] + 1
    assert world.product(person).id == said.rows["product"] + 1


def test_what_was_seeded_is_found_by_its_words(world: World) -> None:
    seeded(world)
    asked = {
        "sqlite": "SELECT count(*) FROM product_search WHERE product_search MATCH 'lámpara OR lamp'",
        "postgresql": """SELECT count(*) FROM product WHERE to_tsvector('simple',
          coalesce(title, '') || ' ' || coalesce(description, '')) @@
          to_tsquery('simple', 'lámpara | lamp')""",
    }
    with world.database.reading() as session:
        assert session.scalar(text(asked[world.backend])) > 3


def test_postgresql_takes_no_dirt(world: World) -> None:
    if world.backend == "sqlite":
        assert seeded(world, dirt=True).dirt
        return
    with pytest.raises(DirtRefused):
        seeded(world, dirt=True)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0


def test_medium_has_ten_thousand_products_and_large_a_million_lines() -> None:
    assert Size.MEDIUM.counts.products == 10_000
    assert Size.LARGE.counts.products == 100_000
    lines = Size.LARGE.counts.orders * 2.5  # two and three in turn, as the next test counts
    assert lines == 1_000_000


def test_orders_have_two_and_three_lines_in_turn(world: World) -> None:
    said = seeded(world)
    assert said.rows["order_item"] == said.rows["shop_order"] * 5 // 2
