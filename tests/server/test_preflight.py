"""What is refused before a byte is written, on the newest and on the oldest server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from core import errors
from core.server import preflight as module
from core.server.account import server_account
from core.server.binaries import OLDEST_MAJOR, discover
from core.server.connection import connect, parse_target
from core.server.embedded import Cluster
from core.server.placement import reachable_binaries
from core.server.preflight import LEDGER_SCHEMA, ServerFacts, preflight, server_facts
from tests.conftest import make_reachable_folder


@pytest.fixture(scope="module", params=["newest", "oldest"])
def server(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A server of the newest version found here, and one of the oldest we promise."""
    found = {b.major: b for b in reversed(discover())}
    major = max(found) if request.param == "newest" else OLDEST_MAJOR
    assert major in found, f"apt-get install postgresql-{major}"
    folder = make_reachable_folder()
    binaries = reachable_binaries(found[major], server_account())
    cluster = Cluster(folder / "cluster", binaries, durable=False)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


@pytest.fixture
def url(server: Cluster) -> Iterator[str]:
    server.ensure_database("shop")
    yield server.url("shop")
    server.drop_database("shop")


@pytest.fixture
def guest(server: Cluster, url: str) -> Iterator[str]:
    """The address as a role that owns nothing."""
    run(url, "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    _, _, place = url.partition("@")
    yield f"postgresql://guest:guest@{place}"
    run(url, "DROP OWNED BY guest", "DROP ROLE guest")


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def look(url: str, schema: str = "public") -> ServerFacts:
    target = parse_target(url)
    with connect(target) as connection:
        return preflight(connection, target, schema)


def test_a_good_target_tells_its_facts(server: Cluster, url: str) -> None:
    assert look(url) == ServerFacts(
        version=server.binaries.version,
        major=server.binaries.major,
        encoding="UTF8",
        read_only=False,
        database="shop",
        role="mudanza",
        schema_exists=True,
        ledger_exists=False,
        can_create_schemas=True,
        can_create_in_schema=True,
        can_create_in_ledger=True,
    )


def test_looking_writes_nothing_and_leaves_the_transaction_usable(url: str) -> None:
    target = parse_target(url)
    with connect(target) as connection:
        preflight(connection, target, "not there")
        connection.execute("CREATE TABLE t (a int)")
    assert not look(url, "not there").schema_exists


def test_a_schema_is_compared_by_its_exact_name(url: str) -> None:
    run(url, 'CREATE SCHEMA "Shop ""x"" ñ"')
    assert look(url, 'Shop "x" ñ').schema_exists
    assert not look(url, 'shop "x" ñ').schema_exists


def test_another_encoding_is_refused(server: Cluster) -> None:
    run(
        server.url("postgres"),
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
    )
    try:
        with pytest.raises(errors.TargetEncoding) as refused:
            look(server.url("latin"))
        assert refused.value.facts["encoding"] == "LATIN1"
    finally:
        server.drop_database("latin")


def test_a_role_that_may_only_read_is_refused(guest: str, url: str) -> None:
    run(url, "GRANT CREATE ON DATABASE shop TO guest", "GRANT CREATE ON SCHEMA public TO guest")
    assert look(guest).can_create_in_schema
    run(url, "ALTER ROLE guest SET default_transaction_read_only = on")
    with pytest.raises(errors.TargetReadOnly):
        look(guest)


@pytest.mark.parametrize(
    ("grants", "schema", "lacking"),
    [
        ([], "public", '"guest": CREATE ON SCHEMA "public"'),
        ([], "fresh", '"guest": CREATE ON DATABASE "shop"'),
        (["CREATE ON SCHEMA public"], "public", '"guest": CREATE ON DATABASE "shop"'),
        (["CREATE ON DATABASE shop"], "public", '"guest": CREATE ON SCHEMA "public"'),
    ],
)
def test_a_role_without_the_right_to_create_is_told_which(
    guest: str, url: str, grants: list[str], schema: str, lacking: str
) -> None:
    run(url, *[f"GRANT {grant} TO guest" for grant in grants])
    with pytest.raises(errors.TargetPrivilege) as refused:
        look(guest, schema)
    assert refused.value.facts["detail"] == lacking


def test_a_role_with_the_right_to_create_is_enough(guest: str, url: str) -> None:
    run(url, "GRANT CREATE ON DATABASE shop TO guest")
    facts = look(guest, "fresh")
    assert (facts.role, facts.schema_exists, facts.can_create_in_schema) == ("guest", False, True)


def test_a_ledger_of_somebody_else_is_refused(guest: str, url: str) -> None:
    run(url, "GRANT CREATE ON DATABASE shop TO guest", f"CREATE SCHEMA {LEDGER_SCHEMA}")
    with pytest.raises(errors.TargetPrivilege) as refused:
        look(guest, "fresh")
    assert refused.value.facts["detail"] == '"guest": CREATE ON SCHEMA "mudanza"'


def test_a_server_that_is_too_old_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = parse_target(url)
    with connect(target) as connection:
        old = replace(server_facts(connection, target, "public"), version="14.9", major=14)
        monkeypatch.setattr(module, "server_facts", lambda *_: old)
        with pytest.raises(errors.TargetTooOld) as refused:
            preflight(connection, target, "public")
    assert refused.value.facts == {"target": target.shown, "found": "14.9", "wanted": OLDEST_MAJOR}
