"""pgloader, where it is installed: its command file, and its own summary."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import said
from benchmarks.process import Failed, Ran
from benchmarks.results import Taken

MISSING = "not installed: apt install pgloader"

# Its defaults, written out, and the memory that its documentation of SQLite sources sets.
# The target stands in the environment, with its password.
LOAD = """\
LOAD DATABASE
     FROM sqlite://{source}
     INTO {{{{PGLOADER_TARGET}}}}
     WITH include drop, create tables, create indexes, reset sequences,
          workers = 4, concurrency = 1
      SET work_mem to '16MB', maintenance_work_mem to '512 MB';
"""

_DATA = "COPY Threads Completion"


def installed() -> bool:
    """Whether this machine has it."""
    return shutil.which("pgloader") is not None


def version() -> str:
    """What it says of itself, and what Debian says."""
    own = said("pgloader", "--version").replace('"', "")
    package = said("dpkg-query", "--show", "--showformat=${Version}", "pgloader")
    return f"{own} (Debian's package {package})" if package else own


def command(source: Path, folder: Path) -> list[str]:
    """The command, its file written into ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    load = folder / "sqlite.load"
    load.write_text(LOAD.format(source=source.resolve()), encoding="utf-8")
    summary = folder / "summary.csv"
    return ["pgloader", "--root-dir", f"{folder}/", "--summary", str(summary), str(load)]


def taken(ran: Ran, summary: str) -> Iterator[Taken]:
    """Its process, and its data phase as its summary tells it: from the first table's
    begin to the end of the last COPY, some indexes being built beside."""
    lines = dict(_lines(summary))
    if _DATA not in lines:
        raise Failed(f"no summary; it said {ran.out.strip()[-300:]}")
    rows = sum(count for name, (count, _) in lines.items() if name in _tables(summary))
    yield Taken(name="pgloader", seconds=ran.seconds, rows=rows, rss=ran.rss, pss=ran.pss)
    yield Taken(name="pgloader.data", seconds=lines[_DATA][1], rows=rows)


def complaints(ran: Ran) -> tuple[str, ...]:
    """The errors that it went past."""
    found = re.findall(r"(?:ERROR|FATAL) (.*(?:\nQUERY: .*)?)", ran.out + ran.err)
    return tuple(f"it said: {' '.join(said.split())}" for said in found)


def _tables(summary: str) -> set[str]:
    """The names of what it loaded: its own steps stand before and after them."""
    names = [name for name, _ in _lines(summary)]
    before, after = names.index("Set Table OIDs"), names.index(_DATA)
    return set(names[before + 1 : after])


def seconds(text: str) -> float:
    """A duration as it writes it, such as 1m2.5s."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(\d+(?:\.\d+)?)s", text)
    if found is None:
        raise Failed(f"a duration that cannot be read: {text}")
    hours, minutes, rest = found.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def _lines(summary: str) -> Iterator[tuple[str, tuple[int, float]]]:
    """Each step's name with its rows and seconds."""
    for line in summary.splitlines():
        name, _read, rows, _errors, _bytes, took = line.split(";")
        yield name.strip('"'), (int(rows), seconds(took.strip('"')))
