"""Is every row of the source in the target or in quarantine, once, and says the ledger so?

It knows nothing of the code under test: it reads the source with Python's own SQLite,
and target and ledger with SQL written for this one source (``source.py``).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

# Of each table: its rows in the source and in the target, spelled alike.
_GOOD_READING = "typeof(amount) <> 'text' AND day = date(day, '+0 days')"
_ROWS = {
    "customer": ("SELECT id, name, balance FROM customer",) * 2,
    "purchase": (
        "SELECT id, customer_id, placed, note FROM purchase",
        "SELECT id, customer_id, to_char(placed, 'YYYY-MM-DD HH24:MI:SS'), note FROM purchase",
    ),
    "part": ("SELECT code, weight FROM part",) * 2,
    "reading": (
        f"SELECT id, amount, day FROM reading WHERE {_GOOD_READING}",
        "SELECT id, amount, to_char(day, 'YYYY-MM-DD') FROM reading",
    ),
    "visit": ("SELECT who, page FROM visit",) * 2,
    "picture": ("SELECT id, body FROM picture",) * 2,
}
_ASIDE = f"SELECT 'reading', CAST(id AS TEXT) FROM reading WHERE NOT ({_GOOD_READING})"
_QUARANTINE = (
    "SELECT DISTINCT r.source_name, q.run, q.source_key, q.key_shown FROM mudanza.quarantine q"
    " JOIN mudanza.range r USING (run, table_number) JOIN live USING (run)"
)

_STRUCTURE = {
    ("customer", "PRIMARY KEY (id)"),
    ("customer", "UNIQUE (name)"),
    ("part", "PRIMARY KEY (code)"),
    ("picture", "PRIMARY KEY (id)"),
    ("purchase", "FOREIGN KEY (customer_id) REFERENCES customer(id)"),
    ("purchase", "PRIMARY KEY (id)"),
    ("reading", "PRIMARY KEY (id)"),
}
_CONSTRAINTS = (
    "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f') AND convalidated"
)
_INDEXES = {
    *("customer_name_key", "customer_pkey", "part_pkey", "picture_pkey", "purchase_customer"),
    *("purchase_pkey", "reading_pkey"),
}
_VALID_INDEXES = (
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE relnamespace = 'public'::regnamespace AND indisvalid AND indisready"
)
_SEQUENCED = ("customer", "purchase", "reading", "picture")

_LIVE = "WITH live AS (SELECT * FROM mudanza.run WHERE status <> 'replaced') "
# Each finds what must not be: name, statement.
_LEDGER = {
    "a run that is not complete": "SELECT run, status FROM live WHERE status <> 'complete'",
    "a range that is unfinished or owned": "SELECT range FROM mudanza.range JOIN live USING (run)"
    " WHERE NOT finished OR owner IS NOT NULL",
    "a build without fate, or owned": "SELECT object FROM mudanza.object JOIN live USING (run)"
    " WHERE fate = 'planned' OR owner IS NOT NULL",
    "a build that did not arrive": "SELECT object, reason FROM mudanza.object"
    " JOIN live USING (run) WHERE fate = 'not_carried'",
    "a gap between chunks": "SELECT * FROM (SELECT run, range, chunk, c.lo,"
    " lag(c.hi, 1, r.lo) OVER (PARTITION BY run, range ORDER BY chunk) AS before"
    " FROM mudanza.chunk c JOIN mudanza.range r USING (run, range)) c JOIN live USING (run)"
    " WHERE c.lo IS DISTINCT FROM c.before",
    "chunks not numbered one by one": "SELECT run, range FROM mudanza.chunk JOIN live USING (run)"
    " GROUP BY run, range HAVING max(chunk) <> count(*) OR min(chunk) <> 1",
    "a range that its chunks do not fill": "SELECT range FROM mudanza.range r JOIN live USING (run)"
    " WHERE hi IS NOT NULL AND hi IS DISTINCT FROM (SELECT c.hi FROM mudanza.chunk c"
    " WHERE (c.run, c.range) = (r.run, r.range) ORDER BY chunk DESC LIMIT 1)",
    "ranges that leave keys out": "SELECT * FROM (SELECT run, range, r.lo,"
    " lag(r.hi) OVER w AS before, r.hi, lead(r.lo) OVER w AS after FROM mudanza.range r"
    " JOIN live USING (run) WINDOW w AS (PARTITION BY run, table_number ORDER BY range)) e"
    " WHERE lo IS DISTINCT FROM before OR hi IS DISTINCT FROM after",
    "a chunk that does not add up": "SELECT range, chunk FROM mudanza.chunk JOIN live USING (run)"
    " WHERE rows_read <> rows_written + rows_quarantined",
    "a range unlike its chunks": "SELECT r.range FROM mudanza.range r JOIN live USING (run)"
    " LEFT JOIN mudanza.chunk c USING (run, range)"
    " GROUP BY run, r.range, r.chunks, r.rows_read, r.rows_written, r.rows_quarantined"
    " HAVING (r.chunks, r.rows_read, r.rows_written, r.rows_quarantined) IS DISTINCT FROM"
    " (count(c.chunk), coalesce(sum(c.rows_read), 0), coalesce(sum(c.rows_written), 0),"
    " coalesce(sum(c.rows_quarantined), 0))",
    "a chunk of nobody": "SELECT c.member FROM mudanza.chunk c JOIN live USING (run)"
    " LEFT JOIN mudanza.member m USING (member) WHERE m.run IS DISTINCT FROM c.run",
    "a second run of the schema": "SELECT target_schema FROM live GROUP BY 1 HAVING count(*) > 1",
}
_SUMS = (
    "SELECT source_name, sum(rows_read)::bigint, sum(rows_written)::bigint,"
    " sum(rows_quarantined)::bigint FROM mudanza.range JOIN live USING (run) GROUP BY 1"
)


def check(source: Path, database: str) -> None:
    """Assert that a finished run is exact."""
    with closing(sqlite3.connect(source)) as here, psycopg.connect(database) as there:
        aside = Counter(here.execute(_ASIDE).fetchall())
        for table, (wanted, found) in _ROWS.items():
            _same(table, _counted(here.execute(wanted)), _counted(there.execute(found.encode())))
        _same("quarantine", aside, _quarantined(there))
        _check_structure(here, there)
        _check_ledger(here, there, aside)


def _counted(rows: Any) -> Counter[tuple[Any, ...]]:
    return Counter(rows.fetchall())


def _same(what: str, wanted: Counter[Any], found: Counter[Any]) -> None:
    lost, extra = wanted - found, found - wanted
    said = f"{what}: {lost.total()} rows lost, {extra.total()} twice or extra"
    assert not lost, said
    assert not extra, said


def _quarantined(there: psycopg.Connection[Any]) -> Counter[tuple[Any, ...]]:
    found = there.execute((_LIVE + _QUARANTINE).encode())
    return Counter((table, shown) for table, _, _, shown in found)


def _check_structure(here: sqlite3.Connection, there: psycopg.Connection[Any]) -> None:
    assert set(there.execute(_CONSTRAINTS).fetchall()) == _STRUCTURE
    assert {name for (name,) in there.execute(_VALID_INDEXES)} == _INDEXES
    for table in _SEQUENCED:
        (highest,) = here.execute(f"SELECT max(id) FROM {table}").fetchone()
        found = there.execute(f"SELECT last_value FROM {table}_id_seq".encode()).fetchone()
        assert found == (highest,), table


def _check_ledger(
    here: sqlite3.Connection, there: psycopg.Connection[Any], aside: Counter[tuple[str, str]]
) -> None:
    for wrong, statement in _LEDGER.items():
        assert there.execute((_LIVE + statement).encode()).fetchall() == [], wrong
    sums = {table: numbers for table, *numbers in there.execute((_LIVE + _SUMS).encode())}
    put_aside = Counter(table for table, _ in aside.elements())
    for table in _ROWS:
        (rows,) = here.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert sums[table] == [rows, rows - put_aside[table], put_aside[table]], table
