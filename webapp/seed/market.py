"""The rows of a shop of a size: people, what they offer, and what they did with it.

Each table has chances of its own, so that what one holds does not hang on another's.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from webapp.models import (
    OrderState,
    OutboxKind,
    PaymentState,
    ProductState,
    Purpose,
    Role,
)
from webapp.seed import words
from webapp.seed.pictures import KINDS, MEDIA_TYPE, picture
from webapp.seed.sizes import Counts

Row = dict[str, Any]

BUYER, SELLER, ADMIN = "buyer", "seller", "admin"
"""The usernames of the known accounts; their addresses are these at example.com."""

_KNOWN = {BUYER: Role.USER, SELLER: Role.SELLER, ADMIN: Role.ADMIN}
_BUYER_ID, _SELLER_ID = 1, 2
_YEAR = timedelta(days=365)
_CURRENCY = "EUR"

# What became of twenty orders, and of their money.
_FATES = (
    (OrderState.SHIPPED, PaymentState.CAPTURED),
    (OrderState.SHIPPED, PaymentState.CAPTURED),
    (OrderState.PAID, PaymentState.CAPTURED),
    (OrderState.PLACED, PaymentState.PENDING),
    (OrderState.SHIPPED, PaymentState.CAPTURED),
    (OrderState.CANCELLED, PaymentState.FAILED),
    (OrderState.SHIPPED, PaymentState.CAPTURED),
    (OrderState.PAID, PaymentState.CAPTURED),
    (OrderState.REFUNDED, PaymentState.REFUNDED),
    (OrderState.REFUNDED, PaymentState.REFUNDING),
)


@dataclass(frozen=True)
class Placed:
    """An order with its lines and its money."""

    order: Row
    items: list[Row]
    payment: Row


class Market:
    """The rows of ``counts`` as of ``now``; everybody has the password behind ``password``."""

    def __init__(self, counts: Counts, *, password: str, now: datetime) -> None:
        self.counts, self.now, self._password = counts, now, password
        others = len(_KNOWN) + 1
        more = others + counts.sellers - 1
        self._sellers = [_SELLER_ID, *range(others, more)]
        self._buyers = [_BUYER_ID, *range(more, more + counts.buyers - 1)]
        numbers = range(counts.products + 1)
        self._prices = [_price(_chances(f"price {number}")) for number in numbers]
        self._titles = [words.title(_chances(f"title {number}"), number) for number in numbers]

    def users(self) -> Iterator[Row]:
        """People, the known ones first."""
        chance = _chances("user_account")
        for number, (name, role) in enumerate(_KNOWN.items(), start=1):
            yield self._user(chance, number, name, role)
        for number in self._sellers[1:]:
            yield self._user(chance, number, f"seller{number}", Role.SELLER)
        for number in self._buyers[1:]:
            person = self._user(chance, number, f"{_handle(chance)}{number}", Role.USER)
            yield self._gone(person) if number % 29 == 0 else person

    def _user(self, chance: random.Random, number: int, name: str, role: Role) -> Row:
        is_known = name in _KNOWN
        return {
            "id": number,
            "email": f"{name if is_known else f'person{number}'}@example.com",
            "username": name,
            "password": self._password,
            "role": role,
            "display_name": words.person(chance),
            "language": chance.choice(["en", "es", None]),
            "preferences": {"newsletter": chance.random() < 0.5, "since": number},
            "session_epoch": 0,
            "is_disabled": not is_known and number % 97 == 0,
            "created_at": self.now - _YEAR - self._moment(chance, _YEAR),
            "deleted_at": None,
        }

    def _gone(self, person: Row) -> Row:
        """The row of an account that was deleted."""
        name = f"deleted-{person['id']}"
        return person | {
            "email": f"{name}@example.com",
            "username": name,
            "password": None,
            "display_name": "",
            "preferences": {},
            "session_epoch": 1,
            "deleted_at": person["created_at"] + timedelta(days=200),
        }

    def categories(self) -> Iterator[Row]:
        """Branches before their leaves."""
        number = 0
        for place, (slug, name, spanish, below) in enumerate(words.CATEGORIES):
            number += 1
            yield _category(number, None, slug, name, spanish, place)
            parent = number
            for leaf_place, (leaf, leaf_name, leaf_spanish) in enumerate(below):
                number += 1
                yield _category(
                    number, parent, f"{slug}-{leaf}", leaf_name, leaf_spanish, leaf_place
                )

    def products(self) -> Iterator[Row]:
        """What is for sale, and some that no longer is."""
        chance = _chances("product")
        categories = sum(1 for _ in self.categories())
        for number in range(1, self.counts.products + 1):
            created = self.now - self._moment(chance, _YEAR)
            yield {
                "id": number,
                "seller_id": self._seller_of(number),
                "category_id": chance.randrange(1, categories + 1) if number % 11 else None,
                "sku": f"Sku-{number:06}" if number % 5 else None,
                "title": self._titles[number],
                "description": words.description(chance),
                "price": self._prices[number],
                "currency": _CURRENCY,
                "stock": 0 if number % 23 == 0 else chance.randrange(20, 2000),
                "state": _state(number),
                "attributes": words.attributes(chance),
                "version": chance.randrange(1, 5),
                "created_at": created,
                "updated_at": created + (self.now - created) * chance.random(),
            }

    def images(self) -> Iterator[Row]:
        """A picture of each product, of some two."""
        chance = _chances("product_image")
        for product in range(1, self.counts.products + 1):
            for number in range(1, 3 if product % 4 == 0 else 2):
                content = picture(chance.randrange(KINDS))
                yield {
                    "product_id": product,
                    "number": number,
                    "media_type": MEDIA_TYPE,
                    "digest": hashlib.sha256(content).hexdigest(),
                    "alternative": "Bandas de color" if product % 2 else "",
                    "content": content,
                    "created_at": self.now - self._moment(chance, _YEAR),
                }

    def favourites(self) -> Iterator[Row]:
        """Who wants to find what again."""
        for chance, user, product in self._pairs("favourite", self.counts.favourites):
            yield {
                "user_id": user,
                "product_id": product,
                "created_at": self.now - self._moment(chance, _YEAR),
            }

    def reviews(self) -> Iterator[Row]:
        """Opinions, rather good ones."""
        for chance, user, product in self._pairs("review", self.counts.reviews):
            yield {
                "product_id": product,
                "user_id": user,
                "rating": chance.choice((1, 2, 3, 4, 4, 5, 5, 5)),
                "body": words.opinion(chance),
                "created_at": self.now - self._moment(chance, _YEAR),
            }

    def questions(self) -> Iterator[Row]:
        """Asked, and for the most part answered."""
        chance = _chances("question")
        for number in range(1, self.counts.questions + 1):
            asked, answer = words.question(chance)
            created = self.now - timedelta(days=1) - self._moment(chance, _YEAR)
            yield {
                "id": number,
                "product_id": chance.randrange(1, self.counts.products + 1),
                "user_id": chance.choice(self._buyers),
                "body": asked,
                "answer": answer if number % 3 else None,
                "created_at": created,
                "answered_at": created + timedelta(hours=5) if number % 3 else None,
            }

    def cart_items(self) -> Iterator[Row]:
        """What lies in carts."""
        for chance, user, product in self._pairs("cart_item", self.counts.cart_items):
            yield {
                "user_id": user,
                "product_id": product,
                "quantity": chance.randrange(1, 4),
                "created_at": self.now - self._moment(chance, timedelta(days=30)),
            }

    def orders(self) -> Iterator[Placed]:
        """What was ordered, and what became of it."""
        chance = _chances("shop_order")
        for number in range(1, self.counts.orders + 1):
            buyer = _BUYER_ID if number % 40 == 0 else chance.choice(self._buyers)
            yield self._placed(chance, number, buyer)

    def _placed(self, chance: random.Random, number: int, buyer: int) -> Placed:
        name = uuid.UUID(int=chance.getrandbits(128), version=4)
        state, money = _FATES[number % len(_FATES)]
        created = self.now - timedelta(hours=1) - self._moment(chance, _YEAR)
        paid = money not in (PaymentState.PENDING, PaymentState.FAILED)
        over = state in (OrderState.CANCELLED, OrderState.REFUNDED)
        first = chance.randrange(1, self.counts.products + 1)
        items = [
            self._item(chance, name, line, product)
            for line, product in enumerate(self._of_one_seller(first, 2 + number % 2), start=1)
        ]
        total = sum((i["unit_price"] * i["quantity"] for i in items), Decimal(0))
        order = {
            "id": name,
            "buyer_id": buyer,
            "seller_id": self._seller_of(first),
            "state": state,
            "currency": _CURRENCY,
            "total": total,
            "address": words.address(chance, words.person(chance)),
            "note": "Déjelo con la vecina, por favor 🙏" if number % 9 == 0 else "",
            "created_at": created,
            "paid_at": created + timedelta(minutes=2) if paid else None,
            "shipped_at": created + timedelta(minutes=40) if state is OrderState.SHIPPED else None,
            "ended_at": created + timedelta(minutes=50) if over else None,
        }
        payment = {
            "id": number,
            "order_id": name,
            "provider": "fake",
            "idempotency_key": f"seed-{number}",
            "reference": f"ch_{number:08}" if paid else None,
            "state": money,
            "amount": total,
            "currency": _CURRENCY,
            "detail": {"attempt": 1, "card": "•••• 4242"} if paid else {},
            "created_at": created,
            "settled_at": None if money is PaymentState.PENDING else created + timedelta(minutes=2),
        }
        return Placed(order, items, payment)

    def _item(self, chance: random.Random, order: uuid.UUID, line: int, product: int) -> Row:
        return {
            "order_id": order,
            "line": line,
            "product_id": product,
            "title": self._titles[product],
            "unit_price": self._prices[product],
            "quantity": chance.choice((1, 1, 1, 2, 3)),
        }

    def payment_events(self) -> Iterator[Row]:
        """What the provider said, each once."""
        chance = _chances("payment_event")
        for number in range(1, self.counts.notices + 1):
            yield {
                "provider": "fake",
                "event_id": f"evt_{number:08}",
                "kind": "charge.captured",
                "payload": {"amount": chance.randrange(100, 90000), "livemode": False},
                "received_at": self.now - self._moment(chance, _YEAR),
            }

    def outbox(self) -> Iterator[Row]:
        """Mails and calls: most are done, some wait, some were given up."""
        chance = _chances("outbox_message")
        kinds = tuple(OutboxKind)
        for number in range(1, self.counts.notices + 1):
            created = self.now - timedelta(days=1) - self._moment(chance, timedelta(days=30))
            failed, waits = number % 10 == 0, number % 10 == 5
            yield {
                "id": number,
                "kind": kinds[number % len(kinds)],
                "payload": {"seed": number, "to": "person@example.com"},
                "attempts": 5 if failed else int(not waits),
                "error": "no answer within 5 seconds" if failed else None,
                "created_at": created,
                # What waits is due next year: nothing that was made up is ever sent.
                "due_at": self.now + _YEAR if waits else created,
                "claimed_until": None,
                "done_at": None if waits else created + timedelta(seconds=3),
            }

    def sessions(self) -> Iterator[Row]:
        """Sessions that have ended: nobody has their tokens."""
        chance = _chances("login_session")
        for number in range(1, self.counts.notices + 1):
            began = self.now - timedelta(days=60) - self._moment(chance, _YEAR)
            yield {
                "id": number,
                "token_digest": f"{chance.getrandbits(256):064x}",
                "user_id": chance.choice(self._buyers),
                "is_api": number % 4 == 0,
                "address": f"192.0.2.{number % 256}",
                "agent": "Mozilla/5.0 (X11; Linux x86_64) ñandú",
                "created_at": began,
                "seen_at": began + timedelta(days=1),
                "expires_at": began + timedelta(days=30),
                "revoked_at": began + timedelta(days=2) if number % 2 else None,
            }

    def attempts(self) -> Iterator[Row]:
        """Logins that failed, long ago."""
        chance = _chances("login_attempt")
        for number in range(1, self.counts.notices + 1):
            yield {
                "id": number,
                "account": f"person{chance.randrange(9999)}@example.com",
                "address": f"2001:db8::{number:x}",
                "at": self.now - timedelta(days=2) - self._moment(chance, _YEAR),
            }

    def tokens(self) -> Iterator[Row]:
        """Tokens that were sent by mail, long ago."""
        chance = _chances("one_time_token")
        for number in range(1, self.counts.notices + 1):
            expires = self.now - timedelta(days=2) - self._moment(chance, _YEAR)
            yield {
                "token_digest": f"{chance.getrandbits(256):064x}",
                "purpose": Purpose.RESET_PASSWORD if number % 9 else Purpose.CREATE_ADMIN,
                "user_id": chance.choice(self._buyers) if number % 9 else None,
                "expires_at": expires,
                "used_at": expires - timedelta(minutes=9) if number % 2 else None,
            }

    def keys(self) -> Iterator[Row]:
        """Requests that programs may repeat, and what they were answered."""
        chance = _chances("idempotency_key")
        for number in range(1, self.counts.notices + 1):
            yield {
                "user_id": chance.choice(self._buyers),
                "key": f"seed-{number}",
                "request_digest": f"{chance.getrandbits(256):064x}",
                "status": 201,
                "answer": {"order_ids": [str(uuid.UUID(int=chance.getrandbits(128), version=4))]},
                "created_at": self.now - timedelta(days=2) - self._moment(chance, _YEAR),
            }

    def _pairs(self, table: str, wanted: int) -> Iterator[tuple[random.Random, int, int]]:
        """``wanted`` different pairs of a buyer and a product, the known buyer's among them."""
        chance, met = _chances(table), set[tuple[int, int]]()
        while len(met) < wanted:
            user = _BUYER_ID if len(met) < 12 else chance.choice(self._buyers)
            pair = user, chance.randrange(1, self.counts.products + 1)
            if pair not in met:
                met.add(pair)
                yield chance, *pair

    def _seller_of(self, product: int) -> int:
        found: int = self._sellers[product % len(self._sellers)]
        return found

    def _of_one_seller(self, product: int, wanted: int) -> Iterator[int]:
        """``wanted`` products, with the first of them, that one person sells."""
        step, place = len(self._sellers), product
        for _ in range(wanted):
            yield place
            place = place + step if place + step <= self.counts.products else place % step or step

    @staticmethod
    def _moment(chance: random.Random, within: timedelta) -> timedelta:
        return timedelta(microseconds=chance.randrange(within // timedelta(microseconds=1)))


def _chances(of: str) -> random.Random:
    return random.Random(f"the shop's seed: {of}")  # noqa: S311


def _price(chance: random.Random) -> Decimal:
    cents = 100 * chance.randrange(1, 150) + chance.choice((0, 50, 95, 99, 37))
    return Decimal(cents) / 100


def _handle(chance: random.Random) -> str:
    return words.person(chance).split()[0].lower()


def _state(number: int) -> ProductState:
    rare = {7: ProductState.DRAFT, 8: ProductState.WITHDRAWN, 9: ProductState.HIDDEN}
    return rare.get(number % 30, ProductState.LISTED)


def _category(
    number: int, parent: int | None, slug: str, name: str, spanish: str, place: int
) -> Row:
    return {
        "id": number,
        "parent_id": parent,
        "slug": slug,
        "name": name,
        "names": {"es": spanish},
        "position": place,
    }
