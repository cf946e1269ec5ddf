"""The pages of the cart, checkout, orders and sales, as browsers ask for them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text
from werkzeug.test import TestResponse

from tests.webapp.orders.buying import HOME, charge, fake, place, states, stock, viewer
from tests.webapp.world import REPOSITORY, World
from webapp.database import Frozen
from webapp.models import (
    Base,
    CartItem,
    Order,
    OrderState,
    PaymentState,
    Product,
    ProductState,
    Role,
    User,
)
from webapp.services import cart as carts
from webapp.services import orders
from webapp.web.language import catalogue

LONG = "Extraordinarily" * 13 + "title"


def page(response: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def said(response: TestResponse) -> str:
    """The text of the page's content, on one line."""
    main = page(response).main
    assert main is not None
    return " ".join(main.get_text(" ").split())


def form_of(response: TestResponse) -> dict[str, Any]:
    """What a browser would send with the checkout's form as it is shown."""
    form = page(response).select_one("form.checkout")
    assert form is not None
    found: dict[str, Any] = {"line": [], "total": []}
    for field in form.select("input[name], textarea[name], select[name]"):
        name, value = str(field["name"]), str(field.get("value", ""))
        if name in ("line", "total"):
            found[name].append(value)
        elif field.name == "select":
            chosen = field.select_one("option[selected]")
            found[name] = str(chosen["value"]) if chosen else ""
        else:
            found[name] = field.text.strip() if field.name == "textarea" else value
    return found


def put(client: FlaskClient, product: Product, quantity: int = 1) -> TestResponse:
    return client.post("/cart/items", data={"product_id": product.id, "quantity": quantity})


def count(world: World, table: Any) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@dataclass
class Market:
    world: World
    buyer: User
    seller: User
    lamp: Product

    def browser(self, who: User | None = None) -> FlaskClient:
        return self.world.client(who or self.buyer)


@pytest.fixture
def market(world: World) -> Market:
    """A buyer, a seller, and ten lamps."""
    buyer, seller = world.user("ann"), world.user("bob", Role.SELLER)
    return Market(world, buyer, seller, world.product(seller, "A brass lamp", stock=10))


# --- the cart ------------------------------------------------------------------------------


def test_an_empty_cart_says_so(market: Market) -> None:
    assert "Your cart is empty." in said(market.browser().get("/cart"))
    assert market.browser().get("/checkout").location == "/cart"


def test_what_is_put_in_adds_up(market: Market) -> None:
    client = market.browser()
    chair = market.world.product(market.seller, "A chair", price=Decimal("0.10"), currency="MXN")
    assert put(client, market.lamp, 2).status_code == 303
    put(client, market.lamp, 1)
    put(client, chair)
    shown = said(client.get("/cart"))
    assert "A brass lamp €19.99 each" in shown
    assert "Total €59.97 + MX$0.10" in shown


def test_pieces_are_changed_and_none_takes_it_out(market: Market) -> None:
    client = market.browser()
    put(client, market.lamp, 2)
    client.post(f"/cart/items/{market.lamp.id}", data={"quantity": 4})
    assert "€79.96" in said(client.get("/cart"))
    client.post(f"/cart/items/{market.lamp.id}", data={"quantity": 0})
    assert "Your cart is empty." in said(client.get("/cart"))
    assert client.post(f"/cart/items/{market.lamp.id}", data={"quantity": 1}).status_code == 404


@pytest.mark.parametrize("quantity", ["1001", "-1", "x", "1.5", "9" * 30, "٣", "0"])
def test_an_odd_number_of_pieces_changes_nothing(market: Market, quantity: str) -> None:
    client = market.browser()
    client.post("/cart/items", data={"product_id": market.lamp.id, "quantity": quantity})
    assert "Choose between 1 and 1,000 pieces." in said(client.get("/cart"))
    assert count(market.world, CartItem) == 0


@pytest.mark.parametrize("product_id", ["", "x", "0", "999999", "9" * 18, "9" * 40])
def test_what_is_no_product_cannot_be_put_in(market: Market, product_id: str) -> None:
    answer = market.browser().post("/cart/items", data={"product_id": product_id, "quantity": 1})
    assert answer.status_code == 404


def test_a_number_beyond_all_keys_is_no_page(market: Market) -> None:
    assert market.browser().post(f"/cart/items/{2**63}", data={"quantity": 1}).status_code == 404


@pytest.mark.parametrize("state", sorted(set(ProductState) - {ProductState.LISTED}))
def test_what_is_not_listed_cannot_be_put_in(market: Market, state: ProductState) -> None:
    hidden = market.world.product(market.seller, state=state)
    assert put(market.browser(), hidden).status_code == 404


def test_sellers_do_not_buy_from_themselves(market: Market) -> None:
    client = market.browser(market.seller)
    put(client, market.lamp)
    assert "This is your own product" in said(client.get("/cart"))
    assert count(market.world, CartItem) == 0


def test_a_cart_has_room_for_fifty_products(market: Market) -> None:
    client = market.browser()
    for number in range(50):
        put(client, market.world.product(market.seller, f"Thing {number}"))
    put(client, market.lamp)
    assert "50 different products at most" in said(client.get("/cart"))
    assert count(market.world, CartItem) == 50


def test_the_cart_says_what_cannot_be_had(market: Market) -> None:
    client, world = market.browser(), market.world
    few, gone, withdrawn = (world.product(market.seller, stock=5) for _ in range(3))
    for product in (few, gone, withdrawn):
        put(client, product, 3)

    def change(session: Any) -> None:
        session.get_one(Product, few.id).stock = 2
        session.get_one(Product, gone.id).stock = 0
        session.get_one(Product, withdrawn.id).state = ProductState.WITHDRAWN

    world.write(change)
    shown = said(client.get("/cart"))
    assert "Only 2 are left." in shown
    assert "It is sold out." in shown
    assert "It is not for sale any more." in shown
    assert "Go to checkout" not in shown
    assert client.get("/checkout").location == "/cart"


# --- checkout ------------------------------------------------------------------------------


def test_an_order_is_placed_paid_and_shown(market: Market) -> None:
    client = market.browser()
    put(client, market.lamp, 2)
    form = form_of(client.get("/checkout")) | HOME | {"note": "Ring twice.\r\nThanks"}
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 303
    shown = said(client.get(answer.location))
    for words in (
        "Paid",
        "Thank you!",
        "2 × A brass lamp",
        "€39.98",
        "Soria",
        "Spain",
        "Ring twice",
    ):
        assert words in shown
    assert stock(market.world, market.lamp) == 8
    assert count(market.world, CartItem) == 0
    assert form_of(_again(client, market))["city"] == "Soria"  # remembered for the next one


def _again(client: FlaskClient, market: Market) -> TestResponse:
    put(client, market.lamp)
    return client.get("/checkout")


def test_the_form_sent_twice_orders_once(market: Market) -> None:
    client = market.browser()
    put(client, market.lamp, 2)
    form = form_of(client.get("/checkout")) | HOME
    first, second = (client.post("/checkout", data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert count(market.world, Order) == 1
    other = client.post("/checkout", data=form | {"city": "Jaca"})
    assert other.location == "/orders"  # the cart is empty by now
    put(client, market.lamp, 2)
    refused = client.post("/checkout", data=form | {"city": "Jaca"})
    assert refused.status_code == 422
    assert "sent before with other contents" in said(refused)
    assert count(market.world, Order) == 1


def test_products_of_two_sellers_become_two_orders(market: Market) -> None:
    client = market.browser()
    put(client, market.lamp)
    put(client, market.world.product(market.world.user(), "A chair"))
    answer = client.post("/checkout", data=form_of(client.get("/checkout")) | HOME)
    assert answer.location == "/orders"
    shown = said(client.get("/orders"))
    assert "one for each seller" in shown
    assert shown.count("Paid") == 2


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "This is needed."),
        ("street", "", "This is needed."),
        ("city", "x" * 201, "This is too long."),
        ("postcode", "x" * 21, "This is too long."),
        ("country", "", "This is needed."),
        ("country", "XX", "Choose a country."),
        ("country", "es", "Choose a country."),
        ("note", "x" * 1001, "This is too long."),
        ("note", "a\x00b", "This has characters that cannot be used."),
        ("key", "", "The form was incomplete."),
        ("key", "ñ" * 20, "The form was incomplete."),
        ("line", [], "An order has between 1 and 50 different products."),
        ("line", ["x"], "The form was incomplete."),
        ("line", [f"{2**63}:1"], "The form was incomplete."),
        ("line", ["1:0"], "Choose between 1 and 1,000 pieces."),
        ("total", ["EUR:x"], "The form was incomplete."),
        ("total", ["EUR:0.01"], "A price has changed."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_ordered(
    market: Market, field: str, value: Any, sentence: str
) -> None:
    client = market.browser()
    put(client, market.lamp)
    form = form_of(client.get("/checkout")) | HOME | {field: value}
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 422
    assert sentence in said(answer)
    if field in HOME and field != "country":
        shown = page(answer).select_one(f"[name={field}]")
        assert shown is not None
        assert shown["aria-invalid"] == "true"
        assert sentence in page(answer).select_one(f"#{shown['aria-describedby']}").text  # type: ignore[union-attr]
    assert count(market.world, Order) == 0
    assert stock(market.world, market.lamp) == 10


def test_a_price_that_changed_is_agreed_to_anew(market: Market) -> None:
    client = market.browser()
    put(client, market.lamp)
    form = form_of(client.get("/checkout")) | HOME

    def dearer(session: Any) -> None:
        session.get_one(Product, market.lamp.id).price = Decimal("99.99")

    market.world.write(dearer)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "A price has changed." in said(answer)
    assert "€99.99" in said(answer)
    assert client.post("/checkout", data=form_of(answer)).status_code == 303


def test_everything_that_is_short_is_said_at_once(market: Market) -> None:
    client, world = market.browser(), market.world
    chair = world.product(market.seller, "A chair", stock=3)
    put(client, market.lamp, 4)
    put(client, chair, 3)
    form = form_of(client.get("/checkout")) | HOME

    def taken(session: Any) -> None:
        session.get_one(Product, market.lamp.id).stock = 1
        session.get_one(Product, chair.id).stock = 0

    world.write(taken)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "A brass lamp: you want 4, 1 left" in said(answer)
    assert "A chair: you want 3, 0 left" in said(answer)
    assert count(world, Order) == 0


def test_what_was_withdrawn_meanwhile_is_shown_in_the_cart(market: Market) -> None:
    client = market.browser()
    put(client, market.lamp)
    form = form_of(client.get("/checkout")) | HOME

    def withdrawn(session: Any) -> None:
        session.get_one(Product, market.lamp.id).state = ProductState.HIDDEN

    market.world.write(withdrawn)
    assert client.post("/checkout", data=form).location == "/cart"
    assert "not for sale any more" in said(client.get("/cart"))


# --- paying --------------------------------------------------------------------------------


def order_page(market: Market, behaviour: str) -> tuple[FlaskClient, str]:
    """An order that was placed with payments behaving so, and its address."""
    client = market.browser()
    fake(market.world, behaviour)
    put(client, market.lamp)
    answer = client.post("/checkout", data=form_of(client.get("/checkout")) | HOME)
    assert answer.status_code == 303
    return client, str(answer.location)


@pytest.mark.parametrize("behaviour", ["times_out", "charges_then_times_out"])
def test_a_payment_that_times_out_is_being_confirmed(market: Market, behaviour: str) -> None:
    client, address = order_page(market, behaviour)
    shown = said(client.get(address))
    assert "We are confirming your payment." in shown
    assert "Try once more" not in shown
    assert "do not send it" in said(market.browser(market.seller).get(_sale(address)))


def _sale(address: str) -> str:
    return address.replace("/orders/", "/sales/")


def test_a_declined_payment_can_be_tried_again(market: Market) -> None:
    client, address = order_page(market, "declines")
    assert "Your payment was declined." in said(client.get(address))
    fake(market.world, "works")
    assert client.post(f"{address}/pay").location == address
    assert "It is paid." in said(client.get(address))
    client.post(f"{address}/pay")
    assert "It is too late for that" in said(client.get(address))
    assert [e.state for e in fake(market.world).entries(address.rpartition("/")[2])] == [
        "declined",
        "charged",
    ]


def test_an_order_is_sent_and_refunded_by_its_seller(market: Market) -> None:
    client, address = order_page(market, "works")
    seller = market.browser(market.seller)
    assert "Mark as sent" in said(seller.get(_sale(address)))
    assert "Mark as sent" not in said(client.get(address))
    assert seller.post(f"{_sale(address)}/ship").location == _sale(address)
    assert "Sent" in said(client.get(address))
    seller.post(f"{_sale(address)}/refund")
    assert "The money is on its way back." in said(client.get(address))
    seller.post(f"{_sale(address)}/ship")
    assert "It is too late for that" in said(seller.get(_sale(address)))


def test_an_unpaid_order_is_cancelled_by_either_side(market: Market) -> None:
    for side in ("buyer", "seller"):
        client, address = order_page(market, "declines")
        if side == "buyer":
            client.post(f"{address}/cancel")
        else:
            market.browser(market.seller).post(f"{_sale(address)}/cancel")
        assert "Cancelled" in said(client.get(address))
        assert stock(market.world, market.lamp) == 10


def test_a_paid_order_is_not_cancelled(market: Market) -> None:
    client, address = order_page(market, "works")
    client.post(f"{address}/cancel")
    assert "It is too late for that" in said(client.get(address))
    assert states(market.world, uuid.UUID(address[-36:])) == (
        OrderState.PAID,
        PaymentState.CAPTURED,
    )


# --- what providers tell -------------------------------------------------------------------


def test_news_need_no_token_of_a_form_but_a_signature(market: Market) -> None:
    market.world.app.config["WTF_CSRF_ENABLED"] = True
    client, books = market.browser(), fake(market.world)
    order_id = place(market.world, market.buyer, (market.lamp.id, 1))
    books.charge("key", Decimal("19.99"), "EUR", order_id=str(order_id))
    sent: list[tuple[Any, bytes]] = []

    def post(headers: Any, body: bytes) -> bool:
        sent.append((headers, body))
        return True

    books.tell(post)
    ((headers, body),) = sent
    where = "/payments/webhook/fake"
    assert client.post(where, data=body).status_code == 400
    assert client.post(where, data=body + b" ", headers=headers).status_code == 400
    assert client.post("/payments/webhook/stripe", data=body, headers=headers).status_code == 404
    assert states(market.world, order_id)[0] is OrderState.PLACED
    assert client.post(where, data=body, headers=headers).status_code == 204
    assert states(market.world, order_id)[0] is OrderState.PAID


# --- whose orders they are -----------------------------------------------------------------

ROUTES = (
    ("GET", "/orders/{}", "buyer"),
    ("POST", "/orders/{}/pay", "buyer"),
    ("POST", "/orders/{}/cancel", "buyer"),
    ("GET", "/sales/{}", "seller"),
    ("POST", "/sales/{}/ship", "seller"),
    ("POST", "/sales/{}/refund", "seller"),
    ("POST", "/sales/{}/cancel", "seller"),
)


def test_the_matrix_names_every_route_of_an_order(world: World) -> None:
    found = {
        (method, re.sub(r"<uuid:\w+>", "{}", rule.rule))
        for rule in world.app.url_map.iter_rules()
        if rule.endpoint.startswith("orders.") and "<uuid:" in rule.rule
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == {(method, path) for method, path, _ in ROUTES}


@pytest.mark.parametrize(("method", "path", "side"), ROUTES)
def test_an_order_of_others_is_not_there(market: Market, method: str, path: str, side: str) -> None:
    world = market.world
    order_id = place(world, market.buyer, (market.lamp.id, 1))
    people = {
        "buyer": market.buyer,
        "seller": market.seller,
        "other buyer": world.user(),
        "other seller": world.user(role=Role.SELLER),
        "admin": world.user(role=Role.ADMIN),
    }
    before = states(world, order_id), stock(world, market.lamp)
    answers = {
        name: world.client(user).open(path.format(order_id), method=method).status_code
        for name, user in people.items()
        if name != side
    }
    assert set(answers.values()) == {404}, answers
    assert (states(world, order_id), stock(world, market.lamp)) == before
    anonymous = world.client().open(path.format(order_id), method=method)
    assert anonymous.status_code == 302
    assert anonymous.location.startswith("/login")
    assert world.client(people[side]).open(path.format(order_id), method=method).status_code < 400
    nobodys = path.format(uuid.uuid4())
    assert world.client(people[side]).open(nobodys, method=method).status_code == 404


@pytest.mark.parametrize("path", ["/cart", "/checkout", "/orders", "/sales"])
def test_only_who_is_logged_in_sees_lists(world: World, path: str) -> None:
    assert world.client().get(path).location.startswith("/login")


def test_every_form_needs_its_token(market: Market) -> None:
    market.world.app.config["WTF_CSRF_ENABLED"] = True
    order_id = place(market.world, market.buyer, (market.lamp.id, 1))
    posts = [path.format(order_id) for method, path, _ in ROUTES if method == "POST"]
    for path in (*posts, "/cart/items", f"/cart/items/{market.lamp.id}", "/checkout"):
        assert market.browser().post(path).status_code == 400, path


# --- lists ---------------------------------------------------------------------------------


def test_lists_are_read_a_page_at_a_time_the_newest_first(market: Market) -> None:
    world = market.world
    lots = world.product(market.seller, stock=100)
    made = []
    for number in range(45):
        world.now += timedelta(seconds=number % 2)  # some at the same moment
        made.append(place(world, market.buyer, (lots.id, 1)))
    for who, path in ((market.buyer, "/orders"), (market.seller, "/sales")):
        client, found, address = market.browser(who), [], path
        for _ in range(3):
            shown = page(client.get(address))
            found += [uuid.UUID(str(a["href"])[-36:]) for a in shown.select(".orders h2 a")]
            following = shown.select_one("a[rel=next]")
            address = str(following["href"]) if following else ""
        assert not address
        assert len(found) == 45
        assert set(found) == set(made)
        assert found[0] in made[-2:]


@pytest.mark.parametrize("after", ["x", "2026-01-01_x", f"2026-01-01T00:00:00_{uuid.UUID(int=7)}"])
def test_a_page_that_nobody_named_is_not_there(market: Market, after: str) -> None:
    assert market.browser().get("/orders", query_string={"after": after}).status_code == 404


def test_lists_ask_the_database_as_often_for_many_as_for_few(market: Market) -> None:
    world, client = market.world, market.browser()
    lots = world.product(market.seller, stock=100)
    paths = ("/cart", "/checkout", "/orders")

    def asked() -> list[int]:
        return [_statements(world, client, path) for path in paths]

    place(world, market.buyer, (lots.id, 1))
    put(client, lots)
    few = asked()
    for number in range(15):
        place(world, world.user() if number % 2 else market.buyer, (lots.id, 1))
        put(client, world.product(world.user()))
    assert asked() == few
    assert max(few) < 10


def _statements(world: World, client: FlaskClient, path: str) -> int:
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)
    return len(asked)


# --- how they read -------------------------------------------------------------------------


def every_page(market: Market) -> Iterator[TestResponse]:
    """Each of the pages, empty and full."""
    world = market.world
    nobody = world.client(world.user(role=Role.SELLER))
    yield from (nobody.get(path) for path in ("/cart", "/orders", "/sales"))
    lamp = world.product(market.seller, LONG, price=Decimal("9999999.99"), stock=50)
    for behaviour in ("works", "declines", "times_out"):
        fake(world, behaviour)
        order_id = place(world, market.buyer, (lamp.id, 2))
        charge(world, order_id)
        yield market.browser().get(f"/orders/{order_id}")
        yield market.browser(market.seller).get(f"/sales/{order_id}")
    put(market.browser(), lamp)
    yield from (market.browser().get(path) for path in ("/cart", "/checkout", "/orders"))
    yield market.browser(market.seller).get("/sales")


def test_every_page_is_sound(market: Market) -> None:
    for answer in every_page(market):
        assert answer.status_code == 200
        shown = page(answer)
        headings = [int(h.name[1]) for h in shown.select("h1, h2, h3")]
        assert headings.count(1) == 1
        assert headings[0] == 1
        assert not shown.select("[style], script:not([src]), [onclick]")
        for field in shown.select("input:not([type=hidden]), select, textarea"):
            named = field.get("aria-label") or shown.select(f"label[for={field['id']}]")
            assert named, field
        ids = [str(tag["id"]) for tag in shown.select("[id]")]
        assert len(ids) == len(set(ids))


def test_what_people_write_is_shown_as_they_wrote_it(market: Market) -> None:
    world = market.world
    odd = "<script>alert(1)</script>{{ 7*7 }}"
    lamp = world.product(market.seller, odd)
    home = {**HOME, "name": odd}
    (made,) = world.write(
        lambda s: orders.place(
            s, viewer(market.buyer), [(lamp.id, 1)], address=home, note=odd, provider="fake",
            now=world.now,
        )
    )  # fmt: skip
    answer = market.browser().get(f"/orders/{made.id}")
    assert "<script>alert" not in answer.text
    assert said(answer).count(odd) == 3


def test_every_sentence_has_its_spanish_one() -> None:
    spanish = catalogue("es")
    methods = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
    options = {"**.html": {"newstyle_gettext": "true"}}
    said_in_english = set()
    for folder in ("templates", "blueprints"):
        found = extract_from_dir(REPOSITORY / "webapp" / folder / "orders", methods, options)
        for _, _, message, _, _ in found:
            said_in_english |= set(message if isinstance(message, tuple) else (message,))
    assert len(said_in_english) > 50
    assert said_in_english - spanish.keys() == set()
    facts = re.compile(r"%\(\w+\)s")
    for sentence in said_in_english:
        assert sorted(facts.findall(sentence)) == sorted(facts.findall(spanish[sentence]))


def test_pages_are_in_spanish_for_whoever_reads_it(market: Market) -> None:
    world = market.world
    reader = world.user(language="es")
    client = world.client(reader)
    put(client, market.lamp, 2)
    assert "Total 39,98 €" in said(client.get("/cart"))
    answer = client.post("/checkout", data=form_of(client.get("/checkout")) | HOME)
    shown = said(client.get(answer.location))
    for words in ("Pagado", "¡Gracias!", "España", "Adónde se envía"):
        assert words in shown


# --- a database that is being moved --------------------------------------------------------


def freeze(world: World) -> None:
    """As a mover does: by a trigger on SQLite, by the server's guard on PostgreSQL."""
    engine = world.database.engine
    if world.backend == "sqlite":
        with engine.begin() as connection:
            tables = Base.metadata.sorted_tables
            names = [table.name for table in tables if not table.info.get("is_view")]
            for name in names:
                for act in ("INSERT", "UPDATE", "DELETE"):
                    connection.execute(
                        text(
                            f'CREATE TRIGGER "frozen_{name}_{act}" BEFORE {act} ON "{name}"'
                            " BEGIN SELECT RAISE(ABORT, 'MIGRATION_FROZEN'); END"
                        )
                    )
        return
    name = engine.url.database
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    engine.dispose()


def test_a_frozen_shop_can_be_looked_at_and_asks_to_wait(market: Market) -> None:
    world, client, seller = market.world, market.browser(), market.browser(market.seller)
    put(client, market.lamp)
    form = form_of(client.get("/checkout")) | HOME
    order_id = place(world, market.buyer, (market.lamp.id, 1))
    freeze(world)
    for path in ("/cart", "/checkout", "/orders", "/sales", f"/orders/{order_id}"):
        assert client.get(path).status_code == 200, path
    posts: dict[str, Any] = {
        "/checkout": form,
        "/cart/items": {"product_id": market.lamp.id, "quantity": 1},
        f"/cart/items/{market.lamp.id}": {"quantity": 0},
        f"/orders/{order_id}/cancel": {},
    }
    for path, data in posts.items():
        answer = client.post(path, data=data)
        assert answer.status_code == 503, path
        assert answer.headers["Retry-After"] == str(Frozen.RETRY_AFTER)
        assert "being moved" in said(answer)
    assert seller.post(f"/sales/{order_id}/cancel").status_code == 503
    assert count(world, Order) == 1
    assert fake(world).entries(str(order_id)) == []


def test_an_order_placed_just_before_the_freeze_is_acknowledged(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, client = market.world, market.browser()
    put(client, market.lamp)
    form = form_of(client.get("/checkout")) | HOME
    really = carts.check_out

    def placed_then_frozen(*given: Any, **words: Any) -> orders.Placed:
        world.database.write = _frozen  # type: ignore[method-assign]
        return really(*given, **words)

    monkeypatch.setattr(carts, "check_out", placed_then_frozen)
    answer = client.post("/checkout", data=form)
    assert answer.status_code == 303
    assert "We are confirming your payment." in said(client.get(answer.location))


def _frozen(_work: object) -> None:
    raise Frozen
