"""A unit of work is repeated after what passes by itself, and after nothing else; what does
not pass in time is told as busy, not as broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.server.embedded import Cluster
from tests.webapp.moving.freezing import plain
from tests.webapp.moving.pair import opened
from tests.webapp.world import World
from webapp.database.units import RETRIES
from webapp.models import Product, User
from webapp.web.shop import read, write

HTTPS = "https://localhost"
FAIL = "DO $$ BEGIN RAISE EXCEPTION 'made to fail' USING ERRCODE = '{}'; END $$"


@pytest.fixture
def shop(pair_url: str) -> Iterator[World]:
    """On PostgreSQL, which alone has deadlocks."""
    with opened(pair_url, "postgresql", pool_size=8) as world:
        yield world


@pytest.fixture
def pair_url(templates: dict[str, str], cluster: Cluster) -> Iterator[str]:
    name = f"units_{threading.get_ident()}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(templates["postgresql"])
            )
        )
    yield cluster.url(name)
    cluster.drop_database(name)


def stocks(world: World) -> list[int]:
    with world.database.reading() as session:
        return list(session.scalars(select(Product.stock).order_by(Product.id)))


def test_a_deadlock_is_survived(shop: World) -> None:
    seller = shop.user()
    one, other = (shop.product(seller).id for _ in range(2))
    both_hold, runs = threading.Barrier(2), []

    def taking(first: int, second: int) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            runs.append(first)
            for number, product in enumerate((first, second)):
                session.execute(
                    update(Product)
                    .where(Product.id == product)
                    .values(stock=Product.stock - 1, updated_at=shop.now)
                )
                if number == 0 and len(runs) <= 2:
                    both_hold.wait(10)

        return work

    with ThreadPoolExecutor(2) as threads:
        for unit in [
            threads.submit(shop.write, taking(one, other)),
            threads.submit(shop.write, taking(other, one)),
        ]:
            unit.result()
    assert len(runs) == 3, "one of the two was the victim, once"
    assert stocks(shop) == [8, 8]


def test_a_serialization_failure_is_survived(shop: World) -> None:
    product = shop.product(shop.user()).id
    both_read, runs = threading.Barrier(2), []

    def work(session: Session) -> None:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        left = session.scalar(select(Product.stock).where(Product.id == product))
        assert left is not None
        runs.append(left)
        if len(runs) <= 2:
            both_read.wait(10)
        session.execute(update(Product).where(Product.id == product).values(stock=left - 1))

    with ThreadPoolExecutor(2) as threads:
        for unit in [threads.submit(shop.write, work) for _ in range(2)]:
            unit.result()
    assert sorted(runs) == [9, 10, 10]
    assert stocks(shop) == [8], "neither overwrote the other"


@pytest.mark.parametrize(
    ("state", "times"),
    [
        ("40001", 1 + RETRIES),
        ("40P01", 1 + RETRIES),
        ("23505", 1),
        ("55P03", 1),
        ("57014", 1),
        ("42601", 1),
        ("40000", 1),
        ("40002", 1),
    ],
)
def test_only_what_passes_is_repeated_and_not_for_ever(shop: World, state: str, times: int) -> None:
    runs: list[int] = []

    def work(session: Session) -> None:
        runs.append(1)
        session.add(User(email="a@example.com", username="anna", created_at=shop.now))
        session.flush()
        session.execute(text(FAIL.format(state)))

    with pytest.raises(DBAPIError):
        shop.write(work)
    assert len(runs) == times
    with shop.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0


def test_what_is_refused_or_is_our_own_fault_is_not_repeated(world: World) -> None:
    world.user("anna")
    runs: list[int] = []

    def twice(session: Session) -> None:
        runs.append(1)
        session.add(User(email="b@example.com", username="ANNA", created_at=world.now))

    def broken(_session: Session) -> None:
        runs.append(1)
        raise ZeroDivisionError

    with pytest.raises(IntegrityError):
        world.write(twice)
    with pytest.raises(ZeroDivisionError):
        world.write(broken)
    assert len(runs) == 2


def test_what_is_to_come_after_a_failure_is_not_lost(shop: World) -> None:
    runs: list[int] = []

    def work(session: Session) -> str:
        runs.append(1)
        session.add(User(email="a@example.com", username="anna", created_at=shop.now))
        session.flush()
        if len(runs) <= RETRIES:
            session.execute(text(FAIL.format("40001")))
        return "done"

    assert shop.write(work) == "done"
    assert len(runs) == 1 + RETRIES
    with shop.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def busy(world: World, path: str, user: User | None = None) -> None:
    """Whoever asks is told to come back in a moment, by a page and by the API."""
    for prefix in ("", "/api"):
        answer = world.client(user).post(prefix + path, base_url=HTTPS)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "busy" in answer.text
        assert "SQL" not in answer.text


def routes(world: World, path: str, view: Callable[[], object]) -> None:
    for prefix in ("", "/api"):
        world.app.add_url_rule(
            prefix + path, f"{prefix}{path}", lambda: (view(), "")[1], methods=["POST"]
        )


def test_a_lock_that_is_not_given_in_time_is_told_as_busy(pair_url: str) -> None:
    with opened(pair_url, "postgresql", lock_timeout=0.2) as world:
        product = world.product(world.user()).id
        take = update(Product).values(stock=1).where(Product.id == product)
        routes(world, "/test/take", lambda: write(lambda s: s.execute(take)))
        with psycopg.connect(plain(pair_url)) as holder:
            holder.execute("UPDATE product SET stock = 3")
            busy(world, "/test/take")
            holder.rollback()
        assert world.client().post("/test/take", base_url=HTTPS).status_code == 200


def test_a_statement_that_takes_too_long_is_told_as_busy(pair_url: str) -> None:
    with opened(pair_url, "postgresql", statement_timeout=0.2) as world:
        routes(world, "/test/sleep", lambda: read(lambda s: s.execute(text("SELECT pg_sleep(9)"))))
        busy(world, "/test/sleep")


def test_another_writer_that_does_not_end_is_told_as_busy(shop_url: str, backend: str) -> None:
    with opened(shop_url, backend, lock_timeout=0.2) as world:
        take = text("UPDATE user_account SET display_name = 'x'")
        world.user()
        routes(world, "/test/take", lambda: write(lambda s: s.execute(take)))
        holding, done = threading.Event(), threading.Event()

        def hold(session: Session) -> None:
            session.execute(take)
            holding.set()
            done.wait(20)

        with ThreadPoolExecutor(1) as threads:
            held = threads.submit(world.write, hold)
            try:
                assert holding.wait(10)
                busy(world, "/test/take")
            finally:
                done.set()
            held.result()
        assert world.client().post("/test/take", base_url=HTTPS).status_code == 200


def test_a_pool_that_is_exhausted_is_told_as_busy_whoever_asks(shop_url: str, backend: str) -> None:
    with opened(shop_url, backend, pool_size=1, pool_overflow=0, pool_timeout=0.2) as world:
        user = world.user()
        clients = [world.client(), world.client(user)]
        routes(world, "/test/read", lambda: read(lambda s: s.execute(text("SELECT 1"))))
        with world.database.engine.connect():
            for client in clients:
                for path in ("/test/read", "/api/test/read"):
                    answer = client.post(path, base_url=HTTPS)
                    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert client.get("/", base_url=HTTPS).status_code == 503
        assert clients[1].get("/account", base_url=HTTPS).status_code == 200
