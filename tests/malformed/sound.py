"""Small sound databases, to be harmed: ordinary, of many kinds, UTF-16, with a WAL, with long rows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import apsw

PAGE = 1024

_NUMBERS = """
    CREATE TEMP TABLE n AS WITH RECURSIVE n(value) AS
        (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 120) SELECT value FROM n;
"""
_ORDINARY = """
    CREATE TABLE customer (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, born DATE, vip BOOLEAN DEFAULT 0);
    CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customer, price REAL CHECK (price >= 0));
    CREATE INDEX by_customer ON purchase (customer);
    CREATE VIEW spent AS SELECT customer, sum(price) AS total FROM purchase GROUP BY customer;
    INSERT INTO customer (name, born, vip) SELECT 'name ' || value, date('2000-01-01', value || ' days'), value % 2 FROM n;
    INSERT INTO purchase (customer, price) SELECT 1 + value % 50, value / 8.0 FROM n;
"""
_MANY_KINDS = """
    CREATE TABLE tags (a TEXT, b TEXT, n, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB, size AS (length(body)));
    CREATE TABLE strict_one (a INT, b ANY, c TEXT UNIQUE) STRICT;
    CREATE VIRTUAL TABLE search USING fts5(words);
    CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
    CREATE TRIGGER log AFTER INSERT ON tags BEGIN INSERT INTO search VALUES (new.a); END;
    CREATE UNIQUE INDEX by_word ON tags (lower(b), n) WHERE n > 3;
    INSERT INTO tags SELECT 't' || (value % 7), value, value FROM n;
    INSERT INTO files (body) SELECT zeroblob(value * 30) FROM n WHERE value <= 40;
    INSERT INTO strict_one SELECT value, value, 'c' || value FROM n;
    INSERT INTO boxes SELECT value, value, value + 1 FROM n WHERE value <= 30;
    DELETE FROM files WHERE id % 3 = 0;
"""
_LONG_ROWS = """
    CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, data BLOB);
    INSERT INTO note SELECT value, hex(zeroblob(value * 100)), zeroblob(value * 90) FROM n WHERE value <= 25;
    CREATE TABLE gone (a); INSERT INTO gone SELECT hex(zeroblob(900)) FROM n; DROP TABLE gone;
"""

Files = Mapping[str, bytes]
"""A database as its files: '' is the main one, '-wal' and '-journal' beside it."""


def sound(folder: Path) -> dict[str, Files]:
    """All of them by name; ``folder`` is only worked in."""
    return {
        "ordinary": _built(folder / "ordinary", _ORDINARY),
        "many kinds": _built(folder / "many", _ORDINARY + _MANY_KINDS),
        "UTF-16": _built(folder / "wide", _ORDINARY + _MANY_KINDS, encoding="UTF-16le"),
        "long rows": _built(folder / "long", _LONG_ROWS),
        "with a WAL": _with_wal(folder / "wal"),
    }


def _built(path: Path, statements: str, encoding: str = "UTF-8") -> Files:
    connection = _open(path, encoding)
    connection.execute(_NUMBERS + statements)
    connection.close()
    return {"": path.read_bytes()}


def _open(path: Path, encoding: str = "UTF-8") -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA page_size = {PAGE}; PRAGMA encoding = '{encoding}'")
    return connection


def _with_wal(path: Path) -> Files:
    """Its writer died: the last rows are in the WAL alone."""
    connection = _open(path)
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").fetchall()
    connection.execute(_NUMBERS + _ORDINARY)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute("INSERT INTO customer (name) SELECT 'in the WAL ' || value FROM n")
    for kind in ("", "-wal"):
        shutil.copyfile(f"{path}{kind}", f"{path}.left{kind}")
    connection.close()
    return {kind: Path(f"{path}.left{kind}").read_bytes() for kind in ("", "-wal")}
