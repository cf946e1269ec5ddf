"""What people do in the shop: they look around, search, look at a thing, buy, sell."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from urllib.parse import quote

from benchmarks.load.client import Request

WORDS = ("lamp", "lámpara", "tea pot", "chair", "cometa", "wool", "vidrio", "clock", "estuche")
ADDRESS = {
    "name": "Ana Peña",
    "street": "Calle Mayor 1",
    "city": "Málaga",
    "postcode": "29001",
    "country": "ES",
}


@dataclass(frozen=True)
class Cast:
    """Who plays: tokens of buyers and of sellers, and the products that can be bought."""

    buyers: tuple[str, ...]
    sellers: tuple[str, ...]
    products: tuple[int, ...]


@dataclass(frozen=True)
class Mix:
    """Actions by weight. It chooses by the chance that it is given, and remembers nothing."""

    cast: Cast
    weights: tuple[tuple[str, int], ...]

    def __call__(self, chance: random.Random) -> tuple[str, Request]:
        """One action and its request."""
        names, weights = zip(*self.weights, strict=True)
        (name,) = chance.choices(names, weights)
        return name, ACTIONS[name](self.cast, chance)


def everyday(cast: Cast) -> Mix:
    """A shop's day: many look, some buy, few sell."""
    return Mix(
        cast,
        (
            ("browse", 25),
            ("product", 25),
            ("search", 15),
            ("api list", 10),
            ("api product", 10),
            ("buy", 10),
            ("sell", 5),
        ),
    )


def only(cast: Cast, action: str) -> Mix:
    """Nothing but one action."""
    return Mix(cast, ((action, 1),))


def browse(_cast: Cast, chance: random.Random) -> Request:
    """The first page, as it is or sorted."""
    return Request("GET", chance.choice(["/", "/?sort=price_up", "/?sort=title"]))


def product(cast: Cast, chance: random.Random) -> Request:
    """A product's page."""
    return Request("GET", f"/products/{chance.choice(cast.products)}")


def search(_cast: Cast, chance: random.Random) -> Request:
    """The page of what a word finds."""
    return Request("GET", f"/?q={quote(chance.choice(WORDS))}")


def api_list(_cast: Cast, chance: random.Random) -> Request:
    """The same, for a program."""
    return Request("GET", f"/api/v1/products?q={quote(chance.choice(WORDS))}")


def api_product(cast: Cast, chance: random.Random) -> Request:
    """A product, for a program."""
    return Request("GET", f"/api/v1/products/{chance.choice(cast.products)}")


def buy(cast: Cast, chance: random.Random) -> Request:
    """One piece of one product. The key is new each time: each is an order."""
    items = [{"product_id": chance.choice(cast.products), "quantity": 1}]
    key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    headers = {"Idempotency-Key": key}
    return _sent(
        "/api/v1/orders", chance.choice(cast.buyers), headers, items=items, address=ADDRESS
    )


def sell(cast: Cast, chance: random.Random) -> Request:
    """A new product."""
    title = f"{chance.choice(WORDS).capitalize()} {chance.randrange(10**6)}"
    price = f"{chance.randrange(100, 9999) / 100:.2f}"
    token = chance.choice(cast.sellers)
    return _sent("/api/v1/products", token, {}, title=title, price=price, stock=5)


def _sent(path: str, token: str, headers: dict[str, str], **body: object) -> Request:
    headers = headers | {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Request("POST", path, headers, json.dumps(body).encode(), accepts=(201,))


ACTIONS = {
    "browse": browse,
    "product": product,
    "search": search,
    "api list": api_list,
    "api product": api_product,
    "buy": buy,
    "sell": sell,
}
