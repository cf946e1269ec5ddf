"""What buyers think of a product: one review each, which they may replace."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from webapp.database import inserted
from webapp.models import Order, OrderItem, OrderState, Review
from webapp.services.errors import Forbidden, Invalid
from webapp.services.people import Viewer
from webapp.services.products import seen
from webapp.services.texts import paragraphs

BODY_MAX = 2000
RATINGS = range(1, 6)


def bought(user_id: int, product_id: int) -> ColumnElement[bool]:
    """Whether somebody has paid for a product."""
    paid = Order.state.in_([OrderState.PAID, OrderState.SHIPPED])
    return exists().where(
        OrderItem.order_id == Order.id,
        OrderItem.product_id == product_id,
        Order.buyer_id == user_id,
        paid,
    )


def review(
    session: Session,
    viewer: Viewer,
    product_id: int,
    rating: int | None,
    body: str,
    *,
    now: datetime,
) -> None:
    """Say what the viewer thinks, instead of what they said before. ``rating``: None when it
    could not be read. Raises NotFound, Forbidden, Invalid."""
    seen(session, viewer, product_id)
    if not session.scalar(select(bought(viewer.id, product_id))):
        raise Forbidden
    said = paragraphs(body)
    problems = {}
    if rating not in RATINGS:
        problems["rating"] = "rating_missing"
    if len(said) > BODY_MAX:
        problems["review"] = "too_long"
    if problems or rating is None:
        raise Invalid(problems)
    kept = {"rating": rating, "body": said, "created_at": now}
    key = {"product_id": product_id, "user_id": viewer.id}
    if not inserted(session, Review, key | kept):
        mine = update(Review).where(Review.product_id == product_id, Review.user_id == viewer.id)
        session.execute(mine.values(kept))
