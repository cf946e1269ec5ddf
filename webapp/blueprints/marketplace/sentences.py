"""What to say of a problem, by its id: the services know ids, people read sentences."""

from __future__ import annotations

from webapp.models import ProductState


def _(sentence: str) -> str:
    """Marks a sentence for the translators."""
    return sentence


PROBLEMS = {
    "missing": _("Write something here."),
    "too_long": _("This is too long."),
    "price_unclear": _("Write an amount such as 12.50."),
    "price_range_empty": _("The highest price is below the lowest."),
    "sort_unknown": _("Choose one of these."),
    "stock_unclear": _("Write a whole number, 0 or more."),
    "currency_unknown": _("Choose one of these."),
    "category_unknown": _("Choose one of these."),
    "sku_taken": _("Another product of yours has this number."),
    "attributes_unclear": _("Write one property on each line, as in “Colour: blue”."),
    "attributes_too_many": _("These are too many properties."),
    "rating_missing": _("Choose from one to five stars."),
    "picture_missing": _("Choose a picture first."),
    "picture_too_big": _("This picture has too many bytes. Make it smaller."),
    "picture_unknown": _("This is no PNG, JPEG, WebP or GIF."),
    "pictures_too_many": _("There are eight pictures. Remove one first."),
}

STATES = {
    ProductState.DRAFT: _("Draft"),
    ProductState.LISTED: _("For sale"),
    ProductState.WITHDRAWN: _("Not for sale"),
    ProductState.HIDDEN: _("Hidden by the shop"),
}
