"""The real gunicorn, serving the shop, with a few routes that only tests have."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.webapp.operate.environment import REPOSITORY, RIGHT, free_port, surroundings

SECONDS = 30


@dataclass
class Server:
    """A server that runs. ``log``: the file that holds its stderr."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    log: Path

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
        """One request on a connection of its own: status, body, headers."""
        return asked(self.port, path, method, headers)

    def numbers(self) -> dict[str, float]:
        """What /metrics says: values by series."""
        _status, body, _headers = asked(self.metrics_port, "/metrics")
        lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def lines(self) -> list[dict[str, Any]]:
        """What was logged; every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def signal(self, number: signal.Signals) -> None:
        """Tell the master."""
        self.process.send_signal(number)

    def booted(self) -> int:
        """How many workers were started so far."""
        return sum("Booting worker" in line["event"] for line in self.lines())


def asked(
    port: int, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, Any]:
    """An answer from this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def eventually(what: str, is_so: Any) -> None:
    """Wait until it is."""
    until = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.05)


@contextmanager
def serving(
    folder: Path, url: str, settings: Mapping[str, str] | None = None, app: str = "shop:app"
) -> Iterator[Server]:
    """``tests/webapp/operate/shop.py`` served until the end of the block."""
    port, metrics_port = free_port(), free_port()
    given = RIGHT | {
        "DATABASE_URL": url,
        "SHOP_BIND": f"127.0.0.1:{port}",
        "SHOP_METRICS_BIND": f"127.0.0.1:{metrics_port}",
        "SHOP_SECURE_COOKIES": "false",
    }
    log = folder / "server.log"
    here = str(Path(__file__).parent)
    with log.open("wb") as stderr:
        config = str(REPOSITORY / "webapp/gunicorn_conf.py")
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", config, "--pythonpath", here, app],
            env=surroundings(given | (settings or {})) | {"TMPDIR": str(folder)},
            stderr=stderr,
            stdout=stderr,
        )
    server = Server(process, port, metrics_port, log)
    try:
        eventually("the server answers", lambda: _answers(server))
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=SECONDS)


def _answers(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text(encoding="utf-8")
    try:
        return server.ask("/static/shop.css")[0] == 200
    except OSError:
        return False


def alive(pid: int) -> bool:
    """Whether a process is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
