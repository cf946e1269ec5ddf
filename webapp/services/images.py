"""Pictures of products. What a picture is, is read from its first bytes and nothing else; it
is served as that and no browser is asked to guess. It is never decoded here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.models import Product, ProductImage, ProductState
from webapp.services.errors import Invalid, NotFound
from webapp.services.people import Viewer
from webapp.services.products import owned, visible
from webapp.services.texts import line

EACH_MAX = 8
"""Pictures of one product."""
ALTERNATIVE_MAX = 200


@dataclass(frozen=True)
class Image:
    """A picture, whole. ``is_public``: everybody may see it."""

    media_type: str
    digest: str
    content: bytes
    is_public: bool


def media_type(content: bytes) -> str | None:
    """What the first bytes say that it is; None: no picture that the shop takes."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def image(session: Session, viewer: Viewer | None, product_id: int, number: int) -> Image:
    """One picture of a product that the viewer may see. Raises NotFound."""
    row = session.execute(
        select(ProductImage, Product)
        .join(Product, Product.id == ProductImage.product_id)
        .where(ProductImage.product_id == product_id, ProductImage.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound
    found, product = row
    if not visible(viewer, product):
        raise NotFound
    is_public = product.state is ProductState.LISTED
    return Image(found.media_type, found.digest, found.content, is_public)


def add(
    session: Session,
    viewer: Viewer,
    product_id: int,
    content: bytes,
    alternative: str,
    *,
    bytes_max: int,
    now: datetime,
) -> int:
    """Add a picture to a product of the viewer's; its number. Raises NotFound, Invalid."""
    owned(session, viewer, product_id, lock=True)
    said = line(alternative)
    kind = media_type(content)
    numbers = select(func.count(), func.max(ProductImage.number)).where(
        ProductImage.product_id == product_id
    )
    count, last = session.execute(numbers).one()
    problems = {}
    if found := _problem(content, kind, bytes_max, count):
        problems["picture"] = found
    if len(said) > ALTERNATIVE_MAX:
        problems["alternative"] = "too_long"
    if problems or kind is None:
        raise Invalid(problems)
    made = ProductImage(
        product_id=product_id,
        number=(last or 0) + 1,
        media_type=kind,
        digest=hashlib.sha256(content).hexdigest(),
        alternative=said,
        content=content,
        created_at=now,
    )
    session.add(made)
    return made.number


def _problem(content: bytes, kind: str | None, bytes_max: int, count: int) -> str | None:
    if not content:
        return "picture_missing"
    if len(content) > bytes_max:
        return "picture_too_big"
    if kind is None:
        return "picture_unknown"
    return "pictures_too_many" if count >= EACH_MAX else None


def remove(session: Session, viewer: Viewer, product_id: int, number: int) -> None:
    """Take a picture from a product of the viewer's. Raises NotFound."""
    owned(session, viewer, product_id, lock=True)
    gone = delete(ProductImage).where(
        ProductImage.product_id == product_id, ProductImage.number == number
    )
    if not session.execute(gone).rowcount:  # type: ignore[attr-defined]
        raise NotFound
