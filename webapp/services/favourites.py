"""Products that people want to find again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from webapp.database import inserted
from webapp.models import Favourite, Product, ProductState
from webapp.services.cards import ProductCard, cards, rows
from webapp.services.pages import SIZE, Order, Page, Place
from webapp.services.people import Viewer
from webapp.services.products import seen


def toggle(session: Session, viewer: Viewer, product_id: int, *, now: datetime) -> bool:
    """Keep a product among the viewer's favourites, or no longer; whether it is one now.
    Raises NotFound: a product that they cannot see can only be let go."""
    mine = delete(Favourite).where(
        Favourite.user_id == viewer.id, Favourite.product_id == product_id
    )
    if session.execute(mine).rowcount:  # type: ignore[attr-defined]
        return False
    seen(session, viewer, product_id)
    kept = {"user_id": viewer.id, "product_id": product_id, "created_at": now}
    inserted(session, Favourite, kept)
    return True


def favourites(
    session: Session, viewer: Viewer, *, after: Place | None = None, size: int = SIZE
) -> Page[ProductCard]:
    """A page of the viewer's favourites, the latest first; also those that are no longer for
    sale, but nothing that was hidden."""
    kept = rows().join(Favourite, Favourite.product_id == Product.id)
    shown = Product.state.in_([ProductState.LISTED, ProductState.WITHDRAWN])
    chosen = kept.where(Favourite.user_id == viewer.id, shown)
    order = Order(Favourite.created_at.expression, Product.id.expression, datetime.fromisoformat)
    return cards(session, chosen, order, after, size)
