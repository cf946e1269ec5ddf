"""Headers, cookies and tokens: on every route, also on those that fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.webapp.test_access import routes
from tests.webapp.world import PASSWORD, World, settings_for
from webapp import create_app
from webapp.models import Base, Role
from webapp.services import passwords
from webapp.web.security import HEADERS


@pytest.fixture
def guarded(shop_url: str) -> Iterator[Flask]:
    """A shop whose forms need their tokens."""
    app = create_app(settings_for(shop_url))
    app.config["PREFERRED_URL_SCHEME"] = "https"
    yield app
    app.extensions["shop"].database.close()


def test_every_answer_carries_the_headers(world: World) -> None:
    world.app.add_url_rule("/fails", "fails", lambda: 1 / 0)
    admin = world.client(world.user("root", Role.ADMIN))
    paths = [(m, path) for _, m, path in routes(world)] + [("GET", "/nothing/here")]
    for method, path in [*paths, ("GET", "/fails"), ("GET", "/static/shop.css")]:
        answer = admin.open(path, method=method, buffered=True)
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (path, name)
        assert "max-age=63072000; includeSubDomains" in answer.headers["Strict-Transport-Security"]


def test_the_policy_lets_nothing_run_inside_a_page(world: World) -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'"):
        assert part in policy
    assert "frame-ancestors 'none'" in policy


def test_no_page_has_code_or_style_inside(world: World) -> None:
    seller = world.user("shop", Role.ADMIN)
    product = world.product(seller)
    client, seen = world.client(seller), 0
    pages = [path for _, method, path in routes(world) if method == "GET"]
    for path in [*pages, f"/products/{product.id}", f"/sell/{product.id}/edit"]:
        answer = client.get(path, buffered=True)
        if not answer.content_type.startswith("text/html"):
            continue
        page = BeautifulSoup(answer.text, "html.parser")
        seen += 1
        assert page.select("[style], style, script:not([src])") == [], path
        assert [n for t in page.find_all() for n in t.attrs if n.startswith("on")] == [], path
    assert seen > 15


def test_an_error_tells_nothing_of_its_cause(world: World) -> None:
    world.app.add_url_rule("/fails", "fails", lambda: {}["a secret"])
    answer = world.client().get("/fails")
    assert answer.status_code == 500
    assert not re.search(r"secret|Traceback|KeyError|SELECT", answer.text)


def test_a_form_without_its_token_changes_nothing(guarded: Flask) -> None:
    client = guarded.test_client()
    asked = 0
    for rule in guarded.url_map.iter_rules():
        if "POST" not in (rule.methods or set()) or rule.endpoint.startswith("api."):
            continue
        if rule.endpoint == "orders.webhook":
            continue
        path = re.sub(r"<uuid:\w+>", "00000000-0000-0000-0000-000000000000", rule.rule)
        path = re.sub(r"<int[^>]*>", "1", path)
        path = re.sub(r"<[^>]*>", "x", path)
        for token in ({}, {"csrf_token": "of another"}):
            answer = client.post(path, data=token)
            assert answer.status_code == 400, rule.endpoint
            asked += 1
    assert asked > 40


def test_a_form_with_its_token_goes_through(guarded: Flask) -> None:
    client = guarded.test_client()
    page = BeautifulSoup(client.get("/register").text, "html.parser")
    token = page.select_one('main input[name="csrf_token"]')
    assert token is not None
    form = {"email": "a@example.com", "username": "ana", "password": PASSWORD}
    headers = {"Referer": "https://localhost/register"}
    answer = client.post(
        "/register", data=form | {"csrf_token": str(token["value"])}, headers=headers
    )
    assert answer.status_code == 303


def test_cookies_are_for_this_host_over_tls_and_not_for_scripts(guarded: Flask) -> None:
    client = guarded.test_client()
    client.application.config["WTF_CSRF_ENABLED"] = False
    client.get("/register")
    form = {"email": "a@example.com", "username": "ana", "password": PASSWORD}
    answers = [client.post("/register", data=form), client.get("/login")]
    answers.append(client.post("/language", data={"language": "es"}))
    said = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    names = {cookie.partition("=")[0] for cookie in said}
    assert "__Host-shop-session" in names
    for cookie in said:
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Domain=" not in cookie
    assert all("Path=/" in cookie for cookie in said if cookie.startswith("__Host-"))


def test_looking_changes_nothing(world: World) -> None:
    """No row of any table is another after every page was looked at."""
    seller = world.user("shop", Role.ADMIN, password=passwords.hashed(PASSWORD))
    product = world.product(seller)
    client = world.client(seller)
    before = contents(world)
    for _, method, path in routes(world):
        if method == "GET":
            client.get(path, buffered=True)
    client.get(f"/products/{product.id}")
    assert contents(world) == before


def contents(world: World) -> dict[str, list[str]]:
    with world.database.reading() as session:
        return {
            table.name: sorted(str(tuple(row)) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }


def test_what_people_write_is_shown_as_they_wrote_it(world: World) -> None:
    seller = world.user("shop", Role.SELLER, display_name="<script>alert(1)</script>")
    product = world.product(seller, "<img src=x onerror=alert(1)> {{7*7}}")
    for path in ("/", f"/products/{product.id}", "/?q=%3Cscript%3Ealert(2)%3C/script%3E"):
        page = world.client().get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "49" not in re.sub(r'value="[^"]*"', "", page)


def test_a_proxy_is_believed_only_if_there_is_one(shop_url: str) -> None:
    for proxies, seen in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        app = create_app(settings_for(shop_url, trusted_proxies=proxies))
        app.add_url_rule("/who", "who", _address)
        client: FlaskClient = app.test_client()
        assert client.get("/who", headers={"X-Forwarded-For": "203.0.113.9"}).text == seen
        app.extensions["shop"].database.close()


def _address() -> str:
    from flask import request

    return request.remote_addr or ""


# --- what people send ---------------------------------------------------------------------------


FIELDS = (
    "email", "username", "login", "password", "current_password", "display_name", "language",
    "next", "q", "product_id", "quantity", "question", "answer", "rating", "review", "body",
    "title", "description", "price", "currency", "stock", "category", "sku", "attributes",
    "state", "name", "street", "postcode", "city", "country", "note", "key", "version",
)  # fmt: skip


@pytest.mark.parametrize(
    "value",
    ["\x00", "a\x00b", "\ud800", "W" * 60_000, "\u202e\u0301🦙", "-1", "1e999", "' OR 1=1 --"],
)
def test_no_field_of_any_form_breaks_a_page(world: World, value: str) -> None:
    admin = world.user("root", Role.ADMIN, password=passwords.hashed(PASSWORD))
    product = world.product(admin)
    value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    proved = {"current_password": PASSWORD}
    broken, asked = [], 0
    for endpoint, method, path in routes(world):
        if method == "POST" and not endpoint.startswith("api."):
            form = dict.fromkeys(FIELDS, value[: 60_000 // len(FIELDS)])
            for path_ in {path, path.replace("999999", str(product.id))}:
                for words in (form, form | proved):
                    answer = world.client(admin).post(path_, data=words)
                    asked += 1
                    if answer.status_code >= 500:
                        broken.append((endpoint, answer.status_code))
    assert asked > 80
    assert broken == []


@pytest.mark.parametrize(
    "value", ["\x00", "a\x00b", "W" * 5_000, "\u202e\u0301🦙", "-1", "%", "' OR 1=1 --"]
)
def test_no_question_in_an_address_breaks_a_page(world: World, value: str) -> None:
    client = world.client(world.user("root", Role.ADMIN))
    names = ("q", "after", "next", "category", "seller", "price_min", "price_max", "sort", "v")
    for endpoint, method, path in routes(world):
        if method == "GET":
            answer = client.get(path, query_string=dict.fromkeys(names, value), buffered=True)
            assert answer.status_code < 500, endpoint


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    " //evil.example",
    "///evil.example",
    "/logout",  # it takes forms alone: nobody can look at it
    "/nothing/here",
    "/account\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_answer_leads_out_of_the_shop(world: World, target: str) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    client = world.client()
    login = {"login": "ana", "password": PASSWORD}
    join = {"email": "b@example.com", "username": "bob", "password": PASSWORD}
    answers = [
        client.post("/login", data=login, query_string={"next": target}),
        client.post("/register", data=join, query_string={"next": target}),
        client.post("/language", data={"language": "es", "next": target}),
    ]
    assert [(a.status_code, a.location) for a in answers] == [(303, "/")] * 3
    assert all("a=b" not in str(a.headers) for a in answers)


def test_a_choice_of_language_leads_back_with_what_was_asked(world: World) -> None:
    form = {"language": "es", "next": "/?q=l%C3%A1mpara&sort=title"}
    assert world.client().post("/language", data=form).location == form["next"]
