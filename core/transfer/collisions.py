"""Rows that SQLite tells apart and their new types do not.

Two spellings of one instant are two keys in SQLite and one in PostgreSQL. The
first in source key order stays, the others are quarantined. Only tables with
such a key are read for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import apsw

from core.plan import Build, Plan, TablePlan
from core.source.rows import RowChunk, scan
from core.transfer.convert import Fields, TableConverter
from core.values.canonical import Canonical, canonical, row_digest
from core.values.storage import pack

Collisions = Mapping[bytes, str]
"""Packed source key -> name of the unique key that an earlier row already holds."""


def find_collisions(connection: apsw.Connection, plan: Plan) -> Mapping[int, Collisions]:
    """Per table number, the rows that must stand aside."""
    found: dict[int, Collisions] = {}
    for table in plan.tables:
        keys = [b for b in plan.builds if b.table == table.name and _may_collide(table, b)]
        if keys:
            found[table.number] = dict(_collisions(connection, table, keys))
    return found


def _may_collide(table: TablePlan, build: Build) -> bool:
    names = [name for name, _ in build.terms if name is not None]
    # A condition or an expression is left to the server: it says itself which rows it takes.
    whole = build.is_unique and not build.where and len(names) == len(build.terms)
    return whole and any(not table.column(name).injective for name in names)


def _collisions(
    connection: apsw.Connection, table: TablePlan, builds: list[Build]
) -> Iterator[tuple[bytes, str]]:
    keys = [_Key(table, build) for build in builds]
    converter = TableConverter(table)
    with _Seen() as seen:
        for chunk in scan(connection, table.source):
            yield from _of_chunk(chunk, converter, keys, seen)


def _of_chunk(
    chunk: RowChunk, converter: TableConverter, keys: list[_Key], seen: _Seen
) -> Iterator[tuple[bytes, str]]:
    for key, row in zip(chunk.keys, chunk.rows, strict=True):
        fields = converter.fields(row)
        if isinstance(fields, tuple):
            continue  # set aside for its values: it holds no key
        digests = [(k.name, digest) for k in keys if (digest := k.digest(fields)) is not None]
        held = next((name for name, digest in digests if digest in seen), None)
        if held is not None:
            yield pack(key), held
        else:
            seen.update(digest for _, digest in digests)


# What makes texts equal that a collation takes for equal: lower() of bytes folds
# A to Z and nothing else, as NOCASE does.
_FOLDED: Mapping[str, Canonical] = {"NOCASE": bytes.lower, "RTRIM": lambda text: text.rstrip(b" ")}


class _Key:
    """A unique key of a table: which fields it takes, and how they compare."""

    def __init__(self, table: TablePlan, build: Build) -> None:
        self.name = build.name
        sources = [c.source for c in table.columns]
        terms = [(name, kept) for name, kept in build.terms if name is not None]
        self._places = [sources.index(name) for name, _ in terms]
        self._compared = [
            _FOLDED.get(kept) or canonical(table.column(name).type) for name, kept in terms
        ]

    def digest(self, fields: Fields) -> bytes | None:
        """What stands for the row's key; None when a NULL makes it unlike all others."""
        values = [fields[place] for place in self._places]
        if any(value is None for value in values):
            return None
        compared = [_apply(c, v) for c, v in zip(self._compared, values, strict=True)]
        return row_digest([self.name.encode(), *compared])


def _apply(function: Canonical | None, value: bytes | None) -> bytes | None:
    return value if function is None or value is None else function(value)


class _Seen:
    """A set of digests that spills to a temporary file of SQLite's."""

    def __init__(self) -> None:
        self._connection = apsw.Connection("")
        self._connection.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")

    def __enter__(self) -> _Seen:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __contains__(self, digest: bytes) -> bool:
        found = self._connection.execute("SELECT 1 FROM seen WHERE digest = ?", (digest,))
        return found.fetchone() is not None

    def update(self, digests: Iterator[bytes]) -> None:
        rows = ((digest,) for digest in digests)
        self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?)", rows)
