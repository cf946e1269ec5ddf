"""The pages of accounts: each can be used by everybody, in both languages, whatever people
are called; and what is typed wrong is told beside it and not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from tests.webapp.accounts.test_accounts import enter
from tests.webapp.accounts.test_endings import links
from tests.webapp.marketplace.test_screens import check
from tests.webapp.world import PASSWORD, World
from webapp.models import Role, User
from webapp.services import accounts, passwords
from webapp.web.language import LANGUAGES

LONG = "W" * 200
EVIL = "\"'><script>alert(1)</script>{{ 7*7 }}"
ANONYMOUS = ["/login", "/register", "/password/forgot", "/password/reset/nothing"]
OWN = ["/account", "/account/email", "/account/password", "/account/sessions", "/account/delete"]


def looked_at(client: FlaskClient, address: str, language: str) -> str:
    """What a page says, after it was checked."""
    client.set_cookie("shop-language", language)
    answer = client.get(address)
    assert answer.status_code in (200, 404), address
    check(address, answer.text)
    assert f'<html lang="{language}">' in answer.text
    return answer.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [LONG, EVIL, "Ana María ñandú 密码", "", "\u202egnirts"])
def test_every_page_can_be_used_whatever_people_are_called(
    world: World, language: str, name: str
) -> None:
    root = world.user("root", Role.ADMIN, display_name=name, password=passwords.hashed(PASSWORD))
    token = world.write(lambda s: accounts.admin_token(s, now=world.now))
    client = world.client()
    enter(client, "root", headers={"User-Agent": name or "x"})
    client.post("/password/forgot", data={"email": root.email})
    (reset,) = links(world)
    for address in [*ANONYMOUS, *OWN, reset, "/admin", "/admin?q=nobody", f"/admin/first/{token}"]:
        assert "<script>alert" not in looked_at(client, address, language)


def test_a_page_of_ones_own_leads_to_all_others(world: World) -> None:
    page = BeautifulSoup(world.client(world.user()).get("/account").text, "html.parser")
    assert {str(a["href"]) for a in page.select("main a")} == set(OWN[1:])


@pytest.mark.parametrize(
    ("address", "words", "field"),
    [
        ("/account", {"display_name": "W" * 201, "language": "es"}, "display_name"),
        # Composed, each of these is two letters.
        ("/account", {"display_name": "\u0958" * 200}, "display_name"),
        ("/account/email", {"email": "nope", "current_password": PASSWORD}, "email"),
        (
            "/account/email",
            {"email": "new@example.com", "current_password": "x"},
            "current_password",
        ),
        ("/account/password", {"password": "short", "current_password": PASSWORD}, "password"),
        ("/account/password", {"password": PASSWORD, "current_password": "x"}, "current_password"),
        ("/account/delete", {"current_password": "x"}, "current_password"),
    ],
)
def test_what_is_wrong_is_told_beside_it_and_what_was_typed_stays(
    world: World, address: str, words: dict[str, str], field: str
) -> None:
    client = world.client(world.user("ana", password=passwords.hashed(PASSWORD)))
    answer = client.post(address, data=words)
    assert answer.status_code == 422
    check(address, answer.text)
    page = BeautifulSoup(answer.text, "html.parser")
    (marked,) = page.select("[aria-invalid=true]")
    assert marked["name"] == field
    said = page.find(id=str(marked["aria-describedby"]))
    assert said is not None
    assert said.text.strip()
    typed = {str(i["name"]): i.get("value") for i in page.select("main input[value]")}
    for name, value in words.items():
        if "password" in name:
            assert value not in typed.values()
        elif name != "language":
            assert typed[name] == value


@pytest.mark.parametrize("other", ["bob@example.com", "BOB@example.com"])
def test_an_address_of_another_is_not_taken(world: World, other: str) -> None:
    world.user("bob")
    ana = world.user("ana", password=passwords.hashed(PASSWORD))
    words = {"email": other, "current_password": PASSWORD}
    assert world.client(ana).post("/account/email", data=words).status_code == 422
    with world.database.reading() as session:
        assert session.get_one(User, ana.id).email == "ana@example.com"


def test_a_language_chosen_for_the_account_is_spoken_at_once(world: World) -> None:
    client = world.client(world.user())
    client.set_cookie("shop-language", "en")
    assert client.post("/account", data={"language": "es"}).status_code == 303
    page = client.get("/account").text
    assert '<html lang="es">' in page
    assert "Está guardado." in page
    client.post("/account", data={"language": ""})
    assert '<html lang="en">' in client.get("/account").text


def test_a_language_chosen_for_the_browser_outlives_other_changes(world: World) -> None:
    client = world.client(world.user())
    client.post("/language", data={"language": "es"})
    client.post("/account", data={"language": "", "sells": "yes"})
    assert '<html lang="es">' in client.get("/account").text


LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36 Edg/130.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        (LINUX, "Firefox on Linux"),
        (WINDOWS, "Edge on Windows"),
        (PHONE, "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "An unknown program"),
    ],
)
def test_people_recognise_their_browsers(world: World, agent: str, shown: str) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    client = world.client()
    enter(client, headers={"User-Agent": agent})
    page = BeautifulSoup(client.get("/account/sessions").text, "html.parser")
    assert [h.text.partition("\n")[0].strip() for h in page.select("h2")] == [
        f"{shown} You are here"
    ]


def test_a_session_that_nobody_can_use_is_not_listed(world: World) -> None:
    ana = world.user("ana")
    world.client(ana)
    world.now += timedelta(days=4)
    world.client(ana)
    world.now += timedelta(days=4)  # the first has been idle for more than a week
    page = BeautifulSoup(world.client(ana).get("/account/sessions").text, "html.parser")
    assert len(page.select(".sessions > li")) == 2


# --- governing ------------------------------------------------------------------------------------


def test_people_are_found_by_how_they_begin_and_read_page_by_page(world: World) -> None:
    for number in range(accounts.PAGE + 5):
        world.user(f"person-{number}")
    world.user("100%", email="odd_one@example.com")
    world.user("100x")
    client = world.client(world.user("root", Role.ADMIN))

    def found(address: str) -> tuple[list[str], str | None]:
        page = BeautifulSoup(client.get(address).text, "html.parser")
        link = page.select_one("a[rel=next]")
        return [th.text for th in page.select("tbody th")], str(link["href"]) if link else None

    first, following = found("/admin?q=PERSON-")
    assert len(first) == accounts.PAGE
    assert following is not None
    rest, end = found(following)
    assert len(rest) == 5
    assert end is None
    assert len({*first, *rest}) == accounts.PAGE + 5
    assert found("/admin?q=100%25") == (["100%"], None)
    assert found("/admin?q=odd_") == (["100%"], None)
    assert found("/admin?q=oddx") == ([], None)


def test_closing_an_account_leads_back_to_the_search(world: World) -> None:
    ana, client = world.user("ana"), world.client(world.user("root", Role.ADMIN))
    answer = client.post(f"/admin/users/{ana.id}/disable", data={"q": "an"})
    assert answer.location == "/admin?q=an"
    assert "closed" in client.get("/admin?q=an").text


def test_no_admin_closes_their_own_account(world: World) -> None:
    root = world.user("root", Role.ADMIN)
    client = world.client(root)
    client.post(f"/admin/users/{root.id}/disable")
    assert client.get("/admin").status_code == 200


@pytest.mark.parametrize("what", ["disable", "enable"])
def test_who_has_left_is_nobody_to_admins(world: World, what: str) -> None:
    gone = world.user("deleted-1", deleted_at=world.now)
    client = world.client(world.user("root", Role.ADMIN))
    assert client.post(f"/admin/users/{gone.id}/{what}").status_code == 404
    assert "deleted-1" not in client.get("/admin").text
