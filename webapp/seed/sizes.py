"""How much of everything a shop of a size holds."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Size(enum.StrEnum):
    """Small is for tests, medium for trying out, large for measuring."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def counts(self) -> Counts:
        """The numbers of rows."""
        return Counts({"small": 200, "medium": 10_000, "large": 100_000}[self.value])


@dataclass(frozen=True)
class Counts:
    """Everything follows from the number of products."""

    products: int

    @property
    def sellers(self) -> int:
        """People who sell, the known one among them."""
        return 5 + self.products // 100

    @property
    def buyers(self) -> int:
        """People who only buy, the known one among them."""
        return 20 + self.products // 5

    @property
    def orders(self) -> int:
        """Orders; each has two or three items."""
        return self.products * 4

    @property
    def reviews(self) -> int:
        """Reviews."""
        return self.products * 2

    @property
    def favourites(self) -> int:
        """Favourites."""
        return self.products * 2

    @property
    def questions(self) -> int:
        """Questions, two thirds of them answered."""
        return self.products // 2

    @property
    def cart_items(self) -> int:
        """What lies in carts."""
        return self.products // 4

    @property
    def notices(self) -> int:
        """Rows of each table that only programs read: sessions, failed logins, keys, mails."""
        return 10 + self.products // 10
