"""Sources to carry, runs that break off, and what must hold of a ledger at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import psycopg

from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.events import ChunkCommitted, Event
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, RunReport, TableReport
from core.verify import parity


class BrokenOff(Exception):
    """The process that was at work is gone."""


def source_of(path: Path, sql: str, rows: dict[str, Sequence[Sequence[Any]]] | None = None) -> Path:
    """A database made by ``sql``, with ``rows`` by table."""
    connection = apsw.Connection(str(path))
    with connection:
        connection.execute(sql)
        for table, values in (rows or {}).items():
            marks = ", ".join("?" * len(values[0])) if values else ""
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    connection.close()
    return path


def asked(source: Path, database: str, home: Path, **more: Any) -> Request:
    more.setdefault("bounds", Bounds(rows=3))
    return Request(source=inspect(source), target=parse_target(database), home=home, **more)


def break_off(request: Request, *, after: int) -> list[Event]:
    """Run until ``after`` events have been told, then vanish; the events that came."""
    told: list[Event] = []

    def tell(event: Event) -> None:
        told.append(event)
        if len(told) > after:
            raise BrokenOff

    try:
        migrate(request, tell)
    except BrokenOff:
        return told
    raise AssertionError(f"complete after {len(told)} events")


def interrupted(request: Request, *, chunks: int) -> None:
    """Leave a run unfinished, with some chunks committed."""
    seen = 0

    def tell(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, ChunkCommitted)
        if seen >= chunks:
            raise BrokenOff

    try:
        migrate(request, tell)
    except BrokenOff:
        return
    raise AssertionError(f"complete after {seen} chunks")


def table(report: RunReport, name: str) -> TableReport:
    return next(t for t in report.tables if t.name == name)


def prove(source: Path, database: str, home: Path, **more: Any) -> None:
    """Both sides are equal in everything, and the ledger's sums are right."""
    request = parity.Request(
        source=inspect(source), target=parse_target(database), home=home, reveal=True, **more
    )
    proof = parity.verify(request)
    assert proof.parity, proof
    check_ledger(database)


def check_ledger(database: str) -> None:
    """Chunks are contiguous and add up to their range, ranges to target and quarantine."""
    with psycopg.connect(database) as connection:
        for check in (_GAPS, _ENDS, _EDGES, _NUMBERS, _SUMS, _ASIDE, _ROWS_OF_CHUNK):
            assert connection.execute(check.encode()).fetchall() == [], check
        for run, schema, name, wanted in connection.execute(_TARGETS).fetchall():
            found = connection.execute(
                psycopg.sql.SQL("SELECT count(*) FROM {}").format(
                    psycopg.sql.Identifier(str(schema), str(name))
                )
            ).fetchone()
            assert found == (wanted,), (run, name)


# Each chunk begins where the one before ended, the first where its range does.
_GAPS = (
    "SELECT * FROM (SELECT c.lo, lag(coalesce(c.hi, c.lo), 1, r.lo) OVER (PARTITION BY run, range ORDER BY chunk)"
    " AS before FROM mudanza.chunk c JOIN mudanza.range r USING (run, range)) c"
    " WHERE lo IS DISTINCT FROM before"
)
# The watermark stands where the last chunk ended, in the end where the range does.
_ENDS = (
    "SELECT * FROM mudanza.range r WHERE done_to IS DISTINCT FROM coalesce((SELECT hi"
    " FROM mudanza.chunk c WHERE c.run = r.run AND c.range = r.range AND hi IS NOT NULL"
    " ORDER BY chunk DESC LIMIT 1), lo) OR (finished AND hi IS NOT NULL AND hi <> done_to)"
)
# Ranges lie side by side and leave no key out.
_EDGES = (
    "SELECT * FROM (SELECT lo, hi, lag(hi) OVER w AS before, lead(lo) OVER w AS after,"
    " row_number() OVER w AS n, count(*) OVER (PARTITION BY run, table_number) AS of"
    " FROM mudanza.range WINDOW w AS (PARTITION BY run, table_number ORDER BY range)) r"
    " WHERE lo IS DISTINCT FROM before OR hi IS DISTINCT FROM after"
    " OR (lo IS NULL) <> (n = 1) OR (hi IS NULL) <> (n = of)"
)
_NUMBERS = (
    "SELECT r.run FROM mudanza.range r LEFT JOIN mudanza.chunk c USING (run, range)"
    " GROUP BY r.run, r.range, r.chunks HAVING count(c.chunk) <> r.chunks"
    " OR coalesce(max(c.chunk), 0) <> r.chunks"
)
_SUMS = (
    "SELECT * FROM (SELECT r.rows_read AS a, r.rows_written AS b, r.rows_quarantined AS c,"
    " coalesce(sum(k.rows_read), 0) AS x, coalesce(sum(k.rows_written), 0) AS y,"
    " coalesce(sum(k.rows_quarantined), 0) AS z FROM mudanza.range r"
    " LEFT JOIN mudanza.chunk k USING (run, range) GROUP BY r.run, r.range) s"
    " WHERE (a, b, c) IS DISTINCT FROM (x, y, z)"
)
_ASIDE = (
    "SELECT * FROM (SELECT sum(r.rows_quarantined) AS a, (SELECT count(*) FROM mudanza.quarantine q"
    " WHERE (q.run, q.table_number) = (r.run, r.table_number)) AS b FROM mudanza.range r"
    " GROUP BY r.run, r.table_number) s WHERE a <> b"
)
_ROWS_OF_CHUNK = "SELECT * FROM mudanza.chunk WHERE rows_read <> rows_written + rows_quarantined"
_TARGETS = (
    "SELECT run, target_schema, target_name, sum(rows_written) FROM mudanza.range"
    " JOIN mudanza.run USING (run) WHERE status <> 'replaced' GROUP BY 1, 2, 3"
)
