"""What the API takes and gives, as pydantic models: the shapes alone, no rules of the shop."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from webapp.models import OrderState, PaymentState, ProductState, Role
from webapp.money import CURRENCIES

BIGGEST = 2**63 - 1

Amount = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str)]
# Texts alone: a number in JSON is whatever its reader makes of it.
Price = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?$"), AfterValidator(Decimal)
]
When = Annotated[
    datetime,
    PlainSerializer(
        lambda when: when.astimezone(UTC).isoformat().replace("+00:00", "Z"), return_type=str
    ),
]
Identifier = Annotated[int, Field(ge=0, le=BIGGEST)]
# PostgreSQL has no NUL in texts, and nobody means one.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(pattern=NO_NUL, max_length=10_000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class Credentials(_In):
    """Who asks for a token."""

    login: Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=128)]


class Token(_Out):
    """A token, shown once."""

    token: str
    expires_at: When


class Me(_Out):
    """Whose token it is."""

    id: int
    username: str
    role: Role


class CategoryNode(_Out):
    """A branch of the tree of categories; ``products`` counts those below it too."""

    slug: str
    name: str
    products: int
    children: list[CategoryNode]


class Categories(_Out):
    """The tree."""

    items: list[CategoryNode]


class ProductQuery(_In):
    """Which products are wanted."""

    q: Annotated[str, StringConstraints(pattern=NO_NUL, max_length=200)] = ""
    category: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$", max_length=40)] = ""
    price_min: Price | None = None
    price_max: Price | None = None
    in_stock: bool = False
    sort: Literal["", "relevance", "newest", "price_up", "price_down", "title", "rating"] = ""
    after: Annotated[str, StringConstraints(max_length=4000)] = ""
    size: Annotated[int, Field(ge=1, le=100)] = 24


class ProductSummary(_Out):
    """A product in a list."""

    id: int
    title: str
    price: Amount
    currency: str
    stock: int
    seller: str


class Products(_Out):
    """A page of products."""

    items: list[ProductSummary]
    next: str | None


class ProductDetail(ProductSummary):
    """One product."""

    description: str
    category: str | None
    attributes: dict[str, Any]
    state: ProductState
    version: int
    reviews: int
    average: float | None


class ProductIn(_In):
    """What a seller offers."""

    title: Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=200)]
    description: Text = ""
    price: Price
    currency: Literal[CURRENCIES] = "EUR"  # type: ignore[valid-type]
    stock: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    sku: Annotated[str, StringConstraints(pattern=r"^[!-~]*$", max_length=40)] | None = None
    category: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]*$", max_length=40)] | None = (
        None
    )


class ProductChange(ProductIn):
    """The same, over what was read as ``version``."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Created(_Out):
    """The id of what was made."""

    id: int


class LineIn(_In):
    """So many pieces of a product."""

    product_id: Identifier
    quantity: Annotated[int, Field(ge=1, le=1000)]


class Address(_In):
    """Where it goes."""

    name: Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=200)]
    street: Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=200)]
    city: Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=200)]
    postcode: Annotated[str, StringConstraints(pattern=NO_NUL, max_length=20)] = ""
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class OrderIn(_In):
    """What is ordered. Products of several sellers become an order each, all or none."""

    items: Annotated[list[LineIn], Field(min_length=1, max_length=50)]
    address: Address
    note: Annotated[str, StringConstraints(pattern=NO_NUL, max_length=1000)] = ""


class Placed(_Out):
    """The orders that were placed."""

    order_ids: list[uuid.UUID]


class OrderLine(_Out):
    """One line of an order, as it was agreed to."""

    product_id: int
    title: str
    unit_price: Amount
    quantity: int
    line_total: Amount


class OrderSummary(_Out):
    """An order in a list."""

    id: uuid.UUID
    state: OrderState
    total: Amount
    currency: str
    created_at: When


class Orders(_Out):
    """A page of orders."""

    items: list[OrderSummary]
    next: str | None


class OrderDetail(OrderSummary):
    """One order of the token's owner."""

    items: list[OrderLine]
    address: dict[str, Any]
    note: str
    payment: PaymentState | None


class OrderQuery(_In):
    """Which page of one's orders."""

    after: Annotated[str, StringConstraints(max_length=4000)] = ""
    size: Annotated[int, Field(ge=1, le=100)] = 24
