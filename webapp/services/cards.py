"""Products as lists show them: what each costs, who sells it, its first picture, its rating.

However many there are, their parts are three queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from webapp.models import Product, ProductImage, ProductRating, ProductState, User
from webapp.services.pages import Order, Page, Place, Rows, page


@dataclass(frozen=True)
class Picture:
    """Where a picture is, what it shows, and the digest of its bytes."""

    product_id: int
    number: int
    digest: str
    alternative: str


@dataclass(frozen=True)
class Rating:
    """What buyers think on average, from 1 to 5."""

    average: float
    reviews: int


@dataclass(frozen=True)
class ProductCard:
    """One product in a list."""

    id: int
    title: str
    price: Decimal
    currency: str
    stock: int
    state: ProductState
    seller: str
    picture: Picture | None
    rating: Rating | None

    @property
    def is_listed(self) -> bool:
        """Whether it is for sale, though there may be none left."""
        return self.state is ProductState.LISTED


def rows() -> Rows:
    """All products, as ``cards`` wants them."""
    return select(
        Product.id,
        Product.title,
        Product.price,
        Product.currency,
        Product.stock,
        Product.state,
        User.username.label("seller"),
    ).join(User, User.id == Product.seller_id)


def cards(
    session: Session, chosen: Rows, order: Order, after: Place | None, size: int
) -> Page[ProductCard]:
    """A page of the products that were chosen from ``rows``."""
    found = page(session, chosen, order, after, size)
    ids = [row.id for row in found.items]
    firsts = {number: shown[0] for number, shown in pictures(session, ids).items()}
    rated = ratings(session, ids)
    return found.turned(lambda row: _card(row, firsts.get(row.id), rated.get(row.id)))


def pictures(session: Session, product_ids: Sequence[int]) -> dict[int, list[Picture]]:
    """The pictures of products, without their bytes, in order; none for those without."""
    found: dict[int, list[Picture]] = {}
    if not product_ids:
        return found
    image = ProductImage
    asked = select(image.product_id, image.number, image.digest, image.alternative)
    asked = asked.where(image.product_id.in_(product_ids)).order_by(image.product_id, image.number)
    for row in session.execute(asked):
        found.setdefault(row.product_id, []).append(Picture(*row))
    return found


def ratings(session: Session, product_ids: Sequence[int]) -> dict[int, Rating]:
    """How products are rated; nothing of those that nobody has reviewed."""
    if not product_ids:
        return {}
    view = ProductRating.c
    asked = select(view.product_id, view.average, view.reviews).where(
        view.product_id.in_(product_ids)
    )
    return {row.product_id: Rating(row.average, row.reviews) for row in session.execute(asked)}


def _card(row: Row[Any], picture: Picture | None, rating: Rating | None) -> ProductCard:
    return ProductCard(
        id=row.id,
        title=row.title,
        price=row.price,
        currency=row.currency,
        stock=row.stock,
        state=row.state,
        seller=row.seller,
        picture=picture,
        rating=rating,
    )
