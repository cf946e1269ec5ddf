"""The life of an embedded server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.errors import ServerStartFailed, TargetLoginRefused
from core.server import embedded as module
from core.server.binaries import Binaries
from core.server.connection import connect, parse_target
from core.server.embedded import Cluster


@pytest.fixture
def own(cluster: Cluster, reachable_folder: Path) -> Iterator[Cluster]:
    """A cluster of the test's own, not started, of the version under test."""
    made = Cluster(reachable_folder / "own", cluster.binaries, durable=False)
    yield made
    made.stop()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def postmaster(cluster: Cluster) -> int:
    return int((cluster.folder / "data/postmaster.pid").read_text().splitlines()[0])


def answer(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row and row[0]


def test_it_starts_stops_and_keeps_its_data_and_password(own: Cluster) -> None:
    assert not own.is_running()
    own.start()
    assert own.is_running()
    own.ensure_database("kept")
    with psycopg.connect(own.url("kept")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS n")
    url = own.url("kept")
    own.stop()
    assert not own.is_running()
    own.start()
    assert own.url("kept") == url  # the same port, too: it was still free
    assert answer(url, "SELECT n FROM t") == 42


def test_starting_and_stopping_twice_is_harmless(own: Cluster) -> None:
    own.stop()
    own.start()
    first = postmaster(own)
    own.start()
    assert postmaster(own) == first
    own.stop()
    own.stop()


def test_nobody_else_can_read_what_it_keeps(own: Cluster) -> None:
    own.start()
    assert mode(own.folder / "data") == 0o700
    for name in ("password", "port", "lock", "server.log"):
        assert mode(own.folder / name) == 0o600, name
    assert (own.folder / "password").stat().st_uid == os.geteuid()
    leftover = {p.name for p in own.folder.iterdir()}
    assert leftover == {"data", "password", "port", "lock", "server.log"}
    if os.geteuid() == 0:
        assert (own.folder / "data").stat().st_uid != 0
    password = (own.folder / "password").read_text()
    assert len(password) >= 32
    assert password not in (own.folder / "server.log").read_text()


def test_the_folders_above_are_left_as_they_were(own: Cluster) -> None:
    above = {f: (f.stat().st_mode, f.stat().st_uid, f.stat().st_gid) for f in own.folder.parents}
    own.start()
    own.stop()
    after = {f: (f.stat().st_mode, f.stat().st_uid, f.stat().st_gid) for f in own.folder.parents}
    assert after == above


def test_it_takes_its_password_and_no_other(cluster: Cluster) -> None:
    password = (cluster.folder / "password").read_text()
    with pytest.raises(TargetLoginRefused):
        connect(parse_target(cluster.url("postgres").replace(password, "guess")))
    with pytest.raises(TargetLoginRefused):
        connect(parse_target(cluster.url("postgres").replace(f":{password}", "")))
    stored = answer(
        cluster.url("postgres"), "SELECT rolpassword FROM pg_authid WHERE rolname = 'mudanza'"
    )
    assert str(stored).startswith("SCRAM-SHA-256$")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("password_encryption", "scram-sha-256"),
        ("fsync", "off"),
    ],
)
def test_the_server_of_the_tests_is_set_up_as_stated(
    cluster: Cluster, setting: str, value: str
) -> None:
    assert answer(cluster.url("postgres"), f"SHOW {setting}") == value


def test_every_way_in_asks_for_scram(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres")) as connection:
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]


def test_a_server_for_people_keeps_what_it_commits(own: Cluster) -> None:
    durable = Cluster(own.folder, own.binaries)
    durable.start()
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert answer(durable.url("postgres"), f"SHOW {setting}") == "on", setting


def test_two_processes_that_start_at_once_share_one_server(own: Cluster) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from core.server.binaries import find_binaries\n"
        "from core.server.embedded import Cluster\n"
        "c = Cluster(Path(sys.argv[1]), find_binaries(Path(sys.argv[2])), durable=False)\n"
        "c.start(); print(c.url('postgres'))\n"
    )
    words = [sys.executable, "-c", program, str(own.folder), str(own.binaries.folder)]
    root = Path(__file__).resolve().parents[2]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1] == own.url("postgres") + "\n"
    assert own.is_running()


def test_a_killed_server_is_started_again(own: Cluster) -> None:
    own.start()
    own.ensure_database("kept")
    os.kill(postmaster(own), signal.SIGKILL)
    while own.is_running():
        pass
    own.start()
    assert answer(own.url("kept"), "SELECT 1") == 1


def test_stopping_a_killed_server_is_no_error(own: Cluster) -> None:
    own.start()
    os.kill(postmaster(own), signal.SIGKILL)
    while own.is_running():
        pass
    own.stop()


def test_a_creation_that_was_killed_in_the_middle_is_done_again(own: Cluster) -> None:
    half = own.folder / "data.new"
    half.mkdir(parents=True)
    own.folder.chmod(0o711)
    (half / "PG_VERSION").write_text("half")
    own.start()
    assert own.is_running()
    assert not half.exists()


def test_a_port_that_somebody_took_is_given_up(own: Cluster) -> None:
    own.start()
    own.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        (own.folder / "port").write_text(str(taken))
        own.start()
        assert own.is_running()
        assert int((own.folder / "port").read_text()) != taken


def test_a_copied_folder_does_not_pass_for_the_original(own: Cluster) -> None:
    own.start()
    copy = Cluster(own.folder.parent / "copy", own.binaries, durable=False)
    copy.folder.mkdir()
    for name in ("password", "port"):
        shutil.copy(own.folder / name, copy.folder / name)
    assert own.is_running()
    assert not copy.is_running()


def test_a_server_that_cannot_start_says_why(own: Cluster) -> None:
    own.start()
    own.stop()
    (own.folder / "data/PG_VERSION").write_text("9.6\n")
    with pytest.raises(ServerStartFailed) as failed:
        own.start()
    assert failed.value.facts["folder"] == str(own.folder)
    assert "incompatible" in str(failed.value.facts["detail"])


def test_a_creation_that_fails_says_why(own: Cluster) -> None:
    wrong = Binaries(folder=own.folder.parent / "bin", version="18.6", major=18, origin="system")
    wrong.folder.mkdir()
    wrong.folder.chmod(0o755)
    wrong.tool("initdb").write_text("#!/bin/sh\necho 'initdb: error: no luck today'\nexit 1\n")
    wrong.tool("initdb").chmod(0o755)
    with pytest.raises(ServerStartFailed) as failed:
        Cluster(own.folder, wrong).start()
    assert failed.value.facts["detail"] == "initdb: error: no luck today"
    assert not (own.folder / "data").exists()


def test_a_system_without_the_locale_gets_c(own: Cluster) -> None:
    picky = Binaries(folder=own.folder.parent / "bin", version="18.6", major=18, origin="system")
    picky.folder.mkdir()
    picky.folder.chmod(0o755)
    for name in ("pg_ctl", "postgres"):
        picky.tool(name).symlink_to(own.binaries.tool(name))
    picky.tool("initdb").write_text(
        '#!/bin/sh\ncase "$*" in *C.UTF-8*) echo "initdb: error: invalid locale name"; exit 1;; esac\n'
        f'exec {own.binaries.tool("initdb")} "$@"\n'
    )
    picky.tool("initdb").chmod(0o755)
    Cluster(own.folder, picky, durable=False).start()
    assert answer(own.url("postgres"), "SHOW server_encoding") == "UTF8"
    collate = "SELECT datcollate FROM pg_database WHERE datname = 'postgres'"
    assert answer(own.url("postgres"), collate) == "C"


def test_the_users_own_postgresql_settings_do_not_reach_it(
    own: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGSSLMODE": "require"}.items():
        monkeypatch.setenv(name, value)
    own.start()
    assert own.is_running()


def test_databases_come_and_go(cluster: Cluster) -> None:
    odd = 'it\'s "odd" / ñ %'
    for name in (odd, "odd copy"):
        cluster.drop_database(name)
    cluster.ensure_database(odd)
    cluster.ensure_database(odd)
    with psycopg.connect(cluster.url(odd)) as connection:
        assert connection.info.dbname == odd
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    cluster.clone_database("odd copy", odd)
    assert answer(cluster.url("odd copy"), "SELECT n FROM t") == 1
    with psycopg.connect(cluster.url(odd)):
        cluster.drop_database(odd)  # the session in it is ended
    cluster.drop_database("odd copy")
    cluster.drop_database("odd copy")


def test_a_name_that_postgresql_would_cut_is_a_defect(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="63 bytes"):
        cluster.ensure_database("ñ" * 32)


def test_every_port_taken_is_a_failure_with_its_reason(
    own: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(Cluster, "_ports", lambda _: iter([other.getsockname()[1]] * 2))
        with pytest.raises(ServerStartFailed) as failed:
            own.start()
    assert "TCP/IP" in str(failed.value.facts["detail"])
    assert module.PORT_TRIES > 2
