"""A coordinator's heartbeat while eight processes copy on a machine with few cores."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import psycopg

from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Limits
from tests.shared_run.exact import make_source, require_exact
from tests.transfer.running import asked

LOG = logging.getLogger(__name__)

WORKERS = 8
ROWS, CHUNK = 100_000, 200
LEASE = 6.0  # a beat a second


class Watch(threading.Thread):
    """Looks from outside how old the coordinator's last beat is."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self._database = database
        self._enough = threading.Event()
        self.oldest, self.members = 0.0, 0

    def run(self) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            while not self._enough.wait(0.05):
                self._look(connection)

    def _look(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        there = connection.execute("SELECT to_regclass('mudanza.run') IS NOT NULL").fetchone()
        if there != (True,):
            return
        row = connection.execute(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - c.beat_at), 0)::float8,"
            " (SELECT count(*) FROM mudanza.member WHERE copies AND left_at IS NULL)"
            " FROM mudanza.run LEFT JOIN mudanza.member c ON c.member = coordinator"
            " AND c.left_at IS NULL"
        ).fetchone()
        if row is not None:
            self.oldest = max(self.oldest, float(str(row[0])))
            self.members = max(self.members, int(str(row[1])))

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self.join()


def test_a_coordinators_heartbeat_never_waits_a_second(database: str, tmp_path: Path) -> None:
    source = make_source(tmp_path / "source.db", rows=ROWS)
    request = asked(
        source,
        database,
        tmp_path,
        workers=WORKERS,
        bounds=Bounds(rows=CHUNK),
        limits=Limits(lease=LEASE),
    )
    began = time.monotonic()
    with Watch(database) as watch:
        report = migrate(request)
    seconds = time.monotonic() - began
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT max(slowest_beat) FILTER (WHERE NOT copies), max(slowest_beat), count(*),"
            " (SELECT epoch FROM mudanza.run) FROM mudanza.member"
        ).fetchone()
    assert row is not None
    coordinators, everybodys, members, epoch = row
    said = (
        f"{seconds:.1f} s, {watch.members} at once; slowest beat: coordinator"
        f" {coordinators:.3f} s, anybody {everybodys:.3f} s; oldest beat {watch.oldest:.2f} s"
    )
    LOG.info(said)
    assert report.exit_code == 0
    assert (watch.members, members, epoch) == (WORKERS, WORKERS + 1, 1), said
    assert coordinators < 1, said
    assert watch.oldest < LEASE / 6 + 1, f"a beat is due each sixth of a lease: {said}"
    require_exact(source, database)
