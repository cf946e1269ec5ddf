"""Whether the rows that are in the target bear a changed plan, and the column's new type.

By the rule alone, where it only takes more than before; else each row of the snapshot is
asked. Another type is given only where every value that is there stays what it is.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from core.errors import RuleChangesRows, TypeNotCastable
from core.plan.amend import Change, cast
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.source.rows import quoted, scan
from core.source.snapshot import verify_snapshot
from core.transfer.build import concerns_object
from core.transfer.prepare import snapshot_connection
from core.transfer.resting import Resting
from core.values.exact import converter
from core.values.storage import pack


def require_borne(resting: Resting, change: Change) -> None:
    """Raise RuleChangesRows where a row that is in the target would be another by the new
    rule, SnapshotLost where only the snapshot could tell, TypeNotCastable."""
    if change.is_retyped:
        if cast(change) is None:
            raise _not_castable(change, "")
    elif not change.extends and (rows := _changed_rows(resting, change)):
        raise _changing(change, rows)


def retype(connection: Connection, schema: str, change: Change) -> None:
    """Give the target's column its new type, in the caller's transaction. Raises
    RuleChangesRows and TypeNotCastable."""
    found = cast(change)
    assert found is not None
    table, column = qualified(schema, change.table.target), quoted(change.column.target)
    try:
        with connection.transaction():
            counted = connection.execute(
                f"SELECT count(*) FROM {table} WHERE {found.changes}".encode()
            ).fetchone()
            if counted and counted[0]:
                raise _changing(change, counted[0])
            connection.execute(
                f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {change.conversion.type.sql}"
                f" USING {found.using}".encode()
            )
    except psycopg.Error as refused:
        if not concerns_object(refused):
            raise
        raise _not_castable(change, refused.diag.message_primary or "") from refused


def _changed_rows(resting: Resting, change: Change) -> int:
    """How many rows of the target would be others."""
    table, run, quarantine = change.table, resting.run, resting.quarantine
    before = converter(change.column.conversion, table.source.encoding)
    after = converter(change.conversion, table.source.encoding)
    place, number = table.columns.index(change.column), table.number
    aside, edited = quarantine.rows(number), quarantine.edited_values()
    path = Path(run.snapshot_path)
    verify_snapshot(path, run.snapshot_sha256, run=str(run.run))
    rows = 0
    with snapshot_connection(path, run=str(run.run)) as snapshot:
        for chunk in scan(snapshot, table.source):
            for key, row in zip(map(pack, chunk.keys), chunk.rows, strict=True):
                if key in aside:
                    continue
                value = edited.get((number, key), {}).get(change.column.source, row[place])
                rows += before(value) != after(value)
    return rows


def _changing(change: Change, rows: object) -> RuleChangesRows:
    was, now = change.column, change.conversion
    return RuleChangesRows(
        column=change.name,
        was=f"{was.type.sql}, {was.rule}",
        now=f"{now.type.sql}, {now.rule}",
        rule=was.rule,
        rows=rows,
    )


def _not_castable(change: Change, detail: str) -> TypeNotCastable:
    was, now = change.column.type.sql, change.conversion.type.sql
    return TypeNotCastable(column=change.name, was=was, now=now, detail=detail or "-")
