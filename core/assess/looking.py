"""Looking again at a snapshot: which rows a finding is about, by their keys.

The census has counted everything; this reads only the columns and the conditions that
something is the matter with, and keeps a handful of keys for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import apsw

from core.assess.eyes import Eye
from core.plan import TablePlan
from core.source.rows import (
    KeyKind,
    Row,
    RowKey,
    SqliteValue,
    TableSource,
    origin,
    quoted,
    scan,
)
from core.values.storage import shown_key

SAMPLES = 5
ASIDE_MOST = 500
_SCAN_ROWS = 10_000


@dataclass
class Seen:
    """What was seen of one fault in one column: how many rows, how many of them are set
    aside or have their value altered, and the first few; ``aside``: the keys of those set
    aside, up to ASIDE_MOST."""

    rows: int = 0
    set_aside: int = 0
    altered: int = 0
    keys: list[str] = field(default_factory=list)
    values: list[SqliteValue] = field(default_factory=list)
    aside: list[Row] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        """Whether a run would speak of it by its exit code."""
        return bool(self.set_aside or self.altered)

    def add(self, key: Row, value: SqliteValue, *, set_aside: bool, altered: bool = False) -> None:
        """One more row."""
        self.rows += 1
        self.altered += altered
        self.set_aside += set_aside
        if set_aside and len(self.aside) < ASIDE_MOST:
            self.aside.append(key)
        if len(self.keys) < SAMPLES:
            self.keys.append(shown_key(key))
            self.values.append(value)


class Look:
    """A snapshot, looked at again."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def faults(self, table: TablePlan, names: Sequence[str]) -> Mapping[str, Mapping[str, Seen]]:
        """Per column of ``names``, what is the matter with its values, by id."""
        found: dict[str, dict[str, Seen]] = {name: {} for name in names}
        eyes = [(Eye(table.column(n), in_key=n in table.primary_key), found[n]) for n in names]
        for chunk in scan(self._connection, _limited(table, names), max_rows=_SCAN_ROWS):
            for key, row in zip(chunk.keys, chunk.rows, strict=True):
                for (eye, seen), value in zip(eyes, row, strict=True):
                    fault = eye.fault(value)
                    if fault is not None:
                        one = seen.setdefault(fault.id, Seen())
                        one.add(key, value, set_aside=fault.set_aside, altered=fault.altered)
        return found

    def first(self, table: TablePlan, column: str, is_meant: Callable[[SqliteValue], bool]) -> Seen:
        """The first few rows whose value is meant; no more are read than it takes."""
        seen = Seen()
        for chunk in scan(self._connection, _limited(table, [column]), max_rows=_SCAN_ROWS):
            for key, (value,) in zip(chunk.keys, chunk.rows, strict=True):
                if is_meant(value):
                    seen.add(key, value, set_aside=False)
            if len(seen.keys) >= SAMPLES:
                break
        return seen

    def count(self, table: TablePlan, column: str, is_meant: Callable[[SqliteValue], bool]) -> int:
        """How many values of a column are meant."""
        chunks = scan(self._connection, _limited(table, [column]), max_rows=_SCAN_ROWS)
        return sum(is_meant(value) for chunk in chunks for (value,) in chunk.rows)

    def where(self, table: TablePlan, condition: str) -> Seen:
        """How many rows meet a SQL condition, and the keys of the first few.

        Raises apsw.SQLError for a condition that this SQLite cannot compute.
        """
        source = f"{origin(table.source)} WHERE {condition}"
        ((rows,),) = self._connection.execute(f"SELECT count(*) FROM {source}").fetchall()
        if not rows:
            return Seen()
        try:
            keys = self._keys(table.source.key, source)
        except UnicodeDecodeError:  # a key that is not text: SQLite's own driver gives up
            keys = []
        return Seen(rows=int(str(rows)), keys=[shown_key(key) for key in keys])

    def one(self, question: str) -> Row:
        """The one row that answers a question."""
        return tuple(self._connection.execute(question).fetchall()[0])

    def rows(self, question: str) -> list[Row]:
        """All rows that answer a question."""
        return [tuple(row) for row in self._connection.execute(question).fetchall()]

    @staticmethod
    def named(keys: Sequence[Row]) -> Seen:
        """Rows that are known by their keys already."""
        return Seen(rows=len(keys), keys=[shown_key(key) for key in keys[:SAMPLES]])

    def _keys(self, key: RowKey, source: str) -> list[Row]:
        if key.kind is KeyKind.POSITION:
            return []
        columns = ", ".join(map(quoted, key.columns))
        found = self._connection.execute(f"SELECT {columns} FROM {source} LIMIT {SAMPLES}")
        return [tuple(row) for row in found]


def _limited(table: TablePlan, names: Sequence[str]) -> TableSource:
    """The table as the row reader needs it, with these columns only."""
    source = table.source
    return TableSource(
        table=source.table,
        columns=tuple(names),
        key=source.key,
        encoding=source.encoding,
        alias=source.alias if source.alias in names else "",
    )
