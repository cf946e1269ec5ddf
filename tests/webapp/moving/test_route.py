"""Which database is live is told by a file: it is followed without a restart, whatever state it
is in, and nothing that was acknowledged is lost or done twice on the way."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.webapp.moving.freezing import freeze
from tests.webapp.moving.pair import Pair, opened
from tests.webapp.operate.environment import RIGHT, run
from tests.webapp.operate.server import eventually, serving
from tests.webapp.world import World
from webapp.database import Frozen, Route, RouteUnreadable
from webapp.models import Question, User

BACKENDS = ("sqlite", "postgresql")
HTTPS = "https://localhost"


@dataclass
class Load:
    """People who ask questions without end, and ask again when they are put off."""

    world: World
    product: int
    person: User
    acknowledged: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)

    def ask(self, who: int) -> None:
        """One of them."""
        client, number = self.world.client(self.person), 0
        while not self.stop.is_set():
            number += 1
            question = f"question {who}.{number} of many"
            while True:
                with client.post(
                    f"/products/{self.product}/questions",
                    data={"question": question},
                    base_url=HTTPS,
                ) as answer:
                    self.answers[answer.status_code] += 1
                    if answer.status_code != 503:
                        assert answer.status_code == 302
                        break
                    assert answer.headers["Retry-After"]
                time.sleep(0.05)
            self.acknowledged.append(question)


def questions(pair: Pair, backend: str) -> list[str]:
    """Those of a database."""
    with pair.engine(backend) as engine, engine.connect() as connection:
        return list(connection.scalars(select(Question.body)))


def test_a_switch_under_load_loses_nothing_and_does_nothing_twice(pair: Pair) -> None:
    with pair.shop() as world, ThreadPoolExecutor(6) as threads:
        person = world.user("asker")
        load = Load(world, world.product(world.user()).id, person)
        people = [threads.submit(load.ask, who) for who in range(5)]
        eventually("questions come in", lambda: len(load.acknowledged) > 50)

        freeze(pair.sqlite)
        eventually("people are put off", lambda: load.answers[503] > 10)
        frozen_at = set(load.acknowledged)
        pair.copy()
        left_behind = questions(pair, "sqlite")
        pair.live("postgresql")

        eventually("it goes on", lambda: len(load.acknowledged) > len(frozen_at) + 50)
        load.stop.set()
        for one in people:
            one.result()
        assert set(load.answers) == {302, 503}
        assert len(load.acknowledged) == len(set(load.acknowledged))

        now_live = questions(pair, "postgresql")
        assert sorted(now_live) == sorted(load.acknowledged), "each once, and no other"
        assert questions(pair, "sqlite") == left_behind, "nothing came after the freeze"
        assert frozen_at <= set(left_behind) <= set(load.acknowledged)
        assert world.database.backend == "postgresql"
        assert world.client(person).get("/account", base_url=HTTPS).status_code == 200


def test_people_stay_logged_in_over_a_switch_and_over_a_restart(pair: Pair) -> None:
    with pair.shop() as world:
        person = world.user("somebody")
        client = world.client(person)
        bearer = client.get_cookie("__Host-shop-session")
        assert bearer is not None
        freeze(pair.sqlite)
        pair.copy()
        pair.live("postgresql")
        assert "somebody" in client.get("/account", base_url=HTTPS).text
    with opened(pair.postgresql, "postgresql") as world:  # a plain restart, without a file
        browser = world.client()
        browser.set_cookie("__Host-shop-session", bearer.value, secure=True)
        assert "somebody" in browser.get("/account", base_url=HTTPS).text
        world.user("newcomer")  # numbers go on where they were


def test_a_unit_that_meets_the_freeze_goes_on_in_the_other_database(pair: Pair) -> None:
    with pair.shop() as world:
        freeze(pair.sqlite)
        with pytest.raises(Frozen):
            world.user("refused")
        ran = []

        def work(session) -> None:
            ran.append(session.get_bind().dialect.name)
            pair.live("postgresql")
            session.add(User(email="a@example.com", username="anna", created_at=world.now))

        world.write(work)
        assert ran == ["sqlite", "postgresql"]


def test_a_file_that_is_flipped_while_it_is_read_is_always_read_whole(tmp_path: Path) -> None:
    pair = Pair("", "", tmp_path / "route.json")
    pair.live("sqlite")
    route, over, seen = Route(pair.route, BACKENDS), threading.Event(), Counter[str]()

    def look() -> None:
        while not over.is_set():
            seen[route.live()] += 1

    with ThreadPoolExecutor(4) as threads:
        lookers = [threads.submit(look) for _ in range(4)]
        for flip in range(300):
            pair.live(BACKENDS[flip % 2])
            time.sleep(0.001)
        over.set()
        for looker in lookers:
            looker.result()
    assert set(seen) == set(BACKENDS)
    assert min(seen.values()) > 20
    assert route.live() == BACKENDS[299 % 2]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '"sqlite"',
        "{}",
        '{"backend": "oracle"}',
        '{"backend": ["x"]}',
        "\xff",
    ],
)
def test_a_file_that_makes_no_sense_changes_nothing_and_is_told_once(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    pair = Pair("", "", tmp_path / "route.json")
    pair.live("postgresql")
    route = Route(pair.route, BACKENDS)
    pair.route.write_bytes(content.encode("latin-1"))
    with caplog.at_level(logging.WARNING):
        assert [route.live() for _ in range(5)] == ["postgresql"] * 5
    (record,) = caplog.records
    assert "postgresql stays live" in record.getMessage()
    pair.live("sqlite")
    assert route.live() == "sqlite"


def test_a_file_that_is_gone_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pair = Pair("", "", tmp_path / "route.json")
    pair.live("postgresql")
    route = Route(pair.route, BACKENDS)
    pair.route.unlink()
    assert [route.live() for _ in range(3)] == ["postgresql"] * 3
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    pair.live("sqlite")
    assert route.live() == "sqlite"


def test_without_a_file_the_first_database_is_live_until_there_is_one(tmp_path: Path) -> None:
    pair = Pair("", "", tmp_path / "route.json")
    route = Route(pair.route, BACKENDS)
    assert route.live() == "sqlite"
    pair.live("postgresql")
    assert route.live() == "postgresql"


def test_a_shop_does_not_start_on_a_file_that_makes_no_sense(pair: Pair) -> None:
    pair.route.write_text(json.dumps({"backend": "oracle"}), encoding="utf-8")
    with pytest.raises(RouteUnreadable), pair.shop():
        pass
    given = {"DATABASE_URL": pair.sqlite, "DATABASE_URL_NEXT": pair.postgresql}
    said = run(RIGHT | given | {"DATABASE_ROUTE_FILE": str(pair.route)}, "create-admin")
    assert said.code == 2
    assert "route.json" in said.err
    assert "Traceback" not in said.err


def test_every_worker_of_a_server_follows_the_file(pair: Pair, tmp_path: Path) -> None:
    given = {"DATABASE_URL_NEXT": pair.postgresql, "DATABASE_ROUTE_FILE": str(pair.route)}
    with serving(tmp_path, pair.sqlite, given) as server:
        pids, answers = set(), set()
        for backend in ("sqlite", "postgresql", "sqlite"):
            pair.live(backend)
            answers = {server.ask("/test/live")[1].decode() for _ in range(40)}
            assert {answer.partition(" ")[0] for answer in answers} == {backend}
            pids |= {answer.partition(" ")[2] for answer in answers}
        assert pids
        assert [line["event"] for line in server.lines() if line["event"].startswith("route:")]
