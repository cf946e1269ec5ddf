"""Child: read_sql_query and to_sql, of a slice of the order lines.

Called as ``python -m benchmarks.peers.pandas_to_sql JOB TARGET``.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing

import pandas as pd
import sqlalchemy

from benchmarks.job import Job, answering, read_job

TABLE = "order_items"


def write_slice(job: Job, target: str) -> tuple[int, float]:
    """The rows of the slice, and the seconds of reading and writing it."""
    engine = sqlalchemy.create_engine(target.replace("postgresql://", "postgresql+psycopg://", 1))
    query = f"SELECT * FROM {TABLE} LIMIT {job.slice_rows}"
    with (
        closing(sqlite3.connect(f"file:{job.source}?mode=ro", uri=True)) as source,
        engine.begin() as connection,
    ):
        began = time.perf_counter()
        frame = pd.read_sql_query(query, source)
        frame.to_sql(TABLE, connection, if_exists="append", index=False)
    return len(frame), time.perf_counter() - began


def main() -> None:
    """Do it."""
    job, target = read_job(sys.argv[1]), sys.argv[2]
    with answering() as answer:
        answer["rows"], answer["seconds"] = write_slice(job, target)


if __name__ == "__main__":
    main()
