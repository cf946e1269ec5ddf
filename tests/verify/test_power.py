"""The verifier's power: 13 kinds of injected differences, 20 of each, all found and located.

Each injection is done in the target by plain SQL, verified, and undone by SQL.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import psycopg
import pytest

from core.server.connection import parse_target
from core.source import inspect
from core.transfer.migrate import Request, migrate
from core.verify import parity
from core.verify.model import DifferenceKind, ParityReport

ROWS, TIMES = 400, 20


@dataclass(frozen=True)
class Site:
    """A migrated database: what to verify, and where to break it."""

    request: parity.Request
    connection: psycopg.Connection

    def verify(self) -> ParityReport:
        return parity.verify(self.request)


def build_source(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, other TEXT, flag BOOLEAN, number REAL,"
        " at DATETIME, data BLOB, doc JSON, note TEXT);"
        "CREATE TABLE heap (a TEXT, b INTEGER)"
    )
    with connection:
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    n,
                    f"Word {n}",
                    f"other {n}",
                    n % 2,
                    n / 7 + 0.5,
                    f"2024-01-{n % 27 + 1:02d} 10:00:00",
                    bytes([n % 256, 1, 2, 3]),
                    # Every document has a duplicate key, so the column is json and keeps its text.
                    f'{{"a": {n}, "b": 2, "a": {n}}}',
                    "" if n % 2 else "0",
                )
                for n in range(1, ROWS + 1)
            ),
        )
        connection.executemany("INSERT INTO heap VALUES (?, ?)", ((f"h{n}", n) for n in range(50)))
    connection.close()


@pytest.fixture
def site(database: str, tmp_path: Path) -> Iterator[Site]:
    source = tmp_path / "power.db"
    build_source(source)
    file, target = inspect(source), parse_target(database)
    migrate(Request(source=file, target=target, home=tmp_path))
    request = parity.Request(source=file, target=target, home=tmp_path, reveal=True)
    with psycopg.connect(database, autocommit=True) as connection:
        yield Site(request, connection)


# One value changed: the column, and SQL that makes another value of it for the row's id.
CHANGES: dict[str, tuple[str, str]] = {
    "changed byte": ("word", "overlay(word placing '#' from 2 for 1)"),
    "NULL for ''": ("note", "CASE WHEN note = '' THEN NULL ELSE '' END"),
    "0 and false": ("note", "CASE WHEN note = '0' THEN 'false' ELSE '0' END"),
    "flipped boolean": ("flag", "NOT flag"),
    "one ULP": ("number", "number * (1 + 2.3e-16)"),
    "trailing blank": ("word", "word || ' '"),
    "one hour": ("at", "at + interval '1 hour'"),
    "case": ("word", "upper(word)"),
    "truncated blob": ("data", "substring(data from 1 for 3)"),
    "reordered keys": ("doc", "('{\"b\": 2, \"a\": ' || id || ', \"a\": ' || id || '}')::json"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_value_is_located(kind: str, site: Site) -> None:
    column, expression = CHANGES[kind]
    for id_ in random.Random(kind).sample(range(1, ROWS + 1), TIMES):
        (was,) = _one(site, f"SELECT {column}::text FROM t WHERE id = {id_}")
        site.connection.execute(f"UPDATE t SET {column} = {expression} WHERE id = {id_}")
        found = _differences(site.verify(), "t")
        assert [(d.kind, d.key, d.column) for d in found] == [
            (DifferenceKind.CHANGED, str(id_), column)
        ]
        assert found[0].source != found[0].target
        type_ = _one(site, f"SELECT pg_typeof({column})::text FROM t LIMIT 1")[0]
        site.connection.execute(f"UPDATE t SET {column} = %s::{type_} WHERE id = {id_}", (was,))
    assert site.verify().parity


def test_swapped_values_are_located(site: Site) -> None:
    chance = random.Random(1)
    for _ in range(TIMES):
        one, other = chance.sample(range(1, ROWS + 1), 2)
        swap = (
            f"UPDATE t SET word = (SELECT word FROM t s WHERE s.id = {one} + {other} - t.id)"
            f" WHERE id IN ({one}, {other})"
        )
        site.connection.execute(swap)
        found = {(d.key, d.column) for d in _differences(site.verify(), "t")}
        assert found == {(str(one), "word"), (str(other), "word")}
        site.connection.execute(swap)
    assert site.verify().parity


def test_a_missing_row_is_located(site: Site) -> None:
    for id_ in random.Random(2).sample(range(1, ROWS + 1), TIMES):
        site.connection.execute(f"CREATE TABLE kept AS SELECT * FROM t WHERE id = {id_}")
        site.connection.execute(f"DELETE FROM t WHERE id = {id_}")
        assert [(d.kind, d.key) for d in _differences(site.verify(), "t")] == [
            (DifferenceKind.MISSING, str(id_))
        ]
        site.connection.execute("INSERT INTO t SELECT * FROM kept")
        site.connection.execute("DROP TABLE kept")
    assert site.verify().parity


def test_an_extra_row_is_located(site: Site) -> None:
    for id_ in range(ROWS + 1, ROWS + 1 + TIMES):
        site.connection.execute(f"INSERT INTO t (id, word) VALUES ({id_}, 'extra')")
        assert [(d.kind, d.key) for d in _differences(site.verify(), "t")] == [
            (DifferenceKind.EXTRA, str(id_))
        ]
        site.connection.execute(f"DELETE FROM t WHERE id = {id_}")


def test_a_pair_of_equal_extra_rows_does_not_cancel(site: Site) -> None:
    for n in range(TIMES):
        site.connection.execute(f"INSERT INTO heap VALUES ('twice', {n}), ('twice', {n})")
        found = _differences(site.verify(), "heap")
        assert [(d.kind, d.key) for d in found] == [(DifferenceKind.EXTRA, f"twice, {n}")] * 2
        site.connection.execute("DELETE FROM heap WHERE a = 'twice'")


def test_values_are_masked_unless_asked_for(site: Site) -> None:
    site.connection.execute("UPDATE t SET word = 'secret' WHERE id = 1")
    hidden = parity.Request(**{**vars(site.request), "reveal": False})
    assert "secret" not in str(parity.verify(hidden))
    assert "secret" in str(site.verify())


BROKEN_RELATIONS: dict[str, Callable[[Site], str]] = {
    "primary key": lambda _: "ALTER TABLE t DROP CONSTRAINT t_pkey",
    "sequence": lambda _: "SELECT setval(pg_get_serial_sequence('t', 'id'), 1)",
}


@pytest.mark.parametrize("what", BROKEN_RELATIONS)
def test_a_broken_relation_is_named(what: str, site: Site) -> None:
    site.connection.execute(BROKEN_RELATIONS[what](site).encode())
    report = site.verify()
    assert not report.parity
    assert [r.table for r in report.relations if not r.holds] == ["t"]


@pytest.mark.parametrize(
    "change", ["DROP TABLE t CASCADE", "ALTER TABLE t ALTER COLUMN word TYPE varchar(200)"]
)
def test_a_table_of_another_shape_is_a_difference(change: str, site: Site) -> None:
    site.connection.execute(change.encode())
    kinds = {d.kind for d in _differences(site.verify(), "t")}
    assert kinds == {DifferenceKind.SHAPE}


def _differences(report: ParityReport, table: str) -> list[parity.Difference]:
    """The row differences of one table; all other tables must be equal, and each engine's
    own sums may say the same in their way."""
    assert not report.parity
    for other in report.tables:
        assert other.name == table or not other.differences
    samples = next(t.samples for t in report.tables if t.name == table)
    return [d for d in samples if d.kind is not DifferenceKind.AGGREGATE]


def _one(site: Site, sql: str) -> tuple[object, ...]:
    row = site.connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row
