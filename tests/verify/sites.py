"""A migrated database to break: what to verify, and the connection to break it with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import apsw
import psycopg

from core.sample import build_sample
from core.server.connection import parse_target
from core.source import inspect
from core.source.opening import SourceFile
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import RunReport
from core.verify import parity
from core.verify.model import Difference, DifferenceKind, Level, ParityReport

ROWS = 1200
NOTES = 100
HEAP = 50


@dataclass(frozen=True)
class Site:
    """A migrated database; the connection sees its triggers and foreign keys asleep."""

    source: SourceFile
    request: parity.Request
    connection: psycopg.Connection
    report: RunReport

    def verify(self, **changes: object) -> ParityReport:
        return parity.verify(replace(self.request, **changes))  # type: ignore[arg-type]

    def run(self, sql: str, *values: object) -> None:
        self.connection.execute(sql.encode(), values or None)

    def one(self, sql: str, *values: object) -> object:
        row = self.connection.execute(sql.encode(), values or None).fetchone()
        assert row is not None
        return row[0]

    def all(self, sql: str) -> list[object]:
        return [value for (value,) in self.connection.execute(sql.encode())]

    @contextmanager
    def undone(self, table: str, where: str) -> Iterator[None]:
        """Whatever happens to these rows inside, afterwards they are as before."""
        self.run(f"CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {where}")
        try:
            yield
        finally:
            self.run(f"DELETE FROM {table} WHERE {where}")
            self.run(f"INSERT INTO {table} SELECT * FROM kept")
            self.run("DROP TABLE kept")


def build_source(path: Path, *, dirt: bool = False) -> None:
    """The marketplace, a table of notes with what it lacks, a table without a key."""
    build_sample(path, rows=ROWS, dirt=dirt)
    connection = apsw.Connection(str(path))
    with connection:
        connection.execute(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT, doc JSON, bin JSON, raw TEXT);"
            "CREATE TABLE heap (a TEXT, b INTEGER);"
            "CREATE TABLE stock (place INTEGER, amount INTEGER CHECK (amount >= 0));"
            "CREATE UNIQUE INDEX stock_live ON stock (place) WHERE amount > 0;"
            "INSERT INTO stock VALUES (1, 2), (2, 0), (3, 5)"
        )
        connection.executemany(
            "INSERT INTO notes VALUES (?, ?, ?, ?, ?)",
            (
                (
                    n,
                    ("", "0", "false", None)[n % 4],
                    # Every document has a key twice, so the column is json and keeps its text.
                    f'{{"a": {n}, "b": 2, "a": {n}}}',
                    f'{{"a": {n}, "b": [1.50, "x"]}}',
                    f'{{"a": {n}, "b": 2}}',
                )
                for n in range(1, NOTES + 1)
            ),
        )
        connection.executemany(
            "INSERT INTO heap VALUES (?, ?)", ((f"h{n}", n) for n in range(HEAP))
        )
    connection.close()


def carry(source: Path, database: str, home: Path) -> RunReport:
    """Migrate; what the report says."""
    file, target = inspect(source), parse_target(database)
    return migrate(Request(source=file, target=target, home=home))


@contextmanager
def site_of(source: Path, database: str, home: Path, report: RunReport) -> Iterator[Site]:
    file, target = inspect(source), parse_target(database)
    request = parity.Request(source=file, target=target, home=home, reveal=True)
    with psycopg.connect(database, autocommit=True) as connection:
        # As a superuser breaks things: no cascade and no check comes between.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET TIME ZONE 'UTC'")
        yield Site(file, request, connection, report)


def differences(report: ParityReport, table: str) -> list[Difference]:
    """The row differences of one table; all others must be equal. What each engine's own
    sums say of the same differences is left out."""
    assert not report.parity
    for other in report.tables:
        assert other.name == table or not other.differences, other
    own = next(t for t in report.tables if t.name == table)
    assert own.differences
    return [d for d in own.samples if d.kind is not DifferenceKind.AGGREGATE]


__all__ = ["Level", "Site", "build_source", "carry", "differences", "site_of"]
