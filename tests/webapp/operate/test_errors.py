"""An error reaches Sentry whole, and nothing that people typed or carried does: a sink on
this machine catches the envelope, which is searched for secrets."""

from __future__ import annotations

import gzip
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.webapp.operate.environment import CANARY, REPOSITORY, RIGHT, surroundings
from tests.webapp.world import upgrade

PROGRAM = """
import logging, sys
sys.path.insert(0, "tests/webapp/operate")
sys.modules["brotli"] = None  # the sink unpacks gzip alone
import sentry_sdk
from shop import app
from webapp.observe import begin
app.config["WTF_CSRF_ENABLED"] = False

@app.post("/test/login/<token>")
def login(token):
    from flask import request
    password = request.form["password"]
    held = {"authorization": request.headers["Authorization"], "it": password}
    logging.getLogger("shop").info("before: %s", password)
    raise LookupError(f"no such person; smtp_password={password}")

client = app.test_client()
answer = client.post(
    "/test/login/CANARY-path?reset=CANARY-query",
    data={"password": "CANARY-form"},
    headers={
        "Authorization": "Bearer CANARY-bearer",
        "Cookie": "__Host-shop-session=CANARY-cookie",
        "X-Request-ID": "the-request",
        "Referer": "https://shop.example/?t=CANARY-referrer",
        "X-Forwarded-For": "203.0.113.77",
    },
    environ_base={"REMOTE_ADDR": "203.0.113.77"},
)
assert answer.status_code == 500
try:
    raise OSError("cannot reach postgresql://shop:CANARY-url@db/shop with " + app.secret_key)
except OSError:
    logging.getLogger("shop").exception("outside of a request, token: %s", "CANARY-argument")
sentry_sdk.flush(10)
""".replace("CANARY", CANARY)


@pytest.fixture
def sink() -> Iterator[tuple[int, list[bytes]]]:
    """A Sentry of our own: its port, and the envelopes that it was sent."""
    caught: list[bytes] = []

    class Sink(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_packed = self.headers.get("Content-Encoding") == "gzip"
            caught.append(gzip.decompress(body) if is_packed else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_words: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, caught
        server.shutdown()


def run(tmp_path: Path, settings: dict[str, str]) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    upgrade(url)
    subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=surroundings(RIGHT | {"DATABASE_URL": url} | settings),
        cwd=REPOSITORY,
        check=True,
        timeout=60,
        capture_output=True,
    )


def test_an_error_is_sent_whole_and_without_secrets(
    tmp_path: Path, sink: tuple[int, list[bytes]]
) -> None:
    port, caught = sink
    dsn = f"http://0123456789abcdef0123456789abcdef@127.0.0.1:{port}/1"
    run(tmp_path, {"SHOP_SENTRY_DSN": dsn, "SHOP_RELEASE": "1.2.3"})
    sent = b"\n".join(caught).decode()
    assert CANARY not in sent
    assert "203.0.113.77" not in sent
    assert dsn not in sent
    first, second = events(caught)
    assert first["release"] == second["release"] == "1.2.3"
    assert first["environment"] == "development"
    assert first["request"] == {"method": "POST", "url": "/test/login/<token>"}
    assert first["tags"]["request_id"] == "the-request"
    kinds = [v["type"] for e in (first, second) for v in e["exception"]["values"]]
    assert kinds == ["LookupError", "OSError"]
    frames = first["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "login"
    assert not [frame for frame in frames if "vars" in frame]
    assert "no such person" in first["exception"]["values"][-1]["value"]


def test_nothing_is_sent_without_an_address(tmp_path: Path, sink: tuple[int, list[bytes]]) -> None:
    run(tmp_path, {})
    assert sink[1] == []


def events(envelopes: list[bytes]) -> list[dict[str, Any]]:
    """The events of the envelopes, in their order."""
    found = []
    for envelope in envelopes:
        lines = [line for line in envelope.split(b"\n") if line]
        for head, body in zip(lines[1::2], lines[2::2], strict=False):
            if json.loads(head).get("type") == "event":
                found.append(json.loads(body))
    return found
