"""The shop's tables. They refuse to know rules, requests and pages.

Everything that asks the database is in ``services``. Loading along a relation that was not
asked for is an error (``lazy="raise"``): a page's queries are all in sight.
"""

from webapp.models.accounts import LoginAttempt, LoginSession, OneTimeToken, Purpose, Role, User
from webapp.models.base import Base, naming_convention
from webapp.models.catalogue import (
    Category,
    Favourite,
    Product,
    ProductImage,
    ProductRating,
    ProductState,
    Question,
    Review,
)
from webapp.models.orders import (
    CartItem,
    IdempotencyKey,
    Order,
    OrderItem,
    OrderState,
    Payment,
    PaymentEvent,
    PaymentState,
)
from webapp.models.outbox import OutboxKind, OutboxMessage

__all__ = [
    "Base",
    "CartItem",
    "Category",
    "Favourite",
    "IdempotencyKey",
    "LoginAttempt",
    "LoginSession",
    "OneTimeToken",
    "Order",
    "OrderItem",
    "OrderState",
    "OutboxKind",
    "OutboxMessage",
    "Payment",
    "PaymentEvent",
    "PaymentState",
    "Product",
    "ProductImage",
    "ProductRating",
    "ProductState",
    "Purpose",
    "Question",
    "Review",
    "Role",
    "User",
    "naming_convention",
]
