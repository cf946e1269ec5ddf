"""Pictures of the shop for docs/: `python -m deploy.screens`, with a Chromium on the machine.

A seeded shop is served on SQLite; a browser looks at it as people do: on a phone and on a
desk, by day and by night, in both languages.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from deploy.demo import environment, served

DOCS = Path(__file__).resolve().parents[1] / "docs" / "marketplace"
PHONE, DESK = (390, 844), (1280, 900)


@dataclass(frozen=True)
class Look:
    """One way to look at the shop."""

    name: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    locale: str


LOOKS = (
    Look("desk-light-en", DESK, "light", "en-GB"),
    Look("phone-dark-es", PHONE, "dark", "es-ES"),
)
PAGES = {
    "browse": "/",
    "search": "/?q=lamp",
    "cart": "/cart",
    "checkout": "/checkout",
    "orders": "/orders",
    "sell": "/sell",
    "offer": "/sell/new",
    "account": "/account",
}


def main() -> int:
    """Take them all."""
    DOCS.mkdir(parents=True, exist_ok=True)
    with _shop() as (address, password), sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for look in LOOKS:
            _look(browser, address, password, look)
        browser.close()
    return 0


@contextmanager
def _shop() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/shop.db"
        variables = environment(url, "sqlite", secrets.token_urlsafe(32))
        said = ""
        for words in (("migrate", "upgrade"), ("seed", "--size", "small")):
            said = subprocess.run(
                [sys.executable, "-m", "webapp.cli", *words],
                env=os.environ | variables,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        with served(variables) as address:
            yield address, said.rpartition(": ")[2].strip()


def _look(browser: Browser, address: str, password: str, look: Look) -> None:
    context = browser.new_context(
        base_url=address,
        viewport={"width": look.size[0], "height": look.size[1]},
        color_scheme=look.scheme,
        locale=look.locale,
    )
    page = context.new_page()
    _log_in(page, password)
    page.goto("/")
    page.locator('a[href^="/products/"]').first.click()
    page.screenshot(path=DOCS / f"product-{look.name}.png")
    buying = page.locator("form.buy button")
    if buying.count():
        buying.click()
    for name, path in PAGES.items():
        page.goto(path)
        page.screenshot(path=DOCS / f"{name}-{look.name}.png")
    context.close()


def _log_in(page: Page, password: str) -> None:
    page.goto("/login")
    page.locator("#f-login").fill("seller")
    page.locator("#f-password").fill(password)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/")
    language = "es" if page.evaluate("navigator.language").startswith("es") else "en"
    page.locator(f'button[name=language][value="{language}"]').click()


if __name__ == "__main__":
    sys.exit(main())
