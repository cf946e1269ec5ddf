"""Who is measured beside Mudanza: how each is started, and how its answer is read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import package
from benchmarks.peers import pgloader
from benchmarks.process import Ran
from benchmarks.results import Taken
from benchmarks.server import Server

NAMES = ("mudanza", "pgloader", "duckdb", "pandas", "write_row", "ceiling")
BESIDE_MANY_ROWS = ("mudanza", "ceiling")
"""Who is still measured above the default size: the others would take hours."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One of them. ``bare``: Mudanza's bare tables are made for it beforehand, and it is
    not to make keys; ``is_slice``: it carries a part of one table alone; ``missing`` says
    why it cannot be measured here."""

    name: str
    command: list[str]
    settings: Mapping[str, str]
    taken: Callable[[Ran], Iterable[Taken]]
    environment: Mapping[str, str] = field(default_factory=dict)
    remarks: Callable[[Ran], tuple[str, ...]] = lambda _: ()
    bare: bool = True
    is_slice: bool = False
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where they are measured. ``job`` is the file that tells children what to do."""

    source: Path
    work: Path
    job: Path
    server: Server


def peers(stage: Stage, names: Iterable[str]) -> list[Peer]:
    """Those of ``names`` that are not Mudanza itself, in that order."""
    return [_MAKERS[name](stage) for name in names if name in _MAKERS]


def _pgloader(stage: Stage) -> Peer:
    folder = stage.work / "pgloader"
    command = pgloader.command(stage.source, folder)
    server = stage.server
    with_password = server.cluster.url("bench")
    return Peer(
        name="pgloader",
        command=command,
        settings={
            "version": pgloader.version() or pgloader.MISSING,
            "command file": pgloader.LOAD.format(source=stage.source),
            "PGLOADER_TARGET": server.url,
        },
        taken=lambda ran: pgloader.taken(ran, (folder / "summary.csv").read_text("utf-8")),
        environment={"PGLOADER_TARGET": with_password},
        remarks=pgloader.complaints,
        bare=False,
        missing="" if pgloader.installed() else pgloader.MISSING,
    )


def _duckdb(stage: Stage) -> Peer:
    wheels = ("duckdb", "duckdb-extension-sqlite-scanner", "duckdb-extension-postgres-scanner")
    return _child(
        stage,
        "duckdb",
        "duckdb_insert",
        {
            "version": ", ".join(map(package, wheels)),
            "settings": "its defaults: as many threads as cores, binary COPY",
            "tables": "Mudanza's bare tables; INSERT INTO … SELECT of each in turn",
        },
    )


def _pandas(stage: Stage) -> Peer:
    packages = ("pandas", "sqlalchemy", "psycopg")
    return _child(
        stage,
        "pandas",
        "pandas_to_sql",
        {
            "version": ", ".join(map(package, packages)),
            "settings": "to_sql(if_exists='append', index=False), all else its defaults",
            "tables": "Mudanza's bare order_items; reading the slice counts as well",
        },
        is_slice=True,
    )


def _write_row(stage: Stage) -> Peer:
    return _child(
        stage,
        "write_row",
        "write_row",
        {
            "version": package("psycopg"),
            "settings": "sqlite3 cursor, copy.write_row for each row, one COPY for each table, text",
            "tables": "Mudanza's bare tables",
        },
    )


def _ceiling(stage: Stage) -> Peer:
    return _child(
        stage,
        "ceiling",
        "copy_encoded",
        {
            "version": package("psycopg"),
            "A": "COPY FROM STDIN (FORMAT BINARY) of tuples that the server encoded,"
            " in blocks of 256 KiB, one COPY for each table, into Mudanza's bare tables",
            "B": "A, then the statements of Mudanza's plan for keys, indexes and constraints"
            " by psql, one after the other, from the start of the process to its exit",
        },
    )


_MAKERS: Mapping[str, Callable[[Stage], Peer]] = {
    "pgloader": _pgloader,
    "duckdb": _duckdb,
    "pandas": _pandas,
    "write_row": _write_row,
    "ceiling": _ceiling,
}


def _child(
    stage: Stage, name: str, program: str, settings: Mapping[str, str], *, is_slice: bool = False
) -> Peer:
    """A program of ours in a process of its own, with this interpreter."""
    words = [sys.executable, "-m", f"benchmarks.peers.{program}"]
    return Peer(
        name=name,
        command=[*words, str(stage.job), stage.server.url],
        settings=settings,
        taken=lambda ran: answered(name, ran),
        environment=stage.server.environment,
        is_slice=is_slice,
    )


# What a child calls its seconds, and what the table calls them.
_ANSWERS = {"ceiling": {"seconds": "ceiling.copy", "builds": "ceiling.builds"}}


def answered(name: str, ran: Ran) -> Iterator[Taken]:
    """The measures of a child: its process, and what it says of itself."""
    said = json.loads(ran.out)
    rows = int(said.pop("rows"))
    yield Taken(name=name, seconds=ran.seconds, rows=rows, rss=ran.rss, pss=ran.pss)
    names = _ANSWERS.get(name, {"seconds": f"{name}.data"})
    for word, seconds in said.items():
        counted = rows if word == "seconds" else 0
        yield Taken(name=names[word], seconds=float(seconds), rows=counted)
