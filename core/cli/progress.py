"""A run's events as they happen, on standard error."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.cli.outlook import spoken
from core.cli.speaking import err, tell
from core.cli.stopping import Stopping
from core.transfer.events import (
    BuildBegun,
    Built,
    CensusTaken,
    ChunkCommitted,
    Event,
    Progressed,
    RunBegun,
    Scanned,
    SnapshotTaken,
    Waiting,
)
from core.transfer.forecast import Forecast
from core.transfer.member import OTHERS
from core.verify.model import TableParity

_MILESTONE_PERCENT = 10
_NAMES_MAX = 3


class RunProgress:
    """Draws a bar on a terminal; elsewhere it prints only the milestones. A Ctrl-C or
    SIGTERM takes effect at the next event."""

    def __init__(self) -> None:
        self._stopping = Stopping()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[outlook]}", markup=False),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, outlook="")
        self._copied = _Copied(0, 0)
        self.phases: dict[str, float] = {}
        """Seconds by phase, of what came before the run stood and after its last build."""
        self._built = 0.0

    def __enter__(self) -> Self:
        self._stopping.__enter__()
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._built:
            self.phases["settle"] = time.monotonic() - self._built
        self._bar.stop()
        self._stopping.__exit__(kind, error, trace)

    def on_event(self, event: Event) -> None:
        """Show one event of a run. Raises KeyboardInterrupt after a Ctrl-C."""
        self._stopping.heed()
        match event:
            case SnapshotTaken():
                self.phases["snapshot"] = event.seconds
                megabytes = f"{event.bytes / 1e6:.1f}"
                _say(tell("progress.snapshot", megabytes=megabytes))
            case Scanned():
                self._advance(tell("progress.scanning", table=event.table), event.rows)
            case CensusTaken():
                self.phases |= {"census": event.seconds, "check": event.check_seconds}
            case RunBegun():
                self._begin(event)
            case ChunkCommitted():
                done = self._copied.done + event.rows_read
                self._copied_to(done, tell("progress.copying", table=event.table))
            case Progressed():
                self._copied_to(event.rows_done, _doing(event))
            case Waiting():
                self._advance(tell(f"waits.{event.reason}"), 0)
            case BuildBegun() | Built():
                self._built = time.monotonic()
                self._advance(tell("progress.building", name=event.name), 0)

    def on_table(self, parity: TableParity) -> None:
        """Show that one table was verified. Raises KeyboardInterrupt after a Ctrl-C."""
        self._stopping.heed()
        self._advance(tell("progress.verifying", table=parity.name), parity.rows_source)

    def _begin(self, event: RunBegun) -> None:
        rows, done = f"{event.rows:,}", f"{event.rows_done:,}"
        sentence = "progress.resumed" if event.resumed else "progress.begun"
        _say(tell(sentence, run=event.run, rows=rows, **({"done": done} if event.resumed else {})))
        self._copied = _Copied(event.rows, event.rows_done)
        self._bar.reset(self._task, total=event.rows, completed=event.rows_done, outlook="")

    def _copied_to(self, done: int, doing: str) -> None:
        outlook, milestone = self._copied.move(done)
        self._bar.update(self._task, description=doing, completed=done, outlook=outlook)
        if milestone and not err.is_terminal:
            _say(milestone)

    def _advance(self, description: str, rows: int) -> None:
        self._bar.update(self._task, description=description, advance=rows)


class _Copied:
    """How many rows are copied, how long the others will take, and which tenths were told."""

    def __init__(self, rows: int, done: int) -> None:
        self.done = done
        self._rows = rows
        self._forecast = Forecast(rows, done, time.monotonic())
        self._told = self._percent()

    def move(self, done: int) -> tuple[str, str]:
        """So many are copied now: the outlook, and what is to be said of a tenth reached."""
        self.done = done
        outlook = spoken(self._forecast.outlook(done, time.monotonic()))
        percent = self._percent()
        if percent <= self._told:
            return outlook, ""
        self._told = percent
        rows = {"done": f"{done:,}", "rows": f"{self._rows:,}"}
        return outlook, tell("progress.milestone", percent=percent, outlook=outlook, **rows)

    def _percent(self) -> int:
        """Rounded down to a milestone."""
        share = 100 * self.done // self._rows if self._rows else 100
        return share - share % _MILESTONE_PERCENT


def _doing(event: Progressed) -> str:
    """What is going on in all processes: what is built, and why they do not copy if so."""
    parts = [tell(f"waits.{reason}") for reason in event.waits_for if reason != OTHERS]
    if event.building:
        parts.append(tell("progress.building", name=_shortened(event.building)))
    return ", ".join(parts) or tell("progress.at_work")


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_MAX]) + (", …" if len(names) > _NAMES_MAX else "")


def _say(sentence: str) -> None:
    err.print(sentence, highlight=False, markup=False, soft_wrap=True)
