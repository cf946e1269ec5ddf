"""Amounts of money as people type them."""

from __future__ import annotations

import re
from decimal import Decimal

from webapp.money import PRICE_MAX

_AMOUNT = re.compile(r"\d{1,10}(?:[.,]\d{1,2})?", re.ASCII)


def amount(typed: str) -> Decimal | None:
    """An amount in whole cents, with a point or a comma before them; None: it is none."""
    text = typed.strip()
    if not _AMOUNT.fullmatch(text):
        return None
    found = Decimal(text.replace(",", "."))
    return found if found <= PRICE_MAX else None
