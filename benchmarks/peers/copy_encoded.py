"""Child: COPY of encoded rows into bare tables, then what is built on them, by psql.

Called as ``python -m benchmarks.peers.copy_encoded JOB TARGET``.
"""

from __future__ import annotations

import subprocess
import sys
import time

import psycopg

from benchmarks.job import Job, answering, blocks, read_job


def copy_all(job: Job, target: str) -> float:
    """One COPY a table, each committed; the seconds of all."""
    with psycopg.connect(target, autocommit=True) as connection:
        began = time.perf_counter()
        for table in job.tables:
            with connection.cursor() as cursor, cursor.copy(table.copy_in.encode()) as copy:
                for block in blocks(table.encoded):
                    copy.write(block)
        return time.perf_counter() - began


def build_all(job: Job, target: str) -> float:
    """The statements one after the other; the seconds of psql from its start to its exit."""
    began = time.perf_counter()
    command = [job.psql, target, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"]
    subprocess.run([*command, "-f", job.builds], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Do it."""
    job, target = read_job(sys.argv[1]), sys.argv[2]
    with answering() as answer:
        answer["seconds"] = copy_all(job, target)
        answer["builds"] = build_all(job, target)
        answer["rows"] = sum(table.rows for table in job.tables)


if __name__ == "__main__":
    main()
