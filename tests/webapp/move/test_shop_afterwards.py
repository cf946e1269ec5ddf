"""The shop runs on what was moved: it reads what it wrote, and goes on writing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.webapp.migrations.revisions import version
from tests.webapp.move.moves import Moved, clean_rows, shop_on
from tests.webapp.world import World
from webapp.models import (
    Category,
    LoginAttempt,
    LoginSession,
    Order,
    OrderItem,
    OutboxKind,
    OutboxMessage,
    Payment,
    Product,
    ProductState,
    Question,
    Role,
    User,
)
from webapp.seed import BUYER, SELLER
from webapp.services import orders, sessions
from webapp.services.people import Viewer


@pytest.fixture
def here(moved: Moved) -> Iterator[World]:
    """The shop where it was."""
    shop = shop_on(moved.source_url)
    yield shop
    shop.database.close()


@pytest.fixture
def there(moved: Moved) -> Iterator[World]:
    """The shop where it is now."""
    shop = shop_on(moved.target)
    yield shop
    shop.database.close()


PAGES = ("/", "/?q=lamp", "/?q=lámpara", "/?sort=price_up", "/?sort=title", "/products/1")


def test_pages_are_shown(there: World) -> None:
    there.now = there.app.extensions["shop"].clock()  # now, to sessions and to the page
    buyer = known(there, BUYER)
    for client in (there.client(), there.client(buyer)):
        for page in PAGES:
            answer = client.get(page)
            assert answer.status_code == 200, page
            assert b"<h1" in answer.data
    for page in ("/favourites", "/account"):
        assert there.client(buyer).get(page).status_code == 200, page
    assert there.client(known(there, SELLER)).get("/sell").status_code == 200


def test_a_search_finds_the_same(here: World, there: World) -> None:
    def titles(world: World, word: str) -> set[str]:
        page = BeautifulSoup(
            world.client().get("/", query_string={"q": word, "sort": "newest"}).data, "html.parser"
        )
        return {link["href"] for link in page.select("a[href^='/products/']")}

    for word in ("lamp", "lámpara", "reloj", "Logroño"):
        assert titles(here, word)
        assert titles(there, word) == titles(here, word), word


def known(world: World, username: str) -> User:
    with world.database.reading() as session:
        found = session.scalars(select(User).where(User.username == username)).one()
        session.expunge(found)
    return found


def test_an_order_is_placed_once(there: World) -> None:
    buyer = known(there, BUYER)
    viewer = Viewer(buyer.id, buyer.username, buyer.role, session_id=0)
    with there.database.reading() as session:
        product, stock = session.execute(
            select(Product.id, Product.stock)
            .where(Product.state == ProductState.LISTED, Product.stock > 5)
            .order_by(Product.id)
        ).first()
    key = str(uuid.uuid4())

    def place(session: Session) -> orders.Placed:
        return orders.place_once(
            session,
            viewer,
            key,
            [(product, 2)],
            address={"name": "Ana", "street": "x", "city": "Vic", "country": "ES"},
            note="",
            provider="fake",
            now=there.now,
        )

    first, again = there.write(place), there.write(place)
    assert (first.is_repeated, again.is_repeated) == (False, True)
    assert first.order_ids == again.order_ids
    with there.database.reading() as session:
        assert session.scalar(select(Product.stock).where(Product.id == product)) == stock - 2


def test_the_shop_reads_what_it_wrote(here: World, moved: Moved) -> None:
    ours, theirs = clean_rows(here.database), moved.arrived
    assert all(ours.values()), "a table without rows proves nothing"
    for table, rows in ours.items():
        assert theirs[table] == rows, table


def test_the_shop_counts_on(there: World) -> None:
    """Every table that numbers its rows: what is new comes after all that there was."""
    numbered = (User, Category, Product, Question, Payment, OutboxMessage, LoginAttempt)
    with there.database.reading() as session:
        most = {kind: session.scalar(select(func.max(kind.id))) for kind in numbered}
        product_id = session.scalar(select(func.min(Product.id)))
    user = there.user(role=Role.SELLER)
    product = there.product(user)
    order = Order(
        id=uuid.uuid4(),
        buyer_id=user.id,
        seller_id=user.id,
        currency="EUR",
        total=Decimal("39.98"),
        created_at=there.now,
        address={"city": "Vic"},
    )
    item = OrderItem(
        order_id=order.id,
        line=1,
        product_id=product.id,
        title="x",
        unit_price=Decimal("19.99"),
        quantity=2,
    )
    payment = Payment(
        order_id=order.id,
        provider="fake",
        idempotency_key=str(uuid.uuid4()),
        amount=order.total,
        currency="EUR",
        created_at=there.now,
    )
    others = [
        Category(slug=f"c{uuid.uuid4().hex[:20]}", name="New"),
        Question(product_id=product_id, user_id=user.id, body="?", created_at=there.now),
        OutboxMessage(
            kind=OutboxKind.MAIL, payload={"a": [1]}, created_at=there.now, due_at=there.now
        ),
        LoginAttempt(account="a", address="::1", at=there.now),
    ]
    there.write(lambda s: s.add(order))
    there.write(lambda s: s.add_all([item, payment, *others]))
    made = {type(thing): thing.id for thing in (user, product, payment, *others)}
    assert {kind: made[kind] > most[kind] for kind in numbered} == dict.fromkeys(numbered, True)
    with there.database.reading() as session:
        found = session.get_one(OrderItem, (order.id, 1))
        assert found.line_total == order.total
        assert session.get_one(Order, order.id).address == {"city": "Vic"}
        assert session.get_one(Product, product.id).is_in_stock is True


def test_a_session_begun_there_is_known(there: World) -> None:
    user = there.user()
    token = there.token(user)
    with there.database.reading() as session:
        held = session.scalars(
            select(LoginSession).where(LoginSession.token_digest == sessions.digest(token))
        ).one()
        assert held.user_id == user.id


def test_the_rules_of_the_tables_hold_for_what_is_new(there: World) -> None:
    seller = there.user()
    there.product(seller, sku="One")
    for wrong in ({"stock": -1}, {"title": ""}, {"sku": "ONE"}):
        with pytest.raises(IntegrityError):
            there.product(seller, **wrong)
    with pytest.raises(IntegrityError):
        there.product(User(id=-5))


def test_the_revision_is_known(here: World, there: World) -> None:
    assert version(there.url) == version(here.url)
