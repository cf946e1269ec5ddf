"""An empty database in each of the places that the revisions must hold: SQLite, the oldest
PostgreSQL that we know and the newest. A machine without one of them fails; it never skips.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.server.account import server_account
from core.server.binaries import discover
from core.server.embedded import Cluster
from core.server.placement import reachable_binaries
from tests.conftest import make_reachable_folder

PLACES = ("sqlite", "postgresql-15", "postgresql-18")
Fresh = Callable[[], str]


@pytest.fixture(scope="session")
def servers(cluster: Cluster) -> Iterator[dict[int, Cluster]]:
    """A running server of each major version: the tests' own, and what it is not."""
    folder = make_reachable_folder()
    found = {cluster.binaries.major: cluster}
    try:
        for major in (15, 18):
            if major not in found:
                found[major] = _started(major, folder)
        yield found
    finally:
        for server in found.values():
            if server is not cluster:
                server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _started(major: int, folder: Path) -> Cluster:
    for binaries in discover():
        if binaries.major == major:
            reachable = reachable_binaries(binaries, server_account())
            server = Cluster(folder / f"postgres-{major}", reachable, durable=False)
            server.start()
            return server
    pytest.fail(f"No PostgreSQL {major} here: apt-get install postgresql-{major}")


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """The name of an engine and its version."""
    return str(request.param)


@pytest.fixture
def fresh(place: str, servers: dict[int, Cluster], tmp_path: Path) -> Iterator[Fresh]:
    """Makes empty databases of a place."""
    made: list[str] = []

    def one() -> str:
        name = f"r_{secrets.token_hex(6)}"
        if place == "sqlite":
            return f"sqlite:///{tmp_path / name}.db"
        server = servers[int(place.partition("-")[2])]
        server.ensure_database(name)
        made.append(name)
        return server.url(name)

    yield one
    for name in made:
        servers[int(place.partition("-")[2])].drop_database(name)


@pytest.fixture
def url(fresh: Fresh) -> str:
    """One of them."""
    return fresh()
