"""The ledger in the target: what a run is, what it is made of, what became of it.

Functions that take part in a caller's transaction say so; the others are their own.
The tables are described in ``ledger.sql``. What members do to it is in
:mod:`core.transfer.claims`, what a coordinator does in :mod:`core.transfer.lease`, how
a run gets on is read in :mod:`core.transfer.standing`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import resources
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

from psycopg.rows import class_row, dict_row

from core.errors import LedgerMissing, LedgerVersion, RunCancelled, RunHeld, RunUnknown
from core.plan import Fate, ObjectFate, Plan
from core.server.connection import Connection
from core.source.rows import Row
from core.transfer.model import Bounds, Orders, Range, Run, Step
from core.transfer.quarantine import Quarantine
from core.transfer.states import ARROWS, Status
from core.values.storage import pack

VERSION = 4
SCHEMA = "mudanza"

# The advisory lock of a target schema, as a number.
_HOLD = "hashtextextended('mudanza ' || current_database() || ' ' || %s, 0)"
_RUN_COLUMNS = (
    "run, target_schema, source_path, snapshot_path, snapshot_sha256, snapshot_bytes, plan,"
    " plan_document, plan_sha256, status, exit_code, version, started_by, started_at, finished_at"
)

_STEP_COLUMNS = "s.to_status, a.reason, s.detail, s.gone_by, s.gone_at"


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
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO mudanza.arrow (from_status, to_status, reason) VALUES (%s, %s, %s)",
                    [(a.start or "", a.end, a.reason) for a in ARROWS],
                )

    # --- runs

    def hold(self, schema: str, *, seconds: float = 10.0) -> None:
        """Hold the target schema for this session while a run is begun, or raise RunHeld.

        A courtesy: two processes that begin at once need not both copy and scan the
        source. A killed holder's session may live for a moment, so it is waited for.
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
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
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

    def cancelled(self, run: UUID) -> RunCancelled:
        """The error that says of a cancelled run who did it."""
        return RunCancelled(run=run, by=self.steps(run)[-1].by)

    def begin(
        self,
        run: Run,
        plan: Plan,
        bounds: Bounds,
        cuts: Mapping[str, Sequence[Row]],
        collisions: Mapping[int, Iterable[bytes]],
    ) -> None:
        """Write a new run with all it will need; part of the caller's transaction.

        ``cuts``: by source table, the keys after which a new range begins.
        ``collisions``: by table number, the packed keys that stand aside.
        """
        values = ", ".join(["%s"] * 15)
        self._connection.execute(
            "INSERT INTO mudanza.run (run, target_schema, source_path, snapshot_path,"
            " snapshot_sha256, snapshot_bytes, plan, plan_document, plan_sha256, status,"
            f" exit_code, version, started_by, chunk_rows, chunk_bytes) VALUES ({values})".encode(),
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
                bounds.rows,
                bounds.bytes,
            ),
        )
        self.write_step(run.run, None, run.status, by=run.started_by)
        self._write_ranges(run.run, plan, cuts)
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO mudanza.collision (run, table_number, source_key) VALUES (%s, %s, %s)",
                [(run.run, table, key) for table, keys in collisions.items() for key in keys],
            )
        built = [(build.fate, "planned") for build in plan.builds]
        decided = [(fate, fate.fate.value) for fate in plan.objects]
        self._write_objects(run.run, [*built, *decided])

    def _write_ranges(self, run: UUID, plan: Plan, cuts: Mapping[str, Sequence[Row]]) -> None:
        rows: list[tuple[object, ...]] = []
        for table in plan.tables:
            edges = [None, *map(pack, cuts.get(table.name, ())), None]
            for lo, hi in pairwise(edges):
                named = (table.number, table.rows, table.name, table.target)
                rows.append((run, len(rows) + 1, *named, lo, hi, lo))
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO mudanza.range (run, range, table_number, table_rows, source_name,"
                " target_name, lo, hi, done_to) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                rows,
            )

    def write_step(
        self, run: UUID, start: Status | None, end: Status, *, by: str, detail: str = ""
    ) -> None:
        """Write a step of a run's history; part of the transaction that moves the run."""
        self._connection.execute(
            "INSERT INTO mudanza.step (run, step, from_status, to_status, detail, gone_by)"
            " SELECT %s, coalesce(max(step), 0) + 1, %s, %s, %s, %s"
            " FROM mudanza.step WHERE run = %s",
            (run, start or "", end, detail, by, run),
        )

    def steps(self, run: UUID) -> list[Step]:
        """The history of a run, from its beginning."""
        found = self._connection.execute(
            f"SELECT {_STEP_COLUMNS} FROM mudanza.step s"
            " JOIN mudanza.arrow a USING (from_status, to_status) WHERE run = %s ORDER BY step".encode(),
            (run,),
        )
        return [_step(*columns) for columns in found]

    def last_steps(self) -> dict[UUID, Step]:
        """The last step of each run."""
        found = self._connection.execute(
            f"SELECT DISTINCT ON (run) {_STEP_COLUMNS}, run FROM mudanza.step s"
            " JOIN mudanza.arrow a USING (from_status, to_status) ORDER BY run, step DESC".encode()
        )
        return {UUID(str(run)): _step(*columns) for *columns, run in found}

    def orders(self, run: UUID) -> Orders:
        """How the run is to go on. A plain read: it waits for nobody. Raises RunUnknown."""
        row = self._connection.execute(
            "SELECT status, chunk_rows, chunk_bytes, rows_per_second, load_max,"
            " (SELECT count(*) FROM mudanza.member m WHERE m.run = r.run AND copies"
            " AND left_at IS NULL) FROM mudanza.run r WHERE run = %s",
            (run,),
        ).fetchone()
        if row is None:
            raise RunUnknown(run=run, target=SCHEMA)
        status, rows, size, pace, load, copiers = row
        return Orders(
            status=Status(str(status)),
            bounds=Bounds(rows=int(str(rows)), bytes=int(str(size))),
            rows_per_second=None if pace is None else float(str(pace)),
            load_max=None if load is None else int(str(load)),
            copiers=int(str(copiers)),
        )

    def seconds(self, run: UUID) -> float:
        """Seconds from a run's start to its end, or to now."""
        row = self._one(
            "SELECT extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at)::float8"
            " FROM mudanza.run WHERE run = %s",
            (run,),
        )
        return float(str(row[0]))

    # --- ranges, collisions, quarantine

    def ranges(self, run: UUID) -> list[Range]:
        """The ranges of a run, in order."""
        with self._connection.cursor(row_factory=class_row(Range)) as cursor:
            cursor.execute(
                "SELECT range, table_number, source_name, target_name, lo, hi, done_to, finished, chunks,"
                " rows_read, rows_written, rows_quarantined,"
                " coalesce(extract(epoch FROM finished_at - started_at), 0)::float8 AS seconds"
                " FROM mudanza.range WHERE run = %s ORDER BY range",
                (run,),
            )
            return cursor.fetchall()

    def collisions(self, run: UUID, table_number: int) -> frozenset[bytes]:
        """The packed keys of a table's rows that stand aside for an earlier one."""
        found = self._connection.execute(
            "SELECT source_key FROM mudanza.collision WHERE run = %s AND table_number = %s",
            (run, table_number),
            binary=True,
        )
        return frozenset(bytes(key) for (key,) in found)  # type: ignore[call-overload]

    def quarantine(self, run: UUID) -> Quarantine:
        """The quarantine of a run."""
        return Quarantine(self._connection, run)

    # --- objects

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

    def _one(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> tuple[object, ...]:
        row = self._connection.execute(sql.encode(), parameters or None).fetchone()
        assert row is not None
        return row


def _fate(row: dict[str, Any]) -> ObjectFate:
    typed = {"fate": Fate(row["fate"]), "facts": json.loads(row["facts"])}
    return ObjectFate(**(row | typed))


def _step(status: object, reason: object, detail: object, by: object, at: object) -> Step:
    return Step(
        status=Status(str(status)),
        reason=str(reason),
        detail=str(detail),
        by=str(by),
        at=cast(datetime, at),
    )


def _typed(run: Run) -> Run:
    """The run with its status as a value: the driver hands it over as text."""
    return replace(run, status=Status(run.status))
