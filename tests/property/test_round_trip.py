"""Generated schemas and values: source = target + quarantined, and both sides equal."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import apsw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.census.tally import ColumnTally
from core.plan.decide import decide, fits
from core.server.connection import parse_target
from core.source import inspect
from core.source.rows import InvalidText, SqliteValue
from core.transfer.copying import Bounds
from core.transfer.migrate import Request, migrate
from core.values.declared import declared
from core.values.exact import converter
from core.values.types import Reject
from core.verify import parity

TYPES = [
    "", "INTEGER", "INT", "REAL", "TEXT", "BLOB", "NUMERIC", "DECIMAL(6,2)", "BOOLEAN", "DATE",
    "DATETIME", "TIMESTAMP", "TIME", "VARCHAR(4)", "JSON", "UUID", "MONEY", "POINT",
]  # fmt: skip
TEXTS = st.sampled_from(
    ["", "a", "A", "é", "😀", "now", "12", "1.50", "t", "f", "true", "2024-01-02", "2024-02-30",
     "2024-01-02 03:04:05", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05+02:00", "24:00:00", "abc  ",
     "{}", '{"a":1,"a":2}', "[1e400]", '"\\ud800"', "550e8400-e29b-41d4-a716-446655440000", "n\x00l"]
)  # fmt: skip
INTEGERS = st.one_of(
    st.integers(-2, 2), st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1, 1700000000, 20240102])
)
REALS = st.one_of(
    st.floats(allow_nan=False), st.sampled_from([0.1 + 0.2, -0.0, 5e-324, 12.345, float("inf")])
)
BLOBS = st.sampled_from([b"", b"\x00\xff", b"31", bytes(16)])
INVALID = st.sampled_from([InvalidText(b"f\xffo"), InvalidText(b"\xed\xa0\x80")])
VALUES: st.SearchStrategy[SqliteValue] = st.one_of(
    st.none(), INTEGERS, REALS, TEXTS, BLOBS, INVALID, st.text(max_size=5)
)
KEYS = ["", "PRIMARY KEY", "UNIQUE", "NOT NULL", "COLLATE NOCASE UNIQUE"]
NUMBERS = count()


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[SqliteValue]]]:
    """A CREATE TABLE, and rows to try on it."""
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    keys = [draw(st.sampled_from(KEYS)) for _ in types]
    if keys.count("PRIMARY KEY") > 1:
        keys = [k if k != "PRIMARY KEY" else "" for k in keys]
    columns = [f'"c {n}" {t} {k}' for n, (t, k) in enumerate(zip(types, keys, strict=True))]
    tail = " WITHOUT ROWID" if "PRIMARY KEY" in keys and draw(st.booleans()) else ""
    rows = draw(st.lists(st.lists(VALUES, min_size=len(types), max_size=len(types)), max_size=12))
    return f"CREATE TABLE t ({', '.join(columns)}){tail}", rows


def build(path: Path, create: str, rows: list[list[SqliteValue]], encoding: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA encoding = '{encoding}'").fetchall()
    connection.execute(create)
    for row in rows:
        marks = ", ".join("CAST(? AS TEXT)" if isinstance(v, InvalidText) else "?" for v in row)
        values = [v.raw if isinstance(v, InvalidText) else v for v in row]
        connection.execute(f"INSERT OR IGNORE INTO t VALUES ({marks})", values)
    connection.close()


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(table=tables(), encoding=st.sampled_from(["UTF-8", "UTF-16le"]), rows=st.integers(1, 4))
def test_every_row_arrives_or_is_quarantined(
    database: str, table: tuple[str, list[list[SqliteValue]]], encoding: str, rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        build(home / "t.db", *table, encoding)
        source, target, schema = inspect(home / "t.db"), parse_target(database), f"s{next(NUMBERS)}"
        report = migrate(
            Request(
                source=source, target=target, home=home, schema=schema, bounds=Bounds(rows=rows)
            )
        )
        for carried in report.tables:
            assert carried.rows_source == carried.rows_target + carried.rows_quarantined
        proof = parity.verify(
            parity.Request(source=source, target=target, home=home, schema=schema, reveal=True)
        )
        assert proof.parity, proof


@settings(max_examples=400, deadline=None, derandomize=True)
@given(type_=st.sampled_from(TYPES), values=st.lists(VALUES, max_size=12))
def test_the_census_foretells_what_the_exact_path_takes(
    type_: str, values: list[SqliteValue]
) -> None:
    declaration = declared(type_)
    tally = ColumnTally(frozenset({declaration.kind}))
    tally.add(values)
    census = tally.result()
    decision = decide(declaration, census)
    convert = converter(decision.conversion)
    taken = sum(v is not None and not isinstance(convert(v), Reject) for v in values)
    assert fits(decision.conversion, census) == taken
    assert decision.misfits == census.values - taken
