"""The story a newcomer sees first: a marketplace moves, is interrupted, and is proven.

The migration runs as a process of its own, so that killing it is real.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from core.cli.places import Place, database_name, embedded_place
from core.cli.progress import RunProgress
from core.cli.proof import print_parity
from core.cli.speaking import err, out, tell
from core.errors import LedgerVersion
from core.plan import Plan
from core.plan.codec import from_json
from core.sample import build_sample
from core.server.connection import connect, translated
from core.settings import Settings
from core.source import inspect
from core.transfer.ledger import Ledger
from core.transfer.states import Status
from core.verify import parity
from core.verify.model import ParityReport

DATABASE = "marketplace"
KILL_AT = 0.4
CHUNK_ROWS = (2_000, 200, 20)
_EXIT_FAILED = 1
_POLL_SECONDS = 0.01


def tell_story(settings: Settings, given: Path | None, *, rows: int, serve: bool) -> int:
    """Tell it of the database ``given``, else of a sample of ``rows`` order lines; 0 when every
    step went as it should. ``serve``: keep the server up until Ctrl-C."""
    source = given or settings.home / "demo" / f"{DATABASE}.db"
    if given is None:
        _make_sample(source, rows)
    place = embedded_place(database_name(source), create=True)
    try:
        _forget_older(place, source)
        failed = _move_and_prove(place, source)
        if failed is None and serve:
            _serve(source)
    finally:
        if place.cluster is not None:
            place.cluster.stop()
    if failed is not None:
        err.print(tell("demo.failed", what=failed))
    return 0 if failed is None else _EXIT_FAILED


def _make_sample(path: Path, rows: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    sample = build_sample(path, rows=rows, dirt=True)
    out.print(
        tell(
            "demo.sample",
            tables=len(sample.rows),
            rows=f"{rows:,}",
            misfits=len(sample.misfits),
        )
    )


def _forget_older(place: Place, source: Path) -> None:
    """Make the database anew if another version of Mudanza left its ledger there, of this
    sample and nothing else."""
    with connect(place.target, autocommit=True) as connection, translated(place.target):
        try:
            Ledger(connection).exists()
        except LedgerVersion:
            sources = connection.execute("SELECT DISTINCT source_path FROM mudanza.run").fetchall()
            if place.cluster is None or sources != [(str(source.resolve()),)]:
                raise
        else:
            return
    place.cluster.drop_database(place.database)
    place.cluster.ensure_database(place.database)


def _move_and_prove(place: Place, source: Path) -> str | None:
    """The steps; what went wrong, or None."""
    version = place.cluster.binaries.version if place.cluster else "?"
    out.print(tell("demo.migrate", version=version))
    killed = _interrupted(place, source)
    if killed is None:
        return "SIGKILL"
    out.print(tell("demo.killed", done=f"{killed.done:,}", rows=f"{killed.rows:,}"))
    out.print(tell("demo.resume"))
    exit_code = subprocess.run(_command(source), check=False).returncode
    if exit_code not in (0, 3):
        return f"migrate: {exit_code}"
    out.print(tell("demo.verify"))
    return _proven(_verified(place, source))


@dataclass(frozen=True)
class _Killed:
    """A migration that was killed when ``done`` of ``rows`` rows were safe."""

    done: int
    rows: int


def _interrupted(place: Place, source: Path) -> _Killed | None:
    """Start the migration and kill it half way."""
    for attempt, chunk_rows in enumerate(CHUNK_ROWS):
        if attempt:
            out.print(tell("demo.too_fast"))
        command = _command(source, "--replace", "--chunk-rows", str(chunk_rows))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            killed = _wait_for_rows(place, process)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if killed is not None:
            return killed
    return None


def _wait_for_rows(place: Place, process: subprocess.Popen[bytes]) -> _Killed | None:
    """Watch the ledger until enough rows are safe; None when the run ended before."""
    with connect(place.target, autocommit=True) as connection, translated(place.target):
        ledger = Ledger(connection)
        while process.poll() is None:
            run = ledger.live_run("public") if ledger.exists() else None
            if run is not None and run.status is Status.COPYING:
                done = sum(r.rows_read for r in ledger.ranges(run.run))
                rows = sum(table.rows for table in from_json(Plan, run.plan).tables)
                if done >= rows * KILL_AT:
                    return _Killed(done, rows)
            time.sleep(_POLL_SECONDS)
    return None


def _command(source: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "core.cli.main", "migrate", str(source), *options]


def _verified(place: Place, source: Path) -> ParityReport:
    request = parity.Request(
        source=inspect(source), target=place.target, home=source.parent, reveal=True
    )
    with RunProgress() as progress:
        report = parity.verify(request, progress.on_table)
    print_parity(report)
    return report


def _proven(report: ParityReport) -> str | None:
    rows = sum(t.rows_source for t in report.tables)
    target = sum(t.rows_target for t in report.tables)
    quarantined = sum(t.quarantined for t in report.tables)
    if not report.parity or rows != target + quarantined:
        return "verify"
    out.print(
        tell(
            "demo.proven",
            rows=f"{rows:,}",
            target=f"{target:,}",
            quarantined=f"{quarantined:,}",
        )
    )
    return None


def _serve(source: Path) -> None:
    """Keep the server up until Ctrl-C or SIGTERM."""
    out.print(tell("demo.serving", command=f"mudanza psql {source}"), soft_wrap=True)
    for ending in (signal.SIGINT, signal.SIGTERM):  # in the background a shell ignores the first
        signal.signal(ending, _end)
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
