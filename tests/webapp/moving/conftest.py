"""A shop that is about to be moved."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.server.embedded import Cluster
from tests.webapp.moving.pair import Pair


@pytest.fixture
def pair(templates: dict[str, str], cluster: Cluster, tmp_path: Path) -> Iterator[Pair]:
    """Two empty shops; no file says yet which one is live."""
    shutil.copy(templates["sqlite"], tmp_path / "shop.db")
    name = f"shop_{secrets.token_hex(6)}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE {name} TEMPLATE "{templates["postgresql"]}"'.encode())
    yield Pair(f"sqlite:///{tmp_path / 'shop.db'}", cluster.url(name), tmp_path / "route.json")
    cluster.drop_database(name)
