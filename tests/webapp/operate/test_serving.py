"""gunicorn serves the shop as the settings say: it drains, it reloads, it counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.webapp.operate.environment import CANARY, RIGHT, free_port, run, surroundings
from tests.webapp.operate.server import Server, alive, asked, eventually, serving
from tests.webapp.world import upgrade

SERIES = 'shop_request_seconds_count{backend="%s",method="GET",route="%s",status="%s"}'


@pytest.fixture
def server(tmp_path: Path, shop_url: str) -> Iterator[Server]:
    with serving(tmp_path, shop_url) as running:
        yield running


def test_the_shop_is_served_with_its_headers_and_its_probes(server: Server) -> None:
    status, _body, headers = server.ask("/")
    assert status == 200
    assert headers["Content-Security-Policy"]
    assert len(headers["X-Request-ID"]) == 32
    assert server.ask("/healthz")[:2] == (200, b'{"status":"alive"}\n')
    assert server.ask("/readyz")[:2] == (200, b'{"status":"ready"}\n')


def test_every_request_is_counted_once_over_all_workers(server: Server, backend: str) -> None:
    before = server.numbers()
    wanted, pids = Counter[str](), set[bytes]()
    mix = Counter({"/healthz": 120, "/test/slow/0.02": 60, "/test/broken/x": 7, "/nowhere": 13})
    with ThreadPoolExecutor(12) as senders:
        while len(pids) < 2:  # which worker takes a connection is the kernel's choice
            wanted += mix
            assert wanted.total() < 50 * mix.total(), "one worker answers everything"
            answers = senders.map(server.ask, mix.elements())
            pids |= {body for status, body, _headers in answers if body.isdigit()}
    after = server.numbers()
    counted = {
        route: after[SERIES % (backend, template, status)]
        - before.get(SERIES % (backend, template, status), 0)
        for route, template, status in (
            ("/healthz", "/healthz", 200),
            ("/test/slow/0.02", "/test/slow/<seconds>", 200),
            ("/test/broken/x", "/test/broken/<token>", 500),
            ("/nowhere", "unmatched", 404),
        )
    }
    assert counted == wanted
    told = Counter(line["route"] for line in server.lines() if line["event"] == "request")
    assert told["/healthz"] == wanted["/healthz"]
    assert told["unmatched"] == wanted["/nowhere"]


def test_the_numbers_are_not_on_the_public_port(server: Server) -> None:
    assert server.ask("/metrics")[0] == 404
    assert b"shop_request_seconds" not in server.ask("/metrics")[1]
    assert "shop_requests_in_flight" in server.numbers()


def test_each_objective_is_an_edge_of_a_bucket(server: Server, backend: str) -> None:
    server.ask("/test/slow/0.15")
    of = f'backend="{backend}",le="%s",method="GET",route="/test/slow/<seconds>",status="200"'
    numbers = server.numbers()
    held = {
        edge: numbers[f"shop_request_seconds_bucket{{{of % edge}}}"]
        for edge in ("0.1", "0.3", "0.5")
    }
    assert held == {"0.1": 0, "0.3": 1, "0.5": 1}


def test_what_is_in_hand_is_counted_and_let_go(server: Server, backend: str) -> None:
    with ThreadPoolExecutor(3) as senders:
        late = [senders.submit(server.ask, "/test/slow/1.5") for _ in range(3)]
        eventually("three in flight", lambda: server.numbers()["shop_requests_in_flight"] == 3)
    assert [answer.result()[0] for answer in late] == [200] * 3
    eventually("none in flight", lambda: server.numbers()["shop_requests_in_flight"] == 0)
    numbers = server.numbers()
    assert numbers[f'shop_pool_size{{backend="{backend}"}}'] == 2 * 4
    assert numbers[f'shop_pool_in_use{{backend="{backend}"}}'] == 0


def test_the_queries_of_a_request_are_counted_and_timed(server: Server) -> None:
    server.ask("/test/asks/9", **{"X-Request-ID": "nine"})
    (line,) = [line for line in server.lines() if line.get("request_id") == "nine"]
    assert line["queries"] == 9
    assert 0 < line["queries_ms"] <= line["duration_ms"]
    numbers = server.numbers()
    of = 'shop_request_queries_bucket{le="%s",route="/test/asks/<int:times>"}'
    assert [numbers[of % edge] for edge in ("8.0", "16.0")] == [0, 1]


def test_a_termination_lets_requests_end(server: Server) -> None:
    with ThreadPoolExecutor(4) as senders:  # one worker may get them all
        late = [senders.submit(server.ask, "/test/slow/2") for _ in range(4)]
        eventually("all in flight", lambda: server.numbers()["shop_requests_in_flight"] == 4)
        server.signal(signal.SIGTERM)
        assert Counter(answer.result()[0] for answer in late) == {200: 4}
    assert server.process.wait(timeout=30) == 0


def test_a_reload_under_load_loses_no_request(server: Server) -> None:
    stop, answers = threading.Event(), Counter[int]()

    def load() -> None:
        while not stop.is_set():
            answers[server.ask("/test/slow/0.01")[0]] += 1

    with ThreadPoolExecutor(4) as senders:
        loads = [senders.submit(load) for _ in range(4)]
        for workers in (4, 6):
            time.sleep(0.5)
            server.signal(signal.SIGHUP)
            eventually("new workers", lambda wanted=workers: server.booted() >= wanted)
        time.sleep(1)
        stop.set()
        for each in loads:
            each.result()
    assert set(answers) == {200}
    assert answers[200] > 50
    series = 'route="/test/slow/<seconds>",status="200"}'
    counted = [v for n, v in server.numbers().items() if n.endswith(series) and "_count" in n]
    assert counted == [answers[200]], "a reload does not forget what was counted"


def test_a_worker_that_is_killed_leaves_nothing_in_flight(tmp_path: Path, shop_url: str) -> None:
    with serving(tmp_path, shop_url, {"SHOP_WORKERS": "1"}) as server, ThreadPoolExecutor(4) as s:
        pid = int(server.ask("/test/slow/0")[1])
        late = [s.submit(server.ask, "/test/slow/5") for _ in range(4)]
        eventually("in flight", lambda: server.numbers()["shop_requests_in_flight"] == 4)
        os.kill(pid, signal.SIGKILL)
        assert all(answer.exception() for answer in late)
        eventually("another answers", lambda: server.ask("/test/slow/0")[1] != str(pid).encode())
        assert server.numbers()["shop_requests_in_flight"] == 0


def test_every_line_is_json_and_gunicorn_is_among_them(server: Server) -> None:
    server.ask("/test/says?what=one%0d%0atwo%1b[31mred")
    server.signal(signal.SIGTERM)
    server.process.wait(timeout=30)
    lines = server.lines()  # each parses
    assert {"gunicorn.error", "shop.tests", "webapp.observe.requests"} <= {
        line["logger"] for line in lines
    }
    (told,) = [line for line in lines if line["logger"] == "shop.tests"]
    assert told["event"] == "told: one\r\ntwo\x1b[31mred"
    assert "\x1b" not in server.log.read_text(encoding="utf-8")
    request = next(line for line in lines if line.get("route") == "/test/says")
    assert request["request_id"] == told["request_id"]
    assert {"time", "level", "method", "status", "duration_ms", "queries"} <= set(request)


def test_what_a_log_holds_of_a_failure_is_no_secret(server: Server) -> None:
    status, body, headers = server.ask(f"/test/broken/{CANARY}", **{"X-Password": "hunter2"})
    assert status == 500
    assert b"hunter2" not in body
    assert b"Traceback" not in body
    text = server.log.read_text(encoding="utf-8")
    failed = [line for line in server.lines() if "exception" in line]
    assert [line["request_id"] for line in failed] == [headers["X-Request-ID"]]
    assert "RuntimeError: cannot reach postgresql://***@db/shop" in failed[0]["exception"]
    assert CANARY not in text
    assert "hunter2" not in text


def test_the_numbers_folder_is_made_in_memory_and_cleared_away(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'shop.db'}")
    memory = Path("/dev/shm")
    before = set(memory.glob("shop-metrics-*"))
    with serving(tmp_path, f"sqlite:///{tmp_path / 'shop.db'}") as server:
        assert len(set(memory.glob("shop-metrics-*")) - before) == 1
        server.ask("/healthz")
    assert set(memory.glob("shop-metrics-*")) <= before


def test_a_folder_that_is_given_is_emptied_at_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    upgrade(url)
    given = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "numbers")}
    for _start in range(2):
        with serving(tmp_path, url, given) as server:
            for _ in range(5):
                server.ask("/healthz")
            assert server.numbers()[SERIES % ("sqlite", "/healthz", 200)] == 5
    assert (tmp_path / "numbers").exists()


def test_a_metrics_address_that_is_taken_is_told_and_ends_the_server(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    upgrade(url)
    with serving(tmp_path, url) as server:
        taken = {
            "DATABASE_URL": url,
            "SHOP_BIND": f"127.0.0.1:{free_port()}",
            "SHOP_METRICS_BIND": f"127.0.0.1:{server.metrics_port}",
        }
        said = run(RIGHT | taken, "serve")
    assert said.code == 2
    assert "SHOP_METRICS_BIND" in said.err
    assert "Traceback" not in said.err


def test_the_command_serves(tmp_path: Path) -> None:
    url, port = f"sqlite:///{tmp_path / 'shop.db'}", free_port()
    upgrade(url)
    given = RIGHT | {
        "DATABASE_URL": url,
        "SHOP_BIND": f"127.0.0.1:{port}",
        "SHOP_METRICS_BIND": f"127.0.0.1:{free_port()}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "serve"],
        env=surroundings(given),
        stderr=subprocess.DEVNULL,
    )
    try:

        def answers() -> bool:
            try:
                return asked(port, "/readyz")[0] == 200
            except OSError:
                return False

        eventually("it answers", answers)
        assert alive(process.pid), "the command has become the server"
    finally:
        process.terminate()
    assert process.wait(timeout=30) == 0
