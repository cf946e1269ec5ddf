"""How many rows each table of the sample gets."""

from __future__ import annotations

from collections.abc import Iterator

SMALLEST = 300

# Rows of each table in a thousand; order_items takes what is left (about 207).
_SHARES = {
    "users": 50,
    "addresses": 60,
    "sessions": 40,
    "categories": 3,
    "products": 50,
    "product_images": 40,
    "product_tags": 110,
    "favourites": 80,
    "reviews": 70,
    "questions": 30,
    "carts": 25,
    "cart_items": 60,
    "orders": 90,
    "payments": 85,
}


def row_counts(rows: int) -> dict[str, int]:
    """The rows of each table; they add up to ``rows`` exactly. Raises ValueError below 300."""
    if rows < SMALLEST:
        raise ValueError(f"a sample has at least {SMALLEST} rows, not {rows}")
    counts = {table: max(1, rows * share // 1000) for table, share in _SHARES.items()}
    counts["order_items"] = rows - sum(counts.values())
    return counts


def spread(total: int, groups: int) -> Iterator[tuple[int, int]]:
    """Share ``total`` things among ``groups``: pairs of a group, from 1, and a place in it, from 0.

    Groups differ by one thing at most; with ``total >= groups`` none is empty."""
    for group in range(1, groups + 1):
        for place in range(total * group // groups - total * (group - 1) // groups):
            yield group, place
