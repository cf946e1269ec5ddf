"""``mudanza run``: a run that goes on is looked at, slowed, paused, joined and ended by others."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.command import COMMAND, REPOSITORY, SECONDS, Answer, Command, environment, finished
from tests.cli.conftest import make_clean

ROWS, CHUNK = 4_000, 20
ALL = ROWS + 5
STANDING = {
    *("run", "status", "exit_code", "schema", "source", "snapshot", "started_by", "started_at"),
    *("finished_at", "seconds", "coordinator", "members", "rows", "rows_done", "rows_quarantined"),
    *("rows_per_second", "seconds_left", "throttle", "chunk", "building", "waits_for", "tables"),
    *("steps", "down"),
}
MEMBER = {
    *("member", "host", "pid", "account", "copies", "coordinates", "lost", "joined_at"),
    *("beat_seconds", "slowest_beat", "waits_for", "says"),
}


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A migration that goes on slowly in a process of its own."""

    command: Command
    source: Path
    target: str
    process: subprocess.Popen[str]

    def steer(self, *words: object, language: str = "en") -> Answer:
        order, *more = words
        return self.command.run("run", order, "--target", self.target, *more, language=language)

    def json(self, *words: object) -> Any:
        answer = self.steer(*words, "--json")
        assert answer.code == 0, answer.said
        return answer.json

    def ask(self, question: str) -> Any:
        return asked(self.target, question)

    def wait(self, condition: str) -> None:
        wait_until(self.target, condition)


def asked(address: str, question: str) -> Any:
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None


def wait_until(address: str, condition: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    with psycopg.connect(address, autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute(f"SELECT {condition}".encode()).fetchone() == (True,):
                return
            time.sleep(0.02)
    pytest.fail(f"never: {condition}")


@contextmanager
def slowly(
    command: Command, source: Path, target: str, *words: object, rate: int = 200
) -> Iterator[Slow]:
    """Begin a migration, and slow it down as soon as its ledger is there."""
    order = ("migrate", source, "--target", target, "--chunk-rows", CHUNK, "--json", *words)
    process = command.start(*order)
    try:
        wait_until(target, "to_regclass('mudanza.run') IS NOT NULL")
        wait_until(target, "EXISTS (SELECT FROM mudanza.run)")
        asked(target, f"UPDATE mudanza.run SET rows_per_second = {rate} RETURNING 1")
        yield Slow(command=command, source=source, target=target, process=process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_clean(tmp_path / "large.db", rows=ROWS)


@pytest.fixture
def slow(command: Command, source: Path, database: str) -> Iterator[Slow]:
    with slowly(command, source, database) as slow:
        yield slow


def told(process: subprocess.Popen[str]) -> Answer:
    return finished(process, 20)


# --- pause, resume, look ------------------------------------------------------------------


def test_a_run_is_looked_at_paused_and_resumed_from_outside(slow: Slow) -> None:
    slow.wait("EXISTS (SELECT FROM mudanza.member WHERE waits_for = 'rate')")
    seen = slow.json("show")
    assert set(seen) == STANDING
    (member,) = seen["members"]
    assert set(member) == MEMBER
    assert (member["pid"], member["copies"], member["lost"]) == (slow.process.pid, True, False)
    assert seen["coordinator"] == member["member"]
    assert (seen["status"], seen["rows"]) == ("copying", ALL)
    assert 0 < seen["rows_done"] < ALL
    assert seen["throttle"] == {"rows_per_second": 200, "load_max": None}
    assert seen["chunk"]["rows"] == CHUNK
    assert [s["reason"] for s in seen["steps"]] == ["begun"]
    page = slow.steer("show", language="es")
    assert page.code == 0
    assert all(word in page.out for word in ("copiando", "200 filas/s", "book", str(member["pid"])))

    paused = slow.json("pause", "--note", "lunch [is] ready")
    assert paused["status"] == "paused"
    rested = told(slow.process)
    assert rested.code == 0, rested.said
    assert rested.json["status"] == "paused"
    assert rested.json["paused"]["note"] == "lunch [is] ready"
    done = slow.ask("SELECT sum(rows_read) FROM mudanza.range")
    assert done - paused["rows_done"] <= CHUNK

    again = slow.command.run("migrate", slow.source, "--target", slow.target, language="es")
    assert again.code == 0, again.said
    assert "en pausa" in again.out
    assert "lunch [is] ready" in again.out
    assert "mudanza run resume" in again.out
    assert slow.ask("SELECT sum(rows_read) FROM mudanza.range") == done

    refused = slow.steer("pause", "--json")
    assert refused.code == 1
    assert refused.json["error"]["id"] == "arrow_refused"
    nobody = slow.steer("join", "--json")
    assert (nobody.code, nobody.json["error"]["id"]) == (1, "run_not_at_work")

    assert slow.json("throttle", "--off")["throttle"]["rows_per_second"] is None
    resumed = slow.steer("resume", "--note", "fed", "--workers", 2, "--json")
    assert resumed.code == 0, resumed.said
    assert (resumed.json["status"], resumed.json["resumed"]) == ("complete", True)
    assert sum(t["rows_target"] for t in resumed.json["tables"]) == ALL
    steps = slow.json("show")["steps"]
    assert [(s["reason"], s["note"]) for s in steps] == [
        ("begun", ""),
        ("pause_asked", "lunch [is] ready"),
        ("resume_asked", "fed"),
        ("rows_done", ""),
        ("all_done", ""),
    ]


def test_what_an_ended_run_is_asked_is_refused(
    command: Command, clean: Path, database: str
) -> None:
    assert command.run("migrate", clean, "--target", database).code == 0
    for order in (("pause",), ("throttle", "--off"), ("resume",)):
        name, *more = order
        answer = command.run("run", name, "--target", database, *more, "--json")
        assert (answer.code, answer.json["error"]["id"]) == (1, "arrow_refused"), order
    joined = command.run("run", "join", "--target", database)
    assert joined.code == 0, joined.said
    assert "complete before" in joined.out
    shown = command.run("run", "show", "--target", database)
    assert "nobody" in shown.out
    for wrong in ((), ("--off", "--load-max", 2)):
        answer = command.run("run", "throttle", "--target", database, *wrong, "--json")
        assert (answer.code, answer.json["error"]["id"]) == (2, "wrong_usage"), wrong


def test_a_run_that_is_not_there(command: Command, clean: Path, database: str) -> None:
    nothing = command.run("run", "show", "--target", database, "--json")
    assert (nothing.code, nothing.json["error"]["id"]) == (1, "ledger_missing")
    assert command.run("migrate", clean, "--target", database).code == 0
    other = command.run("run", "show", "--target", database, "--schema", "other", "--json")
    assert (other.code, other.json["error"]["id"]) == (1, "run_unknown")


# --- cancel -------------------------------------------------------------------------------


def test_a_cancelled_run_ends_for_good(slow: Slow) -> None:
    assert len(slow.command.snapshots()) == 1
    cancelled = slow.steer("cancel", "--note", "wrong database")
    assert cancelled.code == 0, cancelled.said
    assert "--replace" in cancelled.out
    ended = told(slow.process)
    assert ended.code == 1
    assert ended.json["error"]["id"] == "run_cancelled"
    assert slow.command.snapshots() == []
    for order in ("join", "resume"):
        answer = slow.steer(order, "--json")
        assert answer.code == 1, order
    (line,) = slow.command.run("runs", "--target", slow.target, "--json").json["runs"]
    assert line["status"] == "cancelled"
    assert line["last"]["reason"] == "cancel_asked"
    assert line["last"]["note"] == "wrong database"
    assert line["finished_at"] is not None


def test_a_run_cancelled_before_its_workers_stand_is_cancelled_not_lost(
    command: Command, clean: Path, database: str
) -> None:
    """Whoever cancels takes the snapshot away: workers that start then do not find it."""
    process = command.start(
        *("migrate", clean, "--target", database, "--workers", 2, "--json"),
        extra={"MUDANZA_FAIL": "join.registered:1:sleep=1.5"},
    )
    try:
        wait_until(database, "to_regclass('mudanza.run') IS NOT NULL")
        wait_until(database, "EXISTS (SELECT FROM mudanza.member)")
        assert command.run("run", "cancel", "--target", database).code == 0
        ended = told(process)
    finally:
        process.kill()
    assert (ended.code, ended.json["error"]["id"]) == (1, "run_cancelled")


# --- throttle -----------------------------------------------------------------------------


def test_pace_and_chunks_change_while_it_goes(slow: Slow) -> None:
    slow.wait("(SELECT max(chunk) FROM mudanza.chunk) > 0")
    seen = slow.json("throttle", "--chunk-rows", 7, "--load-max", 90)
    assert seen["throttle"] == {"rows_per_second": 200, "load_max": 90}
    assert seen["chunk"]["rows"] == 7
    slow.wait("EXISTS (SELECT FROM mudanza.chunk WHERE rows_read = 7)")
    slower = slow.steer("throttle", "--rows-per-second", 3)
    assert slower.code == 0
    assert "at most 3 rows/s" in slower.out
    slow.wait("EXISTS (SELECT FROM mudanza.chunk WHERE rows_read = 3)")
    before = slow.ask("SELECT sum(rows_read) FROM mudanza.range")
    seen = slow.json("show")
    assert seen["rows_done"] - before <= 30
    assert seen["waits_for"] == ["rate"]

    slow.json("throttle", "--off", "--chunk-rows", 1000)
    ended = told(slow.process)
    assert ended.code == 0, ended.said
    assert slow.ask("SELECT max(rows_read) FROM mudanza.chunk") > CHUNK


def test_who_does_not_see_the_load_cannot_throttle_by_it(
    command: Command, clean: Path, database: str
) -> None:
    assert command.run("migrate", clean, "--target", database).code == 0
    role = f"blind_{time.time_ns()}"
    with psycopg.connect(database, autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE {role} LOGIN PASSWORD 'p'",
            f"GRANT USAGE ON SCHEMA mudanza TO {role}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA mudanza TO {role}",
        ):
            connection.execute(statement.encode())
        try:
            blind = re.sub(r"//[^@]*@", f"//{role}:p@", database)
            order = ("run", "throttle", "--target", blind, "--load-max", 5, "--json")
            answer = command.run(*order)
            assert answer.code == 1, answer.said
            assert answer.json["error"]["id"] == "load_invisible"
            assert role in answer.err
        finally:
            connection.execute(f"DROP OWNED BY {role}".encode())
            connection.execute(f"DROP ROLE {role}".encode())


# --- join ---------------------------------------------------------------------------------


def test_another_host_joins_with_a_shipped_snapshot(slow: Slow, reachable_folder: Path) -> None:
    elsewhere = Command(home=reachable_folder / "elsewhere")
    (snapshot,) = slow.command.snapshots()
    shipped = Path(shutil.copy(snapshot, reachable_folder / "shipped.sqlite"))
    wrong = reachable_folder / "wrong.sqlite"
    wrong.write_bytes(shipped.read_bytes()[:-1] + b"?")
    order = ("run", "join", "--target", slow.target, "--json", "--snapshot")
    refused = elsewhere.run(*order, wrong)
    assert (refused.code, refused.json["error"]["id"]) == (1, "snapshot_lost")

    joined = elsewhere.start(*order, shipped)
    slow.wait("(SELECT count(DISTINCT member) FROM mudanza.chunk) = 2")
    seen = slow.json("show")
    assert {m["pid"] for m in seen["members"]} == {slow.process.pid, joined.pid}
    assert sum(m["coordinates"] for m in seen["members"]) == 1
    slow.json("throttle", "--off")
    for process in (slow.process, joined):
        ended = told(process)
        assert ended.code == 0, ended.said
        assert ended.json["status"] == "complete"
    assert slow.ask("SELECT count(*) FROM book") == ROWS


# --- ended, failed ------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_it_like_ctrl_c_though_it_waits(
    workers: int, command: Command, source: Path, database: str
) -> None:
    with slowly(command, source, database, "--workers", workers, rate=1) as slow:
        slow.wait("EXISTS (SELECT FROM mudanza.member WHERE waits_for = 'rate')")
        slow.process.send_signal(signal.SIGTERM)
        ended = told(slow.process)
        assert ended.code == 130, ended.said
        assert ended.json["error"]["id"] == "interrupted"
        assert slow.ask("SELECT count(*) FROM mudanza.member WHERE left_at IS NULL") == 0
        assert slow.ask("SELECT coordinator IS NULL FROM mudanza.run") is True
        if workers == 1:  # nobody paused it: it was left behind
            slow.json("throttle", "--off", "--chunk-rows", 500)
            resumed = slow.steer("resume", "--json")
            assert resumed.code == 0, resumed.said


def test_the_history_says_what_stopped_a_run(slow: Slow) -> None:
    slow.wait("(SELECT max(chunk) FROM mudanza.chunk) > 0")
    with psycopg.connect(slow.target, autocommit=True) as connection:
        connection.execute("DROP TABLE author, book")
    stopped = told(slow.process)
    assert stopped.code == 1
    error = stopped.json["error"]
    (line,) = slow.command.run("runs", "--target", slow.target, "--json").json["runs"]
    assert (line["status"], line["last"]["reason"]) == ("failed", "stopped")
    assert line["last"]["error"] == {"id": error["id"], "message": error["message"]}
    page = slow.command.run("runs", "--target", slow.target, language="es")
    assert page.code == 0
    assert "fallida" in page.out
    again = slow.steer("resume", "--json")
    assert (again.code, again.json["error"]["id"]) == (1, error["id"])
    assert [s["reason"] for s in slow.json("show")["steps"]] == [
        *("begun", "stopped", "taken_up", "stopped"),
    ]


# --- progress -----------------------------------------------------------------------------


def test_into_a_file_only_milestones_are_written(
    command: Command, source: Path, database: str
) -> None:
    answer = command.run("migrate", source, "--target", database, "--chunk-rows", 100)
    assert answer.code == 0, answer.said
    percents = [int(p) for p in re.findall(r"^(\d+) %: .* rows/s", answer.err, re.MULTILINE)]
    assert percents == list(range(10, 101, 10))
    assert len(answer.err.splitlines()) == len(percents) + 2


def test_on_a_terminal_a_bar_says_how_fast_and_why_it_waits(
    command: Command, source: Path, database: str
) -> None:
    ours, theirs = pty.openpty()
    order = ("migrate", source, "--target", database, "--chunk-rows", CHUNK)
    process = subprocess.Popen(
        [*COMMAND, *map(str, order)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=REPOSITORY,
        env=environment(command.home, "en") | {"COLUMNS": "160", "TERM": "xterm"},
    )
    os.close(theirs)
    try:
        wait_until(database, "to_regclass('mudanza.run') IS NOT NULL")
        wait_until(database, "(SELECT sum(rows_read) FROM mudanza.range) > 500")
        asked(database, "UPDATE mudanza.run SET rows_per_second = 10 RETURNING 1")
        screen = read_until(ours, "Throttled by rows per second")
        asked(database, "UPDATE mudanza.run SET rows_per_second = NULL RETURNING 1")
        screen += read_until(ours, None)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert re.search(r"[\d,]+/4,?005 [\d,]+ rows/s, \d+(-\d+)? (s|min) left", screen), screen
    assert "Copying book" in screen
    assert " %:" not in screen


def read_until(terminal: int, wanted: str | None) -> str:
    """What a terminal shows, colours apart, until it shows that, or to its end."""
    seen = ""
    while wanted is None or wanted not in seen:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not read:
            break
        seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen + read.decode(errors="replace"))
    return seen
