"""Every setting that is missing, empty or wrong ends the program: with its name, without its
value. The cases are generated from the settings themselves."""

from __future__ import annotations

import enum
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import SecretStr

from tests.webapp.operate.environment import (
    CANARY,
    REPOSITORY,
    RIGHT,
    VARIABLES,
    Said,
    run,
    surroundings,
)
from webapp import cli
from webapp.settings import Settings, read_settings

REQUIRED = [name for name, field in Settings.model_fields.items() if field.is_required()]
WRONG_TEXTS = {
    "database_url": [f"mysql://u:{CANARY}@h/d", f"{CANARY}", f"postgresql://u:{CANARY}@h"],
    "database_url_next": [f"oracle://u:{CANARY}@h/d", f"postgresql://u:{CANARY}@h/another"],
    "database_route_file": ["/nowhere/route"],  # without a second database
    "secret_key": [f"{CANARY}-short"],
    "public_url": [f"shop.example/{CANARY}", f"https://shop.example/{CANARY}"],
    "mail_from": [CANARY],
    "fake_payments": [CANARY, "every:0:works", "every:2:nothing", "works "],
    "sentry_dsn": [CANARY, f"https://{CANARY}@sentry.example", "https://sentry.example/1"],
    "bind": [CANARY, "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000"],
    "metrics_bind": [CANARY, "9464", "localhost:http"],
}
"""What is no such thing, of settings whose type is a text."""
FREE = {
    "secret_key_previous",
    "smtp_host",
    "smtp_user",
    "smtp_password",
    "stripe_key",
    "stripe_webhook_secret",
    "fake_payments_file",
    "release",
}
"""Of which any text may be right."""

Try = Callable[[Mapping[str, str]], Said]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Try:
    """``webapp check-config``, in this process: the same main, many times a second."""

    def checked(settings: Mapping[str, str]) -> Said:
        for name in VARIABLES.values():
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["webapp", "check-config"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return checked


def wrong_values(name: str) -> list[str]:
    """Values that the field must not take, by its type."""
    kind = Settings.model_fields[name].annotation
    (first, *_more) = [inner for inner in get_args(kind) if inner is not type(None)] or [kind]
    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        return [CANARY]
    if first is bool:
        return [CANARY, "2"]
    if first in (int, float):
        return [CANARY, "-1", "nan", "1e999"]
    return WRONG_TEXTS.get(name, [])


CASES = [(name, value) for name in VARIABLES for value in wrong_values(name)]


def refused(said: Said, name: str) -> None:
    """It names the variable, shows no secret and no trace, and is no success."""
    assert said.code == 2
    assert VARIABLES[name] in said.err
    assert said.out == ""
    assert CANARY not in said.err
    assert "Traceback" not in said.err
    assert all(line.startswith("webapp: ") for line in said.err.splitlines())


def test_what_is_right_is_taken(check: Try) -> None:
    said = check(RIGHT)
    assert (said.code, said.err) == (0, "")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_setting_that_is_missing_is_refused(check: Try, name: str) -> None:
    refused(check({k: v for k, v in RIGHT.items() if k != VARIABLES[name]}), name)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("empty", ["", "  "])
def test_a_setting_that_is_empty_is_refused(check: Try, name: str, empty: str) -> None:
    refused(check(RIGHT | {VARIABLES[name]: empty}), name)


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_setting_that_is_wrong_is_refused(check: Try, name: str, value: str) -> None:
    refused(check(RIGHT | {VARIABLES[name]: value}), name)


def test_each_setting_can_be_wrong_or_is_known_to_be_free() -> None:
    assert {name for name, _value in CASES} | FREE == set(VARIABLES)
    assert not {name for name, _value in CASES} & FREE


@pytest.mark.parametrize("name", sorted(FREE))
def test_a_free_setting_takes_any_text(check: Try, name: str) -> None:
    assert check(RIGHT | {VARIABLES[name]: "any text"}).code == 0


OUTSIDE = {
    "SHOP_MAIL": "smtp",
    "SHOP_SMTP_HOST": "mail.example",
    "SHOP_PAYMENTS": "stripe",
    "SHOP_STRIPE_KEY": f"sk_{CANARY}",
    "SHOP_STRIPE_WEBHOOK_SECRET": f"whsec_{CANARY}",
    "SHOP_APP_ENV": "production",
}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"SHOP_MAIL": "console"}, "mail"),
        ({"SHOP_PAYMENTS": "fake"}, "payments"),
        ({"SHOP_PUBLIC_URL": "http://shop.example"}, "public_url"),
        ({"SHOP_SECURE_COOKIES": "false"}, "secure_cookies"),
        ({"SHOP_SMTP_HOST": None}, "smtp_host"),
        ({"SHOP_STRIPE_KEY": None}, "stripe_key"),
        ({"SHOP_STRIPE_WEBHOOK_SECRET": None}, "stripe_webhook_secret"),
        ({"DATABASE_ROUTE_FILE": "/nowhere"}, "database_url_next"),
    ],
)
def test_production_refuses_what_is_for_development(
    check: Try, change: dict[str, str | None], name: str
) -> None:
    assert check(RIGHT | OUTSIDE).code == 0
    wanted = RIGHT | OUTSIDE | change
    refused(check({key: value for key, value in wanted.items() if value is not None}), name)


def test_all_that_is_missing_is_told_at_once(check: Try) -> None:
    said = check({})
    assert said.code == 2
    assert [VARIABLES[name] in said.err for name in REQUIRED] == [True] * len(REQUIRED)
    assert len(said.err.splitlines()) == len(REQUIRED)


def test_effective_settings_are_printed_without_secrets(check: Try) -> None:
    secrets = {
        VARIABLES[name]: f"{CANARY}-{name}-that-is-long-enough-for-a-key"
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation) and name not in WRONG_TEXTS
    }
    said = check(
        RIGHT
        | secrets
        | {
            "DATABASE_URL": f"postgresql://shop:{CANARY}@db.example/shop?sslpassword={CANARY}",
            "SHOP_SENTRY_DSN": f"https://{CANARY}@sentry.example/1",
            "SHOP_POOL_SIZE": "7",
        }
    )
    assert said.code == 0
    assert CANARY not in said.out
    shown = dict(line.split("=", 1) for line in said.out.splitlines())
    assert list(shown) == list(VARIABLES.values())
    assert shown["DATABASE_URL"] == "postgresql+psycopg://shop:***@db.example/shop"
    assert shown["SHOP_POOL_SIZE"] == "7"
    assert shown["SECRET_KEY"] == shown["SHOP_SENTRY_DSN"] == "***"
    assert shown["SHOP_RELEASE"] == "unknown"


@pytest.mark.parametrize("words", [("serve",), ("worker",), ("seed",), ("create-admin",)])
def test_every_command_refuses_before_it_does_anything(words: tuple[str, ...]) -> None:
    refused(run({k: v for k, v in RIGHT.items() if k != "SECRET_KEY"}, *words), "secret_key")


def test_a_program_that_is_wrong_in_a_process_of_its_own_is_refused_too() -> None:
    refused(run(RIGHT | {"SHOP_WORKERS": CANARY}, "check-config"), "workers")


def test_gunicorn_itself_refuses_too() -> None:
    config = str(REPOSITORY / "webapp/gunicorn_conf.py")
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", config, "webapp.wsgi:app"],
        env=surroundings(RIGHT | {"SECRET_KEY": CANARY}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "SECRET_KEY" in done.stderr
    assert CANARY not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_release_needs_the_database_alone() -> None:
    refused(run({}, "migrate", "upgrade"), "database_url")
    refused(run({"DATABASE_URL": f"mysql://u:{CANARY}@h/d"}, "migrate", "check"), "database_url")


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    away = f"postgresql://shop:{CANARY}@127.0.0.1:1/shop"
    said = run({"DATABASE_URL": away}, "migrate", "upgrade")
    assert said.code == 1
    assert "refused" in said.err
    assert CANARY not in said.err
    assert "Traceback" not in said.err


def test_the_example_lists_exactly_the_settings() -> None:
    listed = example()
    assert list(listed) == list(dict.fromkeys([*listed])), "each once"
    assert set(listed) == set(VARIABLES.values())
    for name, (value, is_commented, told) in listed.items():
        field = Settings.model_fields[next(f for f, v in VARIABLES.items() if v == name)]
        assert told, f"{name} is not explained"
        assert is_commented is not field.is_required()
        if not field.is_required():
            assert value == cli.shown(field.default).removesuffix(".0")


def test_the_example_is_a_shop_that_runs(check: Try) -> None:
    given = {name: value for name, (value, is_out, _told) in example().items() if not is_out}
    assert check(given).code == 0


def example() -> dict[str, tuple[str, bool, str]]:
    """The variables of .env.example: value, whether it is commented out, explanation."""
    listed: dict[str, tuple[str, bool, str]] = {}
    told = ""
    for line in (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines():
        name, is_set, value = line.removeprefix("#").partition("=")
        if is_set and name.isupper() and " " not in name:
            assert name not in listed
            listed[name] = (value, line.startswith("#"), told)
            told = ""
        else:
            told = line.removeprefix("# ") if line.startswith("# ") else ""
    return listed


def test_the_command_is_installed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    point = EntryPoint("webapp", project["scripts"]["webapp"], "console_scripts")
    assert point.load() is cli.main


def test_settings_are_read_once_and_never_change(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    settings = read_settings(**arguments())
    with pytest.raises(ValueError, match="frozen"):
        settings.workers = 9
    assert CANARY not in repr(settings)
    assert CANARY not in str(settings.model_dump())
    assert isinstance(settings.secret_key, SecretStr)


def arguments() -> dict[str, Any]:
    """The right settings, by the names of their fields."""
    return {name: RIGHT[variable] for name, variable in VARIABLES.items() if variable in RIGHT}
