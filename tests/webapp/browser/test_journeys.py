"""People in the shop, with a real browser: joining, finding, buying, selling, in both languages."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.webapp.world import PASSWORD

TITLE = "A lamp of blown glass, nearly new"


def join(page: Page, name: str) -> None:
    page.goto("/register")
    page.get_by_label("Mail address").fill(f"{name}@example.com")
    page.get_by_label("Name in the shop").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Join").click()
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()


def log_in(page: Page, name: str, words: tuple[str, str, str]) -> None:
    who, secret, button = words
    page.goto("/login")
    page.get_by_label(who).fill(name)
    page.get_by_label(secret).fill(PASSWORD)
    page.locator("main").get_by_role("button", name=button).click()


def picture(folder: Path) -> Path:
    made = BytesIO()
    Image.new("RGB", (320, 240), (40, 110, 160)).save(made, "PNG")
    file = folder / "lamp.png"
    file.write_bytes(made.getvalue())
    return file


def offer(page: Page, folder: Path) -> None:
    """Become a seller, describe a thing, show it and list it."""
    page.goto("/account")
    page.get_by_label("I want to sell").check()
    page.get_by_role("button", name="Save").click()
    page.goto("/sell/new")
    page.get_by_label("Title").fill(TITLE)
    page.get_by_label("Price").fill("12.50")
    page.get_by_label("Pieces you have").fill("3")
    page.get_by_label("Description").fill("It gives a warm light.")
    page.locator("main form button[type=submit]").first.click()
    page.locator('main input[type="file"]').set_input_files(picture(folder))
    page.locator('main form:has(input[type="file"]) button[type=submit]').click()
    page.get_by_role("button", name="Put it up for sale").click()


def buy(page: Page, clicks: int = 1) -> None:
    """Find the thing by its words, and order two of it."""
    page.goto("/")
    page.get_by_label("Search the shop").fill("blown glass")
    page.get_by_label("Search the shop").press("Enter")
    page.get_by_role("link", name=TITLE).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    page.get_by_label("Pieces", exact=True).fill("2")
    page.get_by_role("button", name="Put into the cart").click()
    page.goto("/checkout")
    main = page.locator("main")
    main.get_by_label("Name", exact=True).fill("Ana Pérez")
    main.get_by_label("Street and number").fill("Calle Mayor 1")
    main.get_by_label("City").fill("Soria")
    main.get_by_label("Country").select_option("ES")
    main.get_by_role("button", name="Order and pay").click(click_count=clicks, delay=5)


def test_somebody_sells_and_somebody_buys(page: Page, tmp_path: Path) -> None:
    join(page, "selma")
    offer(page, tmp_path)
    page.get_by_role("button", name="Log out").click()
    join(page, "bruno")
    buy(page)
    expect(page.locator("main")).to_contain_text(TITLE)
    expect(page.locator("main")).to_contain_text("€25.00")
    page.get_by_role("button", name="Log out").click()
    log_in(page, "selma", ("Name or mail address", "Password", "Log in"))
    page.goto("/sales")
    expect(page.locator("main")).to_contain_text("€25.00")


def test_a_double_click_orders_once(page: Page, tmp_path: Path) -> None:
    join(page, "selma")
    offer(page, tmp_path)
    page.get_by_role("button", name="Log out").click()
    join(page, "bruno")
    buy(page, clicks=2)
    expect(page.locator("main")).to_contain_text("€25.00")
    page.goto("/orders")
    expect(page.locator('main a[href^="/orders/"]')).to_have_count(1)


def test_the_shop_speaks_spanish(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    log_in(page, "buyer", ("Nombre o correo", "Contraseña", "Entrar"))
    expect(page.get_by_role("button", name="Salir")).to_be_visible()
    page.goto("/orders")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pedidos")


@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page, "seller", ("Name or mail address", "Password", "Log in"))
    expect(page.get_by_role("link", name="seller", exact=True)).to_be_visible()
    for path in ("/", "/?q=a", "/cart", "/orders", "/sales", "/sell", "/sell/new", "/account"):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, path


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
