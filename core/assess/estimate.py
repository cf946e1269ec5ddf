"""How much room and how much time, before anything starts.

Rows are counted; how long their texts and bytes are is learnt from rows at evenly spread
places of each table. docs/assessment.md states the formula and what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import apsw

from core.assess.looking import Look
from core.assess.model import Estimate, TableSize
from core.plan import Build, BuildKind, ColumnPlan, Plan, TablePlan
from core.source.rows import KeyKind, origin, quoted
from core.values import types

# PostgreSQL's storage (https://www.postgresql.org/docs/current/storage-page-layout.html).
_ROW_HEAD = 28  # 23 of the tuple, padded to 24, and its pointer
_INDEX_HEAD = 12  # 8 of the tuple and its pointer
_INDEX_FILL = 0.9
_PAGE, _IN_PAGE = 8192, 8168
_WITHOUT_MAP, _FREE_SPACE_PAGES = 4, 3  # from the fifth page on, a map of free space
_FIXED = {
    types.BIGINT: 8,
    types.DOUBLE: 8,
    types.BOOLEAN: 1,
    types.DATE: 4,
    types.TIME: 8,
    types.TIMESTAMP: 8,
    types.TIMESTAMPTZ: 8,
    types.UUID: 16,
    types.NUMERIC: 9,
}
_PLACES, _AT_EACH = 100, 20

# What one process did here (docs/assessment.md); it grows with rows, values and bytes.
_BEGIN_SECONDS = 2.0
_TABLE_SECONDS, _BUILD_SECONDS = 0.025, 0.01
_ROWS_A_SECOND = 400_000
_VALUES_A_SECOND = 3_000_000
_BYTES_A_SECOND = 60_000_000
_ENTRIES_A_SECOND = 1_500_000


def sizes(plan: Plan, look: Look) -> tuple[TableSize, ...]:
    """What each table has in the source and will take on the target."""
    stored = _stored(look)
    return tuple(
        TableSize(
            name=table.name,
            rows=table.rows,
            bytes=stored.get(table.name, 0),
            target_bytes=_on_target(table, plan.builds, look),
        )
        for table in plan.tables
    )


def estimate(plan: Plan, tables: Sequence[TableSize]) -> Estimate:
    """Seconds for the whole of a run by one process, and bytes on the target."""
    rows = sum(t.rows for t in plan.tables)
    values = sum(t.rows * len(t.columns) for t in plan.tables)
    entries = sum(plan.table(b.table).rows for b in plan.builds if _is_index(b))
    target = sum(t.target_bytes for t in tables)
    seconds = (
        _BEGIN_SECONDS
        + _TABLE_SECONDS * len(plan.tables)
        + _BUILD_SECONDS * len(plan.builds)
        + rows / _ROWS_A_SECOND
        + values / _VALUES_A_SECOND
        + target / _BYTES_A_SECOND
        + entries / _ENTRIES_A_SECOND
    )
    return Estimate(seconds=round(seconds, 1), target_bytes=target)


def _stored(look: Look) -> dict[str, int]:
    """Bytes of each table in the source without its indexes; none where SQLite cannot say."""
    try:
        found = look.rows("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
    except (apsw.SQLError, UnicodeDecodeError):
        return {}
    return {str(name): int(str(size)) for name, size in found}


def _on_target(table: TablePlan, builds: Sequence[Build], look: Look) -> int:
    widths = _widths(table, look)
    row = _ROW_HEAD + len(table.columns) / 8 + sum(widths.values())
    heap = ceil(table.rows * row / _IN_PAGE)
    pages = heap + (_FREE_SPACE_PAGES if heap > _WITHOUT_MAP else 0)
    if any(c.type.name not in _FIXED for c in table.columns):
        pages += 1  # of the table for values too long for a row, were it empty
    for build in builds:
        if build.table == table.name and _is_index(build):
            entry = _INDEX_HEAD + max(8.0, sum(widths.get(c or "", 8.0) for c, _ in build.terms))
            pages += 1 + ceil(table.rows * entry / _INDEX_FILL / _IN_PAGE)
    return pages * _PAGE


def _is_index(build: Build) -> bool:
    return build.kind in (BuildKind.PRIMARY_KEY, BuildKind.UNIQUE, BuildKind.INDEX)


def _widths(table: TablePlan, look: Look) -> dict[str, float]:
    """Bytes that a value of each column takes on average, NULLs as nothing."""
    if not table.rows:
        return {c.source: 0.0 for c in table.columns}
    asked = ", ".join(_asked(c) for c in table.columns)
    found = look.one(f"SELECT {asked} FROM ({_sample(table, look)})")
    return {
        c.source: float(width) if isinstance(width, int | float) else 0.0
        for c, width in zip(table.columns, found, strict=True)
    }


def _asked(column: ColumnPlan) -> str:
    name = quoted(column.source)
    fixed = _FIXED.get(column.type.name)
    if fixed is not None:
        return f"avg(CASE WHEN {name} IS NULL THEN 0 ELSE {fixed} END)"
    length = f"length(CAST({name} AS BLOB))"
    return f"avg(CASE WHEN {name} IS NULL THEN 0 ELSE {length} + iif({length} > 126, 4, 1) END)"


def _sample(table: TablePlan, look: Look) -> str:
    """A query for rows at evenly spread places; from the start where there are no places."""
    columns = ", ".join(quoted(c.source) for c in table.columns)
    source, key = origin(table.source), table.source.key
    most = _PLACES * _AT_EACH
    if key.kind is not KeyKind.ROWID or table.rows <= most:
        return f"SELECT {columns} FROM {source} LIMIT {most}"
    rowid = quoted(key.columns[0])
    low, high = look.one(f"SELECT min({rowid}), max({rowid}) FROM {source}")
    step = (int(str(high)) - int(str(low))) // _PLACES + 1
    places = (int(str(low)) + step * n for n in range(_PLACES))
    parts = (
        f"SELECT * FROM (SELECT {columns} FROM {source} WHERE {rowid} >= {at}"
        f" ORDER BY {rowid} LIMIT {_AT_EACH})"
        for at in places
    )
    return " UNION ALL ".join(parts)
