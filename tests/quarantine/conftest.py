"""A shop with one misfit of many kinds, migrated once and cloned for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.server.embedded import Cluster
from tests.quarantine.place import Migrated, migrated

SQL = """
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, born DATETIME,
                     note TEXT, height INTEGER DEFAULT 170);
CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person, n INTEGER);
"""
PEOPLE = [
    (n, f"name {n}", 20 + n, f"2001-02-{n:02} 03:04:05", f"note {n}", 150 + n) for n in range(1, 20)
]
DIRT = [
    (20, "Ana", "forty", "2001-02-03 04:05:06", "a", 1),
    (21, "Bob", 41, 981173106, "b", 2),
    (22, "Eva", 42, "never", "c", 3),
    (23, "Ida", 43, "2001-02-03 04:05:06", "nul \x00 here", 4),
    (24, "Leo", 44, "2001-02-03 04:05:06", "d", 170.5),
]
VISITS = [(n, n, n) for n in range(1, 25)]

Make = Callable[..., Migrated]


@pytest.fixture(scope="module")
def template(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Migrated]]:
    name = f"q_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    home = tmp_path_factory.mktemp("shop")
    rows = {"person": [*PEOPLE, *DIRT], "visit": VISITS}
    shop = migrated(home, cluster.url(name), SQL, rows)
    shop.connection.close()
    yield name, shop
    cluster.drop_database(name)


@pytest.fixture
def shop(cluster: Cluster, template: tuple[str, Migrated]) -> Iterator[Migrated]:
    """Five people in quarantine, for their age, birth (two), note and height."""
    name, first = template
    copy = f"q_{secrets.token_hex(6)}"
    cluster.clone_database(copy, name)
    connection = psycopg.connect(cluster.url(copy), autocommit=True)
    yield Migrated(first.source, cluster.url(copy), first.home, first.report, connection)
    connection.close()
    cluster.drop_database(copy)


@pytest.fixture
def make(database: str, tmp_path: Path) -> Iterator[Make]:
    """Another source, for one test."""
    made: list[Migrated] = []

    def one(sql: str, rows: Mapping[str, Sequence[Sequence[Any]]], **more: Any) -> Migrated:
        made.append(migrated(tmp_path, database, sql, rows, **more))
        return made[-1]

    yield one
    for each in made:
        each.connection.close()
