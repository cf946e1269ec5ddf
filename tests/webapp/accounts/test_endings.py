"""Whatever ends a session ends it on the server; whatever changes an account is told and leaves
nothing open."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.webapp.accounts.test_accounts import COOKIE, enter, who
from tests.webapp.world import PASSWORD, World
from webapp.models import (
    CartItem,
    Favourite,
    LoginAttempt,
    LoginSession,
    OneTimeToken,
    OutboxMessage,
    Role,
    User,
)
from webapp.services import passwords, sessions

NEW = "another fine phrase"
PROVED = {"current_password": PASSWORD}


@pytest.fixture
def ana(world: World) -> User:
    """Somebody with a password."""
    return world.user("ana", password=passwords.hashed(PASSWORD))


@pytest.fixture
def browser(world: World, ana: User) -> FlaskClient:
    """Hers, logged in."""
    client = world.client()
    assert enter(client).status_code == 303
    return client


def letters(world: World) -> list[dict[str, str]]:
    """All that are to be sent, the oldest first."""
    with world.database.reading() as session:
        found = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
        return [dict(message.payload) for message in found]


def links(world: World) -> list[str]:
    """Those by which a new password is set."""
    found = [
        re.search(r"https://shop\.example(/password/reset/\S+)", m["body"]) for m in letters(world)
    ]
    return [link[1] for link in found if link]


def by_logout(world: World, browser: FlaskClient) -> None:
    browser.post("/logout")


def by_another_login(world: World, browser: FlaskClient) -> None:
    enter(browser)


def by_a_revocation(world: World, browser: FlaskClient) -> None:
    other = world.client()
    enter(other)
    (action,) = re.findall(
        r'action="(/account/sessions/\d+/revoke)"', other.get("/account/sessions").text
    )
    other.post(action)


def by_a_new_password(world: World, browser: FlaskClient) -> None:
    other = world.client()
    enter(other)
    assert other.post("/account/password", data=PROVED | {"password": NEW}).status_code == 303


def by_ones_own_new_password(world: World, browser: FlaskClient) -> None:
    assert browser.post("/account/password", data=PROVED | {"password": NEW}).status_code == 303
    assert who(browser) == "ana"  # under another token


def by_a_reset(world: World, browser: FlaskClient) -> None:
    other = world.client()
    other.post("/password/forgot", data={"email": "ana@example.com"})
    (link,) = links(world)
    assert other.post(link, data={"password": NEW}).status_code == 303


def by_closing(world: World, browser: FlaskClient) -> None:
    admin = world.client(world.user("root", Role.ADMIN))
    with world.database.reading() as session:
        user = session.scalars(select(User).where(User.username == "ana")).one()
    admin.post(f"/admin/users/{user.id}/disable")


def by_leaving(world: World, browser: FlaskClient) -> None:
    assert browser.post("/account/delete", data=PROVED).status_code == 303


def by_idleness(world: World, browser: FlaskClient) -> None:
    world.now += timedelta(days=7, seconds=1)


def by_age(world: World, browser: FlaskClient) -> None:
    for _ in range(5):
        world.now += timedelta(days=6, seconds=1)
        browser.get("/account")


@pytest.mark.parametrize(
    "end",
    [
        by_logout,
        by_another_login,
        by_a_revocation,
        by_a_new_password,
        by_ones_own_new_password,
        by_a_reset,
        by_closing,
        by_leaving,
        by_idleness,
        by_age,
    ],
)
def test_a_cookie_that_was_kept_opens_nothing_after(
    world: World, browser: FlaskClient, end: Callable[[World, FlaskClient], None]
) -> None:
    held = browser.get_cookie(COOKIE)
    assert held is not None
    thief = world.client()
    thief.set_cookie(COOKIE, held.value)
    assert who(thief) == "ana"
    end(world, browser)
    thief.set_cookie(COOKIE, held.value)
    assert who(thief) is None
    assert thief.get("/account").status_code == 302
    bearer = {"Authorization": f"Bearer {held.value}"}
    assert world.client().get("/api/v1/me", headers=bearer).status_code == 401


def test_tokens_are_random_and_kept_as_digests_alone(world: World, ana: User) -> None:
    def work(session: object) -> set[str]:
        lasts = sessions.Lifetime(timedelta(days=1), timedelta(days=2))
        return {
            sessions.begin(session, ana, now=world.now, lifetime=lasts, address="", agent="")  # type: ignore[arg-type]
            for _ in range(10_000)
        }

    made = world.write(work)
    assert len(made) == 10_000
    assert {len(token) for token in made} == {43}  # 256 bits in base 64
    bits = "".join(made)
    assert len(set(bits)) == 64
    with world.database.reading() as session:
        kept = set(session.scalars(select(LoginSession.token_digest)))
    assert len(kept) == 10_000
    assert kept == {sessions.digest(token) for token in made}


def test_a_form_of_before_the_login_is_of_no_use_after_it(world: World, ana: User) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = True
    client = world.client()

    def token() -> str:
        page = BeautifulSoup(client.get("/login").text, "html.parser")
        found = page.select_one('main input[name="csrf_token"]')
        assert found is not None
        return str(found["value"])

    before = token()
    form = {"login": "ana", "password": PASSWORD}
    secure = {"Referer": "https://localhost/login"}
    assert (
        client.post("/login", data=form | {"csrf_token": before}, headers=secure).status_code == 303
    )
    stale = client.post("/logout", data={"csrf_token": before}, headers=secure)
    assert stale.status_code == 400
    assert who(client) == "ana"
    assert client.post("/logout", data={"csrf_token": token()}, headers=secure).status_code == 303
    assert who(client) is None


# --- links ------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["reset", "password", "email"])
def test_no_link_outlives_a_change(world: World, browser: FlaskClient, change: str) -> None:
    other = world.client()
    for _ in range(2):
        other.post("/password/forgot", data={"email": "ana@example.com"})
    first, second = links(world)
    if change == "reset":
        assert other.post(first, data={"password": NEW}).status_code == 303
    elif change == "password":
        browser.post("/account/password", data=PROVED | {"password": NEW})
    else:
        browser.post("/account/email", data=PROVED | {"email": "ana@example.org"})
    assert other.get(second).status_code == 404
    assert other.post(second, data={"password": "yet another phrase"}).status_code == 404


def test_nobody_fills_the_mailbox_of_another(world: World, ana: User) -> None:
    client = world.client()
    answers = {
        client.post("/password/forgot", data={"email": "ana@example.com"}).status_code
        for _ in range(10)
    }
    assert answers == {303}
    assert len(links(world)) == 3
    world.now += timedelta(hours=1, seconds=1)
    client.post("/password/forgot", data={"email": "ana@example.com"})
    assert len(links(world)) == 4


def test_a_link_is_kept_as_a_digest_alone(world: World, ana: User) -> None:
    world.client().post("/password/forgot", data={"email": "ana@example.com"})
    (link,) = links(world)
    token = link.rpartition("/")[2]
    with world.database.reading() as session:
        kept = session.scalars(select(OneTimeToken)).one()
    assert kept.token_digest == sessions.digest(token)
    assert kept.expires_at == world.now + timedelta(hours=1)


@pytest.mark.parametrize("password", ["short", "password123", "ana@example.com"])
def test_a_link_is_not_used_up_by_a_password_that_will_not_do(
    world: World, ana: User, password: str
) -> None:
    client = world.client()
    client.post("/password/forgot", data={"email": "ana@example.com"})
    (link,) = links(world)
    assert client.post(link, data={"password": password}).status_code == 422
    assert client.post(link, data={"password": NEW}).status_code == 303


def test_a_closed_account_gets_no_link(world: World) -> None:
    world.user("shut", is_disabled=True)
    world.client().post("/password/forgot", data={"email": "shut@example.com"})
    assert letters(world) == []


# --- letters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "subjects"),
    [
        ("en", ["Your password has changed", "Your mail address has changed", "A new password"]),
        (
            "es",
            [
                "Tu contraseña ha cambiado",
                "Tu dirección de correo ha cambiado",
                "Una contraseña nueva",
            ],
        ),
        (None, ["Your password has changed", "Your mail address has changed", "A new password"]),
    ],
)
def test_letters_speak_the_language_of_whoever_gets_them(
    world: World, browser: FlaskClient, ana: User, language: str | None, subjects: list[str]
) -> None:
    def speak(session: object) -> None:
        session.get_one(User, ana.id).language = language  # type: ignore[attr-defined]

    world.write(speak)
    browser.post("/account/password", data=PROVED | {"password": NEW})
    proved = {"current_password": NEW, "email": "new@example.com"}
    browser.post("/account/email", data=proved)
    other = world.client()
    other.set_cookie("shop-language", "es" if language == "en" else "en")
    other.post("/password/forgot", data={"email": "new@example.com"})
    told = letters(world)
    assert [letter["subject"] for letter in told] == subjects
    assert [letter["to"] for letter in told] == [
        "ana@example.com",
        "ana@example.com",
        "new@example.com",
    ]
    assert all("ana" in letter["body"] for letter in told)


# --- leaving ------------------------------------------------------------------------------------


def test_nothing_personal_stays_of_who_leaves(
    world: World, browser: FlaskClient, ana: User
) -> None:
    lamp = world.product(world.user("bob", Role.SELLER))

    def more(session: object) -> None:
        session.add_all(
            [  # type: ignore[attr-defined]
                CartItem(user_id=ana.id, product_id=lamp.id, quantity=1, created_at=world.now),
                Favourite(user_id=ana.id, product_id=lamp.id, created_at=world.now),
            ]
        )

    world.write(more)
    browser.post("/account", data={"display_name": "Ana María", "language": "es"})
    world.client().post("/password/forgot", data={"email": "ana@example.com"})
    enter(world.client(), password="wrong wrong")
    browser.post("/account/delete", data=PROVED)
    with world.database.reading() as session:
        left = session.get_one(User, ana.id)
        for table in (CartItem, Favourite, LoginSession, OneTimeToken, OutboxMessage, LoginAttempt):
            assert session.scalar(select(func.count()).select_from(table)) == 0, table
    words = f"{left.email} {left.username} {left.display_name} {left.preferences}"
    assert "ana" not in words.lower()
    assert (left.password, left.language, left.role) == (None, None, Role.USER)
    assert left.deleted_at == world.now


def test_nobody_takes_the_name_of_one_who_leaves(
    world: World, browser: FlaskClient, ana: User
) -> None:
    squatter = {"email": "s@example.com", "username": f"Deleted-{ana.id}", "password": PASSWORD}
    assert world.client().post("/register", data=squatter).status_code == 422
    assert browser.post("/account/delete", data=PROVED).status_code == 303
