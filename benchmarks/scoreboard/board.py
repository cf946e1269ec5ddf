"""The board: each database through each tool into a database of its own, and judged."""

from __future__ import annotations

import secrets
import shutil
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.scoreboard.comparer import Verdict, judge
from benchmarks.scoreboard.roster import Database
from benchmarks.scoreboard.tools.address import Address
from benchmarks.scoreboard.tools.tool import Told, Tool
from core.server.embedded import Cluster, embedded_cluster
from core.settings import Settings, read_settings


@dataclass(frozen=True, kw_only=True)
class Played:
    """One database through one tool. ``failed``: the judge itself could not go on."""

    seconds: float
    note: str
    verdict: Verdict | None
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One database, and what became of it by tool."""

    database: Database
    played: Mapping[str, Played]

    def is_clean(self, tool: str) -> bool:
        """Whether nothing is wrong that the tool did not say, its exit code included."""
        if tool not in self.played:
            return True
        verdict = self.played[tool].verdict
        return verdict is not None and not verdict.is_silent and verdict.is_honest


@dataclass(frozen=True, kw_only=True)
class Board:
    """All of it: ``postgres`` is the server's version, ``seconds`` how long it took."""

    tools: tuple[Tool, ...]
    entries: tuple[Entry, ...]
    postgres: str
    seconds: float


def play(
    databases: Sequence[Database], tools: tuple[Tool, ...], folder: Path, *, at_once: int
) -> Board:
    """Everything, ``at_once`` databases at a time, on a server that is thrown away."""
    began = time.monotonic()
    with _thrown_away(folder / "server") as cluster:
        one = partial(_entry, tools, cluster, folder)
        with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
            entries = tuple(_told(pool.map(one, databases)))
        version = cluster.binaries.version
    return Board(tools=tools, entries=entries, postgres=version, seconds=time.monotonic() - began)


def _told(entries: Iterator[Entry]) -> Iterator[Entry]:
    for entry in entries:
        marks = " ".join(f"{name} {_mark(entry, name)}" for name in entry.played)
        print(
            f"{entry.database.section}/{entry.database.name}: {marks}", file=sys.stderr, flush=True
        )
        yield entry


def _mark(entry: Entry, tool: str) -> str:
    return f"{'clean' if entry.is_clean(tool) else 'NOT CLEAN'} {entry.played[tool].seconds:.1f} s"


def _entry(tools: tuple[Tool, ...], cluster: Cluster, folder: Path, database: Database) -> Entry:
    played = {tool.name: _played(tool, cluster, folder, database) for tool in tools}
    return Entry(database=database, played=played)


def _played(tool: Tool, cluster: Cluster, folder: Path, database: Database) -> Played:
    name = f"board_{secrets.token_hex(6)}"
    work = folder / name
    work.mkdir()
    cluster.ensure_database(name)
    try:
        address = Address(whole=cluster.url(name))
        source = work / f"{database.section}.db"
        shutil.copyfile(database.path, source)  # a tool may leave something beside it
        told = tool.carry(source, address, work)
        return _judged(database, address, told, work)
    finally:
        cluster.drop_database(name)
        shutil.rmtree(work, ignore_errors=True)


def _judged(database: Database, address: Address, told: Told, work: Path) -> Played:
    try:
        verdict = judge(database.path, address.whole, told.listing, work)
    except Exception:  # noqa: BLE001  # a judge that fails is a line of the board, too
        failed = traceback.format_exc()
        return Played(seconds=told.seconds, note=told.note, verdict=None, failed=failed)
    return Played(seconds=told.seconds, note=told.note, verdict=verdict)


@contextmanager
def _thrown_away(home: Path) -> Iterator[Cluster]:
    settings = Settings(home=home, pg_bindir=read_settings().pg_bindir)
    made = embedded_cluster(settings)
    cluster = Cluster(made.folder, made.binaries, durable=False)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)
