"""What a child process is told to do. It imports nothing heavy: the child's start counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

BLOCK = 256 << 10


@dataclass(frozen=True, kw_only=True)
class JobTable:
    """One table. Names are quoted already; ``encoded`` is the file of its encoded rows."""

    name: str
    source: str
    source_columns: str
    target: str
    target_columns: str
    rows: int
    copy_in: str
    encoded: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """All of it. ``builds`` is the file of the statements that come after the rows, for
    the program ``psql``; ``slice_rows`` is how many rows a slow way has to carry."""

    source: str
    tables: tuple[JobTable, ...]
    builds: str
    psql: str
    slice_rows: int

    def write(self, path: Path) -> None:
        """Keep it for a child."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")


def read_job(path: str) -> Job:
    """The job that a parent has written."""
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    tables = tuple(JobTable(**table) for table in data.pop("tables"))
    return Job(tables=tables, **data)


def blocks(path: str) -> Iterator[bytes]:
    """A file, a block at a time."""
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK):
            yield block


@contextmanager
def answering() -> Iterator[dict[str, float]]:
    """What a child measured, as one JSON document on standard output."""
    answer: dict[str, float] = {}
    yield answer
    print(json.dumps(answer))
