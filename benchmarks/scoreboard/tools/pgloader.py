"""pgloader: its plain command line, its log, its reject files."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.scoreboard.comparer import Listed, Listing
from benchmarks.scoreboard.tools.address import Address
from benchmarks.scoreboard.tools.process import KILLED, run
from benchmarks.scoreboard.tools.tool import Told

COMMAND = "pgloader sqlite:///SOURCE pgsql://TARGET"
LIMIT = 60.0

_ERROR = re.compile(
    r"^\S+ (?:ERROR|WARNING) (?:PostgreSQL )?(.*?)(?=^\S+T\S+ [A-Z]+ |^\s*table name|\Z)",
    re.DOTALL | re.MULTILINE,
)
_STATEMENTS = (
    ("index", re.compile(r"CREATE (?:UNIQUE )?INDEX\s+(\S+)\s+ON\s+([^\s(]+)")),
    ("foreign_key", re.compile(r"ALTER TABLE (\S+) ADD (?:CONSTRAINT \S+ )?FOREIGN KEY\s*\(([^)]*)\)")),
    ("primary_key", re.compile(r"ALTER TABLE (\S+) ADD PRIMARY KEY")),
    ("table", re.compile(r"CREATE TABLE (\S+)")),
)  # fmt: skip
_GAVE_UP = re.compile(r"(?:FATAL|KABOOM!?:?) ?(.*)")


def carry(source: Path, target: Address, folder: Path) -> Told:
    """Load; then read what it said and what it rejected."""
    rejects = folder / "rejects"
    shutil.rmtree(rejects, ignore_errors=True)
    rejects.mkdir(parents=True)
    words = ["pgloader", "--root-dir", f"{rejects}/", f"sqlite://{source}", f"pgsql{target.bare.removeprefix('postgresql')}"]  # fmt: skip
    ended = run(words, {"PGPASSWORD": target.password}, LIMIT)
    said = ended.out + ended.err
    gave_up = _GAVE_UP.search(said)
    killed = ended.code == KILLED
    listing = Listing(
        exit_code=ended.code,
        objects=tuple(listed(said)),
        rejected_rows=dict(_rejected(rejects)),
        failed=gave_up.group(1).strip()[:100] if gave_up else "",
    )
    note = f"killed after {LIMIT:.0f} s" if killed else f"said: {listing.failed}" if gave_up else ""
    return Told(listing=listing, seconds=ended.seconds, note=note)


def listed(said: str) -> Iterator[Listed]:
    """The objects whose statements it quotes among its errors."""
    for error in _ERROR.findall(said):
        for kind, pattern in _STATEMENTS:
            for found in pattern.finditer(error):
                yield from _entries(kind, [_bare(part) for part in found.groups()])


def _entries(kind: str, parts: list[str]) -> Iterator[Listed]:
    first = parts[0]
    match kind:
        case "index":
            # It puts a number in front of the name that the index had.
            name = re.sub(r"^idx_\d+_", "", first)
            for each in ("index", "unique"):
                yield Listed(kind=each, name=name, table=parts[1], reason="error")
        case "foreign_key":
            columns = "_".join(_bare(c) for c in parts[1].split(","))
            yield Listed(kind=kind, name=f"{first}_{columns}_fkey", table=first, reason="error")
        case "primary_key":
            yield Listed(kind=kind, name=f"{first} key", table=first, reason="error")
        case _:
            yield Listed(kind=kind, name=first, table=first, reason="error")


def _bare(name: str) -> str:
    return name.strip().rpartition(".")[2].strip('"')


def _rejected(folder: Path) -> Iterator[tuple[str, int]]:
    """How many rows each table's reject file holds."""
    for file in folder.rglob("*.dat"):
        lines = len(file.read_bytes().splitlines())
        if lines:
            yield file.stem.rpartition(".")[2], lines
