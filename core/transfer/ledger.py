"""The ledger in the target: every statement about runs lives here.

Functions that take part in a chunk's transaction say so; the others are their
own. The tables are described in ``ledger.sql``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from core.errors import LedgerMissing, LedgerVersion, RunHeld, RunUnknown
from core.plan import Fate, ObjectFate, Plan
from core.server.connection import Connection
from core.transfer.model import (
    ChunkLine,
    Quarantined,
    Range,
    Run,
    Status,
)
from core.transfer.quarantine import Quarantine

VERSION = 1
SCHEMA = "mudanza"

# The advisory lock of a target schema, as a number.
_HOLD = "hashtextextended('mudanza ' || current_database() || ' ' || %s, 0)"
_RUN_COLUMNS = (
    "run, target_schema, source_path, snapshot_path, snapshot_sha256, snapshot_bytes, plan,"
    " plan_document, plan_sha256, status, exit_code, version, started_by, started_at, finished_at"
)


class FenceLost(Exception):
    """The range moved under us: another process committed it. Never shown to people."""


class Ledger:
    """The ledger, through one connection (in autocommit mode)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- the ledger itself

    def exists(self) -> bool:
        """Whether the target has a ledger. Raises LedgerVersion for another version's."""
        row = self._one("SELECT to_regclass('mudanza.ledger') IS NOT NULL")
        if not row[0]:
            return False
        (found,) = self._one("SELECT max(version) FROM mudanza.ledger")
        if found != VERSION:
            raise LedgerVersion(found=found, wanted=VERSION)
        return True

    def require(self, shown: str) -> None:
        """Raise LedgerMissing unless the target, shown as ``shown``, has a ledger."""
        if not self.exists():
            raise LedgerMissing(target=shown)

    def ensure(self) -> None:
        """Make the ledger unless it is there; part of the caller's transaction."""
        if not self.exists():
            sql = resources.files(__package__).joinpath("ledger.sql").read_text(encoding="utf-8")
            self._connection.execute(sql.encode())
            self._connection.execute("INSERT INTO mudanza.ledger (version) VALUES (%s)", (VERSION,))

    # --- runs

    def hold(self, schema: str, *, seconds: float = 10.0) -> None:
        """Hold the target schema for this session, or raise RunHeld.

        A courtesy to other processes: what keeps a chunk from going in twice is the
        compare-and-set of :meth:`checkpoint`. A killed holder's session may live
        for a moment, so it is waited for.
        """
        deadline = self._clock() + seconds
        while True:
            (held,) = self._one(f"SELECT pg_try_advisory_lock({_HOLD})", (schema,))
            if held:
                return
            if self._clock() > deadline:
                run = self.live_run(schema) if self.exists() else None
                raise RunHeld(run=run.run if run else schema, pid=self._holder(schema))
            self._connection.execute("SELECT pg_sleep(0.1)")

    def _clock(self) -> float:
        (seconds,) = self._one("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(str(seconds))

    def _holder(self, schema: str) -> object:
        row = self._connection.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
            f" AND classid = ({_HOLD} >> 32 & 4294967295)::oid"
            f" AND objid = ({_HOLD} & 4294967295)::oid",
            (schema, schema),
        ).fetchone()
        return row[0] if row else None

    def live_run(self, schema: str) -> Run | None:
        """The run that counts for a target schema."""
        return self._run("target_schema = %s AND status <> 'replaced'", schema)

    def run(self, run: UUID) -> Run:
        """One run. Raises RunUnknown."""
        found = self._run("run = %s", run)
        if found is None:
            raise RunUnknown(run=run, target=SCHEMA)
        return found

    def runs(self) -> list[Run]:
        """All runs, the latest first."""
        with self._connection.cursor(row_factory=class_row(Run)) as cursor:
            cursor.execute(
                f"SELECT {_RUN_COLUMNS} FROM mudanza.run ORDER BY started_at DESC".encode()
            )
            return [_typed(run) for run in cursor]

    def begin(self, run: Run, plan: Plan) -> None:
        """Write a new run, its ranges and its objects; part of the caller's transaction."""
        values = ", ".join(["%s"] * 13)
        self._connection.execute(
            "INSERT INTO mudanza.run (run, target_schema, source_path, snapshot_path,"
            " snapshot_sha256, snapshot_bytes, plan, plan_document, plan_sha256, status,"
            f" exit_code, version, started_by) VALUES ({values})".encode(),
            (
                run.run,
                run.target_schema,
                run.source_path,
                run.snapshot_path,
                run.snapshot_sha256,
                run.snapshot_bytes,
                run.plan,
                run.plan_document,
                run.plan_sha256,
                run.status.value,
                run.exit_code,
                run.version,
                run.started_by,
            ),
        )
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO mudanza.range (run, range, table_number, source_name, target_name)"
                " VALUES (%s, %s, %s, %s, %s)",
                [(run.run, t.number, t.number, t.name, t.target) for t in plan.tables],
            )
        built = [(build.fate, "planned") for build in plan.builds]
        decided = [(fate, fate.fate.value) for fate in plan.objects]
        self._write_objects(run.run, [*built, *decided])

    def set_status(self, run: UUID, status: Status, exit_code: int | None = None) -> None:
        """Move a run on; a complete one has its end and its exit code."""
        self._connection.execute(
            "UPDATE mudanza.run SET status = %s, exit_code = %s, finished_at ="
            " CASE WHEN %s = 'complete' THEN clock_timestamp() ELSE finished_at END WHERE run = %s",
            (status.value, exit_code, status.value, run),
        )

    def seconds(self, run: UUID) -> float:
        """Seconds from a run's start to its end, or to now."""
        row = self._one(
            "SELECT extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at)::float8"
            " FROM mudanza.run WHERE run = %s",
            (run,),
        )
        return float(str(row[0]))

    # --- ranges and chunks

    def ranges(self, run: UUID) -> list[Range]:
        """The ranges of a run, in order."""
        with self._connection.cursor(row_factory=class_row(Range)) as cursor:
            cursor.execute(
                "SELECT range, table_number, source_name, target_name, done_to, finished, chunks,"
                " rows_read, rows_written, rows_quarantined,"
                " coalesce(extract(epoch FROM finished_at - started_at), 0)::float8 AS seconds"
                " FROM mudanza.range WHERE run = %s ORDER BY range",
                (run,),
            )
            return cursor.fetchall()

    def checkpoint(
        self, run: UUID, range_: int, line: ChunkLine, quarantined: Sequence[Quarantined]
    ) -> None:
        """Write a chunk's line, its quarantined rows and the new watermark; part of the
        transaction that wrote its rows.

        The last statement is the fence: it compares the watermark it moves. Raises
        FenceLost when another process moved it first; the caller rolls back.
        """
        self.quarantine(run).add(range_, quarantined)
        self._connection.execute(
            "INSERT INTO mudanza.chunk (run, range, chunk, lo, hi, rows_read, rows_written,"
            " rows_quarantined, bytes) SELECT run, range, chunks + 1, %s, %s, %s, %s, %s, %s"
            " FROM mudanza.range WHERE run = %s AND range = %s",
            (
                line.lo,
                line.hi,
                line.rows_read,
                line.rows_written,
                len(quarantined),
                line.bytes,
                run,
                range_,
            ),
        )
        moved = self._connection.execute(
            "UPDATE mudanza.range SET done_to = coalesce(%s, done_to), chunks = chunks + 1,"
            " rows_read = rows_read + %s, rows_written = rows_written + %s,"
            " rows_quarantined = rows_quarantined + %s, finished = %s,"
            " started_at = coalesce(started_at, now()),"
            " finished_at = CASE WHEN %s THEN clock_timestamp() END"
            " WHERE run = %s AND range = %s AND NOT finished AND done_to IS NOT DISTINCT FROM %s",
            (
                line.hi,
                line.rows_read,
                line.rows_written,
                len(quarantined),
                line.last,
                line.last,
                run,
                range_,
                line.lo,
            ),
        )
        if moved.rowcount != 1:
            raise FenceLost

    def quarantine(self, run: UUID) -> Quarantine:
        """The quarantine of a run."""
        return Quarantine(self._connection, run)

    # --- objects

    def unbuilt(self, run: UUID) -> set[int]:
        """Numbers of the builds that have no fate yet (the first build is 1)."""
        found = self._connection.execute(
            "SELECT object FROM mudanza.object WHERE run = %s AND fate = 'planned'", (run,)
        )
        return {int(str(number)) for (number,) in found}

    def set_fate(
        self,
        run: UUID,
        number: int,
        fate: ObjectFate,
        *,
        seconds: float,
        sqlstate: str | None = None,
    ) -> None:
        """Record what became of a build; part of the transaction that made it."""
        self._connection.execute(
            "UPDATE mudanza.object SET fate = %s, reason = %s, facts = %s, counts = %s,"
            " seconds = %s, sqlstate = %s WHERE run = %s AND object = %s",
            (
                fate.fate.value,
                fate.reason,
                json.dumps(fate.facts),
                fate.counts,
                seconds,
                sqlstate,
                run,
                number,
            ),
        )

    def objects(self, run: UUID) -> tuple[ObjectFate, ...]:
        """Every object of a run that has its fate."""
        return tuple(self._fates(run).values())

    def build_fates(self, run: UUID, builds: int) -> dict[int, ObjectFate]:
        """The fates of a run's builds, by number; ``builds`` is how many it has."""
        return {number: fate for number, fate in self._fates(run).items() if number <= builds}

    def _fates(self, run: UUID) -> dict[int, ObjectFate]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(
                'SELECT object, kind, name, table_name AS "table", fate, reason, facts, counts,'
                " original FROM mudanza.object WHERE run = %s AND fate <> 'planned' ORDER BY object",
                (run,),
            )
            return {row.pop("object"): _fate(row) for row in cursor}

    def _write_objects(self, run: UUID, fates: Iterable[tuple[ObjectFate, str]]) -> None:
        rows = [
            (
                run,
                number,
                o.kind,
                o.name,
                o.table,
                fate,
                o.reason,
                json.dumps(o.facts),
                o.counts,
                o.original,
            )
            for number, (o, fate) in enumerate(fates, start=1)
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO mudanza.object (run, object, kind, name, table_name, fate, reason,"
                " facts, counts, original) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                rows,
            )

    # --- plumbing

    def _run(self, condition: str, value: object) -> Run | None:
        with self._connection.cursor(row_factory=class_row(Run)) as cursor:
            cursor.execute(
                f"SELECT {_RUN_COLUMNS} FROM mudanza.run WHERE {condition}".encode(), (value,)
            )
            found = cursor.fetchone()
        return None if found is None else _typed(found)

    def _one(self, sql: str, parameters: Sequence[object] = ()) -> tuple[object, ...]:
        row = self._connection.execute(sql.encode(), parameters or None).fetchone()
        assert row is not None
        return row


def _fate(row: dict[str, Any]) -> ObjectFate:
    typed = {"fate": Fate(row["fate"]), "facts": json.loads(row["facts"])}
    return ObjectFate(**(row | typed))


def _typed(run: Run) -> Run:
    """The run with its status as a value: the driver hands it over as text."""
    return replace(run, status=Status(run.status))
