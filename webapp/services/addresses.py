"""Where an order goes: what an address must have."""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale

FIELDS = {"name": 200, "street": 200, "postcode": 20, "city": 200, "country": 2}
"""How long each may be."""
OPTIONAL = frozenset({"postcode"})
_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ"})
COUNTRIES = frozenset(
    str(code)
    for code in Locale("en").territories.keys() & Locale("es").territories.keys()
    if len(str(code)) == 2 and str(code).isalpha() and code not in _NO_COUNTRY
)
"""Codes of ISO 3166 that have a name in every language of the shop."""


def problems(fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with an address, by field."""
    found = {
        name: problem
        for name, most in FIELDS.items()
        if (problem := text_problem(fields.get(name, ""), most, is_needed=name not in OPTIONAL))
    }
    if "country" not in found and fields["country"] not in COUNTRIES:
        found["country"] = "no_country"
    return found


def text_problem(text: str, most: int, *, is_needed: bool = False) -> str | None:
    """What is wrong with a text; no column of PostgreSQL takes a NUL."""
    if is_needed and not text.strip():
        return "required"
    if len(text) > most:
        return "too_long"
    return "odd_characters" if "\x00" in text else None
