"""Carts: what somebody means to buy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from webapp.database import inserted
from webapp.models import CartItem, Product, ProductState
from webapp.money import line_total
from webapp.services import addresses, orders
from webapp.services.errors import Invalid, NotFound
from webapp.services.orders import LINES_MAX, PIECES_MAX, Placed
from webapp.services.people import Viewer

NOTE_MAX = 1000
KEY_MAX = 200


@dataclass(frozen=True)
class Line:
    """One product in a cart, at the price it has now."""

    product_id: int
    title: str
    price: Decimal
    currency: str
    quantity: int
    left: int
    is_listed: bool

    @property
    def total(self) -> Decimal:
        """What the line costs now."""
        return line_total(self.price, self.quantity)

    @property
    def can_be_had(self) -> bool:
        """Whether it could be ordered as it lies here."""
        return self.is_listed and self.left >= self.quantity


@dataclass(frozen=True)
class Cart:
    """All that lies in one."""

    lines: tuple[Line, ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """What it all costs, by currency."""
        found: dict[str, Decimal] = {}
        for line in self.lines:
            found[line.currency] = found.get(line.currency, Decimal(0)) + line.total
        return found

    @property
    def can_be_had(self) -> bool:
        """Whether all of it could be ordered."""
        return bool(self.lines) and all(line.can_be_had for line in self.lines)


def contents(session: Session, viewer: Viewer) -> Cart:
    """What lies in the viewer's cart, in the order it was put there."""
    items = session.scalars(
        select(CartItem)
        .options(joinedload(CartItem.product))
        .where(CartItem.user_id == viewer.id)
        .order_by(CartItem.created_at, CartItem.product_id)
    )
    return Cart(tuple(_line(item) for item in items))


def _line(item: CartItem) -> Line:
    product = item.product
    return Line(
        product.id,
        product.title,
        product.price,
        product.currency,
        item.quantity,
        product.stock,
        product.state is ProductState.LISTED,
    )


def add(session: Session, viewer: Viewer, product_id: int, quantity: int, *, now: datetime) -> None:
    """Put so many more pieces in. Raises NotFound, Invalid."""
    product = session.get(Product, product_id)
    if product is None or product.state is not ProductState.LISTED:
        raise NotFound
    if product.seller_id == viewer.id:
        raise Invalid({"product_id": "own_product"})
    values = {"user_id": viewer.id, "product_id": product_id, "created_at": now}
    if inserted(session, CartItem, values | {"quantity": _sensible(quantity)}):
        _require_room(session, viewer)
        return
    item = _item(session, viewer, product_id)
    item.quantity = _sensible(item.quantity + quantity)


def change(session: Session, viewer: Viewer, product_id: int, quantity: int) -> None:
    """Have so many pieces of it; none takes it out. Raises NotFound, Invalid."""
    item = _item(session, viewer, product_id)
    if quantity == 0:
        session.delete(item)
    else:
        item.quantity = _sensible(quantity)


def take_out(session: Session, viewer: Viewer, product_ids: Iterable[int]) -> None:
    """Take out what was ordered."""
    session.execute(
        delete(CartItem).where(
            CartItem.user_id == viewer.id, CartItem.product_id.in_(list(product_ids))
        )
    )


def check_out(
    session: Session,
    viewer: Viewer,
    key: str,
    lines: Sequence[tuple[int, int]],
    *,
    agreed: Mapping[str, Decimal],
    address: Mapping[str, str],
    note: str,
    provider: str,
    now: datetime,
) -> Placed:
    """Order what the viewer saw in the cart, at the sums they ``agreed`` to by currency, and
    take it out. The same key again gives the same orders.

    Raises what ``orders.place`` does, and Invalid for a price that has changed meanwhile.
    """
    _require_sound(key, address, note)
    placed = orders.place_once(
        session, viewer, key, lines, address=address, note=note, provider=provider, now=now
    )
    if placed.is_repeated:
        return placed
    if orders.totals(session, placed.order_ids) != agreed:
        raise Invalid({"total": "price_changed"})
    take_out(session, viewer, [product_id for product_id, _ in lines])
    return placed


def _require_sound(key: str, address: Mapping[str, str], note: str) -> None:
    problems = addresses.problems(address)
    if problem := addresses.text_problem(note, NOTE_MAX):
        problems["note"] = problem
    if not 8 <= len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
        problems["key"] = "form_incomplete"
    if problems:
        raise Invalid(problems)


def _item(session: Session, viewer: Viewer, product_id: int) -> CartItem:
    item = session.get(CartItem, (viewer.id, product_id), with_for_update=True)
    if item is None:
        raise NotFound
    return item


def _require_room(session: Session, viewer: Viewer) -> None:
    there = select(func.count()).select_from(CartItem).where(CartItem.user_id == viewer.id)
    if (session.scalar(there) or 0) > LINES_MAX:
        raise Invalid({"cart": "cart_full"})


def _sensible(quantity: int) -> int:
    if not 1 <= quantity <= PIECES_MAX:
        raise Invalid({"quantity": "quantity_out_of_range"})
    return quantity
