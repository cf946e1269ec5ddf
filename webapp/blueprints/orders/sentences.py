"""What the pages say of a field that cannot be used, by the problem's id."""

from __future__ import annotations

from webapp.web.language import gettext


def _(sentence: str) -> str:
    """Marks a sentence for the translators."""
    return sentence


SENTENCES = {
    "required": _("This is needed."),
    "too_long": _("This is too long."),
    "not_a_number": _("This must be a whole number."),
    "own_product": _("This is your own product: you cannot buy it."),
    "quantity_out_of_range": _("Choose between 1 and 1,000 pieces."),
    "too_few_or_many": _("An order has between 1 and 50 different products."),
    "cart_full": _("A cart holds 50 different products at most."),
    "form_incomplete": _("The form was incomplete. Load the page again."),
    "key_of_another_request": _(
        "This form was sent before with other contents. Look at your orders."
    ),
}


def sentence(id_: str) -> str:
    """The sentence in the viewer's language."""
    return gettext(SENTENCES[id_])
