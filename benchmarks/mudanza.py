"""Mudanza itself: a migration end to end, its phases, and the proof afterwards."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.process import Failed, Ran, run
from benchmarks.results import Share, Taken
from benchmarks.server import Server
from core.plan import Plan, from_json
from core.server.connection import Connection
from core.transfer.ledger import Ledger
from core.transfer.model import EXIT_DONE, EXIT_PARTIAL, Run

PHASES = ("snapshot", "check", "census")
"""Phases that only the command's own document knows; the others are read in the ledger."""


@dataclass(frozen=True, kw_only=True)
class Mudanza:
    """The command, as people run it, against one source and one server."""

    source: Path
    home: Path
    server: Server

    def migrate_command(self) -> list[str]:
        """The migration that is measured."""
        return [*_COMMAND, "migrate", str(self.source), "--target", self.server.url, "--json"]

    def verify_command(self, level: str) -> list[str]:
        """The proof that is measured."""
        words = [*_COMMAND, "verify", str(self.source), "--target", self.server.url]
        return [*words, "--level", level, "--json"]

    def migrate(self) -> tuple[Ran, dict[str, Any]]:
        """Run it, and what it says of itself."""
        for snapshot in (self.home / "snapshots").glob("*"):
            snapshot.unlink()  # of the round before
        ran = run(self.migrate_command(), self._environment, accepted=(EXIT_DONE, EXIT_PARTIAL))
        return ran, json.loads(ran.out)

    def verify(self, level: str) -> tuple[Ran, dict[str, Any]]:
        """Prove what was migrated last. Raises Failed when both sides are not equal."""
        ran = run(self.verify_command(level), self._environment)
        found = json.loads(ran.out)
        if not found["parity"]:
            raise Failed("both sides differ")
        return ran, found

    @property
    def _environment(self) -> dict[str, str]:
        own = {"MUDANZA_HOME": str(self.home), "MUDANZA_LANG": "en", "MUDANZA_FAIL": ""}
        return self.server.environment | own


_COMMAND = (sys.executable, "-m", "core.cli.main")


def run_and_plan(connection: Connection) -> tuple[Run, Plan]:
    """The run that the ledger of the target tells of, and its plan."""
    found = Ledger(connection).live_run("public")
    if found is None:
        raise Failed("the target has no run")
    return found, from_json(Plan, found.plan)


def taken_of(ran: Ran, said: dict[str, Any], connection: Connection) -> Iterator[Taken]:
    """The measures of one migration: the process, then its phases."""
    rows = sum(table["rows_source"] for table in said["tables"])
    yield Taken(name="mudanza", seconds=ran.seconds, rows=rows, rss=ran.rss, pss=ran.pss)
    phases = said.get("phases") or {}
    for phase in PHASES:
        if phases.get(phase) is not None:
            counted = rows if phase == "census" else 0
            yield Taken(name=f"mudanza.{phase}", seconds=float(phases[phase]), rows=counted)
    # Statistics and the last count of rows come after what the ceilings do.
    settle = float(phases.get("settle") or 0.0)
    yield Taken(name="mudanza.built", seconds=ran.seconds - settle, rows=rows)
    copy, constraints = _phases_in_ledger(connection)
    yield Taken(name="mudanza.copy", seconds=copy, rows=rows)
    yield Taken(name="mudanza.constraints", seconds=constraints - settle)


def proof_of(ran: Ran, said: dict[str, Any], level: str) -> Iterator[Taken]:
    """The measures of one verification: its own seconds, and the process around them."""
    rows = sum(table["rows_source"] for table in said["tables"])
    yield Taken(name=f"verify.{level}", seconds=float(said["seconds"]), rows=rows)
    memory = {"rss": ran.rss, "pss": ran.pss}
    yield Taken(name=f"verify.{level}.process", seconds=ran.seconds, **memory)


def shares(connection: Connection) -> tuple[Share, ...]:
    """How many rows of each table went the Arrow path, as the ledger's chunks say."""
    known = connection.execute(_HAS_PATH).fetchone() is not None
    found = connection.execute(_SHARES if known else _ROWS).fetchall()
    return tuple(
        Share(
            table=str(name), rows=int(str(rows)), arrow=None if arrow is None else int(str(arrow))
        )
        for name, rows, arrow in found
    )


def _phases_in_ledger(connection: Connection) -> tuple[float, float]:
    """Seconds from the first range's begin to the last one's end, and from there to the
    end of the run: what is built while rows are still copied lies in the first."""
    row = connection.execute(_LEDGER_PHASES).fetchone()
    if row is None:
        raise Failed("the ledger has no finished run")
    return float(str(row[0])), float(str(row[1]))


_LEDGER_PHASES = """
SELECT extract(epoch FROM max(g.finished_at) - min(g.started_at))::float8,
       extract(epoch FROM r.finished_at - max(g.finished_at))::float8
FROM mudanza.run r JOIN mudanza.range g USING (run)
WHERE r.status = 'complete' GROUP BY r.run
"""

_HAS_PATH = """
SELECT 1 FROM pg_attribute
WHERE attrelid = 'mudanza.chunk'::regclass AND attname = 'path' AND NOT attisdropped
"""

_SHARES = """
SELECT g.source_name, coalesce(sum(c.rows_read), 0),
       coalesce(sum(c.rows_read) FILTER (WHERE c.path = 'arrow'), 0)
FROM mudanza.range g LEFT JOIN mudanza.chunk c USING (run, range)
GROUP BY g.table_number, g.source_name ORDER BY g.table_number
"""

_ROWS = """
SELECT source_name, sum(rows_read), NULL
FROM mudanza.range GROUP BY table_number, source_name ORDER BY table_number
"""
