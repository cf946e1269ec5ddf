"""The source of these tests: the same rows every time, some of which no target can hold."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SCHEMA = """
CREATE TABLE customer (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    balance REAL
);
CREATE TABLE purchase (
    id          INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customer (id),
    placed      DATETIME NOT NULL,
    note        TEXT
);
CREATE INDEX purchase_customer ON purchase (customer_id);
CREATE TABLE part (
    code   TEXT PRIMARY KEY,
    weight INTEGER
) WITHOUT ROWID;
CREATE TABLE reading (
    id     INTEGER PRIMARY KEY,
    amount INTEGER,
    day    DATE
);
CREATE TABLE visit (who INTEGER, page TEXT);
CREATE TABLE picture (id INTEGER PRIMARY KEY, body BLOB);
"""

TABLES = ("customer", "purchase", "part", "reading", "visit", "picture")
_BEGUN = datetime(2020, 1, 1, tzinfo=UTC)


def build(path: Path, *, size: int = 2000) -> Path:
    """A database of about nine times ``size`` rows."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_SCHEMA)
        for table in TABLES:
            rows = list(_ROWS[table](random.Random(table), size))
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    return path


def _customers(chance: random.Random, size: int) -> Iterator[tuple[object, ...]]:
    for n in range(size):
        # Gaps between the keys, names outside ASCII, numbers that decimals would round.
        yield 3 * n + 1, f"Müller {n} ✓", None if n % 11 == 0 else chance.random() * 1e6


def _purchases(chance: random.Random, size: int) -> Iterator[tuple[object, ...]]:
    for n in range(3 * size):
        placed = _BEGUN + timedelta(seconds=chance.randrange(10**8))
        customer = 3 * chance.randrange(size) + 1
        yield n - size, customer, placed.strftime("%Y-%m-%d %H:%M:%S"), "n" * (n % 40) or None


def _parts(chance: random.Random, size: int) -> Iterator[tuple[object, ...]]:
    codes = chance.sample(range(10**9), size)
    return ((f"{code:x}", chance.randrange(-(2**62), 2**62)) for code in codes)


def _readings(chance: random.Random, size: int) -> Iterator[tuple[object, ...]]:
    """Few enough are bad for the columns to keep their types."""
    for n in range(2 * size):
        day = (_BEGUN + timedelta(days=n % 3000)).strftime("%Y-%m-%d")
        amount: object = chance.randrange(10**6)
        if n in (17, size, 2 * size - 1):
            amount = f"about {n}"
        if n in (18, size + 1):
            day = "2023-02-30"
        yield n, amount, day


def _visits(chance: random.Random, size: int) -> Iterator[tuple[object, ...]]:
    """No key, and many rows that are equal to others."""
    return ((chance.randrange(40), f"/page/{chance.randrange(9)}") for _ in range(2 * size))


def _pictures(chance: random.Random, size: int) -> Iterator[tuple[object, ...]]:
    return ((n, chance.randbytes(chance.randrange(3000))) for n in range(size // 10))


_ROWS = {
    "customer": _customers,
    "purchase": _purchases,
    "part": _parts,
    "reading": _readings,
    "visit": _visits,
    "picture": _pictures,
}
