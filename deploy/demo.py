"""`make demo`: a marketplace runs on SQLite, is moved, and runs on PostgreSQL.

The shop and Mudanza are programs of their own here, as they are for anybody: this script
starts them, asks over HTTP, and reads exit codes. It knows neither from the inside but for
the embedded server, on which the moved shop is shown.
"""

from __future__ import annotations

import argparse
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from core.cli.places import SETTINGS, database_name, embedded_place

PATIENCE_SECONDS = 60
PREFERRED = {"sqlite": 8010, "postgresql": 8011}
"""Ports; another one where somebody listens already."""


class Unfinished(Exception):
    """A step did not do what it should; the text says which."""


def main() -> int:
    """Tell the story; 0 when every step went as it should."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="end when all is proven")
    options.add_argument("--size", default="small", help="small, medium or large")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, _end)
    try:
        tell_story(size=chosen.size, stays=not chosen.check)
    except Unfinished as failed:
        print(f"The demo did not end as it should: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def tell_story(*, size: str, stays: bool) -> None:
    """Seed a shop, serve it, move it, serve what was moved. ``stays``: until Ctrl-C."""
    file = _fresh(SETTINGS.home / "demo" / "shop.db")
    secret = secrets.token_urlsafe(32)  # of both: whoever is logged in stays so
    before = environment(f"sqlite:///{file}", "sqlite", secret)
    _shop(before, "migrate", "upgrade")
    _shop(before, "seed", "--size", size)
    with served(before) as address:
        print(f"1. The shop runs on SQLite: {address}", flush=True)
        _moved(file)
        place = embedded_place(database_name(file), create=False)
        try:
            assert place.cluster is not None
            after = environment(place.cluster.url(place.database), "postgresql", secret)
            with served(after) as moved:
                print(f"6. The same shop runs on PostgreSQL: {moved}", flush=True)
                _same_page(address, moved)
                if stays:
                    print("Both stay until Ctrl-C.", flush=True)
                    signal.pause()
        finally:
            if place.cluster is not None:
                place.cluster.stop()


def _fresh(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    for left in file.parent.glob(f"{file.name}*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    return file


def environment(url: str, backend: str, secret: str) -> dict[str, str]:
    """The settings of a shop on a database, under ports of its own."""
    port, metrics = _port(PREFERRED[backend]), _port(0)
    return {
        "SHOP_APP_ENV": "development",
        "DATABASE_URL": url,
        "SECRET_KEY": secret,
        "SHOP_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SHOP_SECURE_COOKIES": "false",
        "SHOP_MAIL": "console",
        "SHOP_PAYMENTS": "fake",
        "SHOP_FAKE_PAYMENTS_FILE": str(SETTINGS.home / "demo" / "payments.books"),
        "SHOP_BIND": f"127.0.0.1:{port}",
        "SHOP_METRICS_BIND": f"127.0.0.1:{metrics}",
        "SHOP_LOG_LEVEL": "WARNING",
    }


def _shop(environment: dict[str, str], *words: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "webapp.cli", *words],
        env=os.environ | environment,
        check=False,
    )
    if ran.returncode != 0:
        raise Unfinished(f"webapp {' '.join(words)}: exit {ran.returncode}")


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The shop's address, while it is served."""
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "serve", "--worker"],
        env=os.environ | environment,
        start_new_session=True,  # Ctrl-C is ours to pass on
    )
    address = environment["SHOP_PUBLIC_URL"]
    try:
        _until_ready(process, address)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _port(wanted: int) -> int:
    """This one, or any other where somebody listens already."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", wanted))
        except OSError:
            return _port(0)
        return int(tried.getsockname()[1])


def _until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if _asked(address, "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Unfinished(f"the shop is not ready: {address}")


def _asked(address: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _moved(file: Path) -> None:
    words = [sys.executable, "-m", "core.cli.main", "demo", str(file), "--check"]
    ran = subprocess.run(words, check=False)
    if ran.returncode != 0:
        raise Unfinished(f"mudanza demo: exit {ran.returncode}")


def _same_page(before: str, after: str) -> None:
    """The first page of products is the same on both sides."""
    pages = []
    for address in (before, after):
        status, page = _asked(address, "/api/v1/products?sort=title&size=50")
        if status != 200:
            raise Unfinished(f"{address} answers {status}")
        pages.append(page)
    if pages[0] != pages[1]:
        raise Unfinished("the two shops show different products")


def _end(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
