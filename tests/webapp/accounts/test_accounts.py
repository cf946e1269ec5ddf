"""Joining, logging in and out, forgetting and leaving, as a browser does it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from tests.webapp.world import PASSWORD, World
from webapp.models import LoginSession, OutboxMessage, Product, ProductState, Role, User
from webapp.services import accounts, passwords

COOKIE = "__Host-shop-session"


def join(client: FlaskClient, username: str = "ana", password: str = PASSWORD) -> Any:
    form = {"email": f"{username}@example.com", "username": username, "password": password}
    return client.post("/register", data=form)


def enter(client: FlaskClient, login: str = "ana", password: str = PASSWORD, **words: Any) -> Any:
    return client.post("/login", data={"login": login, "password": password}, **words)


def who(client: FlaskClient) -> str | None:
    """Whose pages the browser sees."""
    page = client.get("/login")
    found = BeautifulSoup(page.text, "html.parser").select_one('header a[href="/account"]')
    return found.text if found else None


@pytest.fixture
def browser(world: World) -> FlaskClient:
    return world.client()


def test_who_joins_is_logged_in(browser: FlaskClient) -> None:
    assert join(browser).status_code == 303
    assert who(browser) == "ana"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", "a@b"),
        ("email", "a@b.com\x01"),
        ("email", "a\nBcc: b@b.com"),
        ("username", "a"),
        ("username", "<script>"),
        ("password", "short"),
        ("password", "password123"),
        ("password", "ana@example.com"),
        ("password", "x" * 129),
    ],
)
def test_what_will_not_do_is_said_beside_its_field(
    browser: FlaskClient, field: str, value: str
) -> None:
    form = {"email": "ana@example.com", "username": "ana", "password": PASSWORD} | {field: value}
    page = browser.post("/register", data=form)
    assert page.status_code == 422
    said = BeautifulSoup(page.text, "html.parser").select_one(f"#f-{field}-said")
    assert said is not None
    assert said.text
    assert PASSWORD not in page.text
    assert who(browser) is None


@pytest.mark.parametrize(("email", "username"), [("ANA@example.com", "b1"), ("b@b.com", "ANA")])
def test_a_name_and_an_address_are_taken_whatever_their_case(
    world: World, browser: FlaskClient, email: str, username: str
) -> None:
    join(world.client())
    form = {"email": email, "username": username, "password": PASSWORD}
    assert browser.post("/register", data=form).status_code == 422


def test_a_login_gives_a_new_session_and_ends_the_old_one(
    world: World, browser: FlaskClient
) -> None:
    join(browser)
    before = browser.get_cookie(COOKIE)
    enter(browser)
    after = browser.get_cookie(COOKIE)
    assert before is not None
    assert after is not None
    assert before.value != after.value
    other = world.client()
    other.set_cookie(COOKIE, before.value)
    assert who(other) is None


def test_a_session_that_the_browser_brings_is_not_taken_over(browser: FlaskClient) -> None:
    browser.set_cookie(COOKIE, "chosen-by-somebody-else")
    join(browser)
    held = browser.get_cookie(COOKIE)
    assert held is not None
    assert held.value != "chosen-by-somebody-else"


def test_a_logout_ends_the_session_on_the_server(world: World, browser: FlaskClient) -> None:
    join(browser)
    held = browser.get_cookie(COOKIE)
    assert held is not None
    browser.post("/logout")
    browser.set_cookie(COOKIE, held.value)
    assert who(browser) is None


@pytest.mark.parametrize("login", ["ana", "ANA", "ana@example.com", " Ana@Example.com "])
def test_name_and_address_both_log_in(world: World, browser: FlaskClient, login: str) -> None:
    join(world.client())
    assert enter(browser, login).status_code == 303


def test_a_wrong_password_and_a_wrong_name_are_answered_alike(
    world: World, browser: FlaskClient
) -> None:
    join(world.client())
    wrong, nobody = enter(browser, "ana", "wrong wrong"), enter(browser, "nob", "wrong wrong")
    assert wrong.status_code == nobody.status_code == 422
    assert _said(wrong.text, "ana") == _said(nobody.text, "nob")


def _said(page: str, name: str) -> str:
    """The page without what differs each time: the form's token, and the name typed."""
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page).replace(name, "")


def test_after_five_failures_an_account_is_left_alone(world: World, browser: FlaskClient) -> None:
    join(world.client())
    for _ in range(5):
        assert enter(browser, password="wrong wrong").status_code == 422
    refused = enter(browser)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    world.now += timedelta(minutes=16)
    assert enter(browser).status_code == 303


def test_an_address_is_counted_over_accounts_and_cannot_be_made_up(
    world: World, browser: FlaskClient
) -> None:
    join(world.client())
    for n in range(10):
        forged = {"X-Forwarded-For": f"203.0.113.{n}"}
        assert enter(browser, f"nobody{n}", "wrong wrong", headers=forged).status_code == 422
    assert enter(browser).status_code == 429


@pytest.mark.parametrize("method", ["pbkdf2:sha256:1000", "scrypt:1024:8:1"])
def test_a_hash_of_earlier_years_is_understood_and_made_anew(
    world: World, browser: FlaskClient, method: str
) -> None:
    user = world.user("old", password=generate_password_hash(PASSWORD, method))
    assert enter(browser, "old", "wrong wrong").status_code == 422
    assert enter(browser, "old").status_code == 303
    with world.database.reading() as session:
        kept = session.get_one(User, user.id).password
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.fits(PASSWORD, kept)


def link_in_mail(world: World) -> str:
    with world.database.reading() as session:
        (message,) = session.scalars(select(OutboxMessage)).all()
    found = re.search(r"https://shop\.example(/\S+)", message.payload["body"])
    assert found is not None
    return found[1]


def test_a_forgotten_password_is_set_once_by_a_link(world: World, browser: FlaskClient) -> None:
    join(browser)
    other = world.client()
    other.post("/password/forgot", data={"email": "ANA@example.com"})
    link = link_in_mail(world)
    assert other.get(link).status_code == 200
    assert other.post(link, data={"password": "another fine phrase"}).status_code == 303
    assert who(browser) is None  # every session has ended
    assert enter(other).status_code == 422
    assert enter(other, password="another fine phrase").status_code == 303
    assert other.post(link, data={"password": "yet another phrase"}).status_code == 404


def test_a_link_is_good_for_an_hour(world: World, browser: FlaskClient) -> None:
    join(browser)
    browser.post("/password/forgot", data={"email": "ana@example.com"})
    world.now += timedelta(minutes=61)
    assert browser.get(link_in_mail(world)).status_code == 404


def test_nobody_learns_whether_an_address_has_an_account(
    world: World, browser: FlaskClient
) -> None:
    join(world.client())
    answers = [
        browser.post("/password/forgot", data={"email": email})
        for email in ("ana@example.com", "nobody@example.com")
    ]
    assert {(a.status_code, a.location) for a in answers} == {(303, "/login")}


def test_a_new_password_ends_all_other_sessions(world: World, browser: FlaskClient) -> None:
    join(browser)
    other = world.client()
    enter(other)
    form = {"current_password": PASSWORD, "password": "another fine phrase"}
    assert browser.post("/account/password", data=form).status_code == 303
    assert (who(browser), who(other)) == ("ana", None)


def test_what_changes_an_account_needs_its_password(browser: FlaskClient) -> None:
    join(browser)
    wrong = {"current_password": "wrong wrong", "password": "another fine phrase"}
    assert browser.post("/account/password", data=wrong).status_code == 422
    assert browser.post("/account/email", data=wrong | {"email": "b@b.com"}).status_code == 422
    assert browser.post("/account/delete", data=wrong).status_code == 422


def test_who_leaves_takes_all_that_is_personal(world: World, browser: FlaskClient) -> None:
    join(browser)
    with world.database.reading() as session:
        user = session.scalars(select(User)).one()
    product = world.product(user)
    assert browser.post("/account/delete", data={"current_password": PASSWORD}).status_code == 303
    with world.database.reading() as session:
        left = session.get_one(User, user.id)
        assert "ana" not in f"{left.email} {left.username} {left.display_name}"
        assert left.password is None
        assert session.scalars(select(LoginSession)).all() == []
        assert session.get_one(Product, product.id).state is ProductState.WITHDRAWN
    assert enter(browser).status_code == 422
    assert join(world.client()).status_code == 303  # the name is free again


def test_who_wants_to_sell_becomes_a_seller(world: World, browser: FlaskClient) -> None:
    join(browser)
    browser.post("/account", data={"display_name": "Ana María", "language": "es", "sells": "yes"})
    with world.database.reading() as session:
        user = session.scalars(select(User)).one()
    assert (user.role, user.display_name, user.language) == (Role.SELLER, "Ana María", "es")


@pytest.mark.parametrize(("minutes", "known"), [(60 * 24 * 7 - 1, "ana"), (60 * 24 * 7 + 1, None)])
def test_a_session_that_nobody_uses_ends(
    world: World, browser: FlaskClient, minutes: int, known: str | None
) -> None:
    join(browser)
    world.now += timedelta(minutes=minutes)
    assert who(browser) == known


def test_no_session_lasts_beyond_its_last_day(world: World, browser: FlaskClient) -> None:
    join(browser)
    for _ in range(29):
        world.now += timedelta(days=1)
        assert who(browser) == "ana"
    world.now += timedelta(days=2)
    assert who(browser) is None


def test_sessions_are_listed_and_ended_one_by_one(world: World, browser: FlaskClient) -> None:
    join(browser)
    other = world.client()
    enter(other, headers={"User-Agent": "Another browser"})
    page = browser.get("/account/sessions")
    assert "Another browser" in page.text
    (action,) = re.findall(r'action="(/account/sessions/\d+/revoke)"', page.text)
    browser.post(action)
    assert (who(browser), who(other)) == ("ana", None)


def test_nobody_ends_the_sessions_of_another(world: World, browser: FlaskClient) -> None:
    join(browser)
    other = world.client(world.user("bob"))
    with world.database.reading() as session:
        mine = session.scalars(select(LoginSession).join(User).where(User.username == "ana")).one()
    assert other.post(f"/account/sessions/{mine.id}/revoke").status_code == 404
    assert who(browser) == "ana"


def test_the_first_admin_comes_by_a_link_that_works_once(
    world: World, browser: FlaskClient
) -> None:
    token = world.write(lambda s: accounts.admin_token(s, now=world.now))
    join(browser)
    assert browser.get("/admin").status_code == 403
    assert browser.get(f"/admin/first/{token}").status_code == 200
    assert browser.post(f"/admin/first/{token}").status_code == 303
    assert browser.get("/admin").status_code == 200
    late = world.client(world.user("late"))
    assert late.post(f"/admin/first/{token}").status_code == 404


def test_a_closed_account_is_out_at_once(world: World) -> None:
    ana = world.user("ana", password=passwords.hashed(PASSWORD))
    hers, admin = world.client(ana), world.client(world.user("root", Role.ADMIN))
    assert who(hers) == "ana"
    admin.post(f"/admin/users/{ana.id}/disable")
    assert who(hers) is None
    assert enter(hers).status_code == 422
    admin.post(f"/admin/users/{ana.id}/enable")
    assert enter(hers).status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_a_login_leads_nowhere_else(world: World, browser: FlaskClient, target: str) -> None:
    join(world.client())
    assert enter(browser, query_string={"next": target}).location == "/"


def test_a_login_leads_back(world: World, browser: FlaskClient) -> None:
    join(world.client())
    assert browser.get("/account").location == "/login?next=/account"
    assert enter(browser, query_string={"next": "/account"}).location == "/account"
