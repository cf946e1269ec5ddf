"""The ceilings: what is left of the time when every row is encoded already.

Ceiling A is COPY of tuples that the server itself encoded, into the bare tables;
ceiling B is A and then the statements that Mudanza builds with, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.job import Job, JobTable
from core.plan import Plan, TablePlan
from core.plan.ddl import column_list, copy_in, copy_out, listed, qualified
from core.server.connection import Connection
from core.source.rows import quoted

SLICE_ROWS = 100_000


def take(connection: Connection, plan: Plan, folder: Path) -> None:
    """Keep the rows of a finished run in files, one a table, as COPY encodes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in plan.tables:
        with (
            encoded(folder, table).open("wb") as file,
            connection.cursor() as cursor,
            cursor.copy(copy_out(plan.schema, table).encode()) as copy,
        ):
            for block in copy:
                file.write(block)


def job(plan: Plan, source: Path, folder: Path, psql: Path) -> Job:
    """What the children are to do, as this plan says; its statements are kept in ``folder``."""
    builds = folder / "builds.sql"
    builds.write_text("".join(f"{s};\n" for s in _statements(plan)), encoding="utf-8")
    return Job(
        source=str(source),
        tables=tuple(_table(plan, table, folder) for table in plan.tables),
        builds=str(builds),
        psql=str(psql),
        slice_rows=SLICE_ROWS,
    )


def encoded(folder: Path, table: TablePlan) -> Path:
    """The file of a table's rows."""
    return folder / f"{table.number}.copy"


def _statements(plan: Plan) -> Iterator[str]:
    for build in plan.builds:
        yield from filter(None, (build.sql, build.validate))


def _table(plan: Plan, table: TablePlan, folder: Path) -> JobTable:
    return JobTable(
        name=table.name,
        source=quoted(table.name),
        source_columns=listed(column.source for column in table.columns),
        target=qualified(plan.schema, table.target),
        target_columns=column_list(table),
        rows=table.rows,
        copy_in=copy_in(plan.schema, table),
        encoded=str(encoded(folder, table)),
    )
