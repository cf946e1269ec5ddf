"""The two sides of a table as streams of comparable rows.

The source goes through the exact path, the target comes out of binary COPY; both
are then one encoding. Neither stream has an order that matters.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import blake2b
from types import MappingProxyType
from typing import cast

import apsw

from core.plan import TablePlan
from core.plan.ddl import copy_out
from core.server.connection import Connection
from core.source.rows import Row, scan
from core.transfer.convert import (
    COPY_HEADER,
    COPY_TRAILER,
    Fields,
    TableConverter,
    copy_tuple,
    split_tuple,
)
from core.transfer.quarantine import Repaired
from core.transfer.replay import edited_row
from core.values.canonical import DIGEST_BYTES, Canonical, canonical
from core.values.storage import pack, shown_key, unpack
from core.verify.model import Difference, DifferenceKind


@dataclass(frozen=True, slots=True)
class Comparable:
    """A row to compare: ``identity`` stands for its key, ``digest`` for all of it;
    ``tuple`` is the row itself in the one encoding."""

    identity: bytes
    digest: bytes
    tuple: bytes


class Encoding:
    """How rows of one table are made comparable."""

    def __init__(
        self,
        table: TablePlan,
        further: Mapping[int, Canonical] = MappingProxyType({}),
        key: Sequence[int] | None = None,
    ) -> None:
        """``further``: what else makes equal values of a column equal bytes; ``key``: the
        places of the columns that name a row, the primary key's if nothing is said."""
        functions = [(i, canonical(c.type)) for i, c in enumerate(table.columns)]
        self._canonical = [*further.items(), *((i, f) for i, f in functions if f is not None)]
        sources = [c.source for c in table.columns]
        own = [sources.index(name) for name in table.primary_key]
        self._key = (own or None) if key is None else list(key)

    def of_fields(self, fields: Fields) -> Comparable:
        """A row of the source."""
        return self._comparable(self._made_canonical(fields), None)

    def of_message(self, message: bytes) -> Comparable:
        """A row of the target, as COPY sent it."""
        if not self._canonical and self._key is None:
            return self._comparable([], message)
        fields, _ = split_tuple(message)
        if not self._canonical:
            return self._comparable(fields, message)
        return self._comparable(self._made_canonical(fields), None)

    def _made_canonical(self, fields: Fields) -> Fields:
        if not self._canonical:
            return fields
        made = list(fields)
        for place, function in self._canonical:
            value = made[place]
            if value is not None:
                made[place] = function(value)
        return made

    def _comparable(self, fields: Fields, message: bytes | None) -> Comparable:
        whole = copy_tuple(fields) if message is None else message
        digest = blake2b(whole, digest_size=DIGEST_BYTES).digest()
        if self._key is None:
            return Comparable(digest, digest, whole)
        key = copy_tuple([fields[place] for place in self._key])
        return Comparable(blake2b(key, digest_size=DIGEST_BYTES).digest(), digest, whole)


@dataclass(frozen=True)
class Aside:
    """What the ledger says of a table's rows that did not simply arrive: those in
    quarantine, packed, by packed key; those that came out of it with values that a person
    put in place; values that arrived as others (key, column, storage class, raw bytes)."""

    quarantined: Mapping[bytes, bytes]
    repaired: Mapping[bytes, Repaired]
    altered: Set[tuple[bytes, str, str, bytes]]

    @property
    def columns(self) -> frozenset[str]:
        """The columns in which the target holds values that are not the source's."""
        edited = (column for repair in self.repaired.values() for column in repair.values)
        return frozenset((*edited, *(column for _, column, *_ in self.altered)))


class SourceSide:
    """The source's rows of one table, less the quarantined ones, and with the values that
    people put in place.

    After a pass, ``rows`` counts all rows read, and ``problems`` holds what is
    wrong with rows or ledger by themselves: a row that has no place on the
    target and is not in quarantine, a quarantined or repaired row that is not the
    source's, a value that arrives as another and is not kept, or is kept and does not.
    """

    def __init__(self, connection: apsw.Connection, table: TablePlan, aside: Aside) -> None:
        self._connection = connection
        self._table = table
        self._aside = aside
        self._converter = TableConverter(table)
        self._encoding = Encoding(table)
        self.rows = 0
        self.problems: list[Difference] = []

    def __iter__(self) -> Iterator[Comparable]:
        self.rows, self.problems = 0, []
        waiting, repaired = dict(self._aside.quarantined), dict(self._aside.repaired)
        kept = set(self._aside.altered)
        for chunk in scan(self._connection, self._table.source):
            self.rows += len(chunk.rows)
            for key, source in zip(chunk.keys, chunk.rows, strict=True):
                row = source
                if waiting and (stored := waiting.pop(pack(key), None)) is not None:
                    self._compare_stored(key, stored == pack(row))
                    continue
                if repaired and (repair := repaired.pop(pack(key), None)) is not None:
                    self._compare_stored(key, repair.row == pack(row))
                    row = edited_row(self._table, row, repair.values)
                fields = self._converter.fields(row)
                if isinstance(fields, tuple):
                    self._problem(DifferenceKind.MISSING, shown_key(key), fields[0].column)
                    continue
                if self._converter.alters:
                    self._take_altered(key, row, kept)
                yield self._encoding.of_fields(fields)
        for stray in (*waiting, *repaired):
            self._problem(DifferenceKind.QUARANTINE, shown_key(unpack(stray)), "")
        for stray, column, *_ in kept:
            self._problem(DifferenceKind.QUARANTINE, shown_key(unpack(stray)), column)

    def _take_altered(self, key: Row, row: Row, kept: set[tuple[bytes, str, str, bytes]]) -> None:
        """Cross off what the ledger keeps of the row's values that arrive as others."""
        for cell in self._converter.altered(row):
            found = (pack(key), cell.column, cell.storage_class, cell.raw)
            if found in kept:
                kept.remove(found)
            else:
                self._problem(DifferenceKind.QUARANTINE, shown_key(key), cell.column)

    def _compare_stored(self, key: Row, equal: bool) -> None:
        if not equal:
            self._problem(DifferenceKind.QUARANTINE, shown_key(key), "")

    def _problem(self, kind: DifferenceKind, key: str, column: str) -> None:
        self.problems.append(Difference(kind=kind, key=key, column=column))


class TargetSide:
    """The target's rows of one table; ``rows`` counts them after a pass."""

    def __init__(self, connection: Connection, schema: str, table: TablePlan) -> None:
        self._connection = connection
        self._copy = copy_out(schema, table)
        self._encoding = Encoding(table)
        self.rows = 0

    def __iter__(self) -> Iterator[Comparable]:
        self.rows = 0
        for message in messages(self._connection, self._copy):
            self.rows += 1
            yield self._encoding.of_message(message)


def messages(connection: Connection, copy_out: str) -> Generator[bytes, None, None]:
    """The tuples of a binary COPY, one at a time: the server sends a message per row, the
    header before the first and the trailer after the last."""
    first = True
    with connection.cursor() as cursor, cursor.copy(copy_out.encode()) as copy:
        for buffer in copy:
            message = bytes(cast(bytes, buffer))
            if first:
                message, first = message[len(COPY_HEADER) :], False
            if message and message != COPY_TRAILER:
                yield message
