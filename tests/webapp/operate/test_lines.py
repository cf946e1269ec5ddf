"""A record is one line, whatever it holds, and holds no secret."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
import structlog

from tests.webapp.operate.environment import CANARY, REPOSITORY, RIGHT, surroundings
from tests.webapp.world import World, settings_for
from webapp.observe.logging import formatter, one_line
from webapp.observe.redaction import HIDDEN, Redaction


def line(message: object, *args: object, form: str = "json", **extra: Any) -> str:
    """The line of one record of the standard library."""
    record = logging.LogRecord("shop", logging.WARNING, __file__, 1, message, args, None)
    vars(record).update(extra)
    return formatter(form, Redaction([CANARY])).format(record)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\r\nb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\x85b", 'a"b', "a\ud800b", "\x9bA"],
)
@pytest.mark.parametrize("form", ["json", "text"])
def test_a_record_is_one_line_of_harmless_characters(form: str, text: str) -> None:
    said = line("%s", text, form=form, note=text)
    assert said.splitlines() == [said]
    assert not [sign for sign in said if sign < " " or "\x7f" <= sign <= "\x9f"]
    if form == "json":
        assert json.loads(said)["event"] == json.loads(said)["note"] == text


def test_a_trace_is_within_the_line_for_programs_and_below_it_for_people() -> None:
    with pytest.raises(ValueError, match="one") as raised:
        raise ValueError("one\ntwo\x1b[0m")
    trace = (raised.type, raised.value, raised.tb)
    told = line("failed", exc_info=trace)
    assert told.splitlines() == [told]
    assert "ValueError: one\ntwo" in json.loads(told)["exception"]
    first, *below = line("failed", form="text", exc_info=trace).splitlines()
    assert first.endswith("warning failed logger=shop")
    assert all(each.startswith("    ") and "\x1b" not in each for each in below)


@pytest.mark.parametrize(
    "said",
    [
        "postgresql+psycopg://shop:%s@db/shop",
        "postgresql://shop:p@ss/%s@db/shop",
        "https://%s@sentry.example/1",
        "password=%s",
        "Password: %s",
        "'password': '%s'",
        '"smtp_password": "%s"',
        "token=%s&x=1",
        "/reset?reset_token=%s",
        "Authorization: Bearer %s",
        "authorization: Basic %s",
        "Bearer %s",
        "Cookie: a=1; session=%s",
        "Set-Cookie: __Host-shop-session=%s; Path=/",
        "SECRET_KEY=%s",
        "stripe api_key=%s",
        "client-secret: %s",
        "SHOP_SENTRY_DSN=%s",
    ],
)
def test_what_looks_like_a_secret_is_not_written(said: str) -> None:
    record = logging.LogRecord("shop", logging.INFO, __file__, 1, said, ("hunter2secret",), None)
    told = formatter("json", Redaction()).format(record)
    assert "hunter2" not in told
    assert HIDDEN in told


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "token", "csrf_token", "Authorization", "cookie", "secret", "dsn"],
)
def test_a_value_whose_name_is_a_secrets_is_not_written(name: str) -> None:
    for value in ("hunter2", 4711, ["hunter2"], {"a": "hunter2"}, b"hunter2"):
        told = line("", **{name: value})
        assert "hunter2" not in told
        assert "4711" not in told
        within = line("", form_data={"fields": [{name: value}]})
        assert "hunter2" not in within
        assert "4711" not in within


def test_the_secrets_of_the_settings_are_not_written_wherever_they_stand() -> None:
    settings = settings_for(
        "postgresql://shop:p%40ssw%2Frd-1@db/shop",
        SECRET_KEY="the-key-that-signs-all-of-our-forms",
        smtp_password="mail-password",
        sentry_dsn="https://0123456789abcdef@sentry.example/1",
    )
    redaction = Redaction.of(settings)
    for secret in (
        "p%40ssw%2Frd-1",
        "p@ssw/rd-1",
        "the-key-that-signs-all-of-our-forms",
        "mail-password",
        "0123456789abcdef",
    ):
        assert redaction.text(f"something {secret} something") == f"something {HIDDEN} something"


def test_what_is_no_secret_is_written_as_it_is() -> None:
    said = "order 17 of maria@example.com: 3 x Lamp at https://shop.example/products/9?page=2"
    told = json.loads(line(said, count=3, share=0.5, done=True, none=None))
    assert told.pop("time").endswith("Z")
    assert told == {
        "event": said,
        "level": "warning",
        "logger": "shop",
        "count": 3,
        "share": 0.5,
        "done": True,
        "none": None,
    }


def test_control_characters_are_spelled_out() -> None:
    assert one_line("a\tb\x1b\u2028ñ") == r"a\tb\x1b\u2028ñ"


PROGRAM = f"""
import logging, sys, warnings, structlog
from webapp import observe
from webapp.settings import read_settings
observe.begin(read_settings()); observe.begin(read_settings())
logging.getLogger("a").debug("never seen")
logging.getLogger("a").info("of the standard library %s", "{CANARY}-2-and-as-long-as-a-key-must-be")
structlog.contextvars.bind_contextvars(job=7)
structlog.stdlib.get_logger("b").warning("of structlog", password="{CANARY}", n=1)
logging.getLogger("c").error("broken %d", "{CANARY}")
warnings.warn("a warning")
"""


def lines_of(settings: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=surroundings(RIGHT | settings),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.stderr


def test_a_process_tells_all_its_records_alike() -> None:
    text = lines_of({})
    first, second, third, fourth = map(json.loads, text.splitlines())
    assert CANARY not in text
    assert first["event"] == f"of the standard library {HIDDEN}"
    assert (first["level"], first["logger"]) == ("info", "a")
    assert first["time"].endswith("Z")
    assert (second["event"], second["password"], second["n"], second["job"]) == (
        "of structlog",
        HIDDEN,
        1,
        7,
    )
    assert third == {"event": "a record could not be written", "level": "error"}
    assert "a warning" in fourth["event"]


def test_the_settings_say_how_much_and_for_whom() -> None:
    assert "standard library" not in lines_of({"SHOP_LOG_LEVEL": "WARNING"})
    assert '"event": "never seen"' in lines_of({"SHOP_LOG_LEVEL": "DEBUG"})
    text = lines_of({"SHOP_LOG_FORMAT": "text"})
    assert "warning of structlog" in text
    assert CANARY not in text


def test_a_request_is_told_in_one_line_with_whoever_asked(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    someone = world.user()
    with caplog.at_level(logging.INFO, "webapp.observe.requests"):
        world.client(someone).get("/?q=what+they+want", base_url="https://localhost")
        world.client().post("/nowhere/of/mine")
    first, second = [vars(r) for r in caplog.records if r.name == "webapp.observe.requests"]
    assert (first["route"], first["method"], first["status"]) == ("/", "GET", 200)
    assert first["backend"] == world.backend
    assert first["queries"] >= 1
    assert (second["route"], second["status"], second["queries"]) == ("unmatched", 404, 0)
    assert "what" not in str([record.getMessage() for record in caplog.records])


def test_a_record_within_a_request_says_whose_it_is(world: World) -> None:
    someone, told = world.user(), []

    def speak() -> str:
        from webapp.web.viewer import viewer

        viewer()
        record = logging.LogRecord("shop", logging.INFO, "", 1, "hello", (), None)
        told.append(json.loads(formatter("json", Redaction()).format(record)))
        return ""

    world.app.add_url_rule("/test/speak", view_func=speak)
    world.client(someone).get(
        "/test/speak", base_url="https://localhost", headers={"X-Request-ID": "mine"}
    )
    assert [(each["user_id"], each["request_id"]) for each in told] == [(someone.id, "mine")]
    assert structlog.contextvars.get_contextvars() == {}, "it ends with the request"


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("a-plain.Token_1", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("a;b", False),
        ("\xe9", False),
        ("a\x1b[31m", False),
    ],
)
def test_a_request_keeps_its_name_if_that_is_a_plain_word(
    world: World, given: str, *, is_taken: bool
) -> None:
    named = world.client().get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (named == given) is is_taken
    assert named.isascii()
    assert is_taken or len(named) == 32
