"""Guessing takes for ever: however many guess at once, by whatever name, from wherever."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from tests.webapp.world import PASSWORD, World
from webapp.services import passwords, proofs
from webapp.services.errors import TooMany
from webapp.services.throttle import WINDOW, Limits, network

WRONG = "wrong wrong wrong"
AT_ONCE = 20


def guess(
    world: World, login: str = "ana", password: str = WRONG, address: str = "192.0.2.1"
) -> int:
    """The status of the answer to one login."""
    answer = world.client().post(
        "/login",
        data={"login": login, "password": password},
        environ_base={"REMOTE_ADDR": address},
    )
    return answer.status_code


@pytest.mark.parametrize(
    ("limits", "tried"), [(Limits(5, 1000), 5), (Limits(1000, 7), 7), (Limits(6, 6), 6)]
)
def test_of_many_guesses_at_once_none_is_tried_beyond_the_limit(
    busy_world: World, limits: Limits, tried: int
) -> None:
    busy_world.user("ana", password=passwords.hashed(PASSWORD))
    start = Barrier(AT_ONCE)

    def one(_number: int) -> str:
        start.wait()
        try:
            busy_world.write(
                lambda s: proofs.begin(
                    s, "ana", address="192.0.2.1", limits=limits, now=busy_world.now
                )
            )
        except TooMany:
            return "refused"
        return "tried"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = Counter(pool.map(one, range(AT_ONCE)))
    assert found == {"tried": tried, "refused": AT_ONCE - tried}


def test_an_account_is_counted_once_whatever_it_is_called(world: World) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    names = ["ana", "ANA", "ana@example.com", " Ana@Example.com ", "ana\x00"]
    found = [guess(world, name, address=f"192.0.2.{n}") for n, name in enumerate(names)]
    assert found == [422] * 5
    assert {guess(world, name, PASSWORD, "192.0.2.99") for name in names} == {429}


def test_an_account_that_is_not_there_is_counted_alike(world: World) -> None:
    assert [guess(world, "nobody", address=f"192.0.2.{n}") for n in range(6)] == [422] * 5 + [429]


def test_who_logs_in_starts_at_none(world: World) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    for _ in range(3):
        assert [guess(world) for _ in range(4)] == [422] * 4
        assert guess(world, password=PASSWORD) == 303


def test_ones_own_login_hides_no_guesses_at_others(world: World) -> None:
    world.user("mallory", password=passwords.hashed(PASSWORD))
    for n in range(10):
        assert guess(world, f"victim{n}") == 422
    assert guess(world, "mallory", PASSWORD) == 429


def test_the_window_slides(world: World) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    for _ in range(5):
        assert guess(world) == 422
        world.now += timedelta(minutes=2)
    assert guess(world) == 429  # ten minutes after the first
    world.now += WINDOW - timedelta(minutes=10, seconds=1)
    assert guess(world) == 429
    world.now += timedelta(seconds=1)
    assert guess(world) == 422  # the first counts no more
    assert guess(world) == 429


def test_it_is_said_when_to_come_back(world: World) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    for _ in range(5):
        guess(world)
    world.now += timedelta(minutes=5)
    answer = world.client().post("/login", data={"login": "ana", "password": PASSWORD})
    assert answer.status_code == 429
    wait = int(answer.headers["Retry-After"])
    assert wait == 600
    assert re.search(r"<h1>.+</h1>", answer.text)
    world.now += timedelta(seconds=wait)
    assert guess(world, password=PASSWORD) == 303


def test_whoever_holds_a_session_cannot_guess_its_password_either(world: World) -> None:
    ana = world.user("ana", password=passwords.hashed(PASSWORD))
    stolen = world.client(ana)
    forms = ["/account/password", "/account/email", "/account/delete"] * 2
    words = {"current_password": WRONG, "password": PASSWORD, "email": "m@example.com"}
    found = [stolen.post(form, data=words).status_code for form in forms]
    assert found == [422] * 5 + [429]


def test_programs_are_counted_with_browsers(world: World) -> None:
    world.user("ana", password=passwords.hashed(PASSWORD))
    body = {"login": "ana", "password": WRONG}
    for _ in range(5):
        assert world.client().post("/api/v1/tokens", json=body).status_code == 401
    assert guess(world, password=PASSWORD) == 429


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("x" * 500, "x" * 40),
    ],
)
def test_a_household_is_one_address(address: str, counted: str) -> None:
    assert network(address) == counted
