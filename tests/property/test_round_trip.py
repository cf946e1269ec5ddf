"""Whole generated databases: source = target + quarantined, and both sides equal."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path

import apsw
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plan import Plan, TablePlan, from_json
from core.plan.ddl import qualified
from core.schema import read_sqlite
from core.server.connection import parse_target
from core.source import inspect
from core.source.rows import SqliteValue, quoted, scan
from core.transfer.begin import Request
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, RunReport
from core.transfer.quarantine import Quarantine
from core.values.storage import raw_bytes
from core.verify import parity
from tests.property.generating import SPECIAL, Draft, TableDraft, build, databases
from tests.property.profiles import profile

NUMBERS = count()
BOUNDS = st.builds(Bounds, rows=st.integers(1, 5), bytes=st.sampled_from([1, 40, 1 << 20]))


@given(draft=databases(), bounds=BOUNDS)
@profile(130)
def test_every_row_arrives_or_is_quarantined(database: str, draft: Draft, bounds: Bounds) -> None:
    carry_and_prove(database, draft, bounds)


def test_every_special_value_alone_and_together(database: str) -> None:
    """One row per value: in an untyped key, as a real where it is one, as text where it is."""
    rows: list[list[SqliteValue]] = [
        [v, v if isinstance(v, int | float) else None, v if isinstance(v, str) else None]
        for v in SPECIAL
    ]
    sql = "CREATE TABLE t (a UNIQUE, r DOUBLE, s TEXT)"
    for encoding in ("UTF-8", "UTF-16le"):
        whole = TableDraft("t", ("a", "r", "s"), (sql,), rows)
        # Untyped: a REAL column would lose the sign of -0.0 in SQLite itself.
        only = [[v] for v in SPECIAL if isinstance(v, float)]
        reals = TableDraft("u", ("r",), ("CREATE TABLE u (r)",), only)
        carry_and_prove(database, Draft(encoding, (whole, reals)), Bounds(rows=3))


@pytest.mark.soak
@pytest.mark.timeout(0)
@given(draft=databases(), bounds=BOUNDS)
@profile(4000, soak=True)
def test_every_row_arrives_or_is_quarantined_at_length(
    database: str, draft: Draft, bounds: Bounds
) -> None:
    carry_and_prove(database, draft, bounds)


def carry_and_prove(database: str, draft: Draft, bounds: Bounds) -> None:
    """All that holds of any database whatever."""
    schema = f"s{next(NUMBERS)}"
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(database, autocommit=True) as pg:
        home = Path(folder)
        path = home / "t.db"
        build(path, draft)
        before = path.read_bytes()
        source, target = inspect(path), parse_target(database)
        request = Request(source=source, target=target, home=home, schema=schema, bounds=bounds)
        try:
            report = migrate(request)
            _check_counts(report)
            _check_proof(
                parity.Request(source=source, target=target, home=home, schema=schema, reveal=True)
            )
            _check_ledger(pg, report, path)
            _check_repeats(request, report)
            assert path.read_bytes() == before
        finally:
            pg.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


def _check_counts(report: RunReport) -> None:
    for table in report.tables:
        assert table.rows_source == table.rows_target + table.rows_quarantined, table


def _check_proof(request: parity.Request) -> None:
    proof = parity.verify(request)
    assert sum(t.differences for t in proof.tables) == 0, proof.tables
    assert proof.parity, [r for r in proof.relations if not r.holds]
    assert not proof.moved


def _check_ledger(pg: psycopg.Connection, report: RunReport, path: Path) -> None:
    """What the plan foretold is what was set aside; what was not, arrived as it was."""
    ledger = Ledger(pg)
    plan = from_json(Plan, ledger.run(report.run).plan)
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        known = {t.name for t in read_sqlite(source).database.tables}
        assert known == {t.name for t in plan.tables}
        for table in plan.tables:
            aside = Quarantine(pg, report.run).rows(table.number)
            _check_misfits(pg, report, table)
            if not aside:
                _check_columns(pg, source, plan.schema, table)
    finally:
        source.close()
    for fate in report.objects:
        refused = fate.facts.get("sqlstate", "")
        # 54: an index row too wide; anything else is a plan that promised too much.
        assert fate.reason != "build_refused" or refused.startswith("54"), fate


def _check_misfits(pg: psycopg.Connection, report: RunReport, table: TablePlan) -> None:
    """A misfit foretold by the census is a cell to blame, and there are no others."""
    rows = pg.execute(
        "SELECT column_name, count(*) FROM mudanza.quarantine_cell WHERE run = %s AND"
        " table_number = %s AND reason <> 'null_in_not_null' GROUP BY 1",
        (report.run, table.number),
    )
    blamed = {str(name): int(number) for name, number in rows}
    foretold = {c.source: c.misfits for c in table.columns if c.misfits}
    assert blamed == foretold, table.name


# What simple types hold, by an eye of its own: neither our encoder nor our decoder.
_PLAIN: dict[str, Callable[[SqliteValue], object]] = {
    "integer": lambda v: v,
    "real": lambda v: float(v) if isinstance(v, int | float) else v,
    "decimal": lambda v: v if v is None else Decimal(repr(v)),
    "text": lambda v: v,
    "bytes": lambda v: v if v is None else raw_bytes(v),
}


def _check_columns(
    pg: psycopg.Connection, source: apsw.Connection, schema: str, table: TablePlan
) -> None:
    """Column by column, the same multiset of values on both sides."""
    rows = [row for chunk in scan(source, table.source) for row in chunk.rows]
    for place, column in enumerate(table.columns):
        meaning = _PLAIN.get(column.rule)
        if meaning is None:
            continue
        wanted = Counter(_token(meaning(row[place])) for row in rows)
        name = f"SELECT {quoted(column.target)} FROM {qualified(schema, table.target)}"
        found = Counter(_token(value) for (value,) in pg.execute(name.encode()))
        assert found == wanted, (table.name, column)


def _token(value: object) -> object:
    if isinstance(value, float):
        return (value, math.copysign(1.0, value)) if value == 0 else value
    return value


def _check_repeats(request: Request, first: RunReport) -> None:
    again = migrate(request)
    assert again.repeated
    assert not again.moved
    assert (again.run, again.exit_code) == (first.run, first.exit_code)
    assert (again.tables, again.objects) == (first.tables, first.objects)
