"""The ``mudanza`` command."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from core import __version__
from core.cli import demo as story
from core.cli import doctor as checkup
from core.cli.assessed import assessment_document, print_assessment
from core.cli.assessing import assess_source, write_page
from core.cli.differing import differences_document, mending_script, print_differences
from core.cli.options import (
    Adopt,
    AsJson,
    Fold,
    NumberOfWorkers,
    Only,
    OptionalSource,
    PlanFile,
    Reveal,
    RunId,
    Schema,
    Skip,
    Source,
    TargetAddress,
    Where,
    Zone,
)
from core.cli.places import Place, chosen_way, ledger_of, source_file, target_place
from core.cli.plans import plan_document, print_plan
from core.cli.progress import RunProgress
from core.cli.proof import parity_document, print_parity
from core.cli.psql import open_psql
from core.cli.quarantine import quarantine_app
from core.cli.run import run_app
from core.cli.runs import answer_run, print_runs, run_lines
from core.cli.speaking import SETTINGS, answering, err, out, print_json, refuse_usage, tell
from core.errors import PlanUnwritable, TargetDatabaseMissing, WrongUsage
from core.failpoints import arm
from core.plan import (
    NO_CHOICES,
    Choices,
    Plan,
    TableChoice,
    overlaid,
    read_document,
    write_document,
)
from core.plan.ddl import script
from core.plan.document import digest
from core.plan.revision import revision_file, revision_id, write_revision
from core.source import SourceFile
from core.transfer.adopting import Survey
from core.transfer.begin import Request as MigrateRequest
from core.transfer.migrate import check_target, migrate
from core.transfer.model import CHUNK_ROWS, EXIT_NO, LEASE, Bounds, Limits
from core.transfer.prepare import Narrow, prepare
from core.verify import parity
from core.verify.model import Level
from core.verify.schema import Request as SchemaRequest
from core.verify.schema import compare_schema

app = typer.Typer(help=tell("cli.help"), no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(run_app, name="run")
app.add_typer(quarantine_app, name="quarantine")


def main() -> None:
    """The entry point of the ``mudanza`` script."""
    arm(SETTINGS.failpoints)
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as misread:
        refuse_usage(misread.format_message(), as_json="--json" in sys.argv)
        sys.exit(WrongUsage.exit_code)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help=tell("cli.version.help")),
    ] = False,
) -> None:
    """Options that stand before every command."""


# --- this machine -----------------------------------------------------------------


@app.command(help=tell("cli.doctor.help"))
def doctor(as_json: AsJson = False) -> None:
    """What was found and what is missing; exit 1 when something is."""
    with answering(as_json):
        report = checkup.examine(SETTINGS)
        if as_json:
            print_json(checkup.document(report))
        else:
            checkup.show(report)
        raise typer.Exit(1 if report.missing else 0)


@app.command(
    help=tell("cli.psql.help"),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def psql(
    context: typer.Context, source: OptionalSource = None, target: TargetAddress = None
) -> None:
    """Hand over to psql; words after ``--`` are its own."""
    words = list(context.args)
    if source is not None and source.startswith("-"):  # no source: the first word is psql's
        words.insert(0, source)
        source = None
    with answering(False):
        file = source_file(source) if source is not None else None
        open_psql(target_place(target, file, create=False), words)


# --- assessing ----------------------------------------------------------------------


@app.command(help=tell("cli.assess.help"))
def assess(
    source: Source,
    html: Annotated[Path | None, typer.Option("--html", help=tell("option.html"))] = None,
    plan_file: PlanFile = None,
    plan_out: Annotated[
        Path | None, typer.Option("--plan-out", help=tell("option.plan_out"))
    ] = None,
    only: Only = None,
    skip: Skip = None,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Snapshot, census, plan, and a second look; exit 4 when a blocker is found."""
    with answering(as_json):
        file = source_file(source)
        choices, narrow = _choices(plan_file, NO_CHOICES) or NO_CHOICES, _narrow(only, skip, None)
        with RunProgress() as progress:
            assessed = assess_source(
                file,
                choices,
                str(plan_file or ""),
                narrow,
                progress.on_event,
                remedies=plan_out is not None,
            )
        found = assessed.assessment
        if html is not None:
            write_page(html, file.path.name, found, reveal=reveal)
        if plan_out is not None and assessed.remedied is not None:
            _write_plan(plan_out, assessed.remedied)
        if as_json:
            print_json(assessment_document(str(file.path), assessed.plan, found, reveal=reveal))
        else:
            print_assessment(found, reveal=reveal)
        raise typer.Exit(EXIT_NO if found.blockers else 0)


# --- planning -----------------------------------------------------------------------


@app.command(help=tell("cli.plan.help"))
def plan(
    source: Source,
    to_file: Annotated[Path | None, typer.Option("--out", help=tell("option.out"))] = None,
    sql: Annotated[bool, typer.Option("--sql", help=tell("option.sql"))] = False,
    revision: Annotated[bool, typer.Option("--revision", help=tell("option.revision"))] = False,
    plan_file: PlanFile = None,
    only: Only = None,
    skip: Skip = None,
    where: Where = None,
    fold: Fold = False,
    schema: Schema = "public",
    as_json: AsJson = False,
) -> None:
    """Snapshot, census, plan; nothing of a target."""
    with answering(as_json):
        if revision and (sql or as_json):
            raise WrongUsage(detail=tell("usage.revision_alone"))
        file, choices = source_file(source), _choices(plan_file, Choices(fold=fold))
        made = _planned(file, choices, str(plan_file or ""), _narrow(only, skip, where), schema)
        if revision:
            _give_revision(made, to_file)
            return
        if to_file is not None:
            _write_plan(to_file, made)
        if as_json:
            print_json(plan_document(made))
        elif sql:
            typer.echo(script(made), nl=False)
        elif to_file is None:
            print_plan(made)


def _give_revision(made: Plan, place: Path | None) -> None:
    """An Alembic revision into a file or a folder of revisions, else on standard output."""
    text = write_revision(made)
    if place is None:
        typer.echo(text, nl=False)
        return
    path = place / revision_file(made) if place.is_dir() else place
    _write(path, text)
    _say_written("result.revision_written", path, revision=revision_id(made))


def _write_plan(path: Path, made: Plan) -> None:
    text = write_document(made)
    _write(path, text)
    _say_written("result.plan_written", path, sha256=digest(text))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as refused:
        detail = refused.strerror or str(refused)
        raise PlanUnwritable(path=path, detail=detail) from refused


def _say_written(sentence: str, path: Path, **facts: str) -> None:
    err.print(tell(sentence, path=path, **facts), markup=False, soft_wrap=True)


def _choices(plan_file: Path | None, said: Choices) -> Choices | None:
    """What the plan's file says and what the options say over it; None if neither does."""
    choices = read_document(plan_file) if plan_file is not None else None
    return choices if said == NO_CHOICES else overlaid(choices or NO_CHOICES, said)


def _planned(
    source: SourceFile,
    choices: Choices | None,
    path: str,
    narrow: Narrow | None,
    schema: str,
    there: Survey | None = None,
) -> Plan:
    """A plan made from a snapshot that is gone when it is made."""
    with tempfile.TemporaryDirectory(prefix="mudanza-") as folder, RunProgress() as progress:
        return prepare(
            source,
            Path(folder) / "snapshot.sqlite",
            schema=schema,
            choices=choices or NO_CHOICES,
            choices_path=path,
            narrow=narrow,
            there=there,
            tell=progress.on_event,
        ).plan


def _narrow(
    only: list[str] | None, skip: list[str] | None, where: list[str] | None
) -> Narrow | None:
    """``--only``, ``--skip`` and ``--where`` as choices, once the source's tables are known."""
    if not (only or skip or where):
        return None
    return lambda names: _narrowed(names, only, skip or [], _filters(names, where or []))


def _narrowed(
    names: list[str], only: list[str] | None, skip: list[str], filters: dict[str, str]
) -> Choices:
    """``--only`` speaks of every table, the others of those they name. Raises WrongUsage
    for a name that is not there."""
    unknown = [name for name in (*(only or ()), *skip) if name not in names]
    if unknown:
        raise WrongUsage(detail=tell("usage.no_such_table", name=unknown[0]))
    carried = {name: name in only and name not in skip for name in names} if only else {}
    carried |= dict.fromkeys(skip, False)
    return Choices(
        tables={
            name: TableChoice(carry=carried.get(name), where=filters.get(name, ""))
            for name in carried | filters
        }
    )


def _filters(names: list[str], said: list[str]) -> dict[str, str]:
    """Filters by table, each said as TABLE=EXPR; a table's name may hold a "=" itself.
    Raises WrongUsage."""
    filters: dict[str, str] = {}
    for one in said:
        name = max((n for n in names if one.startswith(f"{n}=")), key=len, default=None)
        if name is None:
            raise WrongUsage(detail=tell("usage.no_such_table", name=one.partition("=")[0]))
        expression = one.removeprefix(f"{name}=").strip()
        if not expression or name in filters:
            raise WrongUsage(detail=tell("usage.one_filter", name=name))
        filters[name] = expression
    return filters


# --- moving ---------------------------------------------------------------------------


@app.command("migrate", help=tell("cli.migrate.help"))
def migrate_command(
    source: Source,
    target: TargetAddress = None,
    plan_file: PlanFile = None,
    schema: Schema = "public",
    only: Only = None,
    skip: Skip = None,
    where: Where = None,
    fold: Fold = False,
    replace_run: Annotated[bool, typer.Option("--replace", help=tell("option.replace"))] = False,
    adopt: Adopt = False,
    zone: Zone = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tell("option.dry_run"))] = False,
    workers: NumberOfWorkers = 1,
    chunk_rows: Annotated[
        int, typer.Option("--chunk-rows", min=1, max=1_000_000, help=tell("option.chunk_rows"))
    ] = CHUNK_ROWS,
    lease: Annotated[float, typer.Option("--lease", min=1, help=tell("option.lease"))] = LEASE,
    as_json: AsJson = False,
) -> None:
    """Begin a run, or go on with the one that began."""
    with answering(as_json):
        file = source_file(source)
        choices = _choices(plan_file, Choices(fold=fold, adopt=adopt, zone=zone))
        if choices is not None and choices.adopt and replace_run:
            raise WrongUsage(detail=tell("usage.adopt_or_replace"))
        place = target_place(target, file, create=not dry_run)
        request = MigrateRequest(
            source=file,
            target=place.target,
            home=SETTINGS.home,
            schema=schema,
            choices=choices,
            choices_path=str(plan_file or ""),
            narrow=_narrow(only, skip, where),
            replace=replace_run,
            bounds=Bounds(rows=chunk_rows),
            limits=Limits(lease=lease),
            workers=workers,
            way=chosen_way(),
        )
        if dry_run:
            _rehearse(request, place, as_json)
            return
        with RunProgress() as progress:
            report = migrate(request, progress.on_event)
        answer_run(report, as_json, phases=progress.phases)
        raise typer.Exit(report.exit_code)


def _rehearse(request: MigrateRequest, place: Place, as_json: bool) -> None:
    """All checks and the whole plan; not one row."""
    try:
        there = check_target(request)
    except TargetDatabaseMissing:
        if place.cluster is None:  # the embedded server's database is made by the run itself
            raise
        there = None
    path, narrow = request.choices_path, request.narrow
    made = _planned(request.source, request.choices, path, narrow, request.schema, there)
    if as_json:
        print_json(plan_document(made) | {"sql": script(made)})
    else:
        print_plan(made)
        out.print(tell("result.dry_run"))


# --- proving --------------------------------------------------------------------------


@app.command(help=tell("cli.verify.help"))
def verify(
    source: Source,
    target: TargetAddress = None,
    level: Annotated[Level, typer.Option("--level", help=tell("option.level"))] = Level.FULL,
    run: RunId = None,
    schema: Schema = "public",
    samples: Annotated[int, typer.Option("--samples", min=1, help=tell("option.samples"))] = 20,
    reveal: Reveal = False,
    as_json: AsJson = False,
) -> None:
    """Compare; exit 4 when they differ or the source has moved since the run."""
    with answering(as_json):
        file = source_file(source)
        request = parity.Request(
            source=file,
            target=target_place(target, file, create=False).target,
            home=SETTINGS.home,
            schema=schema,
            level=level,
            run=run,
            samples=samples,
            reveal=reveal,
            way=chosen_way(),
        )
        with RunProgress() as progress:
            report = parity.verify(request, progress.on_table)
        if as_json:
            print_json(parity_document(report))
        else:
            print_parity(report)
        raise typer.Exit(0 if report.parity and not report.moved else EXIT_NO)


@app.command(help=tell("cli.diff.help"))
def diff(
    source: Source,
    target: TargetAddress = None,
    plan_file: PlanFile = None,
    schema: Schema = "public",
    sql: Annotated[bool, typer.Option("--sql", help=tell("option.diff_sql"))] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the target's schema with its plan; exit 4 when it is not fulfilled."""
    with answering(as_json):
        file = source_file(source)
        request = SchemaRequest(
            source=file,
            target=target_place(target, file, create=False).target,
            schema=schema,
            choices=_choices(plan_file, NO_CHOICES),
            choices_path=str(plan_file or ""),
        )
        with RunProgress() as progress:
            report = compare_schema(request, progress.on_event)
        if as_json:
            print_json(differences_document(report))
        elif sql:
            typer.echo(mending_script(report), nl=False)
        else:
            print_differences(report)
        raise typer.Exit(EXIT_NO if report.differences else 0)


# --- looking into the ledger -------------------------------------------------------------


@app.command(help=tell("cli.runs.help"))
def runs(
    source: OptionalSource = None, target: TargetAddress = None, as_json: AsJson = False
) -> None:
    """The runs of a target; the source only names the embedded database."""
    with answering(as_json):
        with ledger_of(source, target) as (ledger, _):
            found, last = ledger.runs(), ledger.last_steps()
        if as_json:
            print_json({"runs": run_lines(found, last)})
        else:
            print_runs(found, last)


# --- the story --------------------------------------------------------------------------


@app.command(help=tell("cli.demo.help"))
def demo(
    source: OptionalSource = None,
    check: Annotated[bool, typer.Option("--check", help=tell("option.check"))] = False,
    rows: Annotated[int, typer.Option("--rows", min=1000, help=tell("option.rows"))] = 200_000,
) -> None:
    """The whole story, on a sample or a database given; exit 0 when everything is proven."""
    with answering(False):
        given = source_file(source).path if source is not None else None
        raise typer.Exit(story.tell_story(SETTINGS, given, rows=rows, serve=not check))


if __name__ == "__main__":
    main()
