"""A run's events as they happen, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.cli.speaking import err, tell
from core.cli.stopping import Stopping
from core.transfer.events import (
    Built,
    ChunkCommitted,
    Event,
    Progressed,
    RunBegun,
    Scanned,
    SnapshotTaken,
)
from core.verify.model import TableParity


class RunProgress:
    """Draws a bar on a terminal; elsewhere it prints only the milestones. A Ctrl-C
    takes effect at the next event."""

    def __init__(self) -> None:
        self._stopping = Stopping()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

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
        self._bar.stop()
        self._stopping.__exit__(kind, error, trace)

    def on_event(self, event: Event) -> None:
        """Show one event of a run. Raises KeyboardInterrupt after a Ctrl-C."""
        self._stopping.heed()
        match event:
            case SnapshotTaken():
                megabytes = f"{event.bytes / 1e6:.1f}"
                said = tell("progress.snapshot", megabytes=megabytes, sha256=event.sha256)
                err.print(said, highlight=False, soft_wrap=True)
            case Scanned():
                self._advance(tell("progress.scanning", table=event.table), event.rows)
            case RunBegun():
                self._begin(event)
            case ChunkCommitted():
                self._advance(tell("progress.copying", table=event.table), event.rows_read)
            case Progressed():
                self._bar.update(self._task, description=_doing(event), completed=event.rows_done)
            case Built():
                self._advance(tell("progress.building", name=event.name), 0)

    def on_table(self, parity: TableParity) -> None:
        """Show that one table was verified. Raises KeyboardInterrupt after a Ctrl-C."""
        self._stopping.heed()
        self._advance(tell("progress.verifying", table=parity.name), parity.rows_source)

    def _begin(self, event: RunBegun) -> None:
        rows, done = f"{event.rows:,}", f"{event.rows_done:,}"
        sentence = "progress.resumed" if event.resumed else "progress.begun"
        said = tell(sentence, run=event.run, rows=rows, **({"done": done} if event.resumed else {}))
        err.print(said, highlight=False, soft_wrap=True)
        self._bar.reset(self._task, total=event.rows, completed=event.rows_done)

    def _advance(self, description: str, rows: int) -> None:
        self._bar.update(self._task, description=description, advance=rows)


def _doing(event: Progressed) -> str:
    return ", ".join(event.building) or "…"
