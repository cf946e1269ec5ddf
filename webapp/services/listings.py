"""What sellers offer: drafts, changes, putting up for sale and taking down; and what admins
hide.

Changes are optimistic: whoever changes a product names the version they saw. Stock is not
part of a version, since each sale changes it: what a seller types counts as more or less
than they saw, so a sale meanwhile is not undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.models import Category, Product, ProductState, Question
from webapp.money import CURRENCIES, PRICE_MAX, rounded
from webapp.services.cards import Picture, pictures
from webapp.services.errors import Conflict, Invalid, NotFound
from webapp.services.pages import SIZE, Order, Page, Place, page
from webapp.services.people import Viewer, admin, seller
from webapp.services.products import owned
from webapp.services.texts import line, paragraphs

TITLE_MAX = 200
DESCRIPTION_MAX = 5000
SKU_MAX = 40
STOCK_MAX = 1_000_000
ATTRIBUTES_MAX = 20
ATTRIBUTE_MAX = 200


@dataclass(frozen=True)
class Offer:
    """What a seller says of a product. None for what could not be read; ``category``: a slug,
    or '' for none."""

    title: str
    price: Decimal | None
    stock: int | None
    currency: str = CURRENCIES[0]
    description: str = ""
    category: str = ""
    sku: str = ""
    attributes: Mapping[str, Any] | None = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """A product as its seller finds it in a list. ``questions``: those without an answer."""

    id: int
    title: str
    price: Decimal
    currency: str
    stock: int
    state: ProductState
    picture: Picture | None
    questions: int


@dataclass(frozen=True)
class Draft:
    """A product as its seller changes it."""

    id: int
    version: int
    stock: int
    state: ProductState
    offer: Offer
    pictures: tuple[Picture, ...]


def mine(
    session: Session, viewer: Viewer, *, after: Place | None = None, size: int = SIZE
) -> Page[Listing]:
    """A page of what the viewer offers, the newest first."""
    wanted = select(
        Product.id, Product.title, Product.price, Product.currency, Product.stock, Product.state
    ).where(Product.seller_id == viewer.id)
    order = Order(Product.created_at.expression, Product.id.expression, datetime.fromisoformat)
    found = page(session, wanted, order, after, size)
    ids = [row.id for row in found.items]
    shown, asked = pictures(session, ids), _unanswered(session, ids)
    return found.turned(
        lambda row: Listing(
            id=row.id,
            title=row.title,
            price=row.price,
            currency=row.currency,
            stock=row.stock,
            state=row.state,
            picture=next(iter(shown.get(row.id, ())), None),
            questions=asked.get(row.id, 0),
        )
    )


def draft(session: Session, viewer: Viewer, product_id: int) -> Draft:
    """A product of the viewer's, to be changed. Raises NotFound."""
    product = owned(session, viewer, product_id)
    slug = session.scalar(select(Category.slug).where(Category.id == product.category_id))
    return Draft(
        id=product.id,
        version=product.version,
        stock=product.stock,
        state=product.state,
        offer=Offer(
            title=product.title,
            price=product.price,
            stock=product.stock,
            currency=product.currency,
            description=product.description,
            category=slug or "",
            sku=product.sku or "",
            attributes=product.attributes,
        ),
        pictures=tuple(pictures(session, [product.id]).get(product.id, ())),
    )


def offer(session: Session, viewer: Viewer, offered: Offer, *, now: datetime) -> int:
    """A new product, which only its seller sees until it is listed; its id. Raises Forbidden,
    Invalid."""
    product = Product(seller_id=seller(viewer).id, created_at=now, state=ProductState.DRAFT)
    _write(session, product, offered, now)
    return product.id


def change(
    session: Session,
    viewer: Viewer,
    product_id: int,
    version: int,
    offered: Offer,
    *,
    now: datetime,
    stock_seen: int | None = None,
) -> None:
    """Say something else of a product. ``stock_seen``: how many there were when the viewer
    decided how many there are; without it their number stands as it is. Raises NotFound,
    Invalid; Conflict: it is no longer of that version."""
    product = owned(session, viewer, product_id, lock=True)
    if product.version != version:
        raise Conflict
    sold = stock_seen - product.stock if stock_seen is not None else 0
    _write(session, product, offered, now, sold=sold)
    product.version += 1


def put_up(session: Session, viewer: Viewer, product_id: int, *, now: datetime) -> None:
    """For everybody to buy. Raises NotFound; Conflict: an admin has hidden it."""
    _move(owned(session, viewer, product_id, lock=True), ProductState.LISTED, now)


def withdraw(session: Session, viewer: Viewer, product_id: int, *, now: datetime) -> None:
    """For nobody to buy any more. Raises NotFound; Conflict: an admin has hidden it."""
    product = owned(session, viewer, product_id, lock=True)
    if product.state is not ProductState.DRAFT:
        _move(product, ProductState.WITHDRAWN, now)


def hide(session: Session, viewer: Viewer, product_id: int, *, now: datetime) -> None:
    """Keep a product from everybody but its seller, who cannot show it again. Raises
    Forbidden, NotFound."""
    product = _any(session, viewer, product_id)
    product.state, product.updated_at = ProductState.HIDDEN, now


def show(session: Session, viewer: Viewer, product_id: int, *, now: datetime) -> None:
    """Give a hidden product back to its seller, who decides whether to sell it. Raises
    Forbidden, NotFound."""
    product = _any(session, viewer, product_id)
    if product.state is ProductState.HIDDEN:
        product.state, product.updated_at = ProductState.WITHDRAWN, now


def _any(session: Session, viewer: Viewer, product_id: int) -> Product:
    admin(viewer)
    product = session.get(Product, product_id, with_for_update=True)
    if product is None:
        raise NotFound
    return product


def _move(product: Product, state: ProductState, now: datetime) -> None:
    if product.state is ProductState.HIDDEN:
        raise Conflict
    product.state, product.updated_at = state, now


def _unanswered(session: Session, product_ids: list[int]) -> dict[int, int]:
    if not product_ids:
        return {}
    open_ones = (
        select(Question.product_id, func.count().label("open"))
        .where(Question.product_id.in_(product_ids), Question.answer.is_(None))
        .group_by(Question.product_id)
    )
    return {row.product_id: row.open for row in session.execute(open_ones)}


# --- what may be said --------------------------------------------------------------------


def _write(
    session: Session, product: Product, offered: Offer, now: datetime, *, sold: int = 0
) -> None:
    category_id = _category(session, line(offered.category))
    problems = _problems(offered)
    if offered.category and category_id is None:
        problems["category"] = "category_unknown"
    if problems or offered.price is None or offered.stock is None:
        raise Invalid(problems)
    product.title = line(offered.title)
    product.description = paragraphs(offered.description)
    product.price, product.currency = offered.price, offered.currency
    product.stock = max(0, offered.stock - sold)
    product.category_id, product.sku = category_id, line(offered.sku) or None
    product.attributes = dict(offered.attributes or {})
    product.updated_at = now
    _flush(session, product)


def _flush(session: Session, product: Product) -> None:
    """Raises Invalid when the seller has another product of that number."""
    try:
        with session.begin_nested():
            session.add(product)
    except IntegrityError as error:
        if "uq_product_seller_sku" not in str(error.orig):
            raise
        raise Invalid({"sku": "sku_taken"}) from error


def _category(session: Session, slug: str) -> int | None:
    return session.scalar(select(Category.id).where(Category.slug == slug)) if slug else None


def _problems(offered: Offer) -> dict[str, str]:
    """What cannot be sold like this, by field."""
    found = {
        "title": _text(line(offered.title), TITLE_MAX, needed=True),
        "description": _text(paragraphs(offered.description), DESCRIPTION_MAX),
        "sku": _text(line(offered.sku), SKU_MAX),
        "price": None if _is_price(offered.price) else "price_unclear",
        "stock": None if _is_stock(offered.stock) else "stock_unclear",
        "currency": None if offered.currency in CURRENCIES else "currency_unknown",
        "attributes": _attributes(offered.attributes),
    }
    return {name: problem for name, problem in found.items() if problem}


def _text(said: str, most: int, *, needed: bool = False) -> str | None:
    if needed and not said:
        return "missing"
    return "too_long" if len(said) > most else None


def _is_price(price: Decimal | None) -> bool:
    if price is None or not price.is_finite() or not 0 <= price <= PRICE_MAX:
        return False
    return price == rounded(price)


def _is_stock(stock: int | None) -> bool:
    return stock is not None and 0 <= stock <= STOCK_MAX


def _attributes(said: Mapping[str, Any] | None) -> str | None:
    if said is None:
        return "attributes_unclear"
    if len(said) > ATTRIBUTES_MAX:
        return "attributes_too_many"
    too_long = any(
        len(name) > 40 or len(str(value)) > ATTRIBUTE_MAX for name, value in said.items()
    )
    return "too_long" if too_long else None
