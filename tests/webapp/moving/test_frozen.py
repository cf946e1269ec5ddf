"""While its database must not be written, the shop goes on showing what it has: every page
answers as before, every write is put off in kind words, nothing breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.routing import Rule

from tests.webapp.moving.freezing import freeze, make_read_only, rows
from tests.webapp.world import PASSWORD, World
from webapp.database import Frozen
from webapp.models import Order, Product, ProductState, Question, User
from webapp.seed import ADMIN, BUYER, SELLER, Size, seed
from webapp.web.errors import SENTENCES
from webapp.web.shop import write

HTTPS = "https://localhost"
PEOPLE = (None, BUYER, SELLER, ADMIN)
Freeze = Callable[[], None]


@pytest.fixture(params=["sqlite by triggers", "postgresql by triggers", "postgresql as a whole"])
def way(request: pytest.FixtureRequest) -> str:
    """An engine and a way to freeze it: SQLite has one, PostgreSQL two."""
    return str(request.param)


@pytest.fixture
def backend(way: str) -> str:
    """The engine."""
    return way.partition(" ")[0]


@pytest.fixture
def shop(world: World) -> World:
    """With people, products and orders."""
    seed(world.database, Size.SMALL, password=PASSWORD, now=world.now)
    return world


@pytest.fixture
def frozen(shop: World, way: str) -> Freeze:
    """Freezes the shop's database."""
    if way.endswith("by triggers"):
        return lambda: freeze(shop.url)

    def switch() -> None:
        make_read_only(shop.url)
        shop.database.close()

    return switch


def browser(world: World, username: str | None) -> FlaskClient:
    """Of somebody, or of nobody."""
    with world.database.reading() as session:
        found = session.scalar(select(User).where(User.username == username))
    assert (found is None) is (username is None)
    return world.client(found)


def places(world: World) -> dict[str, str]:
    """What stands for the parts of an address."""
    with world.database.reading() as session:
        product = session.scalar(
            select(Product.id)
            .join(User, User.id == Product.seller_id)
            .where(User.username == SELLER, Product.state == ProductState.LISTED)
            .order_by(Product.id)
        )
        order = session.scalar(
            select(Order.id)
            .join(User, User.id == Order.buyer_id)
            .where(User.username == BUYER)
            .order_by(Order.id)
        )
        question = session.scalar(select(Question.id).order_by(Question.id))
    assert product is not None
    assert order is not None
    numbers = {"question_id": str(question), "number": "1"}
    return {"int": str(product), "uuid": str(order), "default": "something"} | numbers


def email_of(world: World, username: str) -> str:
    """Where they get their mail."""
    with world.database.reading() as session:
        return str(session.scalar(select(User.email).where(User.username == username)))


def address(rule: Rule, places: dict[str, str]) -> str:
    """An address that the rule matches."""

    def part(found: re.Match[str]) -> str:
        kind, name = found["kind"] or "default", found["name"]
        if rule.endpoint == "static":
            return "shop.css"
        return places.get(name) or places[kind]

    return re.sub(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>", part, rule.rule)


def status(client: FlaskClient, path: str) -> int:
    """Of the answer to a GET."""
    with client.get(path, base_url=HTTPS) as answer:
        return answer.status_code


def rules(world: World, *methods: str) -> list[tuple[Rule, str]]:
    """The routes of the shop that have one of the methods, and the method."""
    return [
        (rule, method)
        for rule in world.app.url_map.iter_rules()
        for method in methods
        if method in (rule.methods or ())
    ]


def test_every_page_answers_as_before(shop: World, frozen: Freeze) -> None:
    there = places(shop)
    browsers = {name: browser(shop, name) for name in PEOPLE}

    def answers() -> dict[tuple[str, str | None], int]:
        return {
            (rule.rule, name): status(client, address(rule, there))
            for rule, _method in rules(shop, "GET")
            for name, client in browsers.items()
        }

    before = answers()
    frozen()
    assert answers() == before
    assert not {place: status for place, status in before.items() if status >= 500}
    assert Counter(before.values())[200] > 20


def test_people_stay_logged_in_though_their_sessions_grow_stale(
    shop: World, frozen: Freeze
) -> None:
    client = browser(shop, BUYER)
    frozen()
    shop.now = shop.now.replace(hour=shop.now.hour + 1)  # their use should be written down
    page = client.get("/account", base_url=HTTPS)
    assert page.status_code == 200
    assert BUYER in page.text


def test_no_write_breaks_and_none_is_done(shop: World, frozen: Freeze) -> None:
    there = places(shop)
    browsers = {name: browser(shop, name) for name in PEOPLE}
    frozen()
    before = rows(shop.url)
    answers: dict[tuple[str, str, str | None], int] = {}
    for rule, method in rules(shop, "POST", "PUT", "PATCH", "DELETE"):
        for name, client in browsers.items():
            sent = client.open(address(rule, there), method=method, base_url=HTTPS, data=WORDS)
            answers[method, rule.rule, name] = sent.status_code
            if sent.status_code == 503:
                assert sent.headers["Retry-After"] == str(Frozen.RETRY_AFTER), rule
    assert not {place: code for place, code in answers.items() if code >= 500 and code != 503}
    assert rows(shop.url) == before
    assert Counter(answers.values())[503] >= 15


WORDS = {
    "email": "new@example.com",
    "username": "newcomer",
    "login": BUYER,
    "password": "an entirely new passphrase",
    "current_password": PASSWORD,
    "display_name": "Somebody",
    "language": "es",
    "product_id": "1",
    "quantity": "1",
    "question": "Does it still work?",
    "answer": "It does.",
    "rating": "5",
    "review": "As good as new.",
    "title": "A lamp",
    "description": "It shines.",
    "price": "12.00",
    "currency": "EUR",
    "stock": "3",
    "category": "",
    "sku": "",
    "attributes": "",
    "state": "listed",
    "key": "a-key-of-one-form",
    "name": "Ana",
    "street": "Calle 1",
    "city": "Soria",
    "country": "ES",
}
"""A form that has all fields of all forms."""

WRITES = [
    (None, "/register"),
    (None, "/login"),
    (None, "/password/forgot"),
    (BUYER, "/account"),
    (BUYER, "/cart/items"),
    (BUYER, "/checkout"),
    (BUYER, "/products/{int}/favourite"),
    (BUYER, "/products/{int}/questions"),
    (SELLER, "/sell/new"),
    (BUYER, "/logout"),
]
"""Writes that are put off though all that they say is right."""


@pytest.mark.parametrize(("who", "path"), WRITES)
def test_a_write_is_put_off_in_kind_words(
    shop: World, frozen: Freeze, who: str | None, path: str
) -> None:
    client, there = browser(shop, who), places(shop)
    client.set_cookie("shop-language", "en")  # some of the people of the seed speak Spanish
    words = WORDS | {"product_id": there["int"], "language": "en"}
    if path == "/password/forgot":
        words["email"] = email_of(shop, BUYER)
    frozen()
    answer = client.post(path.format(**there), data=words, base_url=HTTPS)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert SENTENCES["frozen"] in answer.text
    assert "<h1>" in answer.text
    assert "MIGRATION_FROZEN" not in answer.text


def test_a_language_is_chosen_without_a_database(shop: World, frozen: Freeze) -> None:
    client = browser(shop, BUYER)
    frozen()
    answer = client.post("/language", data={"language": "es", "next": "/"}, base_url=HTTPS)
    assert answer.status_code == 303
    assert 'lang="es"' in client.get("/", base_url=HTTPS).text


def test_a_program_is_told_in_its_own_words(shop: World, frozen: Freeze) -> None:
    shop.app.add_url_rule(
        "/api/test/write",
        view_func=lambda: write(lambda s: s.execute(text("DELETE FROM favourite")) and ""),
        methods=["POST"],
    )
    frozen()
    answer = shop.client().post("/api/test/write", base_url=HTTPS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["type"].endswith(":frozen")
