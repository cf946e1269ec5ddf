"""What sellers type into the form of a product, and a product as that form shows it.

Nothing is refused here: what cannot be read becomes None, and the service says so together
with all else that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from webapp.blueprints.marketplace import properties
from webapp.services.amounts import amount
from webapp.services.listings import Offer

FIELDS = ("title", "description", "price", "currency", "stock", "category", "sku", "attributes")
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


def whole(text: str) -> int | None:
    """A number of things."""
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def offer(typed: Mapping[str, str]) -> Offer:
    """What the fields say."""
    return Offer(
        title=typed["title"],
        description=typed["description"],
        price=amount(typed["price"]),
        currency=typed["currency"],
        stock=whole(typed["stock"]),
        category=typed["category"],
        sku=typed["sku"],
        attributes=properties.read(typed["attributes"]),
    )


def fields(offered: Offer) -> dict[str, str]:
    """The fields that say the same."""
    return {
        "title": offered.title,
        "description": offered.description,
        "price": str(offered.price),
        "currency": offered.currency,
        "stock": str(offered.stock),
        "category": offered.category,
        "sku": offered.sku,
        "attributes": properties.lines(offered.attributes or {}),
    }
