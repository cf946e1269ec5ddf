"""One product, and what people say of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.webapp.marketplace.shelf import (
    bought,
    category,
    form_of,
    looked,
    page_of,
    questions,
    statements,
)
from tests.webapp.world import World
from webapp.models import Favourite, OrderState, ProductState, Question, Review, Role
from webapp.services import catalogue

UNSEEN = [ProductState.DRAFT, ProductState.WITHDRAWN, ProductState.HIDDEN]


@pytest.mark.parametrize("state", UNSEEN)
def test_what_is_not_for_sale_is_seen_by_its_seller_and_admins_alone(
    world: World, state: ProductState
) -> None:
    seller, admin = world.user(role=Role.SELLER), world.user(role=Role.ADMIN)
    address = f"/products/{world.product(seller, state=state).id}"
    whose = [None, world.user(), world.user(role=Role.SELLER), seller, admin]
    statuses = [world.client(who).get(address).status_code for who in whose]
    assert statuses == [404, 404, 404, 200, 200]


@pytest.mark.parametrize("number", [0, 999, 2**31, 2**63 - 1, 2**63, 10**30])
def test_a_product_that_never_was_is_not_found(world: World, number: int) -> None:
    client = world.client(world.user())
    for address in ("", "/images/1", f"/images/{number}"):
        assert client.get(f"/products/{number}{address}").status_code == 404
    for address in ("favourite", "reviews", "questions"):
        assert client.post(f"/products/{number}/{address}").status_code == 404
    assert client.post(f"/questions/{number}/answer", data={"answer": "x"}).status_code == 404


def test_a_product_is_shown_whole(world: World) -> None:
    home = category(world, "home")
    light = category(world, "light", home)
    product = world.product(
        world.user("ann"),
        "A <b>lamp</b>",
        price=Decimal("1234.50"),
        stock=3,
        description="one\ntwo",
        category_id=light.id,
        attributes={"Colour": "blue", "sizes": [1, 2]},
    )
    page = page_of(world.client().get(f"/products/{product.id}"))
    assert page.h1 is not None
    assert page.h1.text == "A <b>lamp</b>"
    said = page.get_text(" ", strip=True)
    for part in ("€1,234.50", "Only 3 left", "ann", "Colour blue", "sizes 1, 2"):
        assert part in said
    assert [a["href"] for a in page.select("nav.path a")] == [
        "/?category=home",
        "/?category=light",
    ]
    assert form_of(page, "/cart/items") == {
        "product_id": str(product.id),
        "quantity": "1",
    } | {"csrf_token": form_of(page, "/cart/items")["csrf_token"]}


def test_what_is_sold_out_or_ones_own_cannot_be_put_into_the_cart(world: World) -> None:
    seller = world.user(role=Role.SELLER)
    gone, own = world.product(seller, stock=0), world.product(seller)
    pages = [
        world.client().get(f"/products/{gone.id}"),
        world.client(seller).get(f"/products/{own.id}"),
    ]
    assert [page_of(p).find("form", action="/cart/items") for p in pages] == [None, None]
    assert "Sold out" in pages[0].text
    assert f"/sell/{own.id}/edit" in pages[1].text


def test_a_product_page_asks_few_questions_however_much_is_said(world: World) -> None:
    seller, viewer = world.user(), world.user()
    branch = category(world, "low", category(world, "middle", category(world, "top")))
    product = world.product(seller, category_id=branch.id)
    bought(world, viewer, product)
    for number in range(12):
        who = world.user()
        said = Review(product_id=product.id, user_id=who.id, rating=4, created_at=world.now)
        asked = Question(
            product_id=product.id, user_id=who.id, body=f"{number}?", created_at=world.now
        )
        world.write(lambda s, both=(said, asked): s.add_all(both))
    browser = world.client(viewer)
    browser.get("/")
    with statements(world) as sent:
        page = page_of(browser.get(f"/products/{product.id}"))
    assert len(page.select(".said")) == 24
    assert 0 < len(questions(sent)) <= 9


# --- favourites --------------------------------------------------------------------------


def test_a_favourite_is_kept_and_let_go(world: World) -> None:
    product, viewer = world.product(world.user(), "A rare lamp"), world.user()
    client = world.client(viewer)
    assert "A rare lamp" not in client.get("/favourites").text
    client.post(f"/products/{product.id}/favourite")
    assert "A rare lamp" in client.get("/favourites").text
    assert "A rare lamp" not in world.client(world.user()).get("/favourites").text
    client.post(f"/products/{product.id}/favourite")
    assert "A rare lamp" not in client.get("/favourites").text


def test_a_favourite_that_is_withdrawn_is_told_so_and_one_that_is_hidden_is_not_shown(
    world: World,
) -> None:
    viewer = world.user()
    for state in ProductState:
        product = world.product(world.user(), f"it is {state}", state=state)
        kept = Favourite(user_id=viewer.id, product_id=product.id, created_at=world.now)
        world.write(lambda s, kept=kept: s.add(kept))
    page = page_of(world.client(viewer).get("/favourites"))
    assert {h.text for h in page.select(".card h2")} == {"it is listed", "it is withdrawn"}
    assert [m.text for m in page.select(".card .mark")] == ["Not for sale"]
    assert len(page.select(".card h2 a")) == 1


def test_a_favourite_that_can_no_longer_be_seen_can_be_let_go(world: World) -> None:
    viewer = world.user()
    product = world.product(world.user(), state=ProductState.HIDDEN)
    kept = Favourite(user_id=viewer.id, product_id=product.id, created_at=world.now)
    world.write(lambda s: s.add(kept))
    client = world.client(viewer)
    assert client.post(f"/products/{product.id}/favourite").status_code == 302
    assert client.post(f"/products/{product.id}/favourite").status_code == 404


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "/\\x"])
def test_letting_go_leads_nowhere_else(world: World, target: str) -> None:
    product, client = world.product(world.user()), world.client(world.user())
    address = f"/products/{product.id}/favourite"
    assert client.post(address, data={"next": target}).location == f"/products/{product.id}"
    assert client.post(address, data={"next": "/favourites"}).location == "/favourites"


def test_keeping_a_favourite_in_many_windows_at_once_keeps_it_once(busy_world: World) -> None:
    busy_world.app.config["WTF_CSRF_ENABLED"] = False
    product, viewer = busy_world.product(busy_world.user()), busy_world.user()
    statuses: list[int] = []
    clients = [busy_world.client(viewer) for _ in range(8)]

    def press(number: int) -> None:
        answer = clients[number].post(f"/products/{product.id}/favourite")
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 8
    count = select(func.count()).select_from(Favourite)
    assert looked(busy_world, lambda s: s.scalar(count)) in (0, 1)


# --- reviews -----------------------------------------------------------------------------

STATES = {
    OrderState.PLACED: 403,
    OrderState.PAID: 302,
    OrderState.SHIPPED: 302,
    OrderState.CANCELLED: 403,
    OrderState.REFUNDED: 403,
}


@pytest.mark.parametrize("state", list(OrderState))
def test_only_who_has_paid_for_it_reviews_it(world: World, state: OrderState) -> None:
    product, buyer = world.product(world.user()), world.user()
    other = world.product(world.user())
    bought(world, buyer, product, state)
    sent = {"rating": "4", "review": "Good."}
    client, address = world.client(buyer), f"/products/{product.id}/reviews"
    may = STATES[state] == 302
    page = page_of(client.get(f"/products/{product.id}"))
    assert (page.find("form", action=address) is not None) is may
    assert client.post(address, data=sent).status_code == STATES[state]
    assert client.post(f"/products/{other.id}/reviews", data=sent).status_code == 403
    assert world.client(world.user()).post(address, data=sent).status_code == 403
    reviews = looked(world, lambda s: s.scalars(select(Review)).all())
    assert [(r.user_id, r.rating, r.body) for r in reviews] == [(buyer.id, 4, "Good.")] * may


def test_a_second_review_stands_instead_of_the_first(world: World) -> None:
    product, buyer = world.product(world.user()), world.user()
    bought(world, buyer, product)
    client, address = world.client(buyer), f"/products/{product.id}/reviews"
    client.post(address, data={"rating": "1", "review": "Bad."})
    world.now += timedelta(days=1)
    page = page_of(client.get(f"/products/{product.id}"))
    assert form_of(page, address)["review"] == "Bad."
    client.post(address, data={"rating": "5", "review": "Better than I thought.\r\nMuch."})
    detail = looked(world, lambda s: catalogue.product(s, None, product.id))
    (review,) = detail.reviews
    assert (review.rating, review.body) == (5, "Better than I thought.\nMuch.")
    assert review.created_at == world.now
    assert detail.rating is not None
    assert (detail.rating.average, detail.rating.reviews) == (5.0, 1)


@pytest.mark.parametrize("rating", ["", "0", "6", "-1", "4.5", "five", "1" * 30])
def test_a_review_without_a_rating_is_shown_again_as_it_was_typed(
    world: World, rating: str
) -> None:
    product, buyer = world.product(world.user()), world.user()
    bought(world, buyer, product)
    address = f"/products/{product.id}/reviews"
    answer = world.client(buyer).post(address, data={"rating": rating, "review": "My words."})
    assert answer.status_code == 422
    assert "Choose from one to five stars." in answer.text
    assert form_of(page_of(answer), address)["review"] == "My words."


def test_a_review_that_is_too_long_is_shown_again(world: World) -> None:
    product, buyer = world.product(world.user()), world.user()
    bought(world, buyer, product)
    sent = {"rating": "4", "review": "x" * 2001}
    answer = world.client(buyer).post(f"/products/{product.id}/reviews", data=sent)
    assert (answer.status_code, "This is too long." in answer.text) == (422, True)


# --- questions ---------------------------------------------------------------------------


def asked(world: World, seller_role: Role = Role.SELLER) -> tuple[Question, int]:
    """A question to a seller, and the seller's id."""
    seller = world.user(role=seller_role)
    product = world.product(seller)
    question = Question(
        product_id=product.id, user_id=world.user("asker").id, body="How?", created_at=world.now
    )
    world.write(lambda s: s.add(question))
    return question, seller.id


def test_a_question_and_its_answer_can_be_read_by_all(world: World) -> None:
    seller = world.user("seller", role=Role.SELLER)
    product = world.product(seller)
    address = f"/products/{product.id}/questions"
    assert (
        world.client(world.user("asker")).post(address, data={"question": " How? "}).status_code
        == 302
    )
    (question,) = looked(world, lambda s: s.scalars(select(Question)).all())
    shown = page_of(world.client(seller).get(f"/products/{product.id}"))
    assert shown.find("form", action=f"/questions/{question.id}/answer") is not None
    answer = world.client(seller).post(f"/questions/{question.id}/answer", data={"answer": "So."})
    assert answer.location == f"/products/{product.id}#question-{question.id}"
    said = page_of(world.client().get(f"/products/{product.id}")).select_one(".said")
    assert said is not None
    text = said.get_text(" ", strip=True)
    assert text.startswith("asker: How?")
    assert text.endswith("seller: So.")


def test_nobody_but_the_seller_answers(world: World) -> None:
    question, _ = asked(world)
    address = f"/questions/{question.id}/answer"
    others = [world.user(), world.user(role=Role.SELLER), world.user(role=Role.ADMIN)]
    for who in others:
        assert world.client(who).post(address, data={"answer": "x"}).status_code == 404
        assert world.client(who).post(address, data={"answer": ""}).status_code == 404
    assert looked(world, lambda s: s.get_one(Question, question.id)).answer is None


def test_a_seller_does_not_ask_themselves(world: World) -> None:
    seller = world.user(role=Role.SELLER)
    product = world.product(seller)
    address = f"/products/{product.id}/questions"
    assert world.client(seller).post(address, data={"question": "How?"}).status_code == 403
    assert (
        page_of(world.client(seller).get(f"/products/{product.id}")).find("form", action=address)
        is None
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("  \r\n ", "Write something here."),
        ("\x00", "Write something here."),
        ("x" * 1001, "This is too long."),
    ],
)
def test_a_question_and_an_answer_that_cannot_be_used_are_shown_again(
    world: World, words: str, sentence: str
) -> None:
    question, seller_id = asked(world)
    product = f"/products/{question.product_id}"
    first = world.client(world.user()).post(f"{product}/questions", data={"question": words})
    assert (first.status_code, sentence in first.text) == (422, True)
    seller = world.client(type("Somebody", (), {"id": seller_id})())  # type: ignore[arg-type]
    second = seller.post(f"/questions/{question.id}/answer", data={"answer": words})
    assert (second.status_code, sentence in second.text) == (422, True)


@pytest.mark.parametrize("what", ["favourite", "reviews", "questions"])
def test_whoever_is_not_logged_in_is_sent_to_the_login(world: World, what: str) -> None:
    product = world.product(world.user())
    answer = world.client().post(f"/products/{product.id}/{what}", data={"question": "?"})
    assert (answer.status_code, answer.location) == (302, "/login")
