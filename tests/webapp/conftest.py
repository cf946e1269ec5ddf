"""The shop on both engines. Each test that asks for ``world`` runs twice, on SQLite and on
PostgreSQL. Tables are made once for each process, by the shop's revisions, and copied.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.server.embedded import Cluster
from tests.webapp.world import BACKENDS, World, settings_for, upgrade
from webapp import create_app


@pytest.fixture(scope="session")
def templates(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """An empty shop on each engine, to be copied."""
    file = tmp_path_factory.mktemp("shop") / "shop.db"
    upgrade(f"sqlite:///{file}")
    name = f"shop_template_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    upgrade(cluster.url(name))
    yield {"sqlite": str(file), "postgresql": name}
    cluster.drop_database(name)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The name of an engine."""
    return str(request.param)


@pytest.fixture
def shop_url(
    backend: str, templates: dict[str, str], cluster: Cluster, tmp_path: Path
) -> Iterator[str]:
    """The address of an empty shop's database."""
    if backend == "sqlite":
        shutil.copy(templates["sqlite"], tmp_path / "shop.db")
        yield f"sqlite:///{tmp_path / 'shop.db'}"
        return
    name = f"shop_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE {name} TEMPLATE "{templates["postgresql"]}"'.encode())
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def world(backend: str, shop_url: str) -> Iterator[World]:
    """An empty shop, on each engine."""
    made: list[World] = []
    app = create_app(settings_for(shop_url), clock=lambda: made[0].now)
    app.config["WTF_CSRF_ENABLED"] = False  # tests/webapp/test_security.py turns it on again
    app.config["PREFERRED_URL_SCHEME"] = "https"  # cookies are for TLS alone
    app.testing = False  # errors become answers, as they do for people
    made.append(World(app, shop_url, backend))
    yield made[0]
    made[0].database.close()


@pytest.fixture
def busy_world(backend: str, shop_url: str) -> Iterator[World]:
    """The same with room for many at once, who wait for each other as long as it takes."""
    made: list[World] = []
    patient = {"pool_size": 8, "pool_timeout": 60, "lock_timeout": 60, "statement_timeout": 60}
    app = create_app(settings_for(shop_url, **patient), clock=lambda: made[0].now)
    made.append(World(app, shop_url, backend))
    yield made[0]
    made[0].database.close()
