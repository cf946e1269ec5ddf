"""The generator of load tells what it was like, also while the server stood still."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.load.client import Client, Request
from benchmarks.load.closed_model import press
from benchmarks.load.measures import Compared
from benchmarks.load.open_model import Pace, drive
from benchmarks.load.recorder import ALL, Recorder, merged, summaries
from benchmarks.load.scenario import ACTIONS, Cast, everyday, only
from benchmarks.load.users import locust

TINY = """
import sys, time
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

def app(environ, start):
    path = environ["PATH_INFO"]
    wait = environ["QUERY_STRING"]
    time.sleep(float(wait) if wait[:1].isdigit() else 0)
    start({"/": "200 OK", "/made": "201 Created"}.get(path, "500 No"), [("Content-Length", "2")])
    return [b"ok"]

class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass

make_server("127.0.0.1", int(sys.argv[1]), app, Server, Quiet).serve_forever()
"""


class Asks:
    """One path, always."""

    def __init__(self, path: str = "/") -> None:
        self.path = path

    def __call__(self, chance: random.Random) -> tuple[str, Request]:
        return "look", Request("GET", self.path)


class Ringing(Asks):
    """Rings a bell when the first request is made."""

    def __init__(self, bell: int) -> None:
        super().__init__()
        self.bell, self.has_rung = bell, False

    def __call__(self, chance: random.Random) -> tuple[str, Request]:
        if not self.has_rung:
            self.has_rung = True
            socket.create_connection(("127.0.0.1", self.bell)).close()
        return super().__call__(chance)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", TINY, str(port)])
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}", process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


@pytest.fixture
def address(server: tuple[str, subprocess.Popen[bytes]]) -> str:
    return server[0]


def test_every_request_of_the_schedule_is_counted(address: str) -> None:
    driven = drive(address, Asks(), Pace(rate=10, seconds=2, threads=4))
    found = summaries(driven.recorder)
    assert {name: s.requests for name, s in found.items()} == {"look": 20, ALL: 20}
    assert found[ALL].failures == {}
    assert 0 < found[ALL].raw.p50 <= found[ALL].corrected.p50 < 500


def test_what_warms_up_does_not_count(address: str) -> None:
    driven = drive(address, Asks(), Pace(rate=20, seconds=1, warm_up=1, threads=4))
    assert summaries(driven.recorder)[ALL].requests == 20


def test_a_server_that_stands_still_is_seen_in_corrected_and_not_in_raw(
    server: tuple[str, subprocess.Popen[bytes]],
) -> None:
    """Of three seconds one is still: a third of the requests come late. Two could be sent
    meanwhile, and those alone are slow to whoever looks at raw latencies."""
    address, process = server
    began = threading.Event()

    def stand_still() -> None:
        began.wait(60)
        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)

    pauser = threading.Thread(target=stand_still)
    pauser.start()
    with socket.create_server(("127.0.0.1", 0)) as bell:
        asks = Ringing(bell.getsockname()[1])
        threading.Thread(target=lambda: (bell.accept()[0].close(), began.set())).start()
        driven = drive(address, asks, Pace(rate=40, seconds=3, processes=1, threads=2))
    pauser.join()
    found = summaries(driven.recorder)[ALL]
    assert found.requests == 120
    assert found.failures == {}
    assert found.raw.p95 < 200
    assert found.corrected.p95 > 500
    assert found.raw.longest > 500, "the server did not stand still"


def test_what_nobody_was_free_to_begin_is_a_failure(address: str) -> None:
    pace = Pace(rate=20, seconds=2, processes=1, threads=1, patience=0.5)
    found = summaries(drive(address, Asks("/?0.4"), pace).recorder)[ALL]
    assert found.requests == 40
    assert found.failures["not started"] > 20
    assert found.corrected.p95 >= 500


@pytest.mark.parametrize(("path", "reason"), [("/no", "status 500"), ("/made", "status 201")])
def test_an_answer_of_another_status_is_a_failure(address: str, path: str, reason: str) -> None:
    found = summaries(drive(address, Asks(path), Pace(rate=10, seconds=1, threads=2)).recorder)
    assert found[ALL].failures == {reason: 10}
    assert found[ALL].requests == 10


def test_a_server_that_is_gone_is_a_failure_and_no_hang() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
        found = summaries(drive(address, Asks(), Pace(rate=10, seconds=1, threads=2)).recorder)
    assert found[ALL].failures == {"ConnectionRefusedError": 10}


def test_a_connection_that_idled_is_made_anew(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(address)
    monkeypatch.setattr("benchmarks.load.client.IDLE_MAX", 0.0)
    assert [client.send(Request("GET", "/")) for _ in range(3)] == ["", "", ""]
    client.close()


def test_histograms_are_added_and_never_averaged() -> None:
    quick, slow = Recorder(), Recorder()
    for _ in range(99):
        quick.record("look", raw=0.001, corrected=0.001)
    slow.record("look", raw=1.0, corrected=2.0, failure="status 500")
    whole = summaries(merged([quick.encoded(), slow.encoded()]))["look"]
    assert whole.requests == 100
    assert whole.raw.p50 == pytest.approx(1, rel=0.01)
    assert whole.raw.p99 == pytest.approx(1, rel=0.01)
    assert (whole.raw.longest, whole.corrected.longest) == pytest.approx((1000, 2000), rel=0.01)
    assert (whole.failed, whole.failures) == (1, {"status 500": 1})


def test_those_who_press_do_not_wait_between(address: str) -> None:
    one = press(address, Asks("/?0.05"), people=1, seconds=1, warm_up=0.2)
    four = press(address, Asks("/?0.05"), people=4, seconds=1, warm_up=0.2)
    assert 5 < one.rate < 21
    assert four.rate > 2 * one.rate
    assert one.summary.raw.p50 >= 50


CAST = Cast(("buyer-token",), ("seller-token",), (1, 2, 3))


def test_an_everyday_has_all_that_people_do() -> None:
    chance, mix = random.Random(1), everyday(CAST)
    done = [mix(chance) for _ in range(1000)]
    assert {name for name, _ in done} == set(ACTIONS)
    writes = [request for _, request in done if request.method == "POST"]
    assert 100 < len(writes) < 200
    assert all("Authorization" in request.headers for request in writes)


def test_the_same_chance_asks_the_same_and_no_key_comes_twice() -> None:
    buy = only(CAST, "buy")
    assert buy(random.Random("a"))[1] == buy(random.Random("a"))[1]
    keys = {buy(random.Random(str(n)))[1].headers["Idempotency-Key"] for n in range(1000)}
    assert len(keys) == 1000


@pytest.mark.parametrize(
    ("sqlite", "postgresql", "less", "faster"),
    [
        (1, 2, True, "SQLite"),
        (1, 2, False, "PostgreSQL"),
        (2, 1, True, "PostgreSQL"),
        (100, 97, True, "neither"),
        (0, 0, False, "neither"),
    ],
)
def test_it_is_said_which_was_faster(
    sqlite: float, postgresql: float, less: bool, faster: str
) -> None:
    pair = Compared(what="", sqlite=sqlite, postgresql=postgresql, less_is_better=less)
    assert pair.faster == faster
    assert replace(pair, failed=3).faster == "neither: 3 failed"


def test_locust_plays_the_same_people(address: str) -> None:
    found = locust(address, CAST, users=2, seconds=3, tags=("search",))
    assert set(found) <= {"search", "api list", ALL}
    whole = found[ALL]
    assert 5 < whole.requests < 31, "five requests a second each, for three seconds"
    assert 0 < whole.raw.p50 <= whole.corrected.p99
    listed = found["api list"]
    assert listed.failed == listed.requests > 0
    assert found["search"].failed == 0
