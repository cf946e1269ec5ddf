"""Processes that start the same run, without knowing of each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.errors import RunHeld
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from tests.conftest import REPOSITORY
from tests.shared_run.exact import make_source, require_exact, rows_in
from tests.transfer.running import asked

ROWS, CHUNK = 4000, 25


class Commands:
    """``mudanza migrate`` of one source into one database, as often as one likes."""

    def __init__(self, source: Path, database: str, home: Path) -> None:
        self.source, self.database, self.home = source, database, home
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *words: str, fail: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "core.cli.main", "migrate", str(self.source)]
        command += ["--target", self.database, "--chunk-rows", str(CHUNK), "--json", *words]
        home = {"MUDANZA_HOME": str(self.home), "MUDANZA_FAIL": fail, "MUDANZA_LANG": "en"}
        started = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=os.environ | home,
        )
        self._started.append(started)
        return started

    def ask(self, sql: str) -> Any:
        """The only value of an answer; None when there is no ledger yet."""
        with psycopg.connect(self.database) as connection:
            try:
                row = connection.execute(sql.encode()).fetchone()
            except psycopg.errors.UndefinedTable:
                return None
        assert row is not None
        return row[0]

    def wait_until(self, sql: str) -> None:
        """Until ``sql`` says true."""
        until = time.monotonic() + 60
        while self.ask(sql) is not True:
            assert time.monotonic() < until, f"never {sql}"
            time.sleep(0.02)

    def end(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def commands(database: str, tmp_path: Path) -> Iterator[Commands]:
    source = make_source(tmp_path / "source.db", rows=ROWS)
    commands = Commands(source, database, tmp_path / "home")
    yield commands
    commands.end()


def test_two_that_start_at_the_same_instant_carry_one_run(commands: Commands) -> None:
    """One begins it, the other joins it."""
    slowly = "chunk.begun:2:sleep=3"  # so that each finds the other at work
    both = [commands.start(fail=slowly), commands.start(fail=slowly)]
    said = [_ended(process) for process in both]
    assert [code for code, _ in said] == [0, 0], said
    (run,) = {document["run"] for _, document in said}
    assert {document["status"] for _, document in said} == {"complete"}
    assert commands.ask("SELECT count(*) FROM mudanza.run") == 1
    assert commands.ask("SELECT count(DISTINCT member) FROM mudanza.chunk") == 2
    assert [file.name for file in commands.home.glob("snapshots/*")] == [f"{run}.sqlite"]
    require_exact(commands.source, commands.database)


def test_one_that_waits_in_vain_for_the_beginning_names_who_is_at_it(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Ledger.hold.__kwdefaults__, "seconds", 0.5)  # instead of ten
    first = commands.start(fail="begin.prepared:1:sleep=3")
    commands.wait_until(f"SELECT EXISTS (SELECT {_HOLDER})")
    holder = commands.ask(f"SELECT {_HOLDER}")
    with pytest.raises(RunHeld) as refused:
        migrate(asked(commands.source, commands.database, commands.home))
    assert refused.value.facts["pid"] == holder
    assert _ended(first)[0] == 0
    assert len(list(commands.home.glob("snapshots/*"))) == 1
    require_exact(commands.source, commands.database)


def test_replace_while_somebody_works_is_refused_and_drops_nothing(commands: Commands) -> None:
    working = commands.start(fail="chunk.copied:20:sleep=4")
    commands.wait_until("SELECT count(*) > 18 FROM mudanza.chunk")
    code, document = _ended(commands.start("--replace"), said_nothing_of="Snapshot")
    assert working.poll() is None, "it was to be at work all the time"
    message = document["error"]["message"]
    assert (code, document["error"]["id"]) == (1, "run_held"), document
    assert f"({working.pid})" in message, "it names who is at work"
    assert commands.ask("SELECT run::text FROM mudanza.run") in message
    assert rows_in(commands.database) > 18 * CHUNK
    assert _ended(working)[0] == 0
    assert commands.ask("SELECT count(*) FROM mudanza.run") == 1
    assert len(list(commands.home.glob("snapshots/*"))) == 1
    require_exact(commands.source, commands.database)


# Locks of this database alone: the server shows those of all, other tests' included.
_HOLDER = (
    "pid FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND granted AND d.datname = current_database()"
)


def _ended(
    process: subprocess.Popen[str], *, said_nothing_of: str = "Traceback"
) -> tuple[int, dict[str, Any]]:
    """Its exit code, and the document that it printed."""
    said, complained = process.communicate(timeout=120)
    assert "Traceback" not in complained, complained
    assert said_nothing_of not in complained, complained
    return process.returncode, json.loads(said)
