"""Settings: from the environment alone, all at once, before anything else happens.

Nothing falls back silently: what the shop cannot run without is required, a secret is
never printed, and a setting that is wrong ends the program with a code other than 0.
"""

from __future__ import annotations

import enum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "SHOP_"
"""Of every setting but those that all applications call alike, which have an alias."""

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=24 * 3600, allow_inf_nan=False)]

FAKE_PAYMENTS = (
    r"^(every:[1-9]\d{0,5}:)?(works|declines|times_out|charges_then_times_out|duplicates)$"
)
"""What payments that move no money may be told to do."""


class AppEnv(enum.StrEnum):
    """Where the shop runs. Only development may send mail to the console and cookies
    without TLS."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Place(BaseSettings):
    """Where the shop lives: all that a release which changes its tables must be told."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=None,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # an input may be a secret
        populate_by_name=True,
    )

    database_url: SecretStr = Field(alias="DATABASE_URL")

    @field_validator("*", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        """An empty variable is a mistake of whoever wrote it, not a wish for a default."""
        if isinstance(value, str) and not value.strip():
            raise ValueError("is empty; give it a value or leave it out")
        return value

    @field_validator("database_url", "database_url_next", check_fields=False)
    @classmethod
    def _a_database(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is None else SecretStr(database_address(value.get_secret_value()))


class Settings(Place):
    """What the shop is told by its environment. Read once; never changed."""

    # --- required
    app_env: AppEnv
    secret_key: SecretStr = Field(alias="SECRET_KEY", min_length=32)
    public_url: str
    mail: Literal["smtp", "console"]
    payments: Literal["fake", "stripe"]

    # --- the database
    database_url_next: SecretStr | None = Field(default=None, alias="DATABASE_URL_NEXT")
    database_route_file: Path | None = Field(default=None, alias="DATABASE_ROUTE_FILE")
    pool_size: Positive = 4
    pool_overflow: Annotated[int, Field(ge=0)] = 0
    pool_timeout: Seconds = 3
    pool_recycle: Seconds = 1800
    statement_timeout: Seconds = 5
    lock_timeout: Seconds = 2
    sqlite_synchronous: Literal["FULL", "NORMAL"] = "FULL"

    # --- secrets that rotate, and who may reach us
    secret_key_previous: SecretStr | None = None
    trusted_proxies: Annotated[int, Field(ge=0)] = 0
    secure_cookies: bool = True
    session_idle_minutes: Positive = 60 * 24 * 7
    session_absolute_days: Positive = 30

    # --- providers
    mail_from: str = "shop@example.com"
    smtp_host: str | None = None
    smtp_port: Positive = 587
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    stripe_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    fake_payments: Annotated[str, Field(pattern=FAKE_PAYMENTS)] = "works"
    fake_payments_file: Path | None = None
    payment_timeout: Seconds = 5

    # --- limits
    upload_bytes_max: Positive = 2 * 1024 * 1024
    categories_kept: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 10
    login_attempts: Positive = 5
    login_attempts_address: Positive = 10

    # --- being observed
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
    sentry_dsn: SecretStr | None = None
    release: str = "unknown"
    metrics_bind: str = "127.0.0.1:9464"

    # --- being served
    bind: str = "127.0.0.1:8000"
    workers: Positive = 2
    threads: Positive = 4

    @field_validator("public_url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.path not in ("", "/")
        ):
            raise ValueError("must be an origin such as https://shop.example")
        return value.rstrip("/")

    @field_validator("bind", "metrics_bind")
    @classmethod
    def _a_place_to_listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("must be an address and a port such as 127.0.0.1:8000")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _a_sentry(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            is_whole = parts.hostname and parts.username and parts.path.strip("/").isalnum()
            if parts.scheme not in ("http", "https") or not is_whole:
                raise ValueError("is no DSN such as https://key@sentry.example/1")
        return value

    @field_validator("mail_from")
    @classmethod
    def _a_mailbox(cls, value: str) -> str:
        if not value.isprintable() or not all(value.rpartition("@")[::2]):
            raise ValueError("is no address such as shop@example.com")
        return value

    @field_validator("smtp_port")
    @classmethod
    def _a_port(cls, value: int) -> int:
        if value > 65535:
            raise ValueError("is no port")
        return value

    @model_validator(mode="after")
    def _together(self) -> Settings:
        for problem in _problems(self):
            raise ValueError(problem)
        return self

    @cached_property
    def databases(self) -> dict[str, URL]:
        """The databases that the route may name, by their backend: ``sqlite``, ``postgresql``.
        The first is the live one as long as there is no route file."""
        urls = [self.database_url, self.database_url_next]
        made = [make_url(url.get_secret_value()) for url in urls if url is not None]
        return {url.get_backend_name(): url for url in made}


class SettingsRefused(Exception):
    """The environment is not one that the shop can run in. ``problems``: one sentence for
    each setting, without its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_settings(**given: Any) -> Settings:
    """The settings of the environment, under those ``given``. Raises SettingsRefused."""
    try:
        return Settings(**given)
    except ValidationError as refused:
        raise SettingsRefused([_said(error) for error in refused.errors()]) from None


def read_database_url() -> SecretStr:
    """The database alone, whatever else is missing. Raises SettingsRefused."""
    try:
        return Place().database_url  # type: ignore[call-arg]  # from the environment
    except ValidationError as refused:
        raise SettingsRefused([_said(error) for error in refused.errors()]) from None


def variable(name: str) -> str:
    """The environment variable of a field."""
    field = Settings.model_fields[name]
    return field.alias or (PREFIX + name).upper()


def _said(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    name = variable(place) if place in Settings.model_fields else place
    if error["type"] == "missing":
        return f"{name} is not set; it has no default"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message


def database_address(text: str) -> str:
    """The address with the driver named. A bare postgresql:// means another driver to each
    version of SQLAlchemy, and postgres:// means none. Raises ValueError."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError("is no database address") from None
    drivers = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
    url = url.set(drivername=drivers.get(url.drivername, url.drivername))
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    if not url.database or url.database == ":memory:":
        raise ValueError("names no database")
    return url.render_as_string(hide_password=False)


def _problems(settings: Settings) -> list[str]:
    """What does not go together."""
    found = []
    production = settings.app_env is AppEnv.PRODUCTION
    if settings.app_env is not AppEnv.DEVELOPMENT:
        if not settings.public_url.startswith("https://"):
            found.append(f"{variable('public_url')} must be https outside development")
        if not settings.secure_cookies:
            found.append(f"{variable('secure_cookies')} must be true outside development")
    if production and settings.mail == "console":
        found.append(f"{variable('mail')}=console sends no mail: not in production")
    if production and settings.payments == "fake":
        found.append(f"{variable('payments')}=fake takes no money: not in production")
    if settings.mail == "smtp" and settings.smtp_host is None:
        found.append(f"{variable('smtp_host')} is not set; {variable('mail')}=smtp needs it")
    if settings.payments == "stripe":
        lacking = [n for n in ("stripe_key", "stripe_webhook_secret") if not getattr(settings, n)]
        found += [
            f"{variable(n)} is not set; {variable('payments')}=stripe needs it" for n in lacking
        ]
    if settings.database_route_file is not None and settings.database_url_next is None:
        found.append("DATABASE_URL_NEXT is not set; DATABASE_ROUTE_FILE chooses between the two")
    if settings.database_url_next is not None and len(settings.databases) < 2:
        found.append("DATABASE_URL_NEXT must be of another kind than DATABASE_URL")
    return found
