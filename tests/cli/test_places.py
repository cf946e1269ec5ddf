"""The embedded server, psql, doctor and the demo."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from core.server.embedded import Cluster, embedded_cluster
from core.settings import Settings
from tests.cli.command import CANARY, Command
from tests.conftest import binaries_under_test


def test_without_a_target_everything_happens_in_the_embedded_server(
    command: Command, clean: Path
) -> None:
    source = clean.rename(clean.with_name("My Shop.db"))
    rehearsed = command.run("migrate", source, "--dry-run", "--json")
    assert rehearsed.code == 0, rehearsed.said

    migrated = command.run("migrate", source, "--json")
    assert migrated.code == 0, migrated.said
    cluster = embedded_cluster(Settings(home=command.home))
    password = urlsplit(cluster.url("my_shop")).password
    assert password
    with psycopg.connect(cluster.url("my_shop")) as connection:
        assert connection.execute("SELECT count(*) FROM book").fetchone() == (50,)

    proven = command.run("verify", source, "--json")
    assert proven.code == 0
    assert proven.json["parity"] is True
    listed = command.run("runs", source, "--json")
    assert [line["run"] for line in listed.json["runs"]] == [migrated.json["run"]]
    kept = command.run("quarantine", "list", source, "--json")
    assert kept.json == {"run": migrated.json["run"], "rows": 0, "quarantine": []}
    asked = command.run("psql", source, "--", "-Atc", "SELECT count(*) FROM book")
    assert (asked.code, asked.out) == (0, "50\n")
    found = command.run("doctor", "--json")
    assert found.code == 0
    assert found.json["server"] == {"folder": str(cluster.folder), "running": True}

    answers = (rehearsed, migrated, proven, listed, kept, asked, found)
    assert not any(password in answer.said for answer in answers)


# --- psql -----------------------------------------------------------------------------------


def test_psql_runs_what_stands_after_the_dashes(command: Command, database: str) -> None:
    answer = command.run("psql", "--target", database, "--", "-At", "-c", "select 1")
    assert (answer.code, answer.out, answer.err) == (0, "1\n", "")
    failed = command.run("psql", "--target", database, "--", "-c", "select nosuch")
    assert failed.code == 1
    assert "nosuch" in failed.err


def test_no_password_stands_on_the_command_line_of_psql(
    command: Command, cluster: Cluster, tmp_path: Path
) -> None:
    """A program of ours stands where psql is looked for and tells what the system shows
    to everybody of its command line, and what it alone sees of its environment."""
    spy = tmp_path / "bin"
    spy.mkdir()
    for tool in ("initdb", "pg_ctl", "postgres"):
        (spy / tool).symlink_to(binaries_under_test().tool(tool))
    psql = spy / "psql"
    psql.write_text('#!/bin/sh\ntr "\\0" "\\n" < /proc/$$/cmdline\necho "SECRET=$PGPASSWORD"\n')
    psql.chmod(psql.stat().st_mode | stat.S_IXUSR)
    url = f"postgresql://me:{CANARY}@db.example:5433/shop?application_name=mine"
    words = f"host=db.example port=5433 user=me password={CANARY} dbname=shop"
    for address in (url, words):
        answer = command.run(
            *("psql", "--target", address, "--", "-c", "select 1"),
            extra={"MUDANZA_PG_BINDIR": str(spy)},
        )
        assert answer.code == 0, answer.said
        *line, secret = answer.out.splitlines()
        assert secret == f"SECRET={CANARY}"
        assert not any(CANARY in word for word in line)
        assert any("host=db.example" in word and "dbname=shop" in word for word in line)
        assert line[-2:] == ["-c", "select 1"]


# --- doctor ---------------------------------------------------------------------------------


def test_doctor_says_what_there_is_and_starts_nothing(command: Command) -> None:
    told = command.run("doctor", "--json")
    assert told.code == 0, told.said
    assert set(told.json) == {
        *("version", "python", "sqlite", "apsw", "home", "postgres", "server", "missing"),
    }
    assert told.json["home"] == str(command.home)
    assert told.json["postgres"][0]["origin"] in ("wheel", "system")
    assert told.json["server"]["running"] is False
    assert told.json["missing"] == []
    assert list(command.home.iterdir()) == []


def test_doctor_says_what_is_missing(command: Command, tmp_path: Path) -> None:
    nowhere = {"MUDANZA_PG_BINDIR": str(tmp_path)}
    told = command.run("doctor", "--json", extra=nowhere)
    assert told.code == 1
    (missing,) = told.json["missing"]
    assert str(tmp_path) in missing
    shown = command.run("doctor", extra=nowhere, language="es")
    assert shown.code == 1
    assert "Traceback" not in shown.said


# --- the story, and pipes -------------------------------------------------------------------


def test_the_demo_proves_its_story(command: Command) -> None:
    answer = command.run("demo", "--check", "--rows", 20_000)
    assert answer.code == 0, answer.said
    assert "Traceback" not in answer.said
    assert not embedded_cluster(Settings(home=command.home)).is_running()


def test_a_reader_that_leaves_early_is_no_defect(command: Command, clean: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing) as closed:
        for order in (("--json",), ("--sql",), ()):
            process = command.start("plan", clean, *order, stdout=closed.fileno())
            _, said = process.communicate(timeout=60)
            assert process.returncode == 1
            assert "Traceback" not in said
            assert "Exception" not in said


def test_help_is_no_refusal(command: Command) -> None:
    for order in ((), ("quarantine",)):
        answer = command.run(*order)
        assert answer.code == 2
        assert "Usage:" in answer.out
        assert answer.err == ""
    assert command.run("migrate", "--help").code == 0
