"""Every value of every row, compared.

Rows are dealt into buckets by key. A bucket holds a count and the sum of its
rows' digests (a sum: two equal extra rows cancel in a XOR). Buckets that agree are
proven; the rows of those that do not are laid side by side in a temporary file
and named: memory does not grow with the table, nor with the damage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Protocol, cast

import apsw

from core.plan import TablePlan
from core.transfer.convert import Fields, split_tuple
from core.values.canonical import shown
from core.values.types import JSONB
from core.verify.model import Difference, DifferenceKind
from core.verify.sides import Comparable

BUCKETS = 4096
_MODULUS = 1 << 128

Side = Iterable[Comparable]


class Close(Protocol):
    """Who knows which rows count as the same though their bytes differ."""

    def left(self, ours: list[bytes], theirs: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """The rows of both sides that have no counterpart on the other one."""


def compare_rows(
    table: TablePlan, source: Side, target: Side, *, samples: int, close: Close | None = None
) -> tuple[int, list[Difference]]:
    """How many rows differ, and up to ``samples`` differences that name them. ``close``:
    of two rows of one identity whether they count as the same all the same."""
    ours, theirs = _tally(source), _tally(target)
    differing = {bucket for bucket in range(BUCKETS) if ours[bucket] != theirs[bucket]}
    if not differing:
        return 0, []
    with _Spool() as spool:
        spool.fill("source", source, differing)
        spool.fill("target", target, differing)
        return _named(table, spool, samples, close)


def _tally(side: Side) -> list[tuple[int, int]]:
    counts, sums = [0] * BUCKETS, [0] * BUCKETS
    for row in side:
        bucket = _bucket(row.identity)
        counts[bucket] += 1
        sums[bucket] += int.from_bytes(row.digest)
    return [(count, total % _MODULUS) for count, total in zip(counts, sums, strict=True)]


def _bucket(identity: bytes) -> int:
    return int.from_bytes(identity[:2]) % BUCKETS


class _Spool:
    """Rows of both sides in a temporary file of SQLite's, by identity."""

    def __init__(self) -> None:
        self._connection = apsw.Connection("")
        for side in ("source", "target"):
            self._connection.execute(
                f"CREATE TABLE {side} (identity BLOB, digest BLOB, tuple BLOB)"
            )

    def __enter__(self) -> _Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def fill(self, side: str, rows: Side, buckets: set[int]) -> None:
        """Keep the rows of ``side`` that fall into ``buckets``."""
        kept = (
            (row.identity, row.digest, row.tuple)
            for row in rows
            if _bucket(row.identity) in buckets
        )
        with self._connection:
            self._connection.executemany(f"INSERT INTO {side} VALUES (?, ?, ?)", kept)
            self._connection.execute(f"CREATE INDEX {side}_rows ON {side} (identity, digest)")

    def unequal(self) -> Iterator[bytes]:
        """Identities whose rows are not the same on both sides."""
        found = self._connection.execute(
            "SELECT DISTINCT identity FROM ("
            " SELECT identity, digest, sum(side) AS balance FROM ("
            "  SELECT identity, digest, 1 AS side FROM source"
            "  UNION ALL SELECT identity, digest, -1 FROM target)"
            " GROUP BY identity, digest) WHERE balance <> 0 ORDER BY identity"
        )
        yield from (cast(bytes, identity) for (identity,) in found.fetchall())

    def only(self, side: str, other: str, identity: bytes) -> list[bytes]:
        """Tuples of an identity that ``side`` has more often than ``other``."""
        own = Counter(self._tuples(side, identity))
        own.subtract(self._tuples(other, identity))
        return list(own.elements())

    def _tuples(self, side: str, identity: bytes) -> list[bytes]:
        found = self._connection.execute(
            f"SELECT tuple FROM {side} WHERE identity = ? ORDER BY digest", (identity,)
        )
        return [cast(bytes, row) for (row,) in found]


def _named(
    table: TablePlan, spool: _Spool, samples: int, close: Close | None
) -> tuple[int, list[Difference]]:
    count, is_found = 0, False
    named: list[Difference] = []
    for identity in spool.unequal():
        is_found = True
        ours = spool.only("source", "target", identity)
        theirs = spool.only("target", "source", identity)
        if close is not None:
            ours, theirs = close.left(ours, theirs)
        for mine, other in zip_longest(ours, theirs):
            count += 1
            if len(named) < samples:
                named.extend(_difference(table, mine, other))
    if not is_found:
        # The sums were not equal and the rows are: what is asked twice has two answers.
        return 1, [Difference(kind=DifferenceKind.CHANGED)]
    return count, named[:samples]


def _difference(table: TablePlan, mine: bytes | None, other: bytes | None) -> Iterator[Difference]:
    if mine is None or other is None:
        kind = DifferenceKind.EXTRA if mine is None else DifferenceKind.MISSING
        fields, _ = split_tuple(mine or other or b"\x00\x00")
        yield Difference(kind=kind, key=_key(table, fields))
        return
    ours, _ = split_tuple(mine)
    theirs, _ = split_tuple(other)
    for place, column in enumerate(table.columns):
        if ours[place] != theirs[place]:
            yield Difference(
                kind=DifferenceKind.CHANGED,
                key=_key(table, ours),
                column=column.source,
                source=_shown(table, place, ours),
                target=_shown(table, place, theirs),
            )


def _key(table: TablePlan, fields: Fields) -> str:
    """The row's primary key; without one, all of the row names it."""
    sources = [c.source for c in table.columns]
    places = [sources.index(name) for name in table.primary_key] or range(len(sources))
    return ", ".join(_shown(table, place, fields)[:200] for place in places)


def _shown(table: TablePlan, place: int, fields: Fields) -> str:
    kind, value = table.columns[place].type, fields[place]
    if kind.name == JSONB and value is not None:
        return value.decode()  # already canonical text
    return shown(kind, value)
