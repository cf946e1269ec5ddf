"""Rows that the target cannot hold: set aside whole, with the values to blame.

Part of the ledger: what is added here commits with the chunk it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast
from uuid import UUID

from psycopg.rows import class_row

from core.server.connection import Connection
from core.transfer.model import BadCell, Quarantined, QuarantineEntry
from core.values.storage import pack, shown_key


class Blamed(NamedTuple):
    """A row set aside: its table's number, the reason, and each value to blame as its
    column, storage class and raw bytes."""

    table_number: int
    reason: str
    cells: tuple[tuple[str, str, bytes], ...]


@dataclass(frozen=True)
class Quarantine:
    """The quarantine of one run."""

    connection: Connection
    run: UUID

    def add(self, table_number: int, rows: Sequence[Quarantined]) -> None:
        """Set rows of a table aside; part of the caller's transaction."""
        if not rows:
            return
        packed = [(pack(q.key), q) for q in rows]
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO mudanza.quarantine (run, table_number, source_key, key_shown, reason,"
                " detail, row) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    (self.run, table_number, key, shown_key(q.key), q.reason, q.detail, pack(q.row))
                    for key, q in packed
                ],
            )
            cursor.executemany(
                "INSERT INTO mudanza.quarantine_cell (run, table_number, source_key, column_name,"
                " storage_class, raw, rule, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (
                        self.run,
                        table_number,
                        key,
                        c.column,
                        c.storage_class,
                        c.raw,
                        c.rule,
                        c.reason,
                    )
                    for key, q in packed
                    for c in q.cells
                ],
            )

    def rows(self, table_number: int) -> dict[bytes, bytes]:
        """Packed key -> packed row of each quarantined row of a table."""
        found = self.connection.execute(
            "SELECT source_key, row FROM mudanza.quarantine WHERE run = %s AND table_number = %s",
            (self.run, table_number),
            binary=True,
        )
        return {bytes(key): bytes(row) for key, row in found}  # type: ignore[call-overload]

    def counts(self) -> dict[int, int]:
        """Quarantined rows by table number; a table without any is not there."""
        found = self.connection.execute(
            "SELECT table_number, count(*) FROM mudanza.quarantine WHERE run = %s GROUP BY 1",
            (self.run,),
        )
        return {int(str(number)): int(str(count)) for number, count in found}

    def entries(self, *, limit: int | None = None) -> list[QuarantineEntry]:
        """Quarantined rows with the values to blame, by table and key."""
        found = self.connection.execute(
            "SELECT r.source_name, q.key_shown, q.reason, q.detail, q.table_number, q.source_key"
            " FROM mudanza.quarantine q JOIN (SELECT DISTINCT run, table_number, source_name"
            " FROM mudanza.range) r ON r.run = q.run AND r.table_number = q.table_number"
            " WHERE q.run = %s ORDER BY q.table_number, q.source_key LIMIT %s",
            (self.run, limit),
        ).fetchall()
        return [
            QuarantineEntry(
                table=str(table),
                key=str(key),
                reason=str(reason),
                detail=str(detail),
                cells=self._cells(number, source_key),
            )
            for table, key, reason, detail, number, source_key in found
        ]

    def blamed(self) -> Iterator[Blamed]:
        """Every row with the values to blame; without any for a row set aside whole."""
        with self.connection.cursor() as cursor:
            found = cursor.stream(
                "SELECT q.table_number, q.reason, q.source_key, c.column_name, c.storage_class,"
                " c.raw FROM mudanza.quarantine q LEFT JOIN mudanza.quarantine_cell c"
                " USING (run, table_number, source_key) WHERE q.run = %s"
                " ORDER BY q.table_number, q.source_key",
                (self.run,),
            )
            for (number, reason, _), rows in groupby(found, key=itemgetter(0, 1, 2)):
                cells = tuple(
                    (str(name), str(kind), bytes(cast("bytes", raw)))
                    for *_, name, kind, raw in rows
                    if name is not None
                )
                yield Blamed(int(str(number)), str(reason), cells)

    def _cells(self, table_number: object, source_key: object) -> tuple[BadCell, ...]:
        with self.connection.cursor(row_factory=class_row(BadCell)) as cursor:
            cursor.execute(
                "SELECT column_name AS column, storage_class, raw, rule, reason"
                " FROM mudanza.quarantine_cell"
                " WHERE run = %s AND table_number = %s AND source_key = %s ORDER BY column_name",
                (self.run, table_number, source_key),
            )
            return tuple(cursor)
