"""What the command does, as those who run a shop type it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.webapp.operate.environment import RIGHT, free_port, run, surroundings
from tests.webapp.operate.server import alive, asked, eventually
from tests.webapp.world import World
from webapp.models.revision import REVISION

HTTPS = "https://localhost"


def test_the_schema_goes_up_and_down_by_the_address_alone(shop_url: str) -> None:
    def migrate(*words: str) -> tuple[int, str]:
        said = run({"DATABASE_URL": shop_url}, "migrate", *words)
        assert "Traceback" not in said.err
        return said.code, said.out

    assert migrate("current") == (0, f"{REVISION} (head)\n")
    assert migrate("check")[0] == 0
    assert migrate("downgrade", "0001")[0] == 0
    assert migrate("current") == (0, "0001\n")
    assert migrate("check")[0] == 1, "it differs from what the code knows"
    assert migrate("upgrade")[0] == 0
    assert migrate("current") == (0, f"{REVISION} (head)\n")
    assert migrate("upgrade", "--revision", "9999")[0] == 1


def test_the_link_for_an_administrator_works_once(world: World) -> None:
    said = run(RIGHT | {"DATABASE_URL": world.url}, "create-admin")
    assert (said.code, said.err) == (0, "")
    (path,) = re.findall(r"^https://shop\.example(/\S+)\n$", said.out)
    world.now = datetime.now(UTC)  # the command's clock is the machine's
    client = world.client(world.user("chosen"))
    assert client.get("/admin", base_url=HTTPS).status_code == 403
    assert client.post(path, base_url=HTTPS).status_code == 303
    assert client.get("/admin", base_url=HTTPS).status_code == 200
    late = world.client(world.user("late"))
    assert late.post(path, base_url=HTTPS).status_code == 404


def test_a_shop_is_filled_once(shop_url: str) -> None:
    given = RIGHT | {"DATABASE_URL": shop_url}
    said = run(given, "seed", "--size", "small")
    assert (said.code, said.err) == (0, "")
    assert re.search(r"^product: [1-9]\d+$", said.out, re.MULTILINE)
    assert re.search(r"log in with: \S{16}$", said.out)
    again = run(given, "seed")
    assert again.code == 1
    assert "holds rows already" in again.err


def test_dirt_is_for_sqlite(shop_url: str, backend: str) -> None:
    said = run(RIGHT | {"DATABASE_URL": shop_url}, "seed", "--dirt")
    assert said.code == (0 if backend == "sqlite" else 1)
    assert ("--dirt is for SQLite" in said.err) is (backend == "postgresql")


def test_an_empty_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    said = run(RIGHT | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"}, "create-admin")
    assert said.code == 1
    assert said.err.startswith("webapp: OperationalError: no such table")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("words", [["no-such"], ["serve", "--no-such"], ["seed", "--size", "huge"]])
def test_what_is_typed_wrong_is_told_in_a_sentence(words: list[str]) -> None:
    said = run(RIGHT, *words)
    assert said.code == 2
    assert said.err.startswith("webapp: ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("ends", ["the command", "the server"])
def test_shop_and_worker_run_and_end_together(shop_url: str, ends: str) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "serve", "--worker"],
        env=surroundings(
            RIGHT
            | {
                "DATABASE_URL": shop_url,
                "SHOP_BIND": f"127.0.0.1:{port}",
                "SHOP_METRICS_BIND": f"127.0.0.1:{free_port()}",
            }
        ),
        stderr=subprocess.DEVNULL,
    )

    def children() -> list[int]:
        tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return [int(pid) for pid in tasks.read_text(encoding="ascii").split()]

    def answers() -> bool:
        try:
            return asked(port, "/readyz")[0] == 200
        except OSError:
            return False

    try:
        eventually("it answers", answers)
        server, worker = children()
        os.kill(process.pid if ends == "the command" else server, signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    assert not alive(server)
    assert not alive(worker)
