"""Whoever only looks, at every page that another leads to: nothing is changed by it, nothing
breaks, all of it can be used, and it is all in one language."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.webapp.marketplace.test_screens import check
from tests.webapp.test_security import contents
from tests.webapp.world import PASSWORD, World
from webapp.models import Order, Product, Question, Review, User
from webapp.seed import ADMIN, BUYER, SELLER, Size, seed
from webapp.web.language import catalogue

MOST = 60
"""Pages to look at; what a list leads to is much alike."""
STARTS = {
    None: ["/", "/login", "/register", "/password/forgot"],
    BUYER: ["/", "/account", "/orders", "/cart", "/favourites", "/checkout"],
    SELLER: ["/", "/account", "/sales", "/sell"],
    ADMIN: ["/", "/account", "/admin"],
}


@pytest.fixture
def shop(world: World) -> World:
    """With people, products and orders."""
    seed(world.database, Size.SMALL, password=PASSWORD, now=world.now)
    return world


def browser(world: World, username: str | None) -> FlaskClient:
    """Of somebody, or of nobody."""
    with world.database.reading() as session:
        found = session.scalar(select(User).where(User.username == username))
    assert (found is None) is (username is None)
    return world.client(found)


def walk(client: FlaskClient, starts: list[str]) -> Iterator[tuple[str, str]]:
    """The pages that links lead to, those of other kinds first."""
    waiting, met, kinds = list(starts), set(starts), dict[str, int]()
    for _ in range(MOST):
        if not waiting:
            return
        waiting.sort(key=lambda address: kinds.get(kind(address), 0))
        address = waiting.pop(0)
        kinds[kind(address)] = kinds.get(kind(address), 0) + 1
        answer = client.get(address, buffered=True)
        assert answer.status_code in (200, 302, 303), (address, answer.status_code)
        if not answer.content_type.startswith("text/html") or answer.status_code != 200:
            continue
        yield address, answer.text
        for link in BeautifulSoup(answer.text, "html.parser").select("a[href], img[src]"):
            target = urljoin(address, str(link.get("href") or link.get("src")))
            if not urlsplit(target).netloc and "#" not in target and target not in met:
                met.add(target)
                waiting.append(target)


def kind(address: str) -> str:
    """What pages of one template have in common."""
    parts = urlsplit(address)
    path = "/".join("*" if any(map(str.isdigit, p)) else p for p in parts.path.split("/"))
    return f"{path}?{'&'.join(sorted(q.partition('=')[0] for q in parts.query.split('&')))}"


@pytest.mark.parametrize("who", STARTS)
def test_looking_changes_nothing_breaks_nothing_and_is_easy(shop: World, who: str | None) -> None:
    client = browser(shop, who)
    before = contents(shop)
    seen = []
    for address, text in walk(client, STARTS[who]):
        check(address, text)
        seen.append(address)
    assert len({kind(address) for address in seen}) > 8
    assert contents(shop) == before


@pytest.mark.parametrize("who", STARTS)
def test_a_spanish_page_says_nothing_in_english(shop: World, who: str | None) -> None:
    client = browser(shop, who)
    client.set_cookie("shop-language", "es")
    other = {said for said, there in catalogue("es").items() if said != there}
    found = []
    for address, text in walk(client, STARTS[who]):
        page = BeautifulSoup(text, "html.parser")
        assert page.select("html[lang=es]"), address
        said = {" ".join(part.split()) for part in page.find_all(string=True)}
        said |= {
            str(p[name]) for name in ("placeholder", "aria-label") for p in page.select(f"[{name}]")
        }
        found += [(address, sentence) for sentence in sorted(said & other)]
    assert found == []


@pytest.mark.parametrize("who", STARTS)
def test_what_anybody_wrote_is_shown_as_it_was_written(shop: World, who: str | None) -> None:
    evil = "\"'><script>alert(1)</script>{{ 7*7 }}"

    def write(session: object) -> None:
        for table, columns in (
            (User, ["display_name"]),
            (Product, ["title", "description"]),
            (Review, ["body"]),
            (Question, ["body", "answer"]),
            (Order, ["note"]),
        ):
            session.execute(table.__table__.update().values(dict.fromkeys(columns, evil)))  # type: ignore[attr-defined]

    client = browser(shop, who)
    shop.write(write)
    shown = 0
    for address, text in walk(client, STARTS[who]):
        assert "<script>alert" not in text, address
        shown += "&lt;script&gt;alert(1)" in text
    assert shown > (3 if who != ADMIN else 1)
