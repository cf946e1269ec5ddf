"""What a run leaves behind, less what may differ from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from core.plan import from_json
from core.plan.ddl import column_list, qualified
from core.plan.model import Plan
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import RunReport, Way

_RANGES = (
    "SELECT r.source_name, r.lo, r.hi, r.done_to, r.finished, r.rows_read, r.rows_written,"
    " r.rows_quarantined, (SELECT sum(c.bytes) FROM mudanza.chunk c"
    " WHERE c.run = r.run AND c.range = r.range)"
    " FROM mudanza.range r WHERE r.run = %s ORDER BY r.range"
)
_ASIDE = (
    "SELECT table_number, source_key, key_shown, reason, detail, row FROM mudanza.quarantine"
    " WHERE run = %s ORDER BY table_number, source_key"
)
_CELLS = (
    "SELECT table_number, source_key, column_name, storage_class, raw, rule, reason"
    " FROM mudanza.quarantine_cell WHERE run = %s ORDER BY 1, 2, 3"
)
_OBJECTS = (
    "SELECT kind, name, table_name, fate, reason, facts, counts, sqlstate FROM mudanza.object"
    " WHERE run = %s ORDER BY object"
)
_PATHS = (
    "SELECT r.source_name, c.path, sum(c.rows_read)::int FROM mudanza.chunk c"
    " JOIN mudanza.range r USING (run, range) WHERE c.run = %s GROUP BY 1, 2"
)

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Left:
    """The ledger of a run and the rows that it brought, table by table in one order."""

    exit_code: int
    ranges: Rows
    aside: Rows
    cells: Rows
    objects: Rows
    rows: dict[str, list[bytes]]


def run(source: Path, database: str, home: Path, way: Way, **more: Any) -> RunReport:
    """Carry the source anew."""
    target = parse_target(database)
    request = Request(
        source=inspect(source), target=target, home=home, way=way, replace=True, **more
    )
    return migrate(request)


def left_by(report: RunReport, database: str) -> Left:
    """What the run left in its target."""
    with psycopg.connect(database) as connection:
        plan = from_json(Plan, Ledger(connection).run(report.run).plan)
        ranges, aside, cells, objects = (
            connection.execute(sql.encode(), (report.run,)).fetchall()
            for sql in (_RANGES, _ASIDE, _CELLS, _OBJECTS)
        )
        rows = {table.name: _tuples(connection, plan.schema, table) for table in plan.tables}
    return Left(report.exit_code, ranges, aside, cells, objects, rows)


def paths(report: RunReport, database: str) -> dict[tuple[str, str], int]:
    """How many rows of each table went which path."""
    with psycopg.connect(database) as connection:
        found = connection.execute(_PATHS.encode(), (report.run,)).fetchall()
    return {(table, path): rows for table, path, rows in found}


def _tuples(connection: psycopg.Connection, schema: str, table: Any) -> list[bytes]:
    """The table's rows as the server encodes them, sorted."""
    name = qualified(schema, table.target)
    copy_out = f"COPY (SELECT {column_list(table)} FROM {name}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(copy_out.encode()) as copy:
        return sorted(bytes(message) for message in copy)
