"""Upgrades meet others: another upgrade, a lock, a database that is not as they think."""

from __future__ import annotations

import ast
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.webapp.migrations.revisions import begin, ended, run, schema, tables, version
from tests.webapp.migrations.test_revisions import NEWEST, TABLES
from tests.webapp.world import REPOSITORY, settings_for, upgrade
from webapp import create_app
from webapp.web.shop import EXTENSION

LOCK = 7_083_662
CANARY = "c4n4ry-passw0rd"


@contextmanager
def somebody_upgrading(url: str) -> Iterator[None]:
    """Holds what an upgrade holds while it is at work."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        try:
            file.execute("BEGIN IMMEDIATE")
            yield
            file.execute("ROLLBACK")
        finally:
            file.close()
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield


def test_two_upgrades_at_once_wait_for_each_other(url: str) -> None:
    with somebody_upgrading(url):
        both = [begin(url, "upgrade", "head") for _ in range(2)]
        time.sleep(6)  # longer than a statement may wait for a lock of the shop's
        assert [process.poll() for process in both] == [None, None]
        assert not any(schema(url).values())
    answers = [ended(process) for process in both]
    assert [a.returncode for a in answers] == [0, 0], [a.stderr for a in answers]
    assert version(url) == [NEWEST]
    assert tables(url) >= TABLES


def test_many_upgrades_at_once_all_succeed(url: str) -> None:
    answers = [ended(p) for p in [begin(url, "upgrade", "head") for _ in range(4)]]
    assert [a.returncode for a in answers] == [0] * 4, [a.stderr for a in answers]
    assert version(url) == [NEWEST]


@pytest.mark.parametrize("word", ["upgrade", "downgrade"])
def test_without_an_address_nothing_begins(word: str) -> None:
    answer = run(None, word, "head" if word == "upgrade" else "base")
    assert answer.returncode == 1
    assert answer.stderr.strip() == "DATABASE_URL is not set: it names the database to upgrade"
    assert not answer.stdout


@pytest.mark.parametrize(
    "address", ["mysql://u:{}@127.0.0.1/shop", "nothing:{}", "sqlite://", "postgresql://u:{}@h"]
)
def test_an_address_that_cannot_be_is_refused_without_being_shown(address: str) -> None:
    answer = run(address.format(CANARY), "upgrade", "head")
    assert answer.returncode == 1
    assert answer.stderr.startswith("DATABASE_URL ")
    assert len(answer.stderr.splitlines()) == 1
    assert CANARY not in answer.stdout + answer.stderr


def test_a_lock_that_is_not_given_ends_the_upgrade_and_nothing_is_half_done(
    url: str, place: str
) -> None:
    if place == "sqlite":
        return  # there a writer holds the whole file: see the two upgrades at once
    upgrade(url, "0001")
    before = schema(url)
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE product IN ROW EXCLUSIVE MODE")
        began = time.monotonic()
        answer = run(url, "upgrade", "head")
        waited = time.monotonic() - began
        assert answer.returncode != 0
        assert "lock timeout" in answer.stderr
        assert 3.5 < waited < 20
        assert (version(url), schema(url)) == (["0001"], before)
    assert run(url, "upgrade", "head").returncode == 0
    assert version(url) == [NEWEST]


def test_a_revision_that_fails_in_its_midst_leaves_nothing(url: str) -> None:
    asked_to_write(url, "CREATE TABLE question (mine INTEGER)")
    before = schema(url)
    answer = run(url, "upgrade", "head")
    assert answer.returncode != 0
    assert schema(url) == before
    asked_to_write(url, "DROP TABLE question")
    assert run(url, "upgrade", "head").returncode == 0


def asked_to_write(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute(statement)
        connection.close()
        return
    with psycopg.connect(url, autocommit=True) as postgresql:
        postgresql.execute(statement.encode())


def test_the_web_process_never_makes_a_table(url: str) -> None:
    app = create_app(settings_for(url))
    app.test_client().get("/", headers={"Cookie": "__Host-shop-session=nobody"})
    app.test_client().get("/no/such/page")
    app.extensions[EXTENSION].database.close()
    assert not any(schema(url).values())


def test_only_the_command_knows_alembic() -> None:
    know = {
        str(path.relative_to(REPOSITORY)) for path in _sources() if "alembic" in _imported(path)
    }
    assert know <= {"webapp/cli.py", "webapp/cli/migrate.py", "webapp/cli/__init__.py"}
    assert "flask" in {name for path in _sources() for name in _imported(path)}


def _sources() -> list[Path]:
    return sorted((REPOSITORY / "webapp").rglob("*.py"))


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
