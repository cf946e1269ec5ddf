"""Filling an empty shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from argon2 import PasswordHasher
from sqlalchemy import Connection, Table, func, insert, select

from webapp.database import Database
from webapp.database.engines import WRITES
from webapp.models import Base
from webapp.seed import dirt as of_years
from webapp.seed.market import Market, Placed, Row
from webapp.seed.sizes import Size

T = TypeVar("T")
BATCH = 5_000


class NotEmpty(Exception):
    """The database holds rows already: nothing was added."""


@dataclass(frozen=True)
class Seeded:
    """What a shop was filled with: each table and its number of rows; the ids of the dirt."""

    size: Size
    rows: dict[str, int]
    dirt: tuple[str, ...] = ()


def seed(
    database: Database, size: Size, *, password: str, now: datetime, dirt: bool = False
) -> Seeded:
    """Fill the live database, whose schema is the latest. The same arguments give the same
    rows, but for the salt of the hash. Everybody's ``password`` is the one given: the known
    accounts' too.

    All of it comes or nothing, the ``dirt`` apart. Raises NotEmpty, DirtRefused.
    """
    if dirt:
        of_years.require_sqlite(database)
    market = Market(size.counts, password=_hashed(password), now=now)
    engine = database.engine.execution_options(**{WRITES: True})
    with engine.begin() as connection:
        _require_empty(connection)
        _unhurried(connection)
        rows = dict(_filled(connection, market))
        _numbered(connection)
        connection.exec_driver_sql("ANALYZE")
    return Seeded(size, rows, of_years.plant(database) if dirt else ())


def _hashed(password: str) -> str:
    """One for all: at a tenth of a second each, thousands would take an hour."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(password)


def _require_empty(connection: Connection) -> None:
    for table in _tables():
        if connection.execute(select(table).limit(1)).first() is not None:
            raise NotEmpty(table.name)


def _tables() -> Iterator[Table]:
    return (t for t in Base.metadata.sorted_tables if not t.info.get("is_view"))


def _unhurried(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def _filled(connection: Connection, market: Market) -> Iterator[tuple[str, int]]:
    before: dict[str, Callable[[], Iterator[Row]]] = {
        "user_account": market.users,
        "category": market.categories,
        "product": market.products,
        "product_image": market.images,
        "favourite": market.favourites,
        "review": market.reviews,
        "question": market.questions,
        "cart_item": market.cart_items,
        "payment_event": market.payment_events,
        "outbox_message": market.outbox,
        "login_session": market.sessions,
        "login_attempt": market.attempts,
        "one_time_token": market.tokens,
        "idempotency_key": market.keys,
    }
    for name, rows in before.items():
        yield name, sum(_insert(connection, name, batch) for batch in _batches(rows(), BATCH))
    yield from _orders(connection, market).items()


def _orders(connection: Connection, market: Market) -> dict[str, int]:
    counts = {"shop_order": 0, "order_item": 0, "payment": 0}
    for batch in _batches(market.orders(), BATCH):
        for name, rows in _by_table(batch).items():
            counts[name] += _insert(connection, name, rows)
    return counts


def _by_table(placed: list[Placed]) -> dict[str, list[Row]]:
    return {
        "shop_order": [one.order for one in placed],
        "order_item": [item for one in placed for item in one.items],
        "payment": [one.payment for one in placed],
    }


def _insert(connection: Connection, name: str, rows: list[Row]) -> int:
    connection.execute(insert(Base.metadata.tables[name]), rows)
    return len(rows)


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


def _numbered(connection: Connection) -> None:
    """Go on counting past the numbers that were given. SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in _tables():
        if table.autoincrement_column is not None and "id" in table.columns:
            sequence = func.pg_get_serial_sequence(table.name, "id")
            connection.execute(select(func.setval(sequence, func.max(table.c.id))))
