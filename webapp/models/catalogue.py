"""What is for sale, and what people say of it."""

from __future__ import annotations

import enum
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.database.types import Choice
from webapp.models.accounts import User
from webapp.models.base import Base, BigInt, Code, Digest, Key, Long, Reference, Short


class ProductState(enum.StrEnum):
    """Whether a product can be seen and bought. An admin hides, a seller withdraws."""

    DRAFT = "draft"
    LISTED = "listed"
    WITHDRAWN = "withdrawn"
    HIDDEN = "hidden"


class Category(Base):
    """A branch of the tree of categories. ``name`` is English; ``names`` holds others by
    language."""

    __tablename__ = "category"
    __table_args__ = (CheckConstraint("parent_id <> id", name="not_its_own_parent"),)

    id: Mapped[Key]
    parent_id: Mapped[Reference | None] = mapped_column(ForeignKey("category.id"), index=True)
    slug: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Short]
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)


class Product(Base):
    """One thing for sale. ``stock``: pieces that nobody has ordered yet (the database says
    ``is_in_stock`` of them); ``attributes``: what the seller says of it, as a document;
    ``version`` rises with each change by the seller."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("stock >= 0", name="stock_not_negative"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("length(title) > 0", name="title_given"),
        Index(
            "ix_product_listed",
            "created_at",
            "id",
            sqlite_where=text("state = 'listed'"),
            postgresql_where=text("state = 'listed'"),
        ),
        Index("ix_product_category_created", "category_id", "created_at", "id"),
        Index("ix_product_price", "price", "id"),
        Index("ix_product_title_lower", func.lower(text("title"))),
        Index("ix_product_seller_id", "seller_id"),
        Index("uq_product_seller_sku", "seller_id", func.lower(text("sku")), unique=True),
    )

    id: Mapped[Key]
    seller_id: Mapped[Reference] = mapped_column(ForeignKey("user_account.id"))
    category_id: Mapped[Reference | None] = mapped_column(ForeignKey("category.id"))
    sku: Mapped[Code | None]
    title: Mapped[Short]
    description: Mapped[Long] = mapped_column(default="")
    price: Mapped[Decimal]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    stock: Mapped[int] = mapped_column(default=0)
    is_in_stock: Mapped[bool] = mapped_column(Computed("stock > 0", persisted=True))
    state: Mapped[ProductState] = mapped_column(
        Choice(ProductState, "state_known"), default=ProductState.DRAFT
    )
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    seller: Mapped[User] = relationship(lazy="raise")
    category: Mapped[Category | None] = relationship(lazy="raise")


class ProductImage(Base):
    """A picture, whole, in the table. ``number`` counts a product's pictures from 1."""

    __tablename__ = "product_image"

    product_id: Mapped[Reference] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    media_type: Mapped[Code]
    digest: Mapped[Digest]
    alternative: Mapped[Short] = mapped_column(default="")
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class Favourite(Base):
    """A product that somebody wants to find again."""

    __tablename__ = "favourite"
    __table_args__ = (Index("ix_favourite_product_id", "product_id"),)

    user_id: Mapped[Reference] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True
    )
    product_id: Mapped[Reference] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    created_at: Mapped[datetime]


class Review(Base):
    """What a buyer thinks of a product: one each."""

    __tablename__ = "review"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating_in_range"),)

    product_id: Mapped[Reference] = mapped_column(
        ForeignKey("product.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[Reference] = mapped_column(
        ForeignKey("user_account.id"), primary_key=True, index=True
    )
    rating: Mapped[int]
    body: Mapped[Long] = mapped_column(default="")
    created_at: Mapped[datetime]

    author: Mapped[User] = relationship(lazy="raise")


class Question(Base):
    """What somebody asks a seller, for all to read, and the answer."""

    __tablename__ = "question"
    __table_args__ = (Index("ix_question_product_id", "product_id", "created_at"),)

    id: Mapped[Key]
    product_id: Mapped[Reference] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"))
    user_id: Mapped[Reference] = mapped_column(ForeignKey("user_account.id"), index=True)
    body: Mapped[Long]
    answer: Mapped[str | None]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    author: Mapped[User] = relationship(lazy="raise")


ProductRating = Table(
    "product_rating",
    Base.metadata,
    Column("product_id", BigInt, primary_key=True),
    Column("reviews", BigInt),
    Column("average", Float),
    info={"is_view": True},
)
"""A view: how many reviews a product has, and their mean."""
