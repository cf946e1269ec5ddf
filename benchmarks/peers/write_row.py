"""Child: the loop that everybody writes first, from a cursor of sqlite3 to copy.write_row.

Called as ``python -m benchmarks.peers.write_row JOB TARGET``.

Values go as Python has them, in COPY's text format: PostgreSQL reads 1 as a boolean, a
text as a moment, a UUID or JSON, so none has to be converted here.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing

import psycopg

from benchmarks.job import Job, JobTable, answering, read_job


def copy_all(job: Job, target: str) -> float:
    """All tables; the seconds of it."""
    with (
        closing(sqlite3.connect(f"file:{job.source}?mode=ro", uri=True)) as source,
        psycopg.connect(target, autocommit=True) as connection,
    ):
        connection.execute("SET TimeZone = 'UTC'")
        began = time.perf_counter()
        for table in job.tables:
            _copy(source, connection, table)
        return time.perf_counter() - began


def _copy(source: sqlite3.Connection, connection: psycopg.Connection, table: JobTable) -> None:
    rows = source.execute(f"SELECT {table.source_columns} FROM {table.source}")
    into = f"COPY {table.target} ({table.target_columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(into.encode()) as copy:
        for row in rows:
            copy.write_row(row)


def main() -> None:
    """Do it."""
    job, target = read_job(sys.argv[1]), sys.argv[2]
    with answering() as answer:
        answer["seconds"] = copy_all(job, target)
        answer["rows"] = sum(table.rows for table in job.tables)


if __name__ == "__main__":
    main()
