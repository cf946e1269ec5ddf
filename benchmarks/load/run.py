"""One command: the shop on SQLite, then on PostgreSQL, under the same load."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load import report
from benchmarks.load.measures import Measured, measure
from benchmarks.load.open_model import Pace
from benchmarks.load.site import served
from benchmarks.machine import machine, package
from benchmarks.process import REPOSITORY
from benchmarks.server import thrown_away
from webapp.seed import Size

RESULTS = REPOSITORY / "benchmarks" / "results"
DATABASE = "shop"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write down; 0 when PostgreSQL held the bar without a failure."""
    options = _options(arguments)
    options.load_before = os.getloadavg()[0]
    pace = Pace(
        rate=options.rate,
        seconds=options.seconds,
        warm_up=options.warm_up,
        processes=options.processes,
    )
    folder = Path(tempfile.mkdtemp(prefix="mudanza-load-"))
    folder.chmod(0o711)  # the server's account passes through
    try:
        measured, facts = _both(options, pace, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report.text(measured, pace, facts))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    made = report.document(measured, pace, facts)
    for file in report.write(options.results, stamp, made, report.table(*measured)):
        print(f"written: {file}")
    whole = measured[1].everyday[report.ALL]
    return int(whole.failed > 0 or whole.corrected.p95 >= report.BAR_P95)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.MEDIUM)
    parser.add_argument("--rate", type=float, default=150, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=10, help="seconds that do not count")
    parser.add_argument("--press-seconds", type=float, default=10, help="of each writers' run")
    parser.add_argument(
        "--users", type=int, default=30, help="of Locust, five requests a second each"
    )
    parser.add_argument("--users-seconds", type=float, default=20)
    parser.add_argument("--processes", type=int, default=2, help="of the generator")
    parser.add_argument("--workers", type=int, default=2, help="of gunicorn")
    parser.add_argument("--threads", type=int, default=4, help="of each worker")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


def _both(
    options: argparse.Namespace, pace: Pace, folder: Path
) -> tuple[tuple[Measured, Measured], dict[str, str]]:
    def measured(url: str) -> Measured:
        with served(
            url, options.size, folder, workers=options.workers, threads=options.threads
        ) as shop:
            return measure(
                shop,
                pace,
                press_seconds=options.press_seconds,
                users=options.users,
                users_seconds=options.users_seconds,
            )

    sqlite = measured(f"sqlite:///{folder / 'shop.db'}")
    with thrown_away(folder / "server") as server:
        server.cluster.ensure_database(DATABASE)
        postgresql = measured(server.cluster.url(DATABASE))
        facts = _facts(options, server.version())
    return (sqlite, postgresql), facts


def _facts(options: argparse.Namespace, version: str) -> dict[str, str]:
    of_all = machine(version)
    kept = {name: of_all[name] for name in ("cores", "processor", "memory", "kernel", "Python")}
    return kept | {
        "commit": of_all["Mudanza"].partition("commit ")[2],
        "shop": f"{options.size.value}: {options.size.counts.products} products",
        "served by": f"{package('gunicorn')}, {options.workers} workers of {options.threads} threads",
        "where": "the generator, gunicorn and the database on the same cores",
        "others at work before": f"load average {options.load_before:.1f}",
    }
