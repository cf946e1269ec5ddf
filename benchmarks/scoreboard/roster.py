"""Which databases are on the board, in which section, and under what name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

from benchmarks.process import REPOSITORY
from benchmarks.scoreboard import unseen

CASES = REPOSITORY / "tests" / "cases"

SECTIONS = {
    "cases": "Torture cases",
    "traps": "All traps in one file",
    "peers": "The peers' own test databases",
    "real": "Real databases",
    "unseen": "Twenty databases that nobody looked at",
}
"""Sections in the order of the board."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database: ``name`` is what the board prints."""

    section: str
    name: str
    path: Path


def databases(folder: Path, sections: frozenset[str]) -> Iterator[Database]:
    """All of the wanted sections; those that are made are made in ``folder``."""
    made = folder / "databases"
    made.mkdir(parents=True, exist_ok=True)
    if "cases" in sections:
        yield from _cases(made)
    for section in ("traps", "peers", "real"):
        if section in sections:
            yield from _found(section)
    if "unseen" in sections:
        yield from _drawn(made)


def data_folder() -> Path:
    """Where databases that do not belong to the repository lie: ``MUDANZA_DATA``, else
    beside it."""
    chosen = os.environ.get("MUDANZA_DATA")
    return Path(chosen) if chosen else REPOSITORY.parent / "shared" / "data"


def _cases(made: Path) -> Iterator[Database]:
    for source in sorted(CASES.glob("*/source.sql")):
        yield Database(section="cases", name=source.parent.name, path=build_case(source, made))


def build_case(source: Path, folder: Path) -> Path:
    """The database that a case's SQL makes."""
    path = folder / f"{source.parent.name}.db"
    path.unlink(missing_ok=True)
    connection = apsw.Connection(str(path))
    connection.execute(source.read_text(encoding="utf-8"))
    connection.close()
    return path


def _found(section: str) -> Iterator[Database]:
    files = (data_folder() / section).rglob("*")
    for path in sorted(f for f in files if f.suffix in (".db", ".sqlite") and f.is_file()):
        whose = f"{path.parent.name}: " if section == "peers" else ""
        yield Database(section=section, name=f"{whose}{path.name}", path=path)


def _drawn(made: Path) -> Iterator[Database]:
    for number in range(1, unseen.COUNT + 1):
        path = made / f"unseen_{number:02}.db"
        path.unlink(missing_ok=True)
        unseen.build(number, path)
        yield Database(section="unseen", name=f"number {number}", path=path)
