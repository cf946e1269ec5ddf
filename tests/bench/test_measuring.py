"""The database, the clock, the memory, and what pgloader's summary says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.database import market, rows_for
from benchmarks.peers import pgloader
from benchmarks.process import Failed, Ran, run
from core.sample.counts import row_counts

MIB = 1 << 20
GREEDY = "import time; kept = bytearray(b'x') * ({mib} << 20); time.sleep(0.8)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"


def test_memory_of_a_child_is_seen() -> None:
    ran = run([sys.executable, "-c", PARENT, GREEDY.format(mib=150)], {})
    assert 150 * MIB < ran.rss < 250 * MIB
    assert 150 * MIB < ran.pss <= ran.rss


def test_a_program_that_fails_is_told_of() -> None:
    with pytest.raises(Failed, match="exit 3: it broke"):
        run([sys.executable, "-c", "import sys; print('it broke'); sys.exit(3)"], {})


def test_time_is_that_of_the_whole_process() -> None:
    ran = run([sys.executable, "-c", "import time; time.sleep(0.2); print('done')"], {})
    assert ran.seconds > 0.2
    assert ran.out == "done\n"


@pytest.mark.parametrize("order_lines", [100, 50_000, 1_000_000, 10_000_000])
def test_a_database_has_exactly_so_many_order_lines(order_lines: int) -> None:
    assert row_counts(rows_for(order_lines))["order_items"] == order_lines


def test_a_database_is_built_once(tmp_path: Path) -> None:
    stale = tmp_path / "market-100-0123456789ab.db"
    stale.touch()
    first = market(tmp_path, 100)
    built = first.path.stat().st_mtime_ns
    assert first.rows["order_items"] == 100
    assert market(tmp_path, 100) == first
    assert first.path.stat().st_mtime_ns == built
    assert not stale.exists()


SUMMARY = """\
"fetch meta data";75;75;0;0;"0.120s"
"Set Table OIDs";2;2;0;0;"0.012s"
"addresses";14492;14492;0;1365682;"0.916s"
"users";12077;12070;7;2807892;"0.612s"
"COPY Threads Completion";4;4;0;0;"1m3.872s"
"Create Indexes";39;39;0;0;"0.696s"
"""


def test_the_data_phase_of_pgloader_is_read_from_its_summary() -> None:
    ran = Ran(code=0, seconds=70.0, out="", err="", rss=1, pss=1)
    whole, data = pgloader.taken(ran, SUMMARY)
    assert (whole.seconds, whole.rows) == (70.0, 26_562)
    assert (data.name, data.seconds, data.rows) == ("pgloader.data", 63.872, 26_562)


def test_what_pgloader_went_past_is_told() -> None:
    said = "LOG fine\n2026 ERROR PostgreSQL Database error 42601\nQUERY: ALTER TABLE t\nLOG fine\n"
    ran = Ran(code=0, seconds=1, out=said, err="", rss=0, pss=0)
    assert pgloader.complaints(ran) == (
        "it said: PostgreSQL Database error 42601 QUERY: ALTER TABLE t",
    )
