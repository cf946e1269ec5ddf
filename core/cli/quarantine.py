"""``mudanza quarantine``: looking at rows that the target cannot hold, and mending them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from core.cli.exported import Format, exported
from core.cli.options import AsJson, OptionalSource, PlanFile, Reveal, RunId, Schema, TargetAddress
from core.cli.places import ledger_of, run_of
from core.cli.quarantined import (
    altered_document,
    print_altered,
    print_edited,
    print_quarantine,
    print_replay,
    print_row,
    quarantine_document,
    replay_document,
    row_document,
)
from core.cli.speaking import answering, out, print_json, tell
from core.errors import (
    ExportUnwritable,
    QuarantineRowAmbiguous,
    QuarantineRowUnknown,
    WrongUsage,
)
from core.plan import NO_CHOICES, Plan, from_json, read_document
from core.server.connection import Target
from core.server.private_files import write_private
from core.transfer.edit import CLASSES, NULL, EditRequest, NewValue, edit
from core.transfer.ledger import Ledger
from core.transfer.model import QuarantineEntry, Run
from core.transfer.quarantine import Quarantine, Selection
from core.transfer.replay import ReplayRequest, replay
from core.transfer.steering import Place

quarantine_app = typer.Typer(help=tell("cli.quarantine.help"), no_args_is_help=True)

OfTable = Annotated[str, typer.Option("--table", help=tell("option.of_table"))]
OfReason = Annotated[str, typer.Option("--reason", help=tell("option.of_reason"))]
OfRow = Annotated[str, typer.Option("--row", help=tell("option.of_row"))]


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """The run that a command means, where it is, and what is in its quarantine."""

    target: Target
    run: Run
    quarantine: Quarantine

    @property
    def plan(self) -> Plan:
        return from_json(Plan, self.run.plan)

    @property
    def place(self) -> Place:
        return Place(target=self.target, run=self.run.run)

    def one(self, table: str, row: str) -> QuarantineEntry:
        """The row that is meant. Raises QuarantineRowUnknown, QuarantineRowAmbiguous."""
        entries = self.quarantine.entries(Selection(table=table, row=row))
        if not entries:
            raise QuarantineRowUnknown(row=row, run=self.run.run)
        if len(entries) > 1:
            raise QuarantineRowAmbiguous(row=row, rows=len(entries))
        return entries[0]


@contextmanager
def _chosen(source: str | None, address: str | None, run: RunId, schema: str) -> Iterator[_Chosen]:
    with ledger_of(source, address) as (ledger, target):
        found = run_of(ledger, target, run, schema)
        yield _Chosen(target=target, run=found, quarantine=_quarantine(ledger, found))


def _quarantine(ledger: Ledger, run: Run) -> Quarantine:
    return ledger.quarantine(run.run)


# --- looking ----------------------------------------------------------------------------


@quarantine_app.command("list", help=tell("cli.quarantine_list.help"))
def list_command(
    source: OptionalSource = None,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    table: OfTable = "",
    reason: OfReason = "",
    altered: Annotated[bool, typer.Option("--altered", help=tell("option.altered"))] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help=tell("option.limit"))] = 1000,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Quarantined rows of a run, the schema's own by default."""
    with answering(as_json):
        selection = Selection(table=table, reason=reason)
        if altered:
            with _chosen(source, target, run, schema) as chosen:
                cells = chosen.quarantine.altered_cells(selection, limit=limit)
            if as_json:
                listed = altered_document(cells, reveal=reveal)
                print_json({"run": str(chosen.run.run), "altered": listed})
            else:
                print_altered(cells, reveal=reveal)
            return
        with _chosen(source, target, run, schema) as chosen:
            total = chosen.quarantine.count(selection)
            entries = chosen.quarantine.entries(selection, limit=limit)
        if as_json:
            listed = quarantine_document(entries, reveal=reveal)
            print_json({"run": str(chosen.run.run), "rows": total, "quarantine": listed})
        else:
            print_quarantine(entries, total, reveal=reveal)


@quarantine_app.command("show", help=tell("cli.quarantine_show.help"))
def show_command(
    source: OptionalSource = None,
    row: OfRow = "",
    table: OfTable = "",
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """One row whole, what its columns want, and what could be done."""
    with answering(as_json):
        _require_row(row)
        with _chosen(source, target, run, schema) as chosen:
            entry = chosen.one(table, row)
            edits = chosen.quarantine.edits(table=entry.table_number, key=entry.source_key)
        if as_json:
            print_json(row_document(entry, chosen.plan, edits, reveal=reveal))
        else:
            print_row(entry, chosen.plan, edits, reveal=reveal)


@quarantine_app.command("export", help=tell("cli.quarantine_export.help"))
def export_command(
    to_file: Annotated[Path, typer.Option("--out", help=tell("option.export_out"))],
    source: OptionalSource = None,
    how: Annotated[Format, typer.Option("--format", help=tell("option.format"))] = Format.JSONL,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    table: OfTable = "",
    reason: OfReason = "",
    as_json: AsJson = False,
) -> None:
    """The quarantine as a file of mode 0600, whole or not at all."""
    with answering(as_json):
        with _chosen(source, target, run, schema) as chosen:
            entries = chosen.quarantine.entries(Selection(table=table, reason=reason))
        try:
            write_private(to_file, exported(entries, chosen.plan, how), encoding="utf-8")
        except OSError as refused:
            detail = refused.strerror or str(refused)
            raise ExportUnwritable(path=to_file, detail=detail) from refused
        if as_json:
            said = {"file": str(to_file), "format": how.value, "rows": len(entries)}
            print_json({"run": str(chosen.run.run), **said})
        else:
            said_rows = tell("result.exported", rows=f"{len(entries):,}", path=to_file)
            out.print(said_rows, markup=False, soft_wrap=True)


# --- mending ----------------------------------------------------------------------------


@quarantine_app.command("replay", help=tell("cli.quarantine_replay.help"))
def replay_command(
    source: OptionalSource = None,
    plan_file: PlanFile = None,
    table: OfTable = "",
    reason: OfReason = "",
    row: OfRow = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tell("option.replay_dry_run"))] = False,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    as_json: AsJson = False,
) -> None:
    """Try quarantined rows again; the exit code is the run's."""
    with answering(as_json):
        choices = read_document(plan_file) if plan_file is not None else NO_CHOICES
        with _chosen(source, target, run, schema) as chosen:
            place = chosen.place
        request = ReplayRequest(
            place=place,
            selection=Selection(table=table, reason=reason, row=row),
            choices=choices,
            choices_path=str(plan_file or ""),
            dry_run=dry_run,
        )
        _replay(request, as_json)


def _replay(request: ReplayRequest, as_json: bool) -> None:
    report = replay(request)
    if as_json:
        print_json(replay_document(report))
    else:
        print_replay(report)
    raise typer.Exit(report.exit_code)


@quarantine_app.command("edit", help=tell("cli.quarantine_edit.help"))
def edit_command(
    column: Annotated[str, typer.Option("--column", help=tell("option.edit_column"))],
    reason: Annotated[str, typer.Option("--reason", help=tell("option.edit_reason"))],
    source: OptionalSource = None,
    row: OfRow = "",
    table: OfTable = "",
    value: Annotated[str | None, typer.Option("--value", help=tell("option.edit_value"))] = None,
    to_null: Annotated[bool, typer.Option("--null", help=tell("option.edit_null"))] = False,
    raw: Annotated[
        str | None, typer.Option("--hex", metavar="BYTES", help=tell("option.edit_hex"))
    ] = None,
    storage_class: Annotated[str, typer.Option("--class", help=tell("option.edit_class"))] = "",
    every: Annotated[bool, typer.Option("--all", help=tell("option.edit_all"))] = False,
    reason_id: Annotated[str, typer.Option("--reason-id", help=tell("option.of_reason"))] = "",
    at_once: Annotated[bool, typer.Option("--replay", help=tell("option.edit_replay"))] = False,
    target: TargetAddress = None,
    run: RunId = None,
    schema: Schema = "public",
    as_json: AsJson = False,
) -> None:
    """Put a value in the place of a source's; the source's own stays on record."""
    with answering(as_json):
        new = _new_value(value, raw, storage_class, to_null=to_null)
        if not reason.strip():
            raise WrongUsage(detail=tell("usage.edit_without_reason"))
        if every == bool(row) or every != bool(reason_id) or (every and not table):
            raise WrongUsage(detail=tell("usage.edit_which"))
        with _chosen(source, target, run, schema) as chosen:
            place = chosen.place
        selection = Selection(table=table, reason=reason_id, row=row)
        edited = edit(
            EditRequest(
                place=place,
                selection=selection,
                column=column,
                value=new,
                reason=reason,
                bulk=every,
            )
        )
        if at_once:
            _replay(ReplayRequest(place=place, selection=selection), as_json)
        elif as_json:
            print_json({"run": str(place.run), "edited": [e.source_key.hex() for e in edited]})
        else:
            print_edited(len(edited))


def _new_value(
    value: str | None, raw: str | None, storage_class: str, *, to_null: bool
) -> NewValue:
    """What was typed. Raises WrongUsage unless it is one value."""
    if sum((value is not None, raw is not None, to_null)) != 1:
        raise WrongUsage(detail=tell("usage.edit_one_value"))
    if storage_class and storage_class not in CLASSES:
        raise WrongUsage(detail=f"--class {storage_class} ({', '.join(CLASSES)})")
    if to_null:
        return NULL
    if raw is None:
        return NewValue(text=value, storage_class=storage_class)
    try:
        octets = bytes.fromhex(raw)
    except ValueError:
        raise WrongUsage(detail=tell("usage.edit_hex")) from None
    if storage_class in ("integer", "real"):
        raise WrongUsage(detail=tell("usage.edit_hex"))
    return NewValue(raw=octets, storage_class=storage_class)


def _require_row(row: str) -> None:
    if not row:
        raise WrongUsage(detail=tell("usage.which_row"))
