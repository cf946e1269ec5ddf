"""What a server does to a run in its middle, and the named outcome of each.

The numbers in the names of the tests' sections are those of the fault table that the
design goes by: 11 statement_timeout, 12 lock_timeout, 13 deadlock, 17 disk full,
20 a right that is taken away.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from core.errors import (
    MudanzaError,
    TargetConflict,
    TargetDiskFull,
    TargetLocked,
    TargetPrivilege,
    TargetTimeout,
)
from core.server.account import server_account
from core.server.embedded import Cluster
from core.transfer.migrate import migrate
from core.transfer.model import Bounds, Limits
from tests.conftest import binaries_under_test
from tests.transfer.running import asked, check_ledger, interrupted, prove, source_of

SQL = (
    "CREATE TABLE things (id INTEGER PRIMARY KEY, said TEXT); CREATE INDEX by_said ON things (said)"
)
ROWS = 200


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(tmp_path / "s.db", SQL, {"things": [(n, f"{n}") for n in range(ROWS)]})


def begun(source: Path, database: str, home: Path, **limits: float) -> object:
    """A run with one chunk in, and how it is to go on."""
    request = asked(source, database, home, bounds=Bounds(rows=50), limits=Limits(**limits))
    interrupted(request, chunks=1)
    return request


def stopped_by(database: str) -> tuple[str, str]:
    """What the ledger says of a run that stands still."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT status, detail FROM mudanza.run JOIN mudanza.step USING (run)"
            " ORDER BY step DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


@contextmanager
def trigger(database: str, body: str) -> Iterator[None]:
    """A trigger of somebody's before each row that goes into the table."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {body}; RETURN NEW; END $$".encode()
        )
        connection.execute(
            "CREATE TRIGGER t BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION in_the_way()"
        )
        yield
        connection.execute("DROP FUNCTION in_the_way CASCADE")


# --- 11: a statement that takes too long ------------------------------------------------


def test_a_chunk_that_takes_too_long_is_tried_smaller(
    source: Path, database: str, tmp_path: Path
) -> None:
    request = begun(source, database, tmp_path, chunk=0.5)
    with trigger(database, "PERFORM pg_sleep(0.02)"):  # 50 rows: a second
        migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)
    with psycopg.connect(database) as connection:
        sizes = connection.execute("SELECT DISTINCT rows_read FROM mudanza.chunk").fetchall()
    assert (12,) in sizes


def test_a_row_that_takes_too_long_stops_the_run_by_name(
    source: Path, database: str, tmp_path: Path
) -> None:
    request = begun(source, database, tmp_path, chunk=0.1)
    with trigger(database, "PERFORM pg_sleep(1)"):
        expect(TargetTimeout, request, database)
    check_ledger(database)
    migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)


def expect(kind: type[MudanzaError], request: object, database: str) -> MudanzaError:
    """The run stops with an error of this kind, and its ledger says so."""
    with pytest.raises(kind) as stopped:
        migrate(request)  # type: ignore[arg-type]
    status, detail = stopped_by(database)
    assert status == "failed"
    assert kind.id in detail
    return stopped.value


# --- 12: a lock of somebody's ------------------------------------------------------------


def test_a_lock_that_stays_stops_the_run_and_its_holder_is_named(
    source: Path, database: str, tmp_path: Path
) -> None:
    request = begun(source, database, tmp_path, lock=0.1)
    with psycopg.connect(database, application_name="a report") as holder:
        holder.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        stopped = expect(TargetLocked, request, database)
        said = str(stopped.facts["detail"])
        assert f"pid {holder.info.backend_pid}" in said
        assert "a report" in said
    migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)


def test_a_lock_that_goes_is_waited_for(source: Path, database: str, tmp_path: Path) -> None:
    request = begun(source, database, tmp_path, lock=0.2)
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        threading.Timer(0.6, holder.rollback).start()
        migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)


def test_a_lock_in_the_way_of_a_build_is_named_as_well(
    source: Path, database: str, tmp_path: Path
) -> None:
    request = begun(source, database, tmp_path, lock=0.1)
    with psycopg.connect(database) as holder:
        # Lets rows in, and no index.
        holder.execute("LOCK TABLE things IN ROW EXCLUSIVE MODE")
        stopped = expect(TargetLocked, request, database)
        assert f"pid {holder.info.backend_pid}" in str(stopped.facts["detail"])
    migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)


# --- 13: a deadlock ----------------------------------------------------------------------


def test_the_victim_of_a_deadlock_begins_its_chunk_again(
    source: Path, database: str, tmp_path: Path
) -> None:
    """Our chunk waits for a lock of an application that waits for the chunk's table."""
    request = begun(source, database, tmp_path)
    with (
        trigger(database, "PERFORM pg_advisory_xact_lock(7)"),
        psycopg.connect(database) as application,
    ):
        application.execute("SET deadlock_timeout = '1h'")  # so that we are the victim
        application.execute("SELECT pg_advisory_xact_lock(7)")
        run = threading.Thread(target=migrate, args=(request,))
        run.start()
        _wait_until(
            database,
            "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
        )
        application.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        application.commit()
        run.join()
    prove(source, database, tmp_path)


def test_conflicts_without_end_stop_the_run_by_name(
    source: Path, database: str, tmp_path: Path
) -> None:
    request = begun(source, database, tmp_path)
    with trigger(database, "RAISE EXCEPTION USING ERRCODE = 'serialization_failure'"):
        expect(TargetConflict, request, database)
    check_ledger(database)
    migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)


def _wait_until(database: str, holds: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    with psycopg.connect(database, autocommit=True) as looking:
        while looking.execute(holds.encode()).fetchone() != (True,):
            assert time.monotonic() < until, holds
            time.sleep(0.02)


# --- 17: no room left ---------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of so many megabytes."""
    folder.mkdir()
    _mount(folder, megabytes)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, megabytes: int, *more: str) -> None:
    options = ",".join(("mode=0777", f"size={megabytes}m", *more))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.fail(
            f"A small file system cannot be mounted here: {mounted.stderr.strip()}"
            " Run the tests as root, in a sandbox that may mount."
        )


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(
    reachable_folder: Path, tmp_path: Path
) -> None:
    chance = random.Random(1)  # zeros would be compressed away
    wide = [(n, chance.randbytes(40_000)) for n in range(400)]
    source = source_of(
        tmp_path / "wide.db", "CREATE TABLE wide (id INTEGER PRIMARY KEY, b BLOB)", {"wide": wide}
    )
    with small_disk(reachable_folder / "small", 12) as disk:
        cluster = Cluster(reachable_folder / "cluster", binaries_under_test(), durable=False)
        cluster.start()
        try:
            database = _on_small_disk(cluster, disk)
            request = asked(source, database, tmp_path, bounds=Bounds(rows=20))
            expect(TargetDiskFull, request, database)
            check_ledger(database)
            _mount(disk, 100, "remount")
            migrate(request)
            prove(source, database, tmp_path)
        finally:
            cluster.stop()


def _on_small_disk(cluster: Cluster, disk: Path) -> str:
    """A database whose new tables lie on the small disk, its ledger elsewhere."""
    space = disk / "space"
    space.mkdir()
    account = server_account()
    if account is not None:
        os.chown(space, account.uid, account.gid)
    cluster.ensure_database("small")
    database = cluster.url("small")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
        connection.execute("ALTER DATABASE small SET default_tablespace = small")
    return database


# --- 20: a right that is taken away ---------------------------------------------------------


def test_a_right_that_is_lost_stops_the_run_and_its_return_lets_it_go_on(
    source: Path, database: str, cluster: Cluster, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        request = begun(source, database, tmp_path)
        with trigger(
            database,
            "IF NEW.id > 120 THEN RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege'; END IF",
        ):
            expect(TargetPrivilege, request, database)
        assert owner.execute("SELECT count(*) FROM things").fetchone() == (100,)
    migrate(request)  # type: ignore[arg-type]
    prove(source, database, tmp_path)


def test_what_stops_a_worker_stops_the_run_by_the_same_name(
    source: Path, database: str, tmp_path: Path
) -> None:
    """A worker process tells the one that sent it, which tells the ledger and the caller."""
    begun(source, database, tmp_path)
    request = asked(source, database, tmp_path, workers=2)
    refused = "RAISE EXCEPTION 'not today' USING ERRCODE = 'insufficient_privilege'"
    with trigger(database, refused):
        stopped = expect(TargetPrivilege, request, database)
    assert stopped.facts["detail"] == "not today"
    migrate(request)
    prove(source, database, tmp_path)
