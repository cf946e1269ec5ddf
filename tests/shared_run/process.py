"""A process that takes part in a run: ``python -m tests.shared_run.process``.

Its errand is a line of JSON on standard input. It says how it ended in a line of JSON
on standard output: the status it reports, or the id of the error that stopped it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from core.errors import MudanzaError
from core.failpoints import arm
from core.server.connection import connect, parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.engine import Party, carry_on
from core.transfer.events import ChunkCommitted, Event, Tell
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Limits, RunReport


def main() -> None:
    arm(os.environ.get("MUDANZA_FAIL", ""))
    errand = json.loads(sys.stdin.readline())

    def slowly(event: Event) -> None:
        if isinstance(event, ChunkCommitted):
            time.sleep(errand["pause"])

    try:
        said = {"status": _takes_part(errand, slowly).status}
    except MudanzaError as stopped:
        said = {"error": stopped.id}
    sys.stdout.write(json.dumps(said) + "\n")


def _takes_part(errand: dict[str, Any], tell: Tell) -> RunReport:
    """Begin the run or join it; where its snapshot was shipped to, join it from there."""
    target, limits = parse_target(errand["target"]), Limits(**errand["limits"])
    if "snapshot" not in errand:
        request = Request(
            source=inspect(Path(errand["source"])),
            target=target,
            home=Path(errand["home"]),
            bounds=Bounds(rows=errand["chunk_rows"]),
            limits=limits,
        )
        return migrate(request, tell)
    with connect(target, autocommit=True) as connection:
        run = Ledger(connection).run(UUID(errand["run"]))
    snapshot = Path(errand["snapshot"])
    return carry_on(
        Party(target=target, run=run, snapshot=snapshot, workers=1, limits=limits),
        tell,
        resumed=True,
    )


if __name__ == "__main__":
    main()
