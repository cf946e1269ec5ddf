"""What the fault tests ask for: a server that may be broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.server.account import server_account
from core.server.embedded import Cluster
from core.server.placement import reachable_binaries
from tests.conftest import binaries_under_test


@pytest.fixture
def own_cluster(reachable_folder: Path) -> Iterator[Cluster]:
    """A running server of the test's own, that keeps what it confirmed."""
    binaries = reachable_binaries(binaries_under_test(), server_account())
    cluster = Cluster(reachable_folder / "own", binaries)
    cluster.start()
    cluster.ensure_database("shop")
    yield cluster
    cluster.stop()
