"""A source, and the proof that every row of it is in the target exactly once.

The proof knows nothing of Mudanza: SQLite by Python's own library, PostgreSQL by SQL.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg

_TABLES = ("article", "remark")
_SCHEMA = """
CREATE TABLE article (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL);
CREATE TABLE remark (article INTEGER REFERENCES article, said TEXT);
CREATE INDEX remark_of_article ON remark (article);
"""


def make_source(path: Path, *, rows: int) -> Path:
    """``rows`` in each of two tables. One has no key, so that the target would take a row
    twice without a word."""
    chance = random.Random(rows)
    with closing(sqlite3.connect(path)) as source, source:
        source.executescript(_SCHEMA)
        source.executemany(
            "INSERT INTO article VALUES (?, ?, ?)",
            ((n, f"article {n}", chance.random()) for n in range(1, rows + 1)),
        )
        source.executemany(
            "INSERT INTO remark VALUES (?, ?)",
            ((chance.randint(1, rows), f"remark {n % 7}") for n in range(rows)),
        )
    return path


def require_exact(source: Path, target: str) -> None:
    """Every row as often as in the source, and no other."""
    with closing(sqlite3.connect(source)) as sqlite, psycopg.connect(target) as postgres:
        for table in _TABLES:
            there = Counter(sqlite.execute(f"SELECT * FROM {table}").fetchall())
            here = Counter(postgres.execute(f"SELECT * FROM {table}".encode()).fetchall())
            lost, added = there - here, here - there
            assert not lost, f"{table}: lost {lost.total()}, among them {list(lost)[:3]}"
            assert not added, f"{table}: too many {added.total()}, among them {list(added)[:3]}"


def rows_in(target: str) -> int:
    """How many rows the target's tables hold."""
    with psycopg.connect(target) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            for table in _TABLES
        ]
    return sum(int(row[0]) for row in counts if row is not None)
