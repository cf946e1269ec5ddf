"""Child: DuckDB with both databases attached, INSERT … SELECT into bare tables.

Called as ``python -m benchmarks.peers.duckdb_insert JOB TARGET``.

Its extensions come from wheels; nothing is fetched while it runs. They are loaded with
DuckDB's own check of their signature.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path

import duckdb

from benchmarks.job import Job, answering, read_job

EXTENSIONS = ("sqlite_scanner", "postgres_scanner")
_FETCHING = ("autoinstall_known_extensions", "autoload_known_extensions")


def insert_all(job: Job, target: str) -> float:
    """All tables, one INSERT each; the seconds of them."""
    with duckdb.connect(config=dict.fromkeys(_FETCHING, "false")) as connection:
        for name in EXTENSIONS:
            connection.execute(f"LOAD {_text(str(_extension(name)))}")
        connection.execute(f"ATTACH {_text(job.source)} AS source (TYPE sqlite, READ_ONLY)")
        connection.execute(f"ATTACH {_text(target)} AS target (TYPE postgres)")
        began = time.perf_counter()
        for table in job.tables:
            selected = f"SELECT {table.source_columns} FROM source.main.{table.source}"
            into = f"target.{table.target} ({table.target_columns})"
            connection.execute(f"INSERT INTO {into} {selected}")
        return time.perf_counter() - began


def _extension(name: str) -> Path:
    """The file in the wheel that is of this very version of DuckDB."""
    package = find_spec(f"duckdb_extension_{name}")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(f"no wheel of {name}")
    versions = Path(package.origin).parent / "extensions"
    return versions / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def main() -> None:
    """Do it."""
    job, target = read_job(sys.argv[1]), sys.argv[2]
    with answering() as answer:
        answer["seconds"] = insert_all(job, target)
        answer["rows"] = sum(table.rows for table in job.tables)


if __name__ == "__main__":
    main()
