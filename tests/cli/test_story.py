"""The happy way: plan, migrate, look, prove, change, and what each says to programs."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import psycopg
import pytest

from core.server.embedded import Cluster
from tests.cli.command import Command, finished
from tests.cli.conftest import left_in, make_clean
from tests.source.databases import trace

NAMELESS = 54321
RUN = {
    *("run", "status", "seconds", "rows_per_second", "phases", "tables", "objects"),
    *("exit_code", "resumed", "repeated", "moved", "paused"),
}
RUN_TABLE = {
    *("name", "target", "rows_source", "rows_target", "rows_quarantined", "rows_left_out"),
    "values_altered",
    "seconds",
}
FATE = {"kind", "name", "table", "reason", "says", "counts"}
PARITY = {"run", "level", "parity", "moved", "values", "seconds", "tables", "relations", "views"}
PARITY_TABLE = {
    *("name", "target", "rows_source", "rows_target", "quarantined", "differences", "samples"),
    "left_out",
    *("altered", "edited", "edits"),
}
SAMPLE = {"kind", "key", "column", "source", "target"}
RELATION = {"kind", "name", "table", "holds", "detail"}
RUN_LINE = {
    *("run", "schema", "source", "status", "exit_code", "started_at", "finished_at"),
    *("started_by", "plan_sha256", "snapshot_sha256", "version", "last"),
}
QUARANTINED = {"table", "key", "id", "reason", "says", "detail", "cells"}
CELL = {"column", "storage_class", "rule", "reason", "bytes", "raw"}


def execute(address: str, statement: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())


def change(path: Path, statement: str) -> None:
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()


def check_shapes(items: list[Mapping[str, Any]], keys: set[str]) -> None:
    assert items
    assert {frozenset(item) for item in items} == {frozenset(keys)}


# --- plan ---------------------------------------------------------------------------------


def test_plan_shows_writes_and_prints(command: Command, clean: Path, tmp_path: Path) -> None:
    before = trace(tmp_path)
    shown = command.run("plan", clean)
    assert shown.code == 0, shown.err
    assert all(word in shown.out for word in ("author", "title", "double precision", "bigint"))
    assert trace(tmp_path) == before

    told = command.run("plan", clean, "--json")
    document = told.json
    assert set(document) == {"sha256", "schema", "tables", "objects"}
    assert document["schema"] == "public"
    assert document["sha256"] in squeezed_lines(shown.out)
    assert [(t["name"], t["rows"]) for t in document["tables"]] == [("author", 5), ("book", 50)]
    check_shapes(
        document["tables"][1]["columns"],
        {"name", "declared", "target", "type", "rule", "misfits", "saw"},
    )

    sql = command.run("plan", clean, "--sql", "--schema", "shop")
    assert sql.code == 0
    assert 'CREATE TABLE "shop"."author"' in sql.out
    assert "FOREIGN KEY" in sql.out
    assert command.snapshots() == []


def squeezed_lines(text: str) -> str:
    return text.replace("\n", "")


def test_the_printed_ddl_runs(command: Command, clean: Path, database: str) -> None:
    execute(database, command.run("plan", clean, "--sql").out)
    assert sorted(left_in(database)) == ["author", "book"]


def test_a_plan_that_was_written_is_the_plan_that_is_followed(
    command: Command, clean: Path, tmp_path: Path, database: str
) -> None:
    path = tmp_path / "plan.toml"
    written = command.run("plan", clean, "--out", path, "--json")
    assert written.code == 0
    assert str(path) in written.err
    assert written.json["sha256"] in written.err

    text = path.read_text(encoding="utf-8")
    assert text.count('type = "double precision", rule = "real"') == 1
    migrated = command.run("migrate", clean, "--target", database, "--plan", path, "--json")
    assert migrated.code == 0, migrated.err
    (line,) = command.run("runs", "--target", database, "--json").json["runs"]
    assert line["plan_sha256"] == written.json["sha256"]

    changed = text.replace(
        'type = "double precision", rule = "real"', 'type = "text", rule = "spelled"'
    )
    path.write_text(changed, encoding="utf-8")
    other = command.run("migrate", clean, "--target", database, "--plan", path, "--json")
    assert other.code == 1
    assert other.json["error"]["id"] == "plan_changed"
    again = command.run(
        *("migrate", clean, "--target", database, "--plan", path, "--replace", "--json"),
    )
    assert again.code in (0, 3), again.said
    proven = command.run("verify", clean, "--target", database, "--json")
    assert proven.code == 0, proven.said


# --- migrate ------------------------------------------------------------------------------


def test_a_clean_source_from_beginning_to_end(
    command: Command, clean: Path, tmp_path: Path, database: str
) -> None:
    before = trace(tmp_path)
    rehearsed = command.run("migrate", clean, "--target", database, "--dry-run", "--json")
    assert rehearsed.code == 0, rehearsed.said
    assert 'CREATE TABLE "public"."book"' in rehearsed.json["sql"]
    assert left_in(database) == []
    assert command.snapshots() == []

    first = command.run("migrate", clean, "--target", database, "--json")
    assert first.code == 0, first.said
    assert trace(tmp_path) == before
    document = first.json
    assert set(document) == RUN
    check_shapes(document["tables"], RUN_TABLE)
    assert set(document["objects"]) == {"carried", "rewritten", "not_carried"}
    assert str(UUID(document["run"])) == document["run"]
    assert document["status"] == "complete"
    assert document["exit_code"] == 0
    assert (document["resumed"], document["repeated"], document["moved"]) == (False,) * 3
    assert [(t["rows_source"], t["rows_target"]) for t in document["tables"]] == [(5, 5), (50, 50)]

    again = command.run("migrate", clean, "--target", database, "--json")
    assert again.code == 0
    assert again.json == document | {"repeated": True, "phases": {}}

    shown = command.run("migrate", clean, "--target", database, language="es")
    assert shown.code == 0
    assert "book" in shown.out

    change(clean, "UPDATE book SET title = 'new' WHERE id = 7")
    moved = command.run("migrate", clean, "--target", database, "--json")
    assert moved.code == 4
    assert (moved.json["repeated"], moved.json["moved"]) == (True, True)
    assert moved.json["run"] == document["run"]

    replaced = command.run("migrate", clean, "--target", database, "--replace", "--json")
    assert replaced.code == 0, replaced.said
    assert replaced.json["run"] != document["run"]
    assert replaced.json["repeated"] is False

    lines = command.run("runs", "--target", database, "--json").json["runs"]
    check_shapes(lines, RUN_LINE)
    assert [line["status"] for line in lines] == ["complete", "replaced"]
    assert lines[1]["run"] == document["run"]
    listed = command.run("runs", clean, "--target", database)
    assert listed.code == 0
    assert document["run"] in listed.out


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_tables_left_out_are_recorded(
    option: str, command: Command, clean: Path, database: str
) -> None:
    kept = "author"
    name = {"--only": kept, "--skip": "book"}[option]
    answer = command.run("migrate", clean, "--target", database, option, name, "--json")
    assert answer.code == 3, answer.said
    assert [t["name"] for t in answer.json["tables"]] == [kept]
    check_shapes(answer.json["objects"]["not_carried"], FATE)
    lost = {(o["kind"], o["name"], o["reason"]) for o in answer.json["objects"]["not_carried"]}
    assert ("table", "book", "left_out") in lost
    assert "book" not in left_in(database)

    proven = command.run("verify", clean, "--target", database, "--json")
    assert proven.code == 0, proven.said
    assert [t["name"] for t in proven.json["tables"]] == [kept]

    repeated = command.run("migrate", clean, "--target", database, option, name, "--json")
    assert repeated.code == 3, repeated.said
    assert repeated.json["repeated"] is True


def test_a_run_does_not_change_the_tables_it_left_out(
    command: Command, clean: Path, database: str
) -> None:
    assert command.run("migrate", clean, "--target", database).code == 0
    other = command.run("migrate", clean, "--target", database, "--skip", "book", "--json")
    assert other.code == 1, other.said
    assert other.json["error"]["id"] == "plan_changed"


def test_another_source_may_not_go_on_with_a_run(
    command: Command, clean: Path, tmp_path: Path, database: str
) -> None:
    assert command.run("migrate", clean, "--target", database).code == 0
    other = command.run(
        "migrate", shutil.copy(clean, tmp_path / "other.db"), "--target", database, "--json"
    )
    assert other.code == 1
    assert other.json["error"]["id"] == "other_source"


def test_a_user_without_a_name_may_migrate(
    command: Command, reachable_folder: Path, database: str
) -> None:
    """As in a container that is started with a number for its user."""
    command.home.chmod(0o777)
    path = make_clean(reachable_folder / "shop.db")
    order = ("--target", database, "--json")
    answer = command.run("migrate", path, *order, user=NAMELESS)
    assert answer.code == 0, answer.said
    (line,) = command.run("runs", *order).json["runs"]
    assert line["started_by"] == str(NAMELESS)


# --- interrupted --------------------------------------------------------------------------


def test_an_interrupted_run_goes_on(command: Command, tmp_path: Path, database: str) -> None:
    path = make_clean(tmp_path / "large.db", rows=30_000)
    order = ("migrate", path, "--target", database, "--json")
    process = command.start(*order, "--chunk-rows", 25)
    wait_for_rows(database, 1_000)
    process.send_signal(signal.SIGINT)
    stopped = finished(process)
    assert stopped.code == 130, stopped.said
    assert stopped.json["error"]["id"] == "interrupted"
    assert "Traceback" not in stopped.said
    assert len(command.snapshots()) == 1

    unfinished = command.run("verify", path, "--target", database, "--json")
    assert unfinished.code == 1
    assert unfinished.json["error"]["id"] == "run_unfinished"

    done = command.run(*order)
    assert done.code == 0, done.said
    assert done.json["resumed"] is True
    assert [t["rows_target"] for t in done.json["tables"]] == [5, 30_000]
    assert command.run("verify", path, "--target", database, "--json").code == 0


def wait_for_rows(address: str, rows: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    with psycopg.connect(address, autocommit=True) as connection:
        while time.monotonic() < deadline:
            if connection.execute("SELECT to_regclass('mudanza.range')").fetchone() != (None,):
                found = connection.execute("SELECT sum(rows_read) FROM mudanza.range").fetchone()
                if found and (found[0] or 0) >= rows:
                    return
            time.sleep(0.01)
    pytest.fail("the run did not begin")


# --- verify and quarantine ------------------------------------------------------------------


@pytest.fixture(scope="module")
def moved(
    cluster: Cluster, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Command, Path, str]]:
    """The dirty marketplace, migrated once: not to be changed."""
    folder = tmp_path_factory.mktemp("moved")
    path = Path(shutil.copy(sample, folder / "market.db"))
    name = f"moved_{folder.name[-8:].strip('-')}_{time.time_ns()}"
    cluster.ensure_database(name)
    command = Command(home=folder / "home")
    migrated = command.run("migrate", path, "--target", cluster.url(name), "--json")
    assert migrated.code == 3, migrated.said
    check_shapes(migrated.json["objects"]["rewritten"], FATE)
    assert migrated.json["objects"]["not_carried"] == []
    yield command, path, cluster.url(name)
    cluster.drop_database(name)


@pytest.mark.parametrize("level", ["counts", "rows", "relations", "full"])
def test_every_level_finds_parity(level: str, moved: tuple[Command, Path, str]) -> None:
    command, path, target = moved
    answer = command.run("verify", path, "--target", target, "--level", level, "--json")
    assert answer.code == 0, answer.said
    document = answer.json
    assert set(document) == PARITY
    check_shapes(document["tables"], PARITY_TABLE)
    assert document["level"] == level
    assert (document["parity"], document["moved"]) == (True, False)
    assert (document["values"] > 0) == (level in ("rows", "full"))
    assert bool(document["relations"]) == (level in ("relations", "full"))
    if document["relations"]:
        check_shapes(document["relations"], RELATION)
    for table in document["tables"]:
        assert table["rows_source"] == table["rows_target"] + table["quarantined"]
    assert sum(t["quarantined"] for t in document["tables"]) > 0


def test_a_run_keeps_its_own_snapshot_or_says_it_is_gone(
    moved: tuple[Command, Path, str],
) -> None:
    command, path, target = moved
    (run,) = command.run("runs", "--target", target, "--json").json["runs"]
    own = command.run("verify", path, "--target", target, "--run", run["run"], "--json")
    assert own.code == 0, own.said
    nobody = UUID(int=0)
    unknown = command.run("verify", path, "--target", target, "--run", nobody, "--json")
    assert unknown.code == 1
    assert unknown.json["error"]["id"] == "run_unknown"


def test_quarantine_is_masked_until_it_is_to_be_revealed(
    moved: tuple[Command, Path, str],
) -> None:
    command, _path, target = moved
    order = ("quarantine", "list", "--target", target)
    masked = command.run(*order, "--json")
    assert masked.code == 0, masked.err
    assert set(masked.json) == {"run", "rows", "quarantine"}
    listed = masked.json["quarantine"]
    assert masked.json["rows"] == len(listed) > 10
    check_shapes(listed, QUARANTINED)
    cells = [cell for entry in listed for cell in entry["cells"]]
    check_shapes(cells, CELL)
    assert {cell["raw"] for cell in cells} == {None}

    revealed = command.run(*order, "--reveal", "--json").json["quarantine"]
    raw = {bytes.fromhex(c["raw"]) for e in revealed for c in e["cells"]}
    assert b"12 pairs" in raw
    assert "mañana".encode("latin-1") in raw

    hidden = command.run(*order)
    assert "12 pairs" not in hidden.said
    assert "•••(8)" in hidden.out
    shown = command.run(*order, "--reveal", language="es")
    assert "12 pairs" in shown.out
    few = command.run(*order, "--limit", 2, "--json").json
    assert (len(few["quarantine"]), few["rows"]) == (2, masked.json["rows"])


def test_tampering_is_found_and_masked(command: Command, clean: Path, database: str) -> None:
    assert command.run("migrate", clean, "--target", database).code == 0
    execute(database, "UPDATE book SET title = 'tampered' WHERE id = 7")
    execute(database, "DELETE FROM book WHERE id = 9")
    order = ("verify", clean, "--target", database)
    masked = command.run(*order, "--json")
    assert masked.code == 4
    assert masked.json["parity"] is False
    (book,) = (t for t in masked.json["tables"] if t["name"] == "book")
    assert book["differences"] == 2
    check_shapes(book["samples"], SAMPLE)
    assert "tampered" not in masked.said
    assert "secret title" not in masked.said

    shown = command.run(*order, language="es")
    assert shown.code == 4
    assert "tampered" not in shown.said
    revealed = command.run(*order, "--reveal", "--json")
    assert revealed.code == 4
    (book,) = (t for t in revealed.json["tables"] if t["name"] == "book")
    found = [(d["column"], d["source"], d["target"]) for d in book["samples"]]
    assert ("title", "secret title 7", "tampered") in found
    few = command.run(*order, "--samples", 1, "--json")
    (book,) = (t for t in few.json["tables"] if t["name"] == "book")
    assert (book["differences"], len(book["samples"])) == (2, 1)

    change(clean, "DELETE FROM book WHERE id = 9")
    counted = command.run(*order, "--level", "counts", "--json")
    assert counted.code == 4
    assert (counted.json["parity"], counted.json["moved"]) == (True, True)
    assert len(command.snapshots()) == 1  # the run's own; what verify took is gone
