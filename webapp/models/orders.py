"""Carts, orders and what was paid for them."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
    text,
    type_coerce,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.database.types import Choice, Money
from webapp.models.accounts import User
from webapp.models.base import Base, Code, Digest, Key, Long, Reference, Short
from webapp.models.catalogue import Product
from webapp.money import line_total


class OrderState(enum.StrEnum):
    """placed -> paid -> shipped; placed -> cancelled; paid or shipped -> refunded."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class PaymentState(enum.StrEnum):
    """pending -> captured or failed; captured -> refunding -> refunded. What timed out stays
    pending: whether money moved is asked again under the same key."""

    PENDING = "pending"
    CAPTURED = "captured"
    FAILED = "failed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class CartItem(Base):
    """What somebody means to buy. Its price is the product's, as long as it lies here."""

    __tablename__ = "cart_item"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    user_id: Mapped[Reference] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[Reference] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    quantity: Mapped[int]
    created_at: Mapped[datetime]

    product: Mapped[Product] = relationship(lazy="raise")


class Order(Base):
    """What one buyer ordered from one seller at once. ``total`` is the sum of its items;
    ``address``: where it goes, as a document, copied."""

    __tablename__ = "shop_order"
    __table_args__ = (
        CheckConstraint("total >= 0", name="total_not_negative"),
        Index("ix_shop_order_buyer", "buyer_id", "created_at"),
        Index("ix_shop_order_seller", "seller_id", "created_at"),
        Index(
            "ix_shop_order_open",
            "created_at",
            sqlite_where=text("state IN ('placed', 'paid')"),
            postgresql_where=text("state IN ('placed', 'paid')"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[Reference] = mapped_column(ForeignKey("user_account.id"))
    seller_id: Mapped[Reference] = mapped_column(ForeignKey("user_account.id"))
    state: Mapped[OrderState] = mapped_column(
        Choice(OrderState, "state_known"), default=OrderState.PLACED
    )
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[Decimal]
    address: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[Long] = mapped_column(default="")
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    buyer: Mapped[User] = relationship(foreign_keys=[buyer_id], lazy="raise")
    seller: Mapped[User] = relationship(foreign_keys=[seller_id], lazy="raise")
    items: Mapped[list[OrderItem]] = relationship(
        lazy="raise", order_by="OrderItem.line", back_populates="order"
    )
    payment: Mapped[Payment | None] = relationship(lazy="raise", back_populates="order")


class OrderItem(Base):
    """One line of an order. Title and price are copies: what the buyer agreed to."""

    __tablename__ = "order_item"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index("ix_order_item_product_id", "product_id"),
    )

    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[Reference] = mapped_column(ForeignKey("product.id"))
    title: Mapped[Short]
    unit_price: Mapped[Decimal]
    quantity: Mapped[int]

    order: Mapped[Order] = relationship(lazy="raise", back_populates="items")

    @hybrid_property
    def line_total(self) -> Decimal:
        """What the line costs. It is no column: SQLite multiplies doubles and its versions round
        them differently, so that no rule of a column's would mean the same on both engines."""
        return line_total(self.unit_price, self.quantity)

    @line_total.inplace.expression
    @classmethod
    def _line_total_asked(cls) -> ColumnElement[Decimal]:
        return type_coerce(func.round(cls.unit_price * cls.quantity, 2), Money())


class Payment(Base):
    """The money of one order. ``reference`` is the provider's; ``idempotency_key`` ours: the
    provider charges once for it, however often it is asked."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("provider", "reference"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    id: Mapped[Key]
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("shop_order.id"), unique=True)
    provider: Mapped[Code]
    idempotency_key: Mapped[Code] = mapped_column(unique=True)
    reference: Mapped[Short | None]
    state: Mapped[PaymentState] = mapped_column(
        Choice(PaymentState, "state_known"), default=PaymentState.PENDING
    )
    amount: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(lazy="raise", back_populates="payment")


class PaymentEvent(Base):
    """What a provider has told us, each once however often it says so."""

    __tablename__ = "payment_event"

    provider: Mapped[Code] = mapped_column(primary_key=True)
    event_id: Mapped[Short] = mapped_column(primary_key=True)
    kind: Mapped[Code]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class IdempotencyKey(Base):
    """A request to order that a client may repeat: its answer is given once and remembered.
    ``request_digest``: a SHA-256 of what was asked; ``answer``: None until it is known."""

    __tablename__ = "idempotency_key"

    user_id: Mapped[Reference] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[Short] = mapped_column(primary_key=True)
    request_digest: Mapped[Digest]
    status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
