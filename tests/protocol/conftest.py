"""A stage for each test, and hooks on the places that the code names itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from core import failpoints
from core.server.embedded import Cluster
from tests.protocol.stage import Actor, Stage, begin_run, stage_on

At = Callable[[str, Callable[[], object]], None]


@pytest.fixture(scope="session")
def begun(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database in which the run has begun: each test gets a copy."""
    name = f"t_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    begin_run(cluster.url(name), tmp_path_factory.mktemp("begun"))
    yield name
    cluster.drop_database(name)


@pytest.fixture
def stage(cluster: Cluster, begun: str) -> Iterator[Stage]:
    name = f"t_{secrets.token_hex(6)}"
    cluster.clone_database(name, template=begun)
    stage = stage_on(cluster.url(name))
    yield stage
    stage.close()
    cluster.drop_database(name)


@pytest.fixture
def ana(stage: Stage) -> Actor:
    return stage.enter()


@pytest.fixture
def bob(stage: Stage) -> Actor:
    return stage.enter()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Do something when a failpoint is passed for the first time."""
    hooks: dict[str, Callable[[], object]] = {}

    def hook(point: str, act: Callable[[], object]) -> None:
        hooks[point] = act
        # Each point has an action of its own name, so that it is known which one fired.
        armed = [failpoints._Armed(p, 1, p) for p in hooks]
        monkeypatch.setattr(failpoints, "_armed", armed)

    monkeypatch.setattr(failpoints, "_act", lambda point: hooks[point]())
    failpoints.arm("")
    return hook
