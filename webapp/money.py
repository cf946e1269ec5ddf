"""Money: exact, in one currency, rounded in one place."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

CURRENCIES = ("EUR", "USD", "MXN")
"""What sellers may ask for. All have two digits."""

CENT = Decimal("0.01")
PRICE_MAX = Decimal("9999999999.99")
"""numeric(12,2): also what a double precision still spells exactly, as SQLite keeps it."""


def rounded(amount: Decimal) -> Decimal:
    """The amount in whole cents, halves to the even one: the only rounding of the shop."""
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)


def line_total(price: Decimal, quantity: int) -> Decimal:
    """What ``quantity`` pieces cost."""
    return rounded(price * quantity)
