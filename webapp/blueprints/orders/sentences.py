"""What the pages say, by the ids of problems and states."""

from __future__ import annotations

import unicodedata

from babel import Locale

from webapp.models import OrderState, PaymentState
from webapp.services.addresses import COUNTRIES
from webapp.web.language import gettext, language


def _(sentence: str) -> str:
    """Marks a sentence for the translators."""
    return sentence


PROBLEMS = {
    "required": _("This is needed."),
    "too_long": _("This is too long."),
    "odd_characters": _("This has characters that cannot be used."),
    "no_country": _("Choose a country."),
    "own_product": _("This is your own product: you cannot buy it."),
    "quantity_out_of_range": _("Choose between 1 and 1,000 pieces."),
    "too_few_or_many": _("An order has between 1 and 50 different products."),
    "cart_full": _("A cart holds 50 different products at most."),
    "form_incomplete": _("The form was incomplete. Load the page again."),
    "price_changed": _("A price has changed. Look at the new total, then order."),
    "key_of_another_request": _(
        "This form was sent before with other contents. Look at your orders."
    ),
}
STATES = {
    OrderState.PLACED: _("Not paid yet"),
    OrderState.PAID: _("Paid"),
    OrderState.SHIPPED: _("Sent"),
    OrderState.CANCELLED: _("Cancelled"),
    OrderState.REFUNDED: _("Refunded"),
}
CONFIRMING = _("Confirming payment")
DECLINED = _("Payment declined")


def sentence(id_: str) -> str:
    """What is wrong, in the viewer's language."""
    return gettext(PROBLEMS[id_])


def state(order: OrderState, payment: PaymentState | None) -> str:
    """How an order stands, in a word or two: while it is not paid, how its payment does."""
    if order is OrderState.PLACED and payment is PaymentState.PENDING:
        return gettext(CONFIRMING)
    if order is OrderState.PLACED and payment is PaymentState.FAILED:
        return gettext(DECLINED)
    return gettext(STATES[order])


def countries() -> list[tuple[str, str]]:
    """(code, name), by their names in the viewer's language."""
    names = Locale(language()).territories
    named = [(code, str(names[code])) for code in COUNTRIES]
    return sorted(named, key=lambda pair: unicodedata.normalize("NFKD", pair[1]).casefold())


def country(code: str) -> str:
    """The name of a country; what is no code, as it is."""
    return str(Locale(language()).territories.get(code, code))
