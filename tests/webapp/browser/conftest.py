"""A real Chromium, and a seeded shop behind the real gunicorn, on each engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.webapp.operate.server import Server, serving
from tests.webapp.world import PASSWORD, settings_for
from webapp import open_database
from webapp.seed import Size, seed

PATIENCE_MILLISECONDS = 20_000


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own; deploy/parts.txt names it."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Debian's chromium: run deploy/parts.sh"
    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
    yield browser
    browser.close()


@pytest.fixture
def shop(shop_url: str, tmp_path: Path) -> Iterator[Server]:
    """A seeded shop that is served; everybody's password is ``PASSWORD``."""
    database = open_database(settings_for(shop_url))
    seed(database, Size.SMALL, password=PASSWORD, now=datetime.now(UTC), dirt=False)
    database.close()
    with serving(tmp_path, shop_url, app="webapp.wsgi:app") as server:
        yield server


@pytest.fixture
def page(chromium: Browser, shop: Server) -> Iterator[Page]:
    """A new browser window on the shop; what a page's own code complains of fails the test."""
    context = chromium.new_context(base_url=f"http://127.0.0.1:{shop.port}", locale="en-GB")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    window = context.new_page()
    complaints: list[str] = []
    window.on(
        "console", lambda said: complaints.append(said.text) if said.type == "error" else None
    )
    yield window
    context.close()
    expected = ("status of 422", "status of 404", "status of 409")
    assert [c for c in complaints if not any(e in c for e in expected)] == []
