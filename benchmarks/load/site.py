"""The shop as it is served: a database with its rows, tokens for those who play, gunicorn."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from benchmarks.load.scenario import Cast
from benchmarks.process import REPOSITORY
from webapp import open_database
from webapp.database import Database
from webapp.models import Product, ProductState, Role, User
from webapp.seed import Size, seed
from webapp.services import sessions
from webapp.services.sessions import Lifetime
from webapp.settings import Settings

SEEDED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BUYERS, SELLERS, PRODUCTS = 60, 20, 400
"""How many of each play, at most."""

STOCK_ENOUGH = 100
READY_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Served:
    """A shop that answers at ``address``. ``durability``: what its database promises of what
    it has committed, in its own words."""

    backend: str
    address: str
    cast: Cast
    durability: str
    workers: int
    threads: int


@contextmanager
def served(url: str, size: Size, folder: Path, *, workers: int, threads: int) -> Iterator[Served]:
    """An empty database made a shop of ``size``, and served; the log is in ``folder``."""
    _upgrade(url)
    environment = _environment(url, workers=workers, threads=threads)
    settings = Settings(
        app_env="development",
        DATABASE_URL=url,
        SECRET_KEY=environment["SECRET_KEY"],
        public_url=environment["SHOP_PUBLIC_URL"],
        mail="console",
        payments="fake",
    )
    database = open_database(settings)
    try:
        seed(database, size, password=secrets.token_urlsafe(16), now=SEEDED_AT)
        cast, durability = _cast(database), _durability(database)
    finally:
        database.close()
    with _gunicorn(environment, folder / f"gunicorn-{database.backend}.log"):
        yield Served(
            backend=database.backend,
            address=environment["SHOP_PUBLIC_URL"],
            cast=cast,
            durability=durability,
            workers=workers,
            threads=threads,
        )


def _upgrade(url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "migrations/marketplace/alembic.ini", "upgrade", "head"],
        env=os.environ | {"DATABASE_URL": url},
        cwd=REPOSITORY,
        check=True,
    )  # fmt: skip


def _environment(url: str, *, workers: int, threads: int) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("SHOP_", "DATABASE_", "PG"))}
    bind = f"127.0.0.1:{_free_port()}"
    return ours | {
        "SHOP_APP_ENV": "development",
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(40),
        "SHOP_PUBLIC_URL": f"http://{bind}",
        "SHOP_MAIL": "console",
        "SHOP_PAYMENTS": "fake",
        "SHOP_BIND": bind,
        "SHOP_METRICS_BIND": f"127.0.0.1:{_free_port()}",
        "SHOP_LOG_LEVEL": "WARNING",
        "SHOP_SECURE_COOKIES": "false",
        "SHOP_WORKERS": str(workers),
        "SHOP_THREADS": str(threads),
        "PYTHONPATH": str(REPOSITORY),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _cast(database: Database) -> Cast:
    """Tokens made directly: logging in is not what is measured."""
    with database.reading() as session:
        people = {
            role: session.scalars(
                select(User.id)
                .where(User.role == role, User.is_disabled.is_(False), User.deleted_at.is_(None))
                .order_by(User.id)
                .limit(most)
            ).all()
            for role, most in ((Role.USER, BUYERS), (Role.SELLER, SELLERS))
        }
        products = session.scalars(
            select(Product.id)
            .where(Product.state == ProductState.LISTED, Product.stock >= STOCK_ENOUGH)
            .order_by(Product.id.desc())
            .limit(PRODUCTS)
        ).all()
    tokens = {
        role: tuple(_token(database, number) for number in ids) for role, ids in people.items()
    }
    return Cast(tokens[Role.USER], tokens[Role.SELLER], tuple(products))


def _token(database: Database, user_id: int) -> str:
    return database.write(
        lambda session: sessions.begin(
            session,
            session.get_one(User, user_id),
            now=datetime.now(UTC),
            lifetime=Lifetime(idle=timedelta(days=1), absolute=timedelta(days=1)),
            address="127.0.0.1",
            agent="benchmarks.load",
            is_api=True,
        )
    )


def _durability(database: Database) -> str:
    with database.engine.connect() as connection:
        if database.backend == "sqlite":
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
            level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
            names = {1: "NORMAL", 2: "FULL", 3: "EXTRA"}
            return (
                f"SQLite {sqlite3.sqlite_version}: journal_mode={journal},"
                f" synchronous={names.get(level or 0, level)}"
            )
        said = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("server_version", "fsync", "synchronous_commit")
        }
        return (
            f"PostgreSQL {said['server_version']}: fsync={said['fsync']},"
            f" synchronous_commit={said['synchronous_commit']}"
        )


@contextmanager
def _gunicorn(environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "gunicorn", "-c", "webapp/gunicorn_conf.py", "webapp.wsgi:app"]
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env=environment, cwd=REPOSITORY, stdout=said, stderr=said
        )
        try:
            _wait_until_ready(process, environment["SHOP_BIND"], log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_until_ready(process: subprocess.Popen[bytes], bind: str, log: Path) -> None:
    host, _, port = bind.partition(":")
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        try:
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"the shop does not answer: {log.read_text(errors='replace')[-2000:]}")
