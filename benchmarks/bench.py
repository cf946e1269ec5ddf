"""Measure Mudanza beside others: ``make bench``, ``make bench N=10000000``.

Each contender runs in turn, so many rounds long, each time in a process of its own and
into a database made anew. A bar that is missed is printed, and so is another contender
that failed; what fails the benchmark is Mudanza or a ceiling that does, and a table that
goes around the Arrow path.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ceiling, contenders, results, table
from benchmarks.arrived import Arrived, arrived, lacking
from benchmarks.bars import below_share, judged
from benchmarks.contenders import Peer, Stage
from benchmarks.database import Market, market, warm
from benchmarks.machine import machine
from benchmarks.mudanza import Mudanza, proof_of, run_and_plan, shares, taken_of
from benchmarks.process import REPOSITORY, Failed, run
from benchmarks.results import DEFAULT_ORDER_LINES, Report, Share, Taken
from benchmarks.server import Server, thrown_away
from core.errors import MudanzaError
from core.plan import Plan
from core.words import say

OURS = {"mudanza", "ceiling"}
"""Whose failure is the benchmark's; what befalls another is its own result."""
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    order_lines: int
    rounds: int
    folder: Path
    json: Path
    contenders: tuple[str, ...]

    @property
    def home(self) -> Path:
        """The folder of the server and of Mudanza's snapshots; gone at the end."""
        return self.folder / "bench-home"

    @property
    def looks_at_values(self) -> bool:
        """Whether the values that arrived are compared: not of very many rows."""
        return self.order_lines <= DEFAULT_ORDER_LINES


@dataclass(kw_only=True)
class Session:
    """One run of the benchmark, as it fills."""

    asked: Asked
    market: Market
    server: Server
    taken: list[Taken] = field(default_factory=list)
    remarks: dict[str, tuple[str, ...]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    plan: Plan | None = None
    wanted: Arrived | None = None

    @property
    def work(self) -> Path:
        """The folder for what children are told and for encoded rows; gone at the end."""
        return self.asked.folder / "bench-work"

    @property
    def stage(self) -> Stage:
        """Where the others are measured."""
        job = self.work / "job.json"
        return Stage(source=self.market.path, work=self.work, job=job, server=self.server)

    @property
    def mudanza(self) -> Mudanza:
        """Mudanza, as it is run here."""
        return Mudanza(source=self.market.path, home=self.asked.home, server=self.server)


def main() -> int:
    """Measure, print, keep; 0 unless somebody failed."""
    asked = _asked()
    try:
        with _alone(asked.folder):
            report = _report(_measured(asked))
    except MudanzaError as refused:
        for sentence in (refused.sentence_id, refused.remedy_id):
            print(say(sentence, "en", **refused.facts), file=sys.stderr)
        return 1
    except Failed as failed:
        print(f"The benchmark stopped: {failed}", file=sys.stderr)
        return 1
    print(table.text(report))
    _keep(asked.json, report)
    return 1 if OURS & report.failures.keys() or below_share(report.shares) else 0


def _asked() -> Asked:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--order-lines", "-n", type=int, default=DEFAULT_ORDER_LINES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, default=REPOSITORY / ".bench", help="working folder")
    parser.add_argument("--json", type=Path, help="where to keep the result")
    parser.add_argument("--only", nargs="+", choices=contenders.NAMES, help="beside Mudanza")
    words = parser.parse_args()
    many = words.order_lines > DEFAULT_ORDER_LINES
    names = words.only or (contenders.BESIDE_MANY_ROWS if many else contenders.NAMES)
    kept = f"{datetime.now(UTC):%Y-%m-%d}-{words.order_lines}.json"
    return Asked(
        order_lines=words.order_lines,
        rounds=words.rounds,
        folder=words.dir.resolve(),
        json=words.json or RESULTS / kept,
        contenders=tuple(dict.fromkeys(("mudanza", *names))),
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two benchmarks in one folder would take away each other's server."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"another benchmark is at work in {folder}") from None
        yield


# --- measuring ------------------------------------------------------------------------


def _measured(asked: Asked) -> Session:
    _tell(f"the database of {asked.order_lines:,} order lines")
    built = market(asked.folder, asked.order_lines)
    warm(built.path)
    with thrown_away(asked.home) as server:
        session = Session(asked=asked, market=built, server=server)
        session.work.mkdir(exist_ok=True)
        try:
            for number in range(1, asked.rounds + 1):
                _round(session, number)
        finally:
            shutil.rmtree(session.work)
        session.machine = machine(server.version())
    return session


def _round(session: Session, number: int) -> None:
    """Everybody once, Mudanza first: the others fill the tables of its plan."""
    first = number == 1
    _tell(f"round {number} of {session.asked.rounds}: mudanza")
    _measure_mudanza(session, first=first)
    for peer in contenders.peers(session.stage, session.asked.contenders):
        session.settings[peer.name] = {"command": " ".join(peer.command), **peer.settings}
        if peer.missing:
            session.remarks[peer.name] = (peer.missing,)
            continue
        _tell(f"round {number} of {session.asked.rounds}: {peer.name}")
        try:
            _measure_peer(session, peer, first=first)
        except Failed as failed:
            session.failures[peer.name] = str(failed)


def _measure_mudanza(session: Session, *, first: bool) -> None:
    mudanza = session.mudanza
    session.server.fresh()
    ran, said = mudanza.migrate()
    with session.server.connected() as connection:
        session.taken.extend(taken_of(ran, said, connection))
    for level in ("rows", "full") if first and session.asked.looks_at_values else ("rows",):
        _tell(f"  verify --level {level}")
        session.taken.extend(proof_of(*mudanza.verify(level), level))
    if first:
        _learn(session)


def _learn(session: Session) -> None:
    """What the first migration tells: the plan, its rows encoded, what must arrive."""
    with session.server.connected() as connection:
        _, session.plan = run_and_plan(connection)
        session.shares = shares(connection)
        values = session.asked.looks_at_values
        session.wanted = arrived(connection, session.plan, values=values)
        if "ceiling" in session.asked.contenders:
            ceiling.take(connection, session.plan, session.work)
    psql = session.server.cluster.binaries.tool("psql")
    ceiling.job(session.plan, session.market.path, session.work, psql).write(session.stage.job)
    session.remarks["mudanza"] = (f"all {session.market.total:,} rows, proven by verify",)
    session.settings["mudanza"] = {
        "migrate": " ".join(session.mudanza.migrate_command()),
        "verify": " ".join(session.mudanza.verify_command("rows")),
    }


def _measure_peer(session: Session, peer: Peer, *, first: bool) -> None:
    session.server.fresh(session.plan if peer.bare else None)
    ran = run(peer.command, peer.environment)
    session.taken.extend(peer.taken(ran))
    if first:
        session.remarks[peer.name] = (*_arrived(session, peer), *peer.remarks(ran))


def _arrived(session: Session, peer: Peer) -> tuple[str, ...]:
    """What the peer's target has, beside what Mudanza's had."""
    assert session.plan is not None
    assert session.wanted is not None
    if peer.is_slice:
        return ("a slice alone",)
    with session.server.connected() as connection:
        found = arrived(connection, session.plan, values=session.asked.looks_at_values)
    built = not peer.bare or peer.name == "ceiling"
    return tuple(lacking(session.wanted, found, constraints=built))


def _tell(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


# --- the result -----------------------------------------------------------------------


def _report(session: Session) -> Report:
    asked = session.asked
    many = asked.order_lines > DEFAULT_ORDER_LINES
    return Report(
        order_lines=asked.order_lines,
        rows=session.market.total,
        rounds=asked.rounds,
        contenders=asked.contenders,
        measures=results.gathered(session.taken),
        shares=session.shares,
        machine=session.machine,
        settings=session.settings,
        remarks=session.remarks,
        failures=session.failures,
        earlier=results.time_at_default_size(RESULTS) if many else None,
    )


def _keep(path: Path, report: Report) -> None:
    bars = [bar.document() for bar in judged(report)]
    date = datetime.now(UTC).isoformat(timespec="seconds")
    results.write(path, results.document(report, date, bars))
    print(f"kept in {path}")


if __name__ == "__main__":
    sys.exit(main())
