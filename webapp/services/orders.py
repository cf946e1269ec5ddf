"""Orders: placed whole or not at all, never more than there is, and once for each key."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Select, or_, select, tuple_, update
from sqlalchemy.orm import Session, joinedload, selectinload

from webapp.models import (
    Order,
    OrderItem,
    OrderState,
    OutboxKind,
    Payment,
    PaymentState,
    Product,
    ProductState,
    User,
)
from webapp.money import line_total
from webapp.services import idempotency, letters, outbox
from webapp.services.errors import Conflict, Invalid, NotFound, OutOfStock, Shortage
from webapp.services.people import Viewer

LINES_MAX = 50
PIECES_MAX = 1000

ALLOWED: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: frozenset({OrderState.PAID, OrderState.CANCELLED}),
    OrderState.PAID: frozenset({OrderState.SHIPPED, OrderState.REFUNDED}),
    OrderState.SHIPPED: frozenset({OrderState.REFUNDED}),
    OrderState.CANCELLED: frozenset(),
    OrderState.REFUNDED: frozenset(),
}
"""Where an order may go from where it is; nothing else moves it."""

_STAMPS = {
    OrderState.PAID: "paid_at",
    OrderState.SHIPPED: "shipped_at",
    OrderState.CANCELLED: "ended_at",
    OrderState.REFUNDED: "ended_at",
}


@dataclass(frozen=True)
class Placed:
    """What came of a request to order. ``is_repeated``: an earlier one had done it."""

    order_ids: tuple[uuid.UUID, ...]
    is_repeated: bool = False


# --- placing ------------------------------------------------------------------------------


def place_once(
    session: Session,
    viewer: Viewer,
    key: str,
    lines: Sequence[tuple[int, int]],
    *,
    address: Mapping[str, Any],
    note: str,
    provider: str,
    now: datetime,
) -> Placed:
    """Order under a key: the same key again gives the same orders. Raises as :func:`place`."""
    asked = {"lines": sorted(lines), "address": dict(address), "note": note}
    digest = idempotency.request_digest(asked)
    answered = idempotency.claim(session, viewer.id, key, digest, now=now)
    if answered is not None:
        ids = tuple(uuid.UUID(text) for text in answered.body["order_ids"])
        return Placed(ids, is_repeated=True)
    made = place(session, viewer, lines, address=address, note=note, provider=provider, now=now)
    body = {"order_ids": [str(order.id) for order in made]}
    idempotency.settle(session, viewer.id, key, idempotency.Answer(201, body))
    return Placed(tuple(order.id for order in made))


def place(
    session: Session,
    viewer: Viewer,
    lines: Sequence[tuple[int, int]],
    *,
    address: Mapping[str, Any],
    note: str,
    provider: str,
    now: datetime,
) -> list[Order]:
    """Order so many pieces of each product: one order for each seller, all or none.

    ``lines``: (product id, quantity). Prices are what they are now, and are copied. Raises
    Invalid, NotFound for a product that cannot be seen, and OutOfStock naming every shortage.
    """
    wanted = _wanted(lines)
    products = _locked(session, wanted)
    _require_buyable(viewer, wanted, products)
    for product in products.values():
        product.stock -= wanted[product.id]
    by_seller: dict[tuple[int, str], list[Product]] = {}
    for product in products.values():
        by_seller.setdefault((product.seller_id, product.currency), []).append(product)
    return [
        _order(
            session, viewer, bought, wanted, address=address, note=note, provider=provider, now=now
        )
        for _, bought in sorted(by_seller.items())
    ]


def _wanted(lines: Sequence[tuple[int, int]]) -> dict[int, int]:
    wanted: dict[int, int] = {}
    for product_id, quantity in lines:
        if not 1 <= quantity <= PIECES_MAX:
            raise Invalid({"quantity": "quantity_out_of_range"})
        wanted[product_id] = wanted.get(product_id, 0) + quantity
    if not 1 <= len(wanted) <= LINES_MAX:
        raise Invalid({"items": "too_few_or_many"})
    if max(wanted.values()) > PIECES_MAX:
        raise Invalid({"quantity": "quantity_out_of_range"})
    return wanted


def _locked(session: Session, wanted: Iterable[int]) -> dict[int, Product]:
    """The products, held until the transaction ends, always in the order of their keys: two
    orders of the same products then wait for each other instead of both for ever."""
    rows = session.scalars(
        select(Product)
        .where(Product.id.in_(sorted(wanted)))
        .order_by(Product.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {product.id: product for product in rows}


def _require_buyable(
    viewer: Viewer, wanted: Mapping[int, int], products: Mapping[int, Product]
) -> None:
    seen = {id_ for id_, p in products.items() if p.state is ProductState.LISTED}
    if wanted.keys() - seen:
        raise NotFound
    if any(product.seller_id == viewer.id for product in products.values()):
        raise Invalid({"items": "own_product"})
    short = tuple(
        Shortage(p.id, p.title, wanted[p.id], p.stock)
        for p in products.values()
        if p.stock < wanted[p.id]
    )
    if short:
        raise OutOfStock(short)


def _order(
    session: Session,
    viewer: Viewer,
    bought: Sequence[Product],
    wanted: Mapping[int, int],
    *,
    address: Mapping[str, Any],
    note: str,
    provider: str,
    now: datetime,
) -> Order:
    items = [
        OrderItem(
            line=number,
            product_id=product.id,
            title=product.title,
            unit_price=product.price,
            quantity=wanted[product.id],
        )
        for number, product in enumerate(bought, start=1)
    ]
    total = sum((line_total(i.unit_price, i.quantity) for i in items), start=Decimal(0))
    order = Order(
        id=uuid.uuid4(),
        buyer_id=viewer.id,
        seller_id=bought[0].seller_id,
        currency=bought[0].currency,
        total=total,
        address=dict(address),
        note=note,
        created_at=now,
        items=items,
    )
    session.add(order)
    session.flush()
    session.add(_payment(order, provider, now))
    outbox.put_call(session, OutboxKind.CHARGE, order.id, now=now)
    letters.tell(session, order.id, OrderState.PLACED, now=now)
    return order


def _payment(order: Order, provider: str, now: datetime) -> Payment:
    return Payment(
        order_id=order.id,
        provider=provider,
        idempotency_key=str(order.id),
        amount=order.total,
        currency=order.currency,
        created_at=now,
    )


# --- what follows -------------------------------------------------------------------------


def move(session: Session, order_id: uuid.UUID, to: OrderState, *, now: datetime) -> bool:
    """Bring an order to a state, if it may go there from where it is; whether it did.

    Compare and set: of two that try at once, one does. Stock comes back with an order that
    ends before it was shipped. Whoever is concerned gets a letter.
    """
    origins = [state for state, nexts in ALLOWED.items() if to in nexts]
    was = session.scalar(select(Order.state).where(Order.id == order_id).with_for_update())
    if was not in origins:
        return False
    moved = session.execute(
        update(Order)
        .where(Order.id == order_id, Order.state == was)
        .values({"state": to, _STAMPS[to]: now})
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        return False
    letters.tell(session, order_id, to, now=now)
    if to is OrderState.CANCELLED or (to is OrderState.REFUNDED and was is OrderState.PAID):
        _return_stock(session, order_id)
    return True


def _return_stock(session: Session, order_id: uuid.UUID) -> None:
    items = session.execute(
        select(OrderItem.product_id, OrderItem.quantity)
        .where(OrderItem.order_id == order_id)
        .order_by(OrderItem.product_id)
    ).all()
    for product_id, quantity in items:
        session.execute(
            update(Product).where(Product.id == product_id).values(stock=Product.stock + quantity)
        )


Side = Literal["buyer", "seller"]


def cancel(
    session: Session,
    viewer: Viewer,
    order_id: uuid.UUID,
    *,
    now: datetime,
    as_: Side = "buyer",
) -> None:
    """Take back an order that is not paid: its buyer or its seller may.

    A charge may be on its way; when it arrives it is refunded (``payments.captured``). Raises
    NotFound, and Conflict when it is too late.
    """
    require_side(session, viewer, order_id, as_)
    if not move(session, order_id, OrderState.CANCELLED, now=now):
        raise Conflict


def ship(session: Session, viewer: Viewer, order_id: uuid.UUID, *, now: datetime) -> None:
    """The seller has sent it. Raises NotFound, Conflict unless it is paid."""
    require_side(session, viewer, order_id, "seller")
    if not move(session, order_id, OrderState.SHIPPED, now=now):
        raise Conflict


def require_side(session: Session, viewer: Viewer, order_id: uuid.UUID, side: Side) -> None:
    """Raises NotFound unless the viewer is on that side of the order."""
    own = Order.seller_id if side == "seller" else Order.buyer_id
    mine = select(Order.id).where(Order.id == order_id, own == viewer.id)
    if session.scalar(mine) is None:
        raise NotFound


# --- looking ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of an order, as it was agreed to."""

    product_id: int
    title: str
    unit_price: Decimal
    quantity: int
    line_total: Decimal


@dataclass(frozen=True)
class Summary:
    """An order in a list. ``other``: the name of whoever is on its other side."""

    id: uuid.UUID
    state: OrderState
    payment: PaymentState | None
    total: Decimal
    currency: str
    other: str
    created_at: datetime


@dataclass(frozen=True)
class Detail(Summary):
    """One order. ``is_sale``: whoever looks at it sells."""

    lines: tuple[Line, ...]
    address: Mapping[str, Any]
    note: str
    is_sale: bool
    paid_at: datetime | None
    shipped_at: datetime | None
    ended_at: datetime | None

    @property
    def may(self) -> frozenset[OrderState]:
        """Where it can go from here."""
        return ALLOWED[self.state]


Position = tuple[datetime, uuid.UUID]
"""Of an order in a list: the newest first, of one moment the highest id."""


def listing(
    session: Session,
    viewer: Viewer,
    *,
    sales: bool = False,
    after: Position | None = None,
    size: int = 24,
) -> list[Summary]:
    """The newest of one's orders, or of one's sales, after the one at ``after``."""
    own = Order.seller_id if sales else Order.buyer_id
    found = _whole().where(own == viewer.id)
    if after is not None:
        found = found.where(tuple_(Order.created_at, Order.id) < after)
    found = found.order_by(Order.created_at.desc(), Order.id.desc()).limit(size)
    return [_summary(order, sales=sales) for order in session.scalars(found)]


def order(
    session: Session, viewer: Viewer, order_id: uuid.UUID, *, as_: Side | None = None
) -> Detail:
    """One order that the viewer placed or sells, or on whose given side they are. Raises
    NotFound."""
    sides = {"buyer": Order.buyer_id == viewer.id, "seller": Order.seller_id == viewer.id}
    mine = sides[as_] if as_ else or_(*sides.values())
    found = session.scalar(
        _whole().options(selectinload(Order.items)).where(Order.id == order_id, mine)
    )
    if found is None:
        raise NotFound
    is_sale = found.seller_id == viewer.id
    lines = tuple(
        Line(i.product_id, i.title, i.unit_price, i.quantity, i.line_total) for i in found.items
    )
    return Detail(
        **vars(_summary(found, sales=is_sale)),
        lines=lines,
        address=found.address,
        note=found.note,
        is_sale=is_sale,
        paid_at=found.paid_at,
        shipped_at=found.shipped_at,
        ended_at=found.ended_at,
    )


def last_address(session: Session, viewer: Viewer) -> Mapping[str, Any]:
    """Where the viewer's last order went; nothing if there is none."""
    found = session.scalar(
        select(Order.address)
        .where(Order.buyer_id == viewer.id)
        .order_by(Order.created_at.desc())
        .limit(1)
    )
    return found or {}


def totals(session: Session, order_ids: Iterable[uuid.UUID]) -> dict[str, Decimal]:
    """What orders cost together, by currency."""
    rows = session.execute(select(Order.currency, Order.total).where(Order.id.in_(list(order_ids))))
    found: dict[str, Decimal] = {}
    for currency, total in rows:
        found[currency] = found.get(currency, Decimal(0)) + total
    return found


def _whole() -> Select[Order]:
    return select(Order).options(
        joinedload(Order.payment), joinedload(Order.buyer), joinedload(Order.seller)
    )


def _summary(found: Order, *, sales: bool) -> Summary:
    other: User = found.buyer if sales else found.seller
    return Summary(
        id=found.id,
        state=found.state,
        payment=found.payment.state if found.payment else None,
        total=found.total,
        currency=found.currency,
        other=other.display_name or other.username,
        created_at=found.created_at,
    )
