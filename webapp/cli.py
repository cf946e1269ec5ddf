"""The command ``webapp``: serve the shop, and what whoever runs it does beside that.

What is wrong is said in a sentence on stderr, without a trace and without a secret; the
exit code is 2 where the settings are at fault, else 1.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

import webapp
from webapp import observe
from webapp import seed as seeding
from webapp import worker as outbox_worker
from webapp.database import Database, Frozen, RouteUnreadable
from webapp.observe import Redaction
from webapp.seed import Size
from webapp.services import accounts
from webapp.settings import (
    Settings,
    SettingsRefused,
    read_database_url,
    read_settings,
    variable,
)

_PACKAGE = Path(webapp.__file__).parent
_REVISIONS = Path("migrations/marketplace/alembic.ini")

cli = typer.Typer(
    help="The marketplace.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
migrate = typer.Typer(help="The database's schema. Needs DATABASE_URL alone.", no_args_is_help=True)
cli.add_typer(migrate, name="migrate")


def main() -> NoReturn:
    """The command."""
    try:
        code = int(cli(standalone_mode=False) or 0)
    except typer.TyperException as misread:
        code = _said(misread.format_message(), misread.exit_code)
    except (SettingsRefused, RouteUnreadable) as refused:
        code = _said(str(refused), 2)
    except (typer.Abort, KeyboardInterrupt):
        code = 130
    except Frozen:
        code = _said("the database is frozen: it is being moved. Try again later.", 1)
    except seeding.NotEmpty:
        code = _said("the database holds rows already: nothing was added", 1)
    except seeding.DirtRefused:
        code = _said("--dirt is for SQLite: PostgreSQL would refuse most of it", 1)
    except (CommandError, SQLAlchemyError, OSError) as failed:
        code = _said(_why(failed), 1)
    sys.exit(code)


def _said(sentence: str, code: int) -> int:
    for line in sentence.splitlines():
        typer.echo(f"webapp: {line}", err=True)
    return code


def _why(failed: Exception) -> str:
    """One line about an error of somebody else's, without what it may have been told."""
    told = str(getattr(failed, "orig", None) or failed).strip().splitlines() or [""]
    return f"{type(failed).__name__}: {Redaction().text(told[0])}"


@cli.command()
def serve(
    *,
    worker: Annotated[
        bool, typer.Option("--worker", help="Also carry out the outbox, beside the shop.")
    ] = False,
) -> None:
    """Serve the shop with gunicorn."""
    read_settings()
    config = str(_PACKAGE / "gunicorn_conf.py")
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", config, "webapp.wsgi:app"]
    if not worker:
        sys.stdout.flush()
        os.execv(sys.executable, gunicorn)  # noqa: S606
    sys.exit(_side_by_side(gunicorn, [sys.executable, "-m", "webapp.cli", "worker"]))


def _side_by_side(*commands: list[str]) -> int:
    """Run them until one ends, or we are told to end; the code of the first that did."""
    running = [subprocess.Popen(words) for words in commands]
    told: list[object] = []

    def stop(*signals: object) -> None:
        told.extend(signals)
        for process in running:
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not (ended := [process for process in running if process.poll() is not None]):
        time.sleep(0.1)
    first, were_told = int(ended[0].returncode), bool(told)
    stop()
    for process in running:
        process.wait()
    return max(0, first) if were_told else abs(first)


@cli.command()
def worker() -> None:
    """Carry out what transactions left to be done: mail and payments."""
    observe.begin(read_settings())
    sys.exit(outbox_worker.main())


@cli.command()
def check_config() -> None:
    """Print the settings in effect, without secrets."""
    settings = read_settings()
    for name in Settings.model_fields:
        typer.echo(f"{variable(name)}={shown(getattr(settings, name))}")


def shown(value: Any) -> str:
    """A setting as it may be seen."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        is_database = text.startswith(("sqlite", "postgresql"))
        return make_url(text).set(query={}).render_as_string() if is_database else "***"
    return str(value).lower() if isinstance(value, bool) else str(value)


@cli.command()
def create_admin() -> None:
    """Print a link with which one person who is logged in, once, becomes an administrator."""
    settings = read_settings()
    with _opened(settings) as database:
        token = database.write(lambda s: accounts.admin_token(s, now=datetime.now(UTC)))
    typer.echo(f"{settings.public_url}/admin/first/{token}")


@cli.command()
def seed(
    size: Annotated[Size, typer.Option(help="How many of everything.")] = Size.SMALL,
    *,
    dirt: Annotated[
        bool, typer.Option("--dirt", help="Plant what years of SQLite leave behind.")
    ] = False,
) -> None:
    """Fill an empty shop, the same way each time; print the password of everybody in it."""
    password = secrets.token_urlsafe(12)
    with _opened(read_settings()) as database:
        made = seeding.seed(database, size, password=password, now=datetime.now(UTC), dirt=dirt)
    for table, rows in made.rows.items():
        typer.echo(f"{table}: {rows}")
    people = ", ".join((seeding.ADMIN, seeding.SELLER, seeding.BUYER))
    typer.echo(f"{people} and everybody else log in with: {password}")


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = webapp.open_database(settings)
    try:
        yield database
    finally:
        database.close()


@migrate.command()
def upgrade(revision: str = "head") -> None:
    """Bring the schema to the newest revision, or to the one given."""
    command.upgrade(_revisions(), revision)


@migrate.command()
def downgrade(revision: str) -> None:
    """Take revisions back, down to the one given; ``base`` takes back all of them."""
    command.downgrade(_revisions(), revision)


@migrate.command()
def current() -> None:
    """Print the revision of the database."""
    command.current(_revisions())


@migrate.command()
def check() -> None:
    """Compare the database with the tables that this code knows. Exit 1 if they differ."""
    command.check(_revisions())


def _revisions() -> Config:
    """Alembic's configuration: in the repository, or where an installation puts data."""
    read_database_url()
    places = (_PACKAGE.parent, Path(sysconfig.get_path("data")) / "share" / "webapp")
    for place in places:
        if (place / _REVISIONS).exists():
            return Config(str(place / _REVISIONS))
    raise CommandError(f"{_REVISIONS} is neither beside the package nor installed")


if __name__ == "__main__":
    main()
