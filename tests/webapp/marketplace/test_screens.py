"""Every screen works in an empty shop, in a crowded one, with long titles, in both languages,
and says what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from bs4 import BeautifulSoup
from flask import url_for

from tests.webapp.marketplace.shelf import LONG, category, page_of, statements
from tests.webapp.world import World
from webapp.models import Product, Role, User
from webapp.web.language import catalogue

WEBAPP = Path(__file__).resolve().parents[3] / "webapp"
METHODS = [("templates/marketplace/**.html", "jinja2"), ("blueprints/marketplace/**.py", "python")]


def screens(product: Product | None) -> list[str]:
    """The addresses of all pages of the catalogue."""
    lists = ["/", "/?q=lamp", "/?category=home", "/?seller=seller", "/?in_stock=1"]
    own = ["/favourites", "/sell", "/sell/new"]
    if product is None:
        return lists + own
    return lists + own + [f"/products/{product.id}", f"/sell/{product.id}/edit"]


def read_page(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


def check(address: str, text: str) -> None:
    """What must be true of every page."""
    page = read_page(text)
    assert page.select("html[lang=en], html[lang=es]"), address
    levels = [int(h.name[1]) for h in page.select("h1, h2, h3, h4")]
    assert levels[0] == 1, address
    assert levels.count(1) == 1, address
    assert all(b - a <= 1 for a, b in pairwise(levels)), address
    ids = [part["id"] for part in page.select("[id]")]
    assert len(ids) == len(set(ids)), address
    assert not page.select("[style], style, script:not([src]), [onclick]"), address
    for part in page.select("input:not([type=hidden]), select, textarea"):
        labelled = (
            part.find_parent("label")
            or part.get("aria-label")
            or page.select_one(f'label[for="{part.get("id")}"]')
        )
        assert labelled, (address, part)
    for part in page.select("[aria-describedby]"):
        assert page.find(id=part["aria-describedby"]), (address, part)
    for image in page.select("img"):
        assert image.has_attr("alt")
    for form in page.select("form[method=post]"):
        assert form.select_one("[name=csrf_token]"), (address, form["action"])


def looked_at(world: World, product: Product | None, seller: User) -> Iterator[tuple[str, str]]:
    """Every page in both languages, checked: its address and what it says."""
    client = world.client(seller)
    for language in ("en", "es"):
        client.set_cookie("shop-language", language)
        for address in screens(product):
            answer = client.get(address)
            assert answer.status_code == 200, address
            check(address, answer.text)
            yield address, answer.text


def test_an_empty_shop_says_what_to_do_next(world: World) -> None:
    seller = world.user("seller", role=Role.SELLER)
    for address, text in looked_at(world, None, seller):
        page = read_page(text)
        empty = page.select_one("section.empty")
        assert (empty is None) is (address == "/sell/new"), address
        if empty is not None:
            assert page.select_one("main a[role=button]"), address


def test_somebody_who_is_not_known_finds_an_empty_shop_kind_too(world: World) -> None:
    page = page_of(world.client().get("/"))
    assert [a["href"] for a in page.select("section.empty a[role=button]")] == ["/register"]


def test_titles_without_a_space_are_on_every_page(world: World) -> None:
    seller = world.user("seller", role=Role.SELLER)
    home = category(world, "home", name="W" * 200)
    product = world.product(seller, LONG, category_id=home.id, description=LONG * 3)
    seen = {address for address, text in looked_at(world, product, seller) if LONG in text}
    assert seen >= {"/", "/sell", f"/products/{product.id}", f"/sell/{product.id}/edit"}


def test_every_page_of_a_crowded_shop_is_short(crowded: World) -> None:
    seller = crowded.user("other", role=Role.SELLER)
    product = crowded.product(seller)
    for address, text in looked_at(crowded, product, seller):
        assert len(text) < 60_000, address


def test_what_people_wrote_is_never_markup(world: World) -> None:
    evil = "\"'><script>alert(1)</script>{{ 7*7 }}"
    seller = world.user("seller", role=Role.SELLER)
    attributes = {evil: evil}
    product = world.product(seller, evil, description=evil, attributes=attributes)
    for address, text in looked_at(world, product, seller):
        assert "<script>alert" not in text, address
    text = world.client().get("/", query_string={"q": evil, "category": evil}).text
    assert "<script>alert" not in text


def test_links_of_filters_carry_nothing_but_filters(world: World) -> None:
    category(world, "home")
    text = world.client().get("/?q=x&_scheme=javascript&_external=1&_anchor=y&sort=title").text
    links = [a["href"] for a in read_page(text).select(".categories a")]
    assert links
    assert all(re.match(r"/\?", link) and "_scheme" not in link for link in links)
    assert any("q=x" in link and "sort=title" in link for link in links)


def test_a_next_page_keeps_the_filters_and_leads_on(world: World) -> None:
    seller = world.user("seller")
    for number in range(30):
        world.product(seller, f"lamp {number}")
    client, titles, address = world.client(), [], "/?q=lamp&sort=title&seller=seller"
    while address:
        page = page_of(client.get(address))
        titles += [h.text for h in page.select(".card h2")]
        link = page.select_one("a[rel=next]")
        address = str(link["href"]) if link else ""
    assert titles == sorted(f"lamp {number}" for number in range(30))


@pytest.mark.parametrize("after", ["x", "W10.x", "é", "\x00", "a" * 9000])
def test_a_broken_cursor_is_told_kindly(world: World, after: str) -> None:
    client = world.client(world.user(role=Role.SELLER))
    for address in ("/", "/favourites", "/sell"):
        with statements(world) as sent:
            answer = client.get(address, query_string={"after": after})
        assert answer.status_code == 422
        assert "Begin again at the first one." in answer.text
        assert not [s for s, _ in sent if "FROM product" in s]


def test_a_cursor_is_good_for_its_own_order_alone(world: World) -> None:
    for number in range(30):
        world.product(world.user(), f"{number}")
    page = page_of(world.client().get("/?sort=title"))
    (link,) = page.select("a[rel=next]")
    assert world.client().get(str(link["href"])).status_code == 200
    other = str(link["href"]).replace("sort=title", "sort=newest")
    assert world.client().get(other).status_code == 422


def test_filters_that_cannot_be_understood_are_marked(world: World) -> None:
    answer = world.client().get("/?price_min=cheap&sort=backwards")
    assert answer.status_code == 422
    marked = [part["name"] for part in page_of(answer).select("[aria-invalid]")]
    assert marked == ["price_min", "sort"]
    check("/", answer.text)


def test_every_sentence_is_said_in_spanish_too(world: World) -> None:
    spanish, said = catalogue("es"), set()
    methods = [(pattern, method) for pattern, method in METHODS]
    for _file, _line, message, _comments, _context in extract_from_dir(
        WEBAPP, methods, keywords={"_": None, "gettext": None, "ngettext": (1, 2)}
    ):
        said |= set(message) if isinstance(message, tuple) else {message}
    assert len(said) > 100
    assert sorted(s for s in said if s not in spanish) == []
    for sentence in said:
        facts = r"%\(\w+\)s"
        assert sorted(re.findall(facts, spanish[sentence])) == sorted(re.findall(facts, sentence))


def test_every_route_answers_to_the_name_that_others_call_it_by(world: World) -> None:
    with world.app.test_request_context():
        assert url_for("marketplace.browse") == "/"
        assert url_for("marketplace.product", product_id=3) == "/products/3"
        assert url_for("marketplace.image", product_id=3, number=1) == "/products/3/images/1"
        assert url_for("marketplace.favourite_products") == "/favourites"
        assert url_for("marketplace.mine") == "/sell"
