"""What a run did, read from its ledger and counted on the target."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from core.errors import CountsDisagree
from core.plan import Plan, TablePlan
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.transfer.accepted import anything_open
from core.transfer.ledger import Ledger
from core.transfer.model import EXIT_DONE, EXIT_PARTIAL, Range, Run, RunReport, TableReport
from core.transfer.states import Status


def count_rows(connection: Connection, schema: str, table: TablePlan) -> int:
    """How many rows the target's table has."""
    found = connection.execute(
        f"SELECT count(*) FROM {qualified(schema, table.target)}".encode()
    ).fetchone()
    return int(str(found[0])) if found else 0


def table_reports(connection: Connection, run: Run, plan: Plan) -> tuple[TableReport, ...]:
    """One report per table of the plan."""
    ledger = Ledger(connection)
    quarantined = ledger.quarantine(run.run).counts()
    altered = ledger.quarantine(run.run).altered_counts()
    ranges = ledger.ranges(run.run)
    return tuple(
        TableReport(
            name=table.name,
            target=table.target,
            rows_source=table.rows,
            rows_target=count_rows(connection, plan.schema, table),
            rows_quarantined=quarantined.get(table.number, 0),
            values_altered=altered.get(table.number, 0),
            seconds=sum(_seconds(ranges, table)),
        )
        for table in plan.tables
    )


def _seconds(ranges: list[Range], table: TablePlan) -> Iterator[float]:
    return (r.seconds for r in ranges if r.table_number == table.number)


def require_agreement(tables: tuple[TableReport, ...]) -> None:
    """Raise CountsDisagree unless every source row is in the target or in quarantine."""
    for table in tables:
        if table.rows_source != table.rows_target + table.rows_quarantined:
            raise CountsDisagree(
                table=table.name,
                source=table.rows_source,
                target=table.rows_target,
                quarantined=table.rows_quarantined,
            )


def exit_code_of(connection: Connection, run: UUID, plan: Plan) -> int:
    """With what a run whose rows and objects all have their places ends."""
    return EXIT_PARTIAL if anything_open(connection, run, plan) else EXIT_DONE


def run_report(
    connection: Connection,
    run: Run,
    tables: tuple[TableReport, ...],
    exit_code: int,
    *,
    status: Status = Status.COMPLETE,
    resumed: bool = False,
    repeated: bool = False,
    moved: bool = False,
) -> RunReport:
    """The report of a run with what is known of its tables."""
    ledger = Ledger(connection)
    seconds = ledger.seconds(run.run)
    rows = sum(t.rows_target + t.rows_quarantined for t in tables)
    return RunReport(
        run=run.run,
        status=status,
        exit_code=exit_code,
        seconds=seconds,
        rows_per_second=rows / seconds if seconds else 0.0,
        tables=tables,
        objects=ledger.objects(run.run),
        resumed=resumed,
        repeated=repeated,
        moved=moved,
        paused=ledger.steps(run.run)[-1] if status is Status.PAUSED else None,
    )
