"""Rows that the target cannot hold: set aside whole, with the values to blame.

Part of the ledger: what is added here commits with the chunk it belongs to, and what
leaves (:mod:`core.transfer.replay`) with the rows that arrive instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, cast
from uuid import UUID

from psycopg.rows import class_row

from core.server.connection import Connection
from core.source.rows import SqliteValue
from core.transfer.model import (
    AlteredCell,
    BadCell,
    Edit,
    Quarantined,
    QuarantineEntry,
    RangeClaim,
)
from core.values.storage import pack, shown_key, unpack

RowId = tuple[int, bytes]
"""A row of the source: the number of its table, its packed key."""
Values = Mapping[str, SqliteValue]
"""Column -> the value that a person put there."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which quarantined rows are meant; '' leaves nothing out. ``reason`` is an id of the
    catalogue; ``row`` a key as it is shown, or in hex as the ledger packs it."""

    table: str = ""
    reason: str = ""
    row: str = ""


ALL = Selection()


@dataclass(frozen=True)
class Repaired:
    """A row that left the quarantine with values that a person put in place: what it is in
    the source, packed, and those values."""

    row: bytes
    values: Values


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

    # --- setting aside

    def add(self, claim: RangeClaim, rows: Sequence[Quarantined]) -> None:
        """Set rows of a range aside; part of the caller's transaction."""
        if not rows:
            return
        packed = [(pack(q.key), q) for q in rows]
        number = claim.table_number
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO mudanza.quarantine (run, range, table_number, source_key, key_shown,"
                " reason, detail, row) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (
                        self.run,
                        claim.range,
                        number,
                        key,
                        shown_key(q.key),
                        q.reason,
                        q.detail,
                        pack(q.row),
                    )
                    for key, q in packed
                ],
            )
        self.add_cells(
            "quarantine_cell", [((number, key), c) for key, q in packed for c in q.cells]
        )

    def add_altered(self, table_number: int, altered: Sequence[AlteredCell]) -> None:
        """Keep what values were that arrive as others; part of the caller's transaction."""
        cells = [((table_number, pack(each.key)), each.cell) for each in altered]
        self.add_cells("altered_cell", cells)

    def add_cells(self, table: str, cells: Sequence[tuple[RowId, BadCell]]) -> None:
        """Write values down in ``table`` of the ledger; part of the caller's transaction."""
        if not cells:
            return
        with self.connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO mudanza.{table} (run, table_number, source_key, column_name,"
                " storage_class, raw, rule, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)".encode(),
                [
                    (self.run, *row, c.column, c.storage_class, c.raw, c.rule, c.reason)
                    for row, c in cells
                ],
            )

    # --- looking

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
        return self._counted("quarantine")

    def altered_counts(self) -> dict[int, int]:
        """Values that arrived as others, by table number."""
        return self._counted("altered_cell")

    def edit_counts(self) -> dict[int, int]:
        """Values that people put in place, by table number."""
        return self._counted("quarantine_edit")

    def _counted(self, table: str) -> dict[int, int]:
        found = self.connection.execute(
            f"SELECT table_number, count(*) FROM mudanza.{table} WHERE run = %s GROUP BY 1".encode(),
            (self.run,),
        )
        return {int(str(number)): int(str(count)) for number, count in found}

    def count(self, selection: Selection = ALL) -> int:
        """How many rows are meant."""
        row = self.connection.execute(
            f"SELECT count(*) FROM {_SELECTED}".encode(), self._named(selection)
        ).fetchone()
        assert row is not None
        return int(str(row[0]))

    def entries(
        self, selection: Selection = ALL, *, limit: int | None = None
    ) -> list[QuarantineEntry]:
        """Quarantined rows with the values to blame, by table and key."""
        found = self.connection.execute(
            "SELECT r.source_name, q.key_shown, q.reason, q.detail, q.table_number, q.source_key,"
            f" q.row, q.quarantined_at, q.range FROM {_SELECTED}"
            " ORDER BY q.table_number, q.source_key LIMIT %(limit)s".encode(),
            {**self._named(selection), "limit": limit},
            binary=True,
        ).fetchall()
        cells = self._cells([(number, key) for *_, number, key, _, _, _ in found])
        return [
            QuarantineEntry(
                range=int(str(range_number)),
                table=str(table),
                key=str(key_shown),
                reason=str(reason),
                detail=str(detail),
                table_number=int(str(number)),
                source_key=bytes(key),  # type: ignore[call-overload]
                row=bytes(row),  # type: ignore[call-overload]
                quarantined_at=at,  # type: ignore[arg-type]
                cells=tuple(cells[number, key]),
            )
            for table, key_shown, reason, detail, number, key, row, at, range_number in found
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

    def _cells(
        self, rows: Sequence[tuple[object, object]]
    ) -> dict[tuple[object, object], list[BadCell]]:
        cells: dict[tuple[object, object], list[BadCell]] = defaultdict(list)
        found = self.connection.execute(
            "SELECT table_number, source_key, column_name, storage_class, raw, rule, reason"
            " FROM mudanza.quarantine_cell JOIN unnest(%s::integer[], %s::bytea[])"
            " AS k (table_number, source_key) USING (table_number, source_key)"
            " WHERE run = %s ORDER BY column_name",
            ([number for number, _ in rows], [key for _, key in rows], self.run),
            binary=True,
        )
        for number, key, *cell in found:
            cells[number, key].append(_bad_cell(*cell))
        return cells

    def _named(self, selection: Selection) -> dict[str, object]:
        return {
            "run": self.run,
            "table": selection.table,
            "reason": selection.reason,
            "row": selection.row,
        }

    # --- values that arrived as others, and values that a person put in place

    def altered(self, table_number: int) -> set[tuple[bytes, str, str, bytes]]:
        """Packed key, column, storage class and raw bytes of each value of a table that
        arrived as another one."""
        found = self.connection.execute(
            "SELECT source_key, column_name, storage_class, raw FROM mudanza.altered_cell"
            " WHERE run = %s AND table_number = %s",
            (self.run, table_number),
            binary=True,
        )
        return {(bytes(k), str(c), str(s), bytes(r)) for k, c, s, r in found}  # type: ignore[call-overload]

    def altered_cells(
        self, selection: Selection = ALL, *, limit: int | None = None
    ) -> list[tuple[str, bytes, BadCell]]:
        """Values that arrived as others, each with its table and packed key."""
        found = self.connection.execute(
            "SELECT r.source_name, q.source_key, q.column_name, q.storage_class, q.raw, q.rule,"
            " q.reason FROM mudanza.altered_cell q JOIN (SELECT DISTINCT run, table_number,"
            " source_name FROM mudanza.range) r USING (run, table_number) WHERE q.run = %(run)s"
            " AND %(table)s::text IN ('', r.source_name) AND %(reason)s::text IN ('', q.reason)"
            " ORDER BY q.table_number, q.source_key, q.column_name LIMIT %(limit)s",
            {**self._named(selection), "limit": limit},
            binary=True,
        )
        return [(str(table), bytes(key), _bad_cell(*cell)) for table, key, *cell in found]  # type: ignore[call-overload]

    def edits(self, *, table: int | None = None, key: bytes | None = None) -> list[Edit]:
        """All that people put in place, as they did it, of one table or row if it is named."""
        with self.connection.cursor(row_factory=class_row(Edit), binary=True) as cursor:
            cursor.execute(
                'SELECT table_number, source_key, column_name AS "column", before_class, before_raw,'
                " after_class, after_raw, after_packed, reason, edited_by, edited_at"
                " FROM mudanza.quarantine_edit WHERE run = %(run)s"
                " AND coalesce(table_number = %(table)s, true)"
                " AND coalesce(source_key = %(key)s, true) ORDER BY edit",
                {"run": self.run, "table": table, "key": key},
            )
            return cursor.fetchall()

    def edited_values(self) -> dict[RowId, dict[str, SqliteValue]]:
        """The values that hold, of every row of which a person put one in place."""
        values: dict[RowId, dict[str, SqliteValue]] = defaultdict(dict)
        for edit in self.edits():
            (value,) = unpack(edit.after_packed)
            values[edit.table_number, edit.source_key][edit.column] = value
        return values

    def repaired(self, table_number: int) -> dict[bytes, Repaired]:
        """The rows of a table that left the quarantine with such values, by packed key."""
        found = self.connection.execute(
            "SELECT source_key, row FROM mudanza.quarantine_past p"
            " WHERE run = %s AND table_number = %s AND EXISTS (SELECT FROM mudanza.quarantine_edit e"
            " WHERE (e.run, e.table_number, e.source_key) = (p.run, p.table_number, p.source_key))"
            " ORDER BY replay",
            (self.run, table_number),
            binary=True,
        ).fetchall()
        values = self.edited_values() if found else {}
        return {
            bytes(key): Repaired(bytes(row), values[table_number, bytes(key)])  # type: ignore[call-overload]
            for key, row in found
        }


def _bad_cell(
    column: object, storage_class: object, raw: object, rule: object, reason: object
) -> BadCell:
    return BadCell(
        column=str(column),
        storage_class=str(storage_class),
        raw=bytes(raw),  # type: ignore[call-overload]
        rule=str(rule),
        reason=str(reason),
    )


_SELECTED = (
    "mudanza.quarantine q JOIN mudanza.range r USING (run, range) WHERE q.run = %(run)s"
    " AND %(table)s::text IN ('', r.source_name)"
    " AND %(row)s::text IN ('', q.key_shown, encode(q.source_key, 'hex'))"
    " AND (%(reason)s::text IN ('', q.reason) OR EXISTS (SELECT FROM mudanza.quarantine_cell c"
    " WHERE (c.run, c.table_number, c.source_key) = (q.run, q.table_number, q.source_key)"
    " AND c.reason = %(reason)s))"
)
