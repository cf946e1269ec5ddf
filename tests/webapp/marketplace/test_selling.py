"""Selling: offering, changing, putting up and taking down; and what admins hide."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.webapp.marketplace.shelf import again, category, form_of, looked, page_of
from tests.webapp.world import World
from webapp.models import Product, ProductState, Question, Role, User
from webapp.services import listings
from webapp.services.errors import Forbidden, Invalid
from webapp.services.listings import Offer
from webapp.services.people import Viewer

OFFER = {
    "title": "  A brass\t lamp ",
    "description": "Gives light.\r\n\r\nCosts little.  ",
    "price": "19,90",
    "currency": "EUR",
    "stock": "3",
    "category": "",
    "sku": "L-1",
    "attributes": "Colour: blue\r\nWatts: 40\r\nSizes: [1, 2]\r\nCode: 007\r\nUrl: a:b",
}


@pytest.fixture
def seller(world: World) -> User:
    return world.user("seller", role=Role.SELLER)


def viewer(user: User) -> Viewer:
    return Viewer(user.id, user.username, user.role, session_id=0)


def the_product(world: World) -> Product:
    (found,) = looked(world, lambda s: s.scalars(select(Product)).all())
    return found


def test_what_is_offered_is_a_draft_as_it_was_typed(world: World, seller: User) -> None:
    branch = category(world, "light")
    sent = OFFER | {"category": "light"}
    answer = world.client(seller).post("/sell/new", data=sent)
    product = the_product(world)
    assert answer.location == f"/sell/{product.id}/edit"
    assert (product.title, product.description) == ("A brass lamp", "Gives light.\n\nCosts little.")
    assert (product.price, product.currency, product.stock) == (Decimal("19.90"), "EUR", 3)
    assert (product.category_id, product.sku, product.version) == (branch.id, "L-1", 1)
    assert product.attributes == {
        "Colour": "blue",
        "Watts": 40,
        "Sizes": [1, 2],
        "Code": "007",
        "Url": "a:b",
    }
    assert (product.state, product.seller_id) == (ProductState.DRAFT, seller.id)
    assert product.created_at == product.updated_at == world.now


def test_a_form_that_is_sent_back_untouched_changes_nothing(world: World, seller: User) -> None:
    category(world, "light")
    client = world.client(seller)
    client.post("/sell/new", data=OFFER | {"category": "light"})
    before = the_product(world)
    address = f"/sell/{before.id}/edit"
    sent = form_of(page_of(client.get(address)), address)
    assert client.post(address, data=sent).status_code == 302
    after = the_product(world)
    kept = ("title", "description", "price", "stock", "category_id", "sku", "attributes")
    assert [getattr(after, n) for n in kept] == [getattr(before, n) for n in kept]
    assert after.version == before.version + 1


WRONG = [
    ("title", " ", "Write something here."),
    ("title", "x" * 201, "This is too long."),
    ("description", "x" * 5001, "This is too long."),
    ("price", "", "Write an amount such as 12.50."),
    ("price", "1.005", "Write an amount such as 12.50."),
    ("price", "-1", "Write an amount such as 12.50."),
    ("price", "NaN", "Write an amount such as 12.50."),
    ("stock", "-1", "Write a whole number, 0 or more."),
    ("stock", "1.5", "Write a whole number, 0 or more."),
    ("stock", "1000001", "Write a whole number, 0 or more."),
    ("currency", "XXX", "Choose one of these."),
    ("category", "nowhere", "Choose one of these."),
    ("sku", "x" * 41, "This is too long."),
    ("attributes", "no colon", "Write one property on each line"),
    ("attributes", "empty:", "Write one property on each line"),
    ("attributes", "\n".join(f"{n}: x" for n in range(21)), "These are too many properties."),
    ("attributes", "long: " + "x" * 201, "This is too long."),
]


@pytest.mark.parametrize(("field", "value", "sentence"), WRONG)
def test_what_cannot_be_sold_like_this_is_said_beside_its_field(
    world: World, seller: User, field: str, value: str, sentence: str
) -> None:
    answer = world.client(seller).post("/sell/new", data=OFFER | {field: value})
    assert answer.status_code == 422
    page = page_of(answer)
    marked = page.select("[aria-invalid]")
    assert [part["name"] for part in marked] == [field]
    beside = page.find(id=marked[0]["aria-describedby"])
    assert beside is not None
    assert sentence in beside.text
    assert form_of(page, "/sell/new")["title"] == (value if field == "title" else OFFER["title"])
    assert looked(world, lambda s: s.scalar(select(func.count()).select_from(Product))) == 0


def test_all_that_is_wrong_is_said_at_once(world: World, seller: User) -> None:
    answer = world.client(seller).post("/sell/new")
    assert answer.status_code == 422
    marked = {part["name"] for part in page_of(answer).select("[aria-invalid]")}
    assert marked == {"title", "price", "stock", "currency"}


def test_a_number_of_ones_own_is_not_given_twice(world: World, seller: User) -> None:
    client = world.client(seller)
    client.post("/sell/new", data=OFFER)
    assert client.post("/sell/new", data=OFFER | {"sku": ""}).status_code == 302
    assert client.post("/sell/new", data=OFFER | {"sku": ""}).status_code == 302
    answer = client.post("/sell/new", data=OFFER | {"sku": "l-1"})
    assert (answer.status_code, "Another product of yours" in answer.text) == (422, True)
    other = world.client(world.user(role=Role.SELLER))
    assert other.post("/sell/new", data=OFFER).status_code == 302


@pytest.mark.parametrize("price", ["0.001", "NaN", "Infinity", "-0.01", "10000000000"])
def test_a_program_cannot_offer_what_is_no_price_either(
    world: World, seller: User, price: str
) -> None:
    offered = Offer(title="A lamp", price=Decimal(price), stock=1)
    with pytest.raises(Invalid) as refused:
        world.write(lambda s: listings.offer(s, viewer(seller), offered, now=world.now))
    assert refused.value.problems == {"price": "price_unclear"}


def test_who_does_not_sell_offers_nothing(world: World) -> None:
    user = world.user()
    offered = Offer(title="A lamp", price=Decimal(1), stock=1)
    with pytest.raises(Forbidden):
        world.write(lambda s: listings.offer(s, viewer(user), offered, now=world.now))
    client = world.client(user)
    answers = [client.get("/sell"), client.get("/sell/new"), client.post("/sell/new", data=OFFER)]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


def test_another_sellers_product_is_not_found(world: World, seller: User) -> None:
    product = world.product(seller)
    for role in (Role.SELLER, Role.ADMIN):
        client = world.client(world.user(role=role))
        assert client.get(f"/sell/{product.id}/edit").status_code == 404
        for address in ("edit", "state", "images", "images/1/remove"):
            sent = OFFER | {"version": "1", "state": "withdrawn"}
            assert client.post(f"/sell/{product.id}/{address}", data=sent).status_code == 404
    assert again(world, product).state is ProductState.LISTED


# --- changes at the same time ------------------------------------------------------------


def test_a_change_over_another_change_is_a_conflict_that_shows_both(
    world: World, seller: User
) -> None:
    product = world.product(seller, "A lamp", stock=5)
    client, address = world.client(seller), f"/sell/{product.id}/edit"
    one = form_of(page_of(client.get(address)), address)
    other = dict(one)
    assert client.post(address, data=one | {"title": "A red lamp"}).status_code == 302
    answer = client.post(address, data=other | {"title": "A blue lamp", "stock": "7"})
    assert answer.status_code == 409
    assert again(world, product).title == "A red lamp"
    page = page_of(answer)
    notice = page.select_one("[role=alert]")
    assert notice is not None
    assert "A red lamp" in notice.text
    sent = form_of(page, address)
    assert (sent["title"], sent["version"]) == ("A blue lamp", "2")
    assert client.post(address, data=sent).status_code == 302
    assert (again(world, product).title, again(world, product).stock) == ("A blue lamp", 7)


@pytest.mark.parametrize(("typed", "left"), [("10", 8), ("12", 10), ("9", 7), ("0", 0)])
def test_a_sale_meanwhile_is_not_undone_by_the_form(
    world: World, seller: User, typed: str, left: int
) -> None:
    product = world.product(seller, stock=10)
    client, address = world.client(seller), f"/sell/{product.id}/edit"
    sent = form_of(page_of(client.get(address)), address)
    world.write(lambda s: setattr(s.get_one(Product, product.id), "stock", 8))
    assert client.post(address, data=sent | {"stock": typed}).status_code == 302
    assert again(world, product).stock == left


def test_a_form_with_something_wrong_keeps_what_it_was_made_of(world: World, seller: User) -> None:
    product = world.product(seller, stock=10)
    client, address = world.client(seller), f"/sell/{product.id}/edit"
    sent = form_of(page_of(client.get(address)), address)
    world.write(lambda s: setattr(s.get_one(Product, product.id), "stock", 8))
    answer = client.post(address, data=sent | {"price": "much"})
    assert answer.status_code == 422
    mended = form_of(page_of(answer), address) | {"price": "5"}
    assert client.post(address, data=mended).status_code == 302
    assert again(world, product).stock == 8


@pytest.mark.parametrize("version", ["", "0", "2", "x", "9" * 30])
def test_a_version_that_is_not_the_saved_one_changes_nothing(
    world: World, seller: User, version: str
) -> None:
    product = world.product(seller, "A lamp")
    sent = OFFER | {"version": version}
    assert world.client(seller).post(f"/sell/{product.id}/edit", data=sent).status_code == 409
    assert again(world, product).title == "A lamp"


# --- up and down -------------------------------------------------------------------------

MOVES = [
    (ProductState.DRAFT, "listed", 302, ProductState.LISTED),
    (ProductState.DRAFT, "withdrawn", 302, ProductState.DRAFT),
    (ProductState.LISTED, "withdrawn", 302, ProductState.WITHDRAWN),
    (ProductState.LISTED, "listed", 302, ProductState.LISTED),
    (ProductState.WITHDRAWN, "listed", 302, ProductState.LISTED),
    (ProductState.HIDDEN, "listed", 409, ProductState.HIDDEN),
    (ProductState.HIDDEN, "withdrawn", 409, ProductState.HIDDEN),
    (ProductState.LISTED, "hidden", 422, ProductState.LISTED),
    (ProductState.LISTED, "", 422, ProductState.LISTED),
]


@pytest.mark.parametrize(("before", "wanted", "status", "after"), MOVES)
def test_a_seller_puts_up_and_takes_down_what_is_not_hidden(
    world: World,
    seller: User,
    before: ProductState,
    wanted: str,
    status: int,
    after: ProductState,
) -> None:
    product = world.product(seller, state=before)
    answer = world.client(seller).post(f"/sell/{product.id}/state", data={"state": wanted})
    assert (answer.status_code, again(world, product).state) == (status, after)


def test_an_admin_hides_and_gives_back(world: World, seller: User) -> None:
    product = world.product(seller)
    admin = world.client(world.user(role=Role.ADMIN))
    page = page_of(admin.get(f"/products/{product.id}"))
    assert page.find("form", action=f"/admin/products/{product.id}/hide") is not None
    assert admin.post(f"/admin/products/{product.id}/hide").status_code == 302
    assert world.client().get(f"/products/{product.id}").status_code == 404
    assert world.client(seller).get(f"/products/{product.id}").status_code == 200
    assert "The shop has hidden it" in world.client(seller).get(f"/sell/{product.id}/edit").text
    assert admin.post(f"/admin/products/{product.id}/show").status_code == 302
    assert again(world, product).state is ProductState.WITHDRAWN


def test_nobody_else_hides(world: World, seller: User) -> None:
    product = world.product(seller)
    for what in ("hide", "show"):
        address = f"/admin/products/{product.id}/{what}"
        assert world.client().post(address).location == "/login"
        assert world.client(seller).post(address).status_code == 403
    admin = world.client(world.user(role=Role.ADMIN))
    assert admin.post("/admin/products/999/hide").status_code == 404
    assert again(world, product).state is ProductState.LISTED


def test_showing_what_is_not_hidden_changes_nothing(world: World, seller: User) -> None:
    product = world.product(seller, state=ProductState.DRAFT)
    world.client(world.user(role=Role.ADMIN)).post(f"/admin/products/{product.id}/show")
    assert again(world, product).state is ProductState.DRAFT


# --- the list ----------------------------------------------------------------------------


def test_a_seller_finds_all_that_is_theirs_and_what_waits_for_them(
    world: World, seller: User
) -> None:
    world.product(world.user(), "another's")
    for state in ProductState:
        world.now += timedelta(seconds=1)
        product = world.product(seller, state.value, state=state)
    for answer in (None, None, "yes"):
        question = Question(
            product_id=product.id,
            user_id=seller.id,
            body="?",
            answer=answer,
            created_at=world.now,
        )
        world.write(lambda s, question=question: s.add(question))
    page = page_of(world.client(seller).get("/sell"))
    assert [h.text for h in page.select("h2")] == ["hidden", "withdrawn", "listed", "draft"]
    assert "2 questions wait for your answer" in page.text


def test_a_long_list_is_read_a_page_at_a_time(world: World, seller: User) -> None:
    for number in range(30):
        world.product(seller, f"no. {number}")
    client, titles = world.client(seller), []
    address: str | None = "/sell"
    while address:
        page = page_of(client.get(address))
        titles += [h.text for h in page.select("h2")]
        link = page.select_one("a[rel=next]")
        address = str(link["href"]) if link else None
    assert (len(titles), len(set(titles))) == (30, 30)
