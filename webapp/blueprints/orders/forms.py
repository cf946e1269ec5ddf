"""What the forms of this blueprint hold."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from flask import request

from webapp.services import addresses
from webapp.services.errors import Invalid

BIGGEST = 2**63 - 1
"""Of what may be the key of a row."""


def number(name: str, default: int = 0) -> int:
    """A whole number, not negative. What is none is too much of anything."""
    text = request.form.get(name, "").strip()
    if not text:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else BIGGEST


def text(name: str) -> str:
    """A text without what surrounds it, its lines ended alike."""
    return request.form.get(name, "").strip().replace("\r\n", "\n")


def address() -> dict[str, str]:
    """The fields of an address."""
    return {name: text(name) for name in addresses.FIELDS}


def lines() -> list[tuple[int, int]]:
    """(product id, quantity) of what the page showed. Raises Invalid."""
    try:
        pairs = [said.split(":") for said in request.form.getlist("line")]
        found = [(int(product_id), int(quantity)) for product_id, quantity in pairs]
    except ValueError:
        raise Invalid({"key": "form_incomplete"}) from None
    if any(not 0 <= product_id <= BIGGEST for product_id, _ in found):
        raise Invalid({"key": "form_incomplete"})
    return found


def totals() -> dict[str, Decimal]:
    """The sums that the page showed, by currency. Raises Invalid."""
    try:
        pairs = [said.split(":") for said in request.form.getlist("total")]
        return {currency: Decimal(amount) for currency, amount in pairs}
    except (ValueError, InvalidOperation):
        raise Invalid({"key": "form_incomplete"}) from None
