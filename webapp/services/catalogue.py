"""What is for sale: found, narrowed, ordered, read a page at a time; and one product, whole."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Float, and_, exists, func, literal_column, select
from sqlalchemy.orm import Session, joinedload

from webapp.models import (
    Favourite,
    Product,
    ProductRating,
    ProductState,
    Question,
    Review,
    User,
)
from webapp.services import reviews
from webapp.services.amounts import amount
from webapp.services.cards import Picture, ProductCard, Rating, cards, pictures, ratings, rows
from webapp.services.categories import Step, path, within
from webapp.services.errors import Invalid, NotFound
from webapp.services.pages import SIZE, Order, Page, Place, Rows
from webapp.services.people import Viewer
from webapp.services.products import LISTED, visible
from webapp.services.search import LENGTH_MAX, Finder, finder
from webapp.services.texts import line

SHOWN_MAX = 50
"""Reviews of one product, and questions: its newest ones."""


class Sort(enum.StrEnum):
    """An order of products."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE_UP = "price_up"
    PRICE_DOWN = "price_down"
    TITLE = "title"
    RATING = "rating"


@dataclass(frozen=True)
class Search:
    """What somebody looks for. ``category``: by its slug; ``seller``: by the name."""

    words: str = ""
    category: str | None = None
    seller: str | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    in_stock: bool = False
    sort: Sort | None = None

    @property
    def order(self) -> Sort:
        """The order asked for; by itself the nearest first, or without words the newest."""
        if self.sort is None or (self.sort is Sort.RELEVANCE and not self.words):
            return Sort.RELEVANCE if self.words else Sort.NEWEST
        return self.sort

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        asked = (self.words, self.category, self.seller, self.in_stock)
        return any(asked) or self.price_min is not None or self.price_max is not None


def search(typed: Mapping[str, str]) -> Search:
    """What was asked for in texts, as an address has them. Raises Invalid."""
    problems: dict[str, str] = {}
    price_min = _price(typed, "price_min", problems)
    price_max = _price(typed, "price_max", problems)
    if price_min is not None and price_max is not None and price_min > price_max:
        problems["price_max"] = "price_range_empty"
    sort = typed.get("sort") or None
    if sort is not None and sort not in set(Sort):
        problems["sort"] = "sort_unknown"
    if problems:
        raise Invalid(problems)
    return Search(
        words=line(typed.get("q", ""))[:LENGTH_MAX],
        category=line(typed.get("category", "")) or None,
        seller=line(typed.get("seller", "")) or None,
        price_min=price_min,
        price_max=price_max,
        in_stock=bool(typed.get("in_stock")),
        sort=Sort(sort) if sort else None,
    )


def _price(typed: Mapping[str, str], name: str, problems: dict[str, str]) -> Decimal | None:
    text = typed.get(name, "").strip()
    price = amount(text) if text else None
    if text and price is None:
        problems[name] = "price_unclear"
    return price


def browse(
    session: Session, wanted: Search, *, after: Place | None = None, size: int = SIZE
) -> Page[ProductCard]:
    """A page of what is for sale and wanted."""
    chosen = _narrowed(rows().where(LISTED), wanted)
    found = finder(session, wanted.words) if wanted.words else None
    if found is not None:
        chosen = found.narrowed(chosen)
    if wanted.order is Sort.RATING:
        chosen = chosen.outerjoin(ProductRating, ProductRating.c.product_id == Product.id)
    return cards(session, chosen, _order(wanted.order, found), after, size)


def _narrowed(chosen: Rows, wanted: Search) -> Rows:
    if wanted.category is not None:
        chosen = chosen.where(Product.category_id.in_(within(wanted.category)))
    if wanted.seller is not None:
        chosen = chosen.where(func.lower(User.username) == wanted.seller.lower())
    if wanted.price_min is not None:
        chosen = chosen.where(Product.price >= wanted.price_min)
    if wanted.price_max is not None:
        chosen = chosen.where(Product.price <= wanted.price_max)
    if wanted.in_stock:
        chosen = chosen.where(Product.stock > 0)
    return chosen


def _order(sort: Sort, found: Finder | None) -> Order:
    if sort is Sort.RELEVANCE and found is not None:
        return Order(found.nearness(), Product.id.expression, float)
    if sort in (Sort.PRICE_UP, Sort.PRICE_DOWN):
        falling = sort is Sort.PRICE_DOWN
        return Order(Product.price.expression, Product.id.expression, Decimal, falling)
    if sort is Sort.TITLE:
        return Order(func.lower(Product.title), Product.id.expression, str, falling=False)
    if sort is Sort.RATING:
        # What nobody has rated comes last on both engines, which place NULL differently.
        average = func.coalesce(ProductRating.c.average, literal_column("0.0", Float(53)))
        return Order(average, Product.id.expression, float)
    return Order(Product.created_at.expression, Product.id.expression, datetime.fromisoformat)


# --- one product -------------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewShown:
    """What a buyer thinks."""

    author: str
    rating: int
    body: str
    created_at: datetime
    is_mine: bool


@dataclass(frozen=True)
class QuestionShown:
    """What somebody asks, and what the seller says to it."""

    id: int
    author: str
    body: str
    created_at: datetime
    answer: str | None
    answered_at: datetime | None


@dataclass(frozen=True)
class ProductDetail:
    """All of one product that ``viewer`` may see. ``may_review``: they have bought it."""

    id: int
    title: str
    description: str
    price: Decimal
    currency: str
    stock: int
    state: ProductState
    version: int
    sku: str | None
    attributes: Mapping[str, Any]
    seller: str
    category: tuple[Step, ...]
    created_at: datetime
    pictures: tuple[Picture, ...]
    rating: Rating | None
    reviews: tuple[ReviewShown, ...]
    questions: tuple[QuestionShown, ...]
    is_mine: bool
    is_favourite: bool
    may_review: bool

    @property
    def is_listed(self) -> bool:
        """Whether it is for sale, though there may be none left."""
        return self.state is ProductState.LISTED

    @property
    def my_review(self) -> ReviewShown | None:
        """The viewer's own, if it is among those shown."""
        return next((review for review in self.reviews if review.is_mine), None)


def product(
    session: Session, viewer: Viewer | None, product_id: int, *, language: str = "en"
) -> ProductDetail:
    """One product, with the path to its category in a language. Raises NotFound."""
    loaded = joinedload(Product.seller), joinedload(Product.category)
    found = session.get(Product, product_id, options=loaded)
    if found is None or not visible(viewer, found):
        raise NotFound
    is_favourite, may_review = _standing(session, viewer, found.id)
    return ProductDetail(
        id=found.id,
        title=found.title,
        description=found.description,
        price=found.price,
        currency=found.currency,
        stock=found.stock,
        state=found.state,
        version=found.version,
        sku=found.sku,
        attributes=found.attributes,
        seller=found.seller.username,
        category=path(session, found.category_id, language),
        created_at=found.created_at,
        pictures=tuple(pictures(session, [found.id]).get(found.id, ())),
        rating=ratings(session, [found.id]).get(found.id),
        reviews=_reviews(session, viewer, found.id),
        questions=_questions(session, found.id),
        is_mine=viewer is not None and viewer.id == found.seller_id,
        is_favourite=is_favourite,
        may_review=may_review,
    )


def _standing(session: Session, viewer: Viewer | None, product_id: int) -> tuple[bool, bool]:
    """Whether the viewer keeps it among their favourites, and whether they have bought it."""
    if viewer is None:
        return False, False
    mine = and_(Favourite.user_id == viewer.id, Favourite.product_id == product_id)
    row = session.execute(select(exists().where(mine), reviews.bought(viewer.id, product_id)))
    is_favourite, may_review = row.one()
    return bool(is_favourite), bool(may_review)


def _reviews(session: Session, viewer: Viewer | None, product_id: int) -> tuple[ReviewShown, ...]:
    me = viewer.id if viewer is not None else None
    newest = (
        select(Review)
        .where(Review.product_id == product_id)
        # One's own first: whoever looks may want to change it.
        .order_by((Review.user_id == (me or 0)).desc(), Review.created_at.desc(), Review.user_id)
        .options(joinedload(Review.author))
        .limit(SHOWN_MAX)
    )
    return tuple(
        ReviewShown(r.author.username, r.rating, r.body, r.created_at, r.user_id == me)
        for r in session.scalars(newest)
    )


def _questions(session: Session, product_id: int) -> tuple[QuestionShown, ...]:
    newest = (
        select(Question)
        .where(Question.product_id == product_id)
        .order_by(Question.created_at.desc(), Question.id.desc())
        .options(joinedload(Question.author))
        .limit(SHOWN_MAX)
    )
    return tuple(
        QuestionShown(q.id, q.author.username, q.body, q.created_at, q.answer, q.answered_at)
        for q in session.scalars(newest)
    )
