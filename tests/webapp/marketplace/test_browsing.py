"""What is for sale: narrowed, ordered, read a page at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.webapp.marketplace.shelf import category, fill, looked, questions, statements
from tests.webapp.world import World
from webapp.models import Category, ProductImage, ProductState, Review
from webapp.services import catalogue, categories
from webapp.services.cards import ProductCard
from webapp.services.catalogue import Search, Sort
from webapp.services.errors import Invalid
from webapp.services.pages import Page, Place


def browsed(world: World, search: Search, **more: Any) -> Page[ProductCard]:
    return looked(world, lambda s: catalogue.browse(s, search, **more))


def titles(world: World, **wanted: Any) -> list[str]:
    return [card.title for card in browsed(world, Search(**wanted)).items]


def rated(world: World, product_id: int, *ratings: int) -> None:
    for rating in ratings:
        author = world.user()
        given = Review(
            product_id=product_id, user_id=author.id, rating=rating, created_at=world.now
        )
        world.write(lambda s, given=given: s.add(given))


def everything(world: World, search: Search, size: int) -> list[int]:
    """The ids on all pages, in order."""
    found: list[int] = []
    after: Place | None = None
    while True:
        page = browsed(world, search, after=after, size=size)
        assert len(page.items) == size or page.after is None
        found += [card.id for card in page.items]
        if page.after is None:
            return found
        after = page.after


def test_only_what_is_listed_is_for_sale(world: World) -> None:
    seller = world.user()
    for state in ProductState:
        world.product(seller, state.value, state=state)
    assert titles(world) == ["listed"]


def test_each_filter_leaves_out_what_it_says(world: World) -> None:
    ann, bob = world.user("Ann"), world.user("Bob")
    world.product(ann, "cheap", price=Decimal("1.00"))
    world.product(ann, "dear", price=Decimal("9.00"), stock=0)
    world.product(bob, "middling", price=Decimal("5.00"))
    assert set(titles(world, seller="aNN")) == {"cheap", "dear"}
    assert set(titles(world, in_stock=True)) == {"cheap", "middling"}
    assert set(titles(world, price_min=Decimal("5.00"))) == {"dear", "middling"}
    assert set(titles(world, price_max=Decimal("5.00"))) == {"cheap", "middling"}
    assert titles(world, seller="ann", in_stock=True, price_max=Decimal(4)) == ["cheap"]
    assert titles(world, seller="nobody") == []
    assert titles(world, category="nothing") == []


def test_a_category_has_what_all_below_it_have(world: World) -> None:
    home = category(world, "home")
    light = category(world, "light", home)
    lamps = category(world, "lamps", light)
    seller = world.user()
    for slug, branch in (("home", home), ("light", light), ("lamps", lamps), ("none", None)):
        world.product(seller, slug, category_id=branch.id if branch else None)
    assert set(titles(world, category="home")) == {"home", "light", "lamps"}
    assert set(titles(world, category="light")) == {"light", "lamps"}
    assert titles(world, category="lamps") == ["lamps"]


def test_each_order_is_as_its_name_says(world: World) -> None:
    seller = world.user()
    made = [("b", 3, (5, 4)), ("C", 1, ()), ("a", 2, (5,))]
    for title, price, ratings in made:
        product = world.product(seller, title, price=Decimal(price))
        rated(world, product.id, *ratings)
        world.now += timedelta(seconds=1)
    assert titles(world, sort=Sort.NEWEST) == ["a", "C", "b"]
    assert titles(world, sort=Sort.PRICE_UP) == ["C", "a", "b"]
    assert titles(world, sort=Sort.PRICE_DOWN) == ["b", "a", "C"]
    assert titles(world, sort=Sort.TITLE) == ["a", "b", "C"]
    assert titles(world, sort=Sort.RATING) == ["a", "b", "C"]


def test_without_words_nothing_is_nearer_so_the_newest_comes_first() -> None:
    assert Search().order is Sort.NEWEST
    assert Search(sort=Sort.RELEVANCE).order is Sort.NEWEST
    assert Search(words="lamp").order is Sort.RELEVANCE
    assert Search(words="lamp", sort=Sort.TITLE).order is Sort.TITLE


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_neither_repeat_nor_leave_out(world: World, sort: Sort) -> None:
    seller = world.user()
    made = set()
    for number in range(11):  # many are equal in what orders them
        product = world.product(seller, f"lamp {number % 3}", price=Decimal(number % 2))
        rated(world, product.id, *[4] * (number % 2))
        made.add(product.id)
    one_by_one = everything(world, Search(words="lamp", sort=sort), 1)
    assert (len(one_by_one), set(one_by_one)) == (11, made)
    assert one_by_one == everything(world, Search(words="lamp", sort=sort), 100)
    assert one_by_one == everything(world, Search(words="lamp", sort=sort), 4)


def test_what_comes_to_the_front_meanwhile_moves_no_later_page(world: World) -> None:
    seller = world.user()
    made = []
    for number in range(6):
        world.now += timedelta(seconds=1)
        made.append(world.product(seller, f"{number}").id)
    first = browsed(world, Search(), size=3)
    world.now += timedelta(seconds=1)
    world.product(seller, "new")
    second = browsed(world, Search(), size=3, after=first.after)
    assert [c.id for c in (*first.items, *second.items)] == made[::-1]


def test_a_page_that_is_exactly_full_has_no_next(world: World) -> None:
    fill(world, world.user(), 3, state=ProductState.LISTED)
    assert browsed(world, Search(), size=3).after is None
    assert browsed(world, Search(), size=2).after is not None


def test_a_card_says_all_that_a_list_shows(world: World) -> None:
    product = world.product(world.user("ann"), price=Decimal(5), currency="MXN", stock=2)
    rated(world, product.id, 5, 4)
    for number, digest in ((7, "b" * 64), (3, "a" * 64)):
        image = ProductImage(
            product_id=product.id,
            number=number,
            media_type="image/png",
            digest=digest,
            alternative=f"no. {number}",
            content=b"",
            created_at=world.now,
        )
        world.write(lambda s, image=image: s.add(image))
    (card,) = browsed(world, Search()).items
    assert (card.seller, card.price, card.currency, card.stock) == ("ann", Decimal(5), "MXN", 2)
    assert card.picture is not None
    assert (card.picture.number, card.picture.digest) == (3, "a" * 64)
    assert card.rating is not None
    assert (card.rating.average, card.rating.reviews) == (4.5, 2)


def test_what_is_asked_for_is_read_from_texts() -> None:
    asked = {"q": " a  b ", "price_min": "1,5", "in_stock": "1", "sort": "title", "seller": "x"}
    assert catalogue.search(asked) == Search(
        words="a b", price_min=Decimal("1.5"), in_stock=True, sort=Sort.TITLE, seller="x"
    )
    assert catalogue.search({"q": "", "sort": "", "price_max": " "}) == Search()
    assert catalogue.search({"q": "x" * 500}).words == "x" * 200


@pytest.mark.parametrize(
    ("asked", "problems"),
    [
        ({"price_min": "cheap"}, {"price_min": "price_unclear"}),
        ({"price_max": "1.005"}, {"price_max": "price_unclear"}),
        ({"price_max": "-1"}, {"price_max": "price_unclear"}),
        ({"price_max": "1e3"}, {"price_max": "price_unclear"}),
        ({"price_max": "٣"}, {"price_max": "price_unclear"}),
        ({"price_max": "9" * 11}, {"price_max": "price_unclear"}),
        ({"price_min": "2", "price_max": "1"}, {"price_max": "price_range_empty"}),
        ({"sort": "id"}, {"sort": "sort_unknown"}),
    ],
)
def test_what_cannot_be_understood_is_named(
    asked: dict[str, str], problems: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        catalogue.search(asked)
    assert refused.value.problems == problems


# --- the tree ----------------------------------------------------------------------------


def test_the_tree_counts_what_is_for_sale_in_and_below_each_category(world: World) -> None:
    home = category(world, "home", position=1)
    light = category(world, "light", home)
    category(world, "empty", position=0)
    seller = world.user()
    for where in (home, light, light):
        world.product(seller, category_id=where.id)
    world.product(seller, category_id=light.id, state=ProductState.DRAFT)
    tree = looked(world, lambda s: categories.tree(s, "es"))
    walked = [(depth, b.name, b.products) for top in tree for depth, b in top.walk()]
    assert walked == [(0, "empty (es)", 0), (0, "home (es)", 3), (1, "light (es)", 2)]


def test_a_category_without_a_name_in_the_language_has_its_english_one(world: World) -> None:
    category(world, "home", names={})
    (home,) = looked(world, lambda s: categories.tree(s, "es"))
    assert home.name == "Home"


def test_branches_that_grow_in_a_circle_end_and_are_seen(world: World) -> None:
    top = category(world, "top")
    left = category(world, "left", top)
    right = category(world, "right", left)
    world.write(lambda s: setattr(s.get_one(Category, left.id), "parent_id", right.id))
    world.product(world.user(), "caught", category_id=right.id)
    tree = looked(world, lambda s: categories.tree(s, "en"))
    walked = [(depth, b.slug, b.products) for t in tree for depth, b in t.walk()]
    assert walked == [(0, "top", 0), (0, "left", 1), (1, "right", 1)]
    assert titles(world, category="left") == ["caught"]
    path = looked(world, lambda s: categories.path(s, right.id, "en"))
    assert [step.slug for step in path] == ["left", "right"]


# --- what it costs -----------------------------------------------------------------------


def test_browsing_asks_few_questions_however_much_there_is(world: World) -> None:
    seller = world.user()
    fill(world, seller, 60)
    browser = world.client(world.user())
    browser.get("/")
    for address in ("/", "/?q=thing", "/?sort=rating&in_stock=1"):
        with statements(world) as sent:
            assert browser.get(address).data.count(b'class="card"') == 24
        assert 0 < len(questions(sent)) <= 6


def test_the_newest_are_found_by_the_index_of_what_is_listed(crowded: World) -> None:
    page = browsed(crowded, Search())
    for search, after in ((Search(), None), (Search(), page.after)):
        with statements(crowded) as sent:
            browsed(crowded, search, after=after)
        statement, values = next(s for s in sent if "ORDER BY" in s[0])
        plan = _plan(crowded, statement, values)
        assert "ix_product_listed" in plan
        assert "SCAN product\n" not in plan
        assert "Seq Scan on product" not in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan


@pytest.mark.parametrize("search", [Search(words="number 77"), Search(words="wood 12")])
def test_words_are_found_by_the_index_of_words(crowded: World, search: Search) -> None:
    with statements(crowded) as sent:
        assert browsed(crowded, replace(search, sort=Sort.RELEVANCE)).items
    statement, values = next(s for s in sent if "ORDER BY" in s[0])
    plan = _plan(crowded, statement, values)
    assert "product_search" in plan
    assert "Seq Scan on product" not in plan


def _plan(world: World, statement: str, values: Any) -> str:
    how = "EXPLAIN QUERY PLAN " if world.backend == "sqlite" else "EXPLAIN "
    with world.database.engine.connect() as connection:
        rows = connection.exec_driver_sql(how + statement, values).all()
    return "\n".join(str(row[-1]) for row in rows) + "\n"


def test_a_crowded_shop_is_read_to_its_end(crowded: World) -> None:
    with crowded.database.reading() as session:
        listed = session.scalar(text("SELECT count(*) FROM product WHERE state = 'listed'"))
    found = everything(crowded, Search(), 1000)
    assert (len(found), len(set(found))) == (listed, listed) == (9000, 9000)
