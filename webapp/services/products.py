"""Which products whoever asks may see, and which are theirs to change."""

from __future__ import annotations

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from webapp.models import Product, ProductState
from webapp.services.errors import NotFound
from webapp.services.people import Viewer

# Said as the partial index says it: a bound value would keep SQLite from using that.
LISTED = Product.state == literal_column("'listed'", Product.state.type)
"""Whether everybody can see a product, and buy it while there is some."""


def visible(viewer: Viewer | None, product: Product) -> bool:
    """Whether it is for sale, theirs, or they govern."""
    if product.state is ProductState.LISTED:
        return True
    return viewer is not None and (viewer.governs or viewer.id == product.seller_id)


def seen(session: Session, viewer: Viewer | None, product_id: int) -> Product:
    """A product that the viewer may see. Raises NotFound."""
    product = session.get(Product, product_id)
    if product is None or not visible(viewer, product):
        raise NotFound
    return product


def owned(session: Session, viewer: Viewer, product_id: int, *, lock: bool = False) -> Product:
    """A product that the viewer sells; with ``lock``, nobody changes it meanwhile. Raises
    NotFound."""
    wanted = select(Product).where(Product.id == product_id, Product.seller_id == viewer.id)
    product = session.scalar(wanted.with_for_update() if lock else wanted)
    if product is None:
        raise NotFound
    return product
