"""A process that migrates one file after another, and says in one line how each ended.

It reads ``{"path", "database", "home"}`` a line; it may crash or hang: its parent counts that.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.scoreboard.comparer import Listed, Listing, judge
from core.errors import MudanzaError
from core.plan import Fate
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import RunReport
from core.transfer.quarantine import Quarantine
from core.words import say


def visit(path: Path, database: str, home: Path) -> dict[str, Any]:
    """How the migration of one file ended, and what the judge finds in the target."""
    try:
        target = parse_target(database)
        report = migrate(Request(source=inspect(path), target=target, home=home, replace=True))
    except MudanzaError as refused:
        said = say(refused.sentence_id, "en", **refused.facts)
        return {"end": "refused", "id": refused.id, "exit": refused.exit_code, "said": said[:200]}
    except Exception:  # noqa: BLE001  # that is what is looked for
        return {"end": "traceback", "text": traceback.format_exc()[-2500:]}
    return {"end": "copied", "exit": report.exit_code} | _judged(path, database, home, report)


def _judged(path: Path, database: str, home: Path, report: RunReport) -> dict[str, Any]:
    try:
        verdict = judge(path, database, _listing(database, report), home)
    except Exception:  # noqa: BLE001  # the judge's own weakness is to be told from ours
        return {"judge": traceback.format_exc()[-1500:]}
    defects = [f"{d.table}: {d.what} ({d.detail})"[:200] for d in verdict.defects]
    rows = verdict.rows
    return {
        "rows": rows.source,
        "defects": defects,
        "honest": verdict.is_honest,
        "silent": bool(rows.damaged + rows.lost + rows.appeared),
    }


def _listing(database: str, report: RunReport) -> Listing:
    with psycopg.connect(database, autocommit=True) as connection:
        rejected: dict[str, tuple[str, ...]] = {}
        for entry in Quarantine(connection, report.run).entries(limit=1_000_000):
            rejected[entry.table] = (*rejected.get(entry.table, ()), entry.key)
    return Listing(
        exit_code=report.exit_code,
        objects=tuple(
            Listed(
                kind=o.kind, name=o.name, table=o.table, reason=o.reason, rewritten=o.fate is Fate.REWRITTEN
            )
            for o in report.objects
            if o.fate is not Fate.CARRIED
        ),
        rejected=rejected,
        tables={t.name: t.target for t in report.tables},
        columns={
            (o.table, o.name.removeprefix(f"{o.table}.")): o.facts["target"]
            for o in report.objects
            if o.kind == "column" and o.reason == "renamed"
        },
    )  # fmt: skip


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        found = visit(Path(asked["path"]), asked["database"], Path(asked["home"]))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
