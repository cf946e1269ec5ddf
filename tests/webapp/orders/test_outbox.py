"""What is left to be done is done once, later if need be, and by whichever worker lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update
from werkzeug.serving import make_server

from tests.webapp.orders.buying import Letters, drain, messages, place, providers
from tests.webapp.world import REPOSITORY, SECRET, World
from webapp.models import OutboxKind, OutboxMessage, PaymentEvent
from webapp.providers import Letter, MailRefused, Providers
from webapp.services import outbox
from webapp.services.calls import drain_once


class Refusing:
    """A mail server that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def send(self, letter: Letter) -> None:
        self.asked += 1
        raise self.error


def put(world: World, to: str = "ann@example.com") -> None:
    world.write(lambda s: outbox.put_mail(s, to, "Hello", "There", now=world.now))


def test_what_is_due_is_sent_once(world: World) -> None:
    put(world)
    letters = Letters()
    assert drain(world, letters) == 1
    assert drain(world, letters) == 0
    assert [letter.to for letter in letters.sent] == ["ann@example.com"]
    (sent,) = messages(world)
    assert (sent.done_at, sent.error, sent.attempts) == (world.now, None, 1)


def test_what_is_due_later_waits(world: World) -> None:
    put(world)
    world.now -= timedelta(seconds=1)
    assert drain(world) == 0
    world.now += timedelta(seconds=1)
    assert drain(world) == 1


def test_what_fails_is_tried_ever_more_rarely_then_given_up_with_its_error(world: World) -> None:
    put(world)
    refusing = Refusing(MailRefused("SMTPServerDisconnected"))
    waits = []
    for _ in range(outbox.ATTEMPTS_MAX - 1):
        assert drain(world, refusing) == 1
        (kept,) = messages(world)
        waits.append(kept.due_at - world.now)
        assert kept.done_at is None
        world.now = kept.due_at - timedelta(microseconds=1)
        assert drain(world, refusing) == 0
        world.now = kept.due_at
    assert waits[:3] == [timedelta(seconds=n) for n in (2, 4, 8)]
    assert waits == sorted(waits)
    assert max(waits) <= outbox.LONGEST_WAIT
    assert drain(world, refusing) == 1
    (kept,) = messages(world)
    assert (kept.done_at, kept.attempts) == (world.now, outbox.ATTEMPTS_MAX)
    assert kept.error == "MailRefused: SMTPServerDisconnected"
    world.now += timedelta(days=1)
    assert drain(world, refusing) == 0
    assert refusing.asked == outbox.ATTEMPTS_MAX


def test_a_message_that_nobody_understands_stops_no_other(world: World) -> None:
    def odd(session: object) -> None:
        session.add(  # type: ignore[attr-defined]
            OutboxMessage(
                kind=OutboxKind.CHARGE, payload={}, created_at=world.now, due_at=world.now
            )
        )

    world.write(odd)
    put(world)
    letters = Letters()
    assert drain(world, letters) == 2
    assert len(letters.sent) == 1
    assert [m.error for m in messages(world)] == ["KeyError", None]


def test_errors_of_others_are_kept_without_their_words(world: World) -> None:
    put(world)
    drain(world, Refusing(RuntimeError("the password is hunter2")))
    assert [m.error for m in messages(world)] == ["RuntimeError"]


def test_what_a_dead_worker_had_claimed_comes_back(world: World) -> None:
    put(world)
    assert world.write(lambda s: outbox.claim(s, now=world.now)) is not None
    assert drain(world) == 0
    world.now += outbox.CLAIM + timedelta(seconds=1)
    assert drain(world) == 1


def test_nothing_is_open_while_a_call_is_made(world: World) -> None:
    """A slow provider holds up no order: whoever writes meanwhile need not wait."""
    buyer, lamp = world.user(), world.product(world.user())
    put(world)

    class Ordering:
        def send(self, letter: Letter) -> None:
            if letter.subject == "Hello":
                place(world, buyer, (lamp.id, 1))

    drain(world, Ordering())
    assert all(m.error is None for m in messages(world))
    assert len(messages(world, OutboxMessage.kind == OutboxKind.CHARGE)) == 1


def test_many_workers_send_each_letter_once(busy_world: World) -> None:
    world = busy_world
    for number in range(40):
        put(world, f"p{number}@example.com")
    letters, ready = Letters(), Barrier(6)
    called = Providers(providers(world).payments, letters)

    def work(_: int) -> int:
        ready.wait()
        return drain_once(world.database, called, world.now)

    with ThreadPoolExecutor(6) as threads:
        made = list(threads.map(work, range(6)))
    while drain_once(world.database, called, world.now):
        pass
    assert Counter(letter.to for letter in letters.sent) == {
        f"p{number}@example.com": 1 for number in range(40)
    }
    assert sum(made) <= 40


@contextmanager
def served(world: World) -> Iterator[str]:
    """The shop's address."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_works_until_it_is_told_to_end(world: World, number: signal.Signals) -> None:
    world.now = datetime.now(UTC) - timedelta(minutes=1)
    order_id = place(world, world.user("ann"), (world.product(world.user()).id, 1))
    command = [sys.executable, "-W", "error", "-m", "webapp.worker"]
    with served(world) as address:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "DATABASE_URL": world.url,
            "SECRET_KEY": SECRET,
            "SHOP_APP_ENV": "development",
            "SHOP_PUBLIC_URL": address,
            "SHOP_MAIL": "console",
            "SHOP_PAYMENTS": "fake",
            "SHOP_FAKE_PAYMENTS": "duplicates",
        }
        with subprocess.Popen(
            command, env=environment, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
        ) as worker:
            try:
                _wait_until_done(world)
                _wait_for_news(world)
                worker.send_signal(number)
                _, said = worker.communicate(timeout=20)
            finally:
                worker.kill()
    assert worker.returncode == 0
    assert f"Paid: order {str(order_id)[:8]}" in said
    assert "Traceback" not in said


def _wait_for_news(world: World) -> None:
    """The fake provider told what it did, and twice counted once."""
    ends = time.monotonic() + 60
    while True:
        with world.database.reading() as session:
            told = session.scalars(select(PaymentEvent.kind)).all()
        if told:
            assert told == ["captured"]
            return
        assert time.monotonic() < ends, "no news came"
        time.sleep(0.1)


def _wait_until_done(world: World) -> None:
    ends = time.monotonic() + 60
    while messages(world, OutboxMessage.done_at.is_(None)):
        assert time.monotonic() < ends, "the worker did nothing"
        time.sleep(0.1)


def test_a_worker_with_wrong_settings_says_so_and_ends() -> None:
    command = [sys.executable, "-m", "webapp.worker"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(
        command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "DATABASE_URL is not set" in ended.stderr


def test_the_oldest_goes_first(world: World) -> None:
    for number in range(3):
        put(world, f"p{number}@example.com")
    world.write(
        lambda s: s.execute(
            update(OutboxMessage)
            .where(OutboxMessage.payload["to"].as_string() == "p2@example.com")
            .values(due_at=world.now - timedelta(hours=1))
        )
    )
    letters = Letters()
    drain(world, letters)
    assert [letter.to[:2] for letter in letters.sent] == ["p2", "p0", "p1"]
