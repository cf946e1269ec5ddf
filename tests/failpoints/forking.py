"""Many short lives of a run, each a process of its own that may be killed.

A child forked from a process that has everything imported lives a tenth of a second;
one started anew spends more than that on its imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_FORKER = """
import json, os, sys
from pathlib import Path
from uuid import UUID
from core.errors import MudanzaError
from core.plan import Choices, ColumnChoice, TableChoice
from core.transfer.replay import ReplayRequest, replay
from core.transfer.steering import Place
from core.values.types import Conversion, parse_type
from core.failpoints import FailpointFired, arm
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Limits

def live(fail, source, target, home, rows):
    arm(fail)
    request = Request(source=inspect(Path(source)), target=parse_target(target), home=Path(home),
                      bounds=Bounds(rows=rows), limits=Limits(lease=5))
    try:
        return migrate(request).exit_code
    except FailpointFired:
        return 99

def mend(fail, target, run, table, column, kind, rule):
    arm(fail)
    choice = ColumnChoice(conversion=Conversion(parse_type(kind), rule))
    choices = Choices(tables={table: TableChoice(columns={column: choice})})
    place = Place(target=parse_target(target), run=UUID(run), limits=Limits(lease=5))
    try:
        return replay(ReplayRequest(place=place, choices=choices)).exit_code
    except FailpointFired:
        return 99

for line in sys.stdin:
    child = os.fork()
    if not child:
        code = 98
        try:
            what, *order = json.loads(line)
            code = {"live": live, "mend": mend}[what](*order)
        except MudanzaError as stopped:
            print(repr(stopped), file=sys.stderr)
            code = 97
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""

FIRED = 99


class Lives:
    """Starts one life after the other."""

    def __init__(self, forker: subprocess.Popen[str]) -> None:
        self._forker = forker

    def live(self, fail: str, source: Path, target: str, home: Path, *, rows: int) -> int:
        """How a life ended: its exit code, FIRED for a raised failpoint, minus the signal."""
        return self._order("live", fail, str(source), target, str(home), rows)

    def mend(self, fail: str, target: str, run: str, *rule: str) -> int:
        """How a replay ended, under a rule of table, column, type and rule."""
        return self._order("mend", fail, target, run, *rule)

    def _order(self, *order: object) -> int:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        self._forker.stdin.write(json.dumps(order) + "\n")
        self._forker.stdin.flush()
        return int(self._forker.stdout.readline())


@contextmanager
def forking() -> Iterator[Lives]:
    """The process that all lives are forked from."""
    forker = subprocess.Popen(
        [sys.executable, "-c", _FORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    with forker:
        yield Lives(forker)
