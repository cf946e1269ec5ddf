"""One migrated database for a module; a copy of it where a test breaks what it cannot mend."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.server.embedded import Cluster
from core.transfer.model import RunReport
from tests.verify.sites import Site, build_source, carry, site_of

Migrated = tuple[Path, str, RunReport]


@pytest.fixture(scope="module")
def migrated(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """A source, the name of the database it was migrated into, and the report."""
    home = tmp_path_factory.mktemp("migrated")
    source, name = home / "shop.db", f"m_{secrets.token_hex(6)}"
    build_source(source)
    cluster.ensure_database(name)
    yield source, name, carry(source, cluster.url(name), home)
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def site(cluster: Cluster, migrated: Migrated) -> Iterator[Site]:
    """A copy that a module shares: who breaks it mends it."""
    yield from _copy(cluster, migrated)


@pytest.fixture
def clone(cluster: Cluster, migrated: Migrated) -> Iterator[Site]:
    """A copy for one test."""
    yield from _copy(cluster, migrated)


def _copy(cluster: Cluster, migrated: Migrated) -> Iterator[Site]:
    source, name, report = migrated
    copy = f"c_{secrets.token_hex(6)}"
    cluster.clone_database(copy, name)
    with site_of(source, cluster.url(copy), source.parent, report) as site:
        yield site
    cluster.drop_database(copy)
