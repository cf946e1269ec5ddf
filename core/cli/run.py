"""``mudanza run``: looking at a run that goes on, and steering it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from core.cli.options import (
    AsJson,
    Note,
    NumberOfWorkers,
    OptionalSource,
    RunId,
    Schema,
    TargetAddress,
)
from core.cli.places import chosen_way, ledger_of, run_of
from core.cli.progress import RunProgress
from core.cli.runs import answer_run
from core.cli.speaking import answering, out, print_json, tell
from core.cli.standing import document, print_standing, throttle_sentence
from core.errors import WrongUsage
from core.server.connection import Target, connect, translated
from core.transfer.engine import Party
from core.transfer.ledger import Ledger
from core.transfer.membership import who
from core.transfer.migrate import join, resume
from core.transfer.model import DEFAULT_LIMITS, Orders, Run
from core.transfer.pace import require_sight
from core.transfer.standing import Standing, standing
from core.transfer.steering import Asked, Place, RunRequest, steer

run_app = typer.Typer(help=tell("cli.run.help"), no_args_is_help=True)


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """The run that a command means, and where it is."""

    target: Target
    run: Run

    def ask(
        self,
        kind: Asked,
        *,
        note: str = "",
        argument: Mapping[str, float | None] | None = None,
    ) -> None:
        """Ask something of the run and wait until it is granted."""
        number = self.run.run
        place = Place(target=self.target, run=number)
        by = who()
        steer(place, RunRequest(run=number, kind=kind, asked_by=by, note=note, argument=argument))

    def look(self) -> Standing:
        """Where the run stands now."""
        with connect(self.target, autocommit=True) as connection, translated(self.target):
            return standing(connection, self.run)

    def party(self, snapshot: Path | None, workers: int) -> Party:
        """This process as one that takes part in the run."""
        return Party(
            target=self.target,
            run=self.run,
            snapshot=snapshot or Path(self.run.snapshot_path),
            workers=workers,
            limits=DEFAULT_LIMITS,
            way=chosen_way(),
        )

    def answer(self, as_json: bool, sentence: str) -> None:
        """Say what became of a request; to programs, where the run stands now."""
        if as_json:
            print_json(document(self.look()))
        else:
            out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _chosen(source: str | None, address: str | None, run: UUID | None, schema: str) -> _Chosen:
    with ledger_of(source, address) as (ledger, target):
        return _Chosen(target=target, run=run_of(ledger, target, run, schema))


# --- looking ----------------------------------------------------------------------------


@run_app.command(help=tell("cli.run_show.help"))
def show(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    as_json: AsJson = False,
) -> None:
    """Where a run stands."""
    with answering(as_json):
        seen = _chosen(source, target, run, schema).look()
        if as_json:
            print_json(document(seen))
        else:
            print_standing(seen)


# --- asking -----------------------------------------------------------------------------


@run_app.command(help=tell("cli.run_pause.help"))
def pause(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Let a run rest after the chunks at work."""
    with answering(as_json):
        chosen = _chosen(source, target, run, schema)
        chosen.ask(Asked.PAUSE, note=note)
        chosen.answer(as_json, tell("result.paused", run=chosen.run.run))


@run_app.command(help=tell("cli.run_cancel.help"))
def cancel(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """End a run for good; chunks that are not in yet never will be."""
    with answering(as_json):
        chosen = _chosen(source, target, run, schema)
        chosen.ask(Asked.CANCEL, note=note)
        chosen.answer(as_json, tell("result.cancelled", run=chosen.run.run))


@run_app.command(help=tell("cli.run_throttle.help"))
def throttle(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    rows_per_second: Annotated[
        int | None, typer.Option("--rows-per-second", min=1, help=tell("option.rows_per_second"))
    ] = None,
    load_max: Annotated[
        int | None, typer.Option("--load-max", min=1, help=tell("option.load_max"))
    ] = None,
    off: Annotated[bool, typer.Option("--off", help=tell("option.off"))] = False,
    chunk_rows: Annotated[
        int | None,
        typer.Option("--chunk-rows", min=1, max=1_000_000, help=tell("option.chunk_rows")),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change how fast a run goes while it does."""
    with answering(as_json):
        limits = {"rows_per_second": rows_per_second, "load_max": load_max}
        is_limited = any(limits.values())
        if off and is_limited:
            raise WrongUsage(detail=tell("usage.off_alone"))
        if not (off or is_limited or chunk_rows):
            raise WrongUsage(detail=tell("usage.nothing_to_throttle"))
        chosen = _chosen(source, target, run, schema)
        if off or is_limited:
            chosen.ask(Asked.THROTTLE, argument=_merged(chosen, limits, off=off))
        if chunk_rows:
            chosen.ask(Asked.CHUNK, argument={"rows": chunk_rows})
        said = throttle_sentence(_orders(chosen))
        chosen.answer(as_json, tell("result.throttled", run=chosen.run.run, throttle=said))


def _merged(
    chosen: _Chosen, limits: Mapping[str, int | None], *, off: bool
) -> dict[str, float | None]:
    """What was not named stays as it is. Raises LoadInvisible."""
    if off:
        return dict.fromkeys(limits)
    if limits["load_max"] is not None:
        with connect(chosen.target, autocommit=True) as connection, translated(chosen.target):
            require_sight(connection, chosen.target)
    was = _orders(chosen)
    kept = {"rows_per_second": was.rows_per_second, "load_max": was.load_max}
    return kept | {name: limit for name, limit in limits.items() if limit is not None}


def _orders(chosen: _Chosen) -> Orders:
    with connect(chosen.target, autocommit=True) as connection, translated(chosen.target):
        return Ledger(connection).orders(chosen.run.run)


# --- taking part --------------------------------------------------------------------------


@run_app.command("resume", help=tell("cli.run_resume.help"))
def resume_command(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    workers: NumberOfWorkers = 1,
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Go on with a run, in this process."""
    with answering(as_json):
        chosen = _chosen(source, target, run, schema)
        with RunProgress() as progress:
            report = resume(chosen.party(None, workers), note, progress.on_event)
        answer_run(report, as_json)
        raise typer.Exit(report.exit_code)


@run_app.command("join", help=tell("cli.run_join.help"))
def join_command(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help=tell("option.snapshot"))
    ] = None,
    workers: NumberOfWorkers = 1,
    as_json: AsJson = False,
) -> None:
    """Take part in a run that others are at."""
    with answering(as_json):
        chosen = _chosen(source, target, run, schema)
        with RunProgress() as progress:
            report = join(chosen.party(snapshot, workers), progress.on_event)
        answer_run(report, as_json, repeated="result.complete_before")
        raise typer.Exit(report.exit_code)
