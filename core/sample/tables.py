"""The rows of the marketplace, table by table, from one stream of random numbers.

Only :meth:`random.Random.random` and ``getrandbits`` are drawn from: Python
promises their sequence for a seed, and not that of ``randrange`` or ``choice``.
Money is counted in cents and written as SQLite would hold it, a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from core.sample.counts import spread

Row = tuple[object, ...]

FIRST = ("Ana", "Lucía", "José", "Begoña", "Zoë", "Łukasz", "Søren", "Chloé", "Иван", "美咲", "Noor", "Iñaki")  # fmt: skip
MAIL_FIRST = ("Ana", "Lucia", "jose", "BEGONA", "zoe", "Lukasz", "soren", "Chloe", "ivan", "Misaki", "noor", "inaki")  # fmt: skip
LAST = ("García", "Núñez", "Müller", "O'Brien", "D’Angelo", "Åkesson", "Peña", "Šimić", "Tanaka", "Smith")  # fmt: skip
CITIES = ("Sevilla", "A Coruña", "Málaga", "München", "Kraków", "Reykjavík", "København", "Paris")
THINGS = ("Lámpara", "Mesa", "Guitar", "Kettle", "Bicicleta", "Jabón 🧼", "Café ☕", "Stół", "Überraschung", "Notebook")  # fmt: skip
LOOKS = ("azul", "vintage", "XL", "hecho a mano", "2nd hand", "\"limited\"", "100 % lana", "tab\tbed")  # fmt: skip
TAGS = ("nuevo", "oferta", "eco", "hecho-a-mano", "regalo", "viejo", "ñandú", "niños", "🎁")
WORDS = ("Muy bueno 👍", "It broke.", "Llegó tarde…", "第二個", "Repetiría", "a\nb", "¿Por qué?", "", "5/5 👩‍👩‍👧")  # fmt: skip
STATES = ("pending", "paid", "sent", "delivered", "cancelled")
PROVIDERS = ("card", "transfer", "bizum", "paypal")
ZONES = tuple(timezone(timedelta(minutes=m)) for m in (0, 60, 120, -180, 330))
OPENED = datetime(2023, 1, 1, tzinfo=UTC)
SECONDS = 100_000_000


class Market:
    """What tables must agree on: how many rows each has, prices, what orders cost, who lives where."""

    def __init__(self, counts: Mapping[str, int], seed: int) -> None:
        self.counts = counts
        self.chance = Random(seed)  # noqa: S311 - what it makes is meant to be foretold
        self.prices = [199 + int(self.chance.random() * 30_000) for _ in range(counts["products"])]
        self.totals = [0] * counts["orders"]
        self.residents: list[int] = []

    def tables(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """Each table and its rows, to be consumed in this order: orders know their items
        and the user of their address."""
        yield "users", self._users()
        yield "addresses", self._addresses()
        yield "sessions", self._sessions()
        yield "categories", self._categories()
        yield "products", self._products()
        yield "product_images", self._product_images()
        yield "product_tags", self._product_tags()
        yield "favourites", self._favourites()
        yield "reviews", self._reviews()
        yield "questions", self._questions()
        yield "carts", self._carts()
        yield "cart_items", self._cart_items()
        yield "order_items", self._order_items()
        yield "orders", self._orders()
        yield "payments", self._payments()

    # --- people --------------------------------------------------------------

    def _users(self) -> Iterator[Row]:
        one_of, draw = self._one_of, self.chance.random
        for n in range(1, self.counts["users"] + 1):
            at = int(draw() * len(FIRST))
            name = f"{FIRST[at]} {one_of(LAST)}"
            mail = f"{MAIL_FIRST[at]}.{n}@example.{one_of(('com', 'org', 'ES'))}"
            bio = None if draw() < 0.5 else f"{one_of(WORDS)} {one_of(LOOKS)}"
            born = f"{1940 + int(draw() * 66)}-{1 + int(draw() * 12):02}-{1 + int(draw() * 28):02}"
            wants = f'{{"newsletter": {one_of(("true", "false"))}, "theme": "{one_of(TAGS)}"}}'
            yield (
                n, self._bare(), mail, f"scrypt:{self._hex(256)}", name, bio,
                born if draw() < 0.8 else None, draw() < 0.95, draw() < 0.1,
                round(draw() * 5, 3) if draw() < 0.4 else None,
                wants if draw() < 0.7 else None, self._moment(),
            )  # fmt: skip

    def _addresses(self) -> Iterator[Row]:
        draw = self.chance.random
        for n, (user, place) in enumerate(
            spread(self.counts["addresses"], self.counts["users"]), 1
        ):
            self.residents.append(user)
            country = self._one_of(("ES", "DE", "PL", "FR"))
            street = f"Calle {self._one_of(LAST)}, {1 + int(draw() * 200)}, {place + 1}º"
            yield (
                n, user, "home" if place == 0 else "work", street, self._one_of(CITIES),
                f"{int(draw() * 99999):05}", country, draw() * 180 - 90, draw() * 360 - 180,
            )  # fmt: skip

    def _sessions(self) -> Iterator[Row]:
        for _ in range(self.counts["sessions"]):
            user = self._id_of("users") if self.chance.random() < 0.9 else None
            payload = f'{{"csrf": "{self._hex(64)}", "steps": [1, 2.5, null], "lang": "español"}}'
            yield self._hex(256), user, self._moment(), self._instant(), payload

    # --- goods ---------------------------------------------------------------

    def _categories(self) -> Iterator[Row]:
        """A tree of five branches each: the parent of n is (n - 2) // 5 + 1, the root has none."""
        for n in range(1, self.counts["categories"] + 1):
            parent = (n - 2) // 5 + 1 if n > 1 else None
            yield n, parent, f"cat-{n}", f"{self._one_of(THINGS)} {n}", (n - 2) % 5 if n > 1 else 0

    def _products(self) -> Iterator[Row]:
        draw = self.chance.random
        for n, price in enumerate(self.prices, 1):
            category = self._id_of("categories") if draw() < 0.95 else None
            made_of = (
                f'{{"colour": "{self._one_of(TAGS)}", "size": {int(draw() * 50)}, "sets": []}}'
            )
            yield (
                n, self._id_of("users"), category, f"SKU-{n:08}",
                f"{self._one_of(THINGS)} {self._one_of(LOOKS)}", self._one_of(WORDS) * int(draw() * 4),
                price / 100, int(draw() * 500), int(draw() ** 8 * 5_000_000_000),
                draw() * 40 if draw() < 0.8 else None, made_of if draw() < 0.9 else None,
                draw() < 0.9, self._moment(), self._moment() if draw() < 0.5 else None,
            )  # fmt: skip

    def _product_images(self) -> Iterator[Row]:
        bits, draw = self.chance.getrandbits, self.chance.random
        pairs = spread(self.counts["product_images"], self.counts["products"])
        for n, (product, _) in enumerate(pairs, 1):
            size = int(draw() * 600)
            body = bits(8 * size).to_bytes(size, "little") if size else b""
            yield n, product, "image/webp", 100 + int(draw() * 900), 100 + int(draw() * 900), body

    def _product_tags(self) -> Iterator[Row]:
        for product, place in spread(self.counts["product_tags"], self.counts["products"]):
            yield product, TAGS[(product * 7 + place) % len(TAGS)]

    # --- opinions ------------------------------------------------------------

    def _favourites(self) -> Iterator[Row]:
        for user, place in spread(self.counts["favourites"], self.counts["users"]):
            yield user, self._near(user * 31, place, "products"), self._moment()

    def _reviews(self) -> Iterator[Row]:
        draw = self.chance.random
        pairs = spread(self.counts["reviews"], self.counts["products"])
        for n, (product, place) in enumerate(pairs, 1):
            user = self._near(product * 17, place, "users") if draw() < 0.97 else None
            title = self._one_of(WORDS) if draw() < 0.6 else None
            text = f"{self._one_of(WORDS)} {self._one_of(WORDS)}" if draw() < 0.9 else None
            yield n, product, user, 1 + int(draw() * 5), title, text, self._moment()

    def _questions(self) -> Iterator[Row]:
        draw = self.chance.random
        for n in range(1, self.counts["questions"] + 1):
            answered = draw() < 0.6
            yield (
                n, self._id_of("products"), self._id_of("users") if draw() < 0.9 else None,
                f"{self._one_of(LOOKS)}? {self._one_of(WORDS)}",
                self._one_of(WORDS) if answered else None,
                self._moment(), self._moment() if answered else None,
            )  # fmt: skip

    # --- trade ---------------------------------------------------------------

    def _carts(self) -> Iterator[Row]:
        for n in range(1, self.counts["carts"] + 1):
            user = self._id_of("users") if self.chance.random() < 0.7 else None
            yield n, self._bare(), user, self._moment()

    def _cart_items(self) -> Iterator[Row]:
        pairs = spread(self.counts["cart_items"], self.counts["carts"])
        for n, (cart, place) in enumerate(pairs, 1):
            product = self._near(cart * 13, place, "products")
            yield n, cart, product, 1 + int(self.chance.random() * 3)

    def _order_items(self) -> Iterator[Row]:
        draw, prices, totals = self.chance.random, self.prices, self.totals
        pairs = spread(self.counts["order_items"], self.counts["orders"])
        for n, (order, place) in enumerate(pairs, 1):
            product = self._near(order * 7, place, "products")
            quantity = 1 + int(draw() ** 3 * 5)
            cents = prices[product - 1] * (100 - 5 * int(draw() * 4)) // 100
            totals[order - 1] += quantity * cents
            yield n, order, product, quantity, cents / 100

    def _orders(self) -> Iterator[Row]:
        draw = self.chance.random
        for n, total in enumerate(self.totals, 1):
            address = self._id_of("addresses")
            yield (
                n, self._dashed(), self.residents[address - 1],
                address if draw() < 0.98 else None, self._one_of(STATES), "EUR",
                total / 100, self._instant(), self._one_of(WORDS) if draw() < 0.2 else None,
            )  # fmt: skip

    def _payments(self) -> Iterator[Row]:
        draw = self.chance.random
        for n in range(1, self.counts["payments"] + 1):
            cents, succeeded = self.totals[n - 1], draw() < 0.97
            yield (
                n, n, self._one_of(PROVIDERS), cents / 100, cents * 14 / 10_000, succeeded,
                self._instant() if succeeded else None,
                f'{{"code": "{"ok" if succeeded else "declined"}", "net": {cents * 0.986:.2f}}}',
            )  # fmt: skip

    # --- single values -------------------------------------------------------

    def _one_of(self, values: Sequence[str]) -> str:
        return values[int(self.chance.random() * len(values))]

    def _id_of(self, table: str) -> int:
        return 1 + int(self.chance.random() * self.counts[table])

    def _near(self, start: int, place: int, table: str) -> int:
        """An id of ``table``; different places of one start give different ids."""
        return 1 + (start + place) % self.counts[table]

    def _hex(self, bits: int) -> str:
        return f"{self.chance.getrandbits(bits):0{bits // 4}x}"

    def _bare(self) -> str:
        """A UUID without dashes, none that SQLite would take for a number: a column
        declared UUID has numeric affinity, and ``12e3…`` would be stored as infinity."""
        while not set(text := self._hex(128)) & set("abcdf"):
            pass
        return text

    def _dashed(self) -> str:
        text = self._hex(128)
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _moment(self) -> str:
        """A naive time, always with microseconds, as SQLAlchemy writes it."""
        seconds = timedelta(microseconds=int(self.chance.random() * SECONDS * 1_000_000))
        return (OPENED + seconds).replace(tzinfo=None).isoformat(" ", "microseconds")

    def _instant(self) -> str:
        """A time with an offset from UTC."""
        seconds = timedelta(seconds=int(self.chance.random() * SECONDS))
        zone = ZONES[int(self.chance.random() * len(ZONES))]
        return (OPENED + seconds).astimezone(zone).isoformat()
