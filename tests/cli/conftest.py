"""The command, sources for it, and a look at what it left in a target."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import apsw
import psycopg
import pytest

from core.sample import build_sample
from core.server.embedded import Cluster, embedded_cluster
from core.settings import Settings
from tests.cli.command import Command


@pytest.fixture
def command(reachable_folder: Path) -> Iterator[Command]:
    """The command; an embedded server that it started is stopped at the end."""
    home = reachable_folder / "home"
    home.mkdir()
    home.chmod(0o711)
    yield Command(home=home)
    stop_servers(home)


def stop_servers(home: Path) -> None:
    if any(home.glob("postgres-*")):
        embedded_cluster(Settings(home=home)).stop()


@pytest.fixture(scope="module")
def untouched(cluster: Cluster) -> Iterator[str]:
    """One target for many refusals: whatever is refused must leave nothing in it."""
    name = f"untouched_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dirty marketplace of 2,000 rows. Copy it before you change it."""
    path = tmp_path_factory.mktemp("sample") / "market.db"
    build_sample(path, rows=2_000, dirt=True)
    return path


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """Two small tables of which everything arrives."""
    return make_clean(tmp_path / "clean.db")


def make_clean(path: Path, rows: int = 50) -> Path:
    connection = apsw.Connection(str(path))
    connection.execute(
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
        "CREATE TABLE book (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES author(id),"
        " title TEXT NOT NULL, price REAL)"
    )
    with connection:
        connection.executemany(
            "INSERT INTO author VALUES (?, ?)", [(i, f"author {i}") for i in range(1, 6)]
        )
        connection.executemany(
            "INSERT INTO book VALUES (?, ?, ?, ?)",
            [(i, i % 5 + 1, f"secret title {i}", i / 8) for i in range(1, rows + 1)],
        )
    connection.close()
    return path


def left_in(address: str) -> list[str]:
    """The schemas but PostgreSQL's own, and the tables, that a target holds."""
    with psycopg.connect(address) as connection:
        return [
            str(name)
            for (name,) in connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN"
                " ('information_schema', 'public') UNION ALL"
                " SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind = 'r'"
            )
        ]
