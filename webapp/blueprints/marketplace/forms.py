"""What sellers type into the form of a product, and a product as that form shows it.

Nothing is refused here: what cannot be read becomes None, and the service says so together
with all else that is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from webapp.services.amounts import amount
from webapp.services.listings import Offer
from webapp.services.texts import line, paragraphs

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
        attributes=attributes(typed["attributes"]),
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
        "attributes": "\n".join(
            f"{name}: {shown(value)}" for name, value in (offered.attributes or {}).items()
        ),
    }


def attributes(text: str) -> dict[str, Any] | None:
    """Properties from lines such as ``Colour: blue``; None: one of the lines is not such."""
    found: dict[str, Any] = {}
    for each in paragraphs(text).split("\n"):
        name, colon, value = map(line, each.partition(":"))
        if not each.strip():
            continue
        if not (name and colon and value):
            return None
        found[name] = _meant(value)
    return found


def shown(value: Any) -> str:
    """A property's value as it is typed: a text as it is, anything else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _meant(value: str) -> Any:
    """The value that ``shown`` shows like this: numbers and lists come back as such, and what
    JSON would write otherwise (``007``, ``3.10``) is a text."""
    try:
        read = json.loads(value)
        same = json.dumps(read, ensure_ascii=False, allow_nan=False) == value
    except (ValueError, RecursionError):
        return value
    return read if same and not isinstance(read, str) else value
