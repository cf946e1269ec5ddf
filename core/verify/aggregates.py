"""The independent path: what each engine says of a column by its own SQL alone.

It shares nothing with the encoder of the other path, so that a mistake there
cannot hide itself: counts, sums, smallest and largest, as each engine computes
them. Quarantined rows are left out of the source by key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass

import apsw

from core.plan import ColumnPlan, TablePlan
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.source.rows import Row, bound, origin, quoted
from core.values import types
from core.values.storage import unpack
from core.verify.model import Difference, DifferenceKind


@dataclass(frozen=True)
class Aggregate:
    """One question to both engines, ``{c}`` standing for the column."""

    name: str
    sqlite: str
    postgres: str


_COUNT = Aggregate("count", "count({c})", "count({c})")
_BYTES = Aggregate(
    "bytes", "coalesce(sum(length(CAST({c} AS BLOB))), 0)", "coalesce(sum(octet_length({c})), 0)"
)

_BY_TYPE: Mapping[tuple[str, str], tuple[Aggregate, ...]] = {
    (types.BIGINT, "integer"): (
        # In halves: SQLite's sum overflows where PostgreSQL's goes over to numeric.
        Aggregate("sum of high halves", "sum({c} >> 32)", "sum({c} >> 32)"),
        Aggregate("sum of low halves", "sum({c} & 4294967295)", "sum({c} & 4294967295)"),
        Aggregate("smallest", "min({c})", "min({c})"),
        Aggregate("largest", "max({c})", "max({c})"),
    ),
    (types.DOUBLE, "real"): (
        Aggregate("positive", "coalesce(sum({c} > 0), 0)", "count(*) FILTER (WHERE {c} > 0)"),
        Aggregate("smallest", "CAST(min({c}) AS REAL)", "min({c})"),
        Aggregate("largest", "CAST(max({c}) AS REAL)", "max({c})"),
    ),
    (types.NUMERIC, "decimal"): (
        Aggregate("positive", "coalesce(sum({c} > 0), 0)", "count(*) FILTER (WHERE {c} > 0)"),
        Aggregate("smallest", "CAST(min({c}) AS REAL)", "min({c})::float8"),
        Aggregate("largest", "CAST(max({c}) AS REAL)", "max({c})::float8"),
    ),
    (types.BOOLEAN, "boolean:0/1"): (
        Aggregate("true", "coalesce(sum({c} = 1), 0)", "count(*) FILTER (WHERE {c})"),
    ),
    (types.TEXT, "text"): (
        Aggregate("characters", "coalesce(sum(length({c})), 0)", "coalesce(sum(length({c})), 0)"),
    ),
    (types.VARCHAR, "text"): (
        Aggregate("characters", "coalesce(sum(length({c})), 0)", "coalesce(sum(length({c})), 0)"),
    ),
    (types.TIMESTAMP, "iso"): (
        Aggregate(
            "days",
            "coalesce(sum(unixepoch(substr({c}, 1, 10)) / 86400), 0)",
            "coalesce(sum({c}::date - DATE '1970-01-01'), 0)",
        ),
    ),
    (types.DATE, "iso"): (
        Aggregate(
            "days",
            "coalesce(sum(unixepoch({c}) / 86400), 0)",
            "coalesce(sum({c} - DATE '1970-01-01'), 0)",
        ),
    ),
}
# Byte lengths and byte order mean the same on both sides only for a UTF-8 source.
_UTF8_TEXT = (
    _BYTES,
    Aggregate("smallest", "min({c} COLLATE BINARY)", 'min({c} COLLATE "C")'),
    Aggregate("largest", "max({c} COLLATE BINARY)", 'max({c} COLLATE "C")'),
)


def compare_aggregates(
    source: apsw.Connection,
    target: Connection,
    schema: str,
    table: TablePlan,
    quarantined: Mapping[bytes, bytes],
    passed_over: Set[str] = frozenset(),
) -> Iterator[Difference]:
    """What the two engines say differently of the table's columns, those ``passed_over``
    apart: they hold values that are not the source's, and the ledger says which.

    ``source`` must allow temporary tables: the quarantined keys go into one.
    """
    columns = [column for column in table.columns if column.source not in passed_over]
    asked = [(column, a) for column in columns for a in _questions(column, table)]
    left_out = _leave_out(source, table, list(quarantined))
    ours = _ask(asked, 400, lambda part: _of_source(source, table, part, left_out))
    theirs = _ask(asked, 400, lambda part: _of_target(target, schema, table, part))
    for (column, aggregate), mine, other in zip(asked, ours, theirs, strict=True):
        if not _equal(mine, other):
            yield Difference(
                kind=DifferenceKind.AGGREGATE,
                key=aggregate.name,
                column=column.source,
                source=str(mine),
                target=str(other),
            )


Asked = list[tuple[ColumnPlan, Aggregate]]


def _ask(asked: Asked, size: int, answer: Callable[[Asked], tuple[object, ...]]) -> list[object]:
    """Ask in portions: both engines limit the width of a result."""
    answers: list[object] = []
    for start in range(0, len(asked), size):
        answers.extend(answer(asked[start : start + size]))
    return answers


def _questions(column: ColumnPlan, table: TablePlan) -> tuple[Aggregate, ...]:
    own = _BY_TYPE.get((column.type.name, column.rule), ())
    if table.source.encoding != "UTF-8":
        return (_COUNT, *own)
    if column.type.name in types.TEXTS and column.rule == "text":
        return (_COUNT, *own, *_UTF8_TEXT)
    if column.type.name == types.BYTEA and column.rule == "bytes":
        return (_COUNT, _BYTES)
    return (_COUNT, *own)


def _leave_out(source: apsw.Connection, table: TablePlan, keys: list[bytes]) -> str:
    """A WHERE that passes over the quarantined rows."""
    if not keys:
        return ""
    rows: list[Row] = [unpack(key) for key in keys]
    names = [f"k{place}" for place in range(len(rows[0]))]
    source.execute("DROP TABLE IF EXISTS temp.left_out")
    source.execute(f"CREATE TEMP TABLE left_out ({', '.join(names)})")
    for row in rows:
        marks, bindings = bound(row)
        source.execute(f"INSERT INTO temp.left_out VALUES ({', '.join(marks)})", bindings)
    source.execute(f"CREATE INDEX temp.left_out_keys ON left_out ({', '.join(names)})")
    columns = [quoted(c) for c in table.source.key.columns]
    equal = " AND ".join(f"l.{n} IS t.{c}" for n, c in zip(names, columns, strict=True))
    return f" WHERE NOT EXISTS (SELECT 1 FROM temp.left_out l WHERE {equal})"


def _of_source(
    source: apsw.Connection, table: TablePlan, asked: Asked, where: str
) -> tuple[object, ...]:
    selected = ", ".join(a.sqlite.replace("{c}", f"t.{quoted(c.source)}") for c, a in asked)
    alias = origin(table.source).replace(quoted(table.name), f"{quoted(table.name)} AS t", 1)
    row = source.execute(f"SELECT {selected} FROM {alias}{where}").fetchone()
    return tuple(row or ())


def _of_target(
    target: Connection, schema: str, table: TablePlan, asked: Asked
) -> tuple[object, ...]:
    selected = ", ".join(a.postgres.replace("{c}", quoted(c.target)) for c, a in asked)
    name = qualified(schema, table.target)
    row = target.execute(f"SELECT {selected} FROM {name}".encode()).fetchone()
    return tuple(row or ())


def _equal(mine: object, other: object) -> bool:
    if isinstance(mine, float) or isinstance(other, float):
        if mine is None or other is None:
            return mine is other
        return float(str(mine)) == float(str(other))
    return str(mine) == str(other)
