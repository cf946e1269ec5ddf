"""Probes: the process alone, and whether it can serve."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tests.webapp.operate.environment import CANARY
from tests.webapp.world import REPOSITORY, World, settings_for
from webapp import create_app
from webapp.models.revision import REVISION


def test_the_code_knows_the_newest_revision() -> None:
    config = Config(str(REPOSITORY / "migrations/marketplace/alembic.ini"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_a_shop_with_its_tables_is_ready(world: World) -> None:
    answer = world.client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
    ],
)
def test_a_shop_whose_tables_are_others_is_not(world: World, change: str) -> None:
    world.write(lambda s: s.execute(text(change)))
    answer = world.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["status"] == "unready"
    assert world.client().get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "url", [f"postgresql://shop:{CANARY}@127.0.0.1:1/{CANARY}", "sqlite:////nowhere/shop.db"]
)
def test_a_shop_without_its_database_lives_but_is_not_ready(url: str) -> None:
    client = create_app(settings_for(url)).test_client()
    assert client.get("/healthz").json == {"status": "alive"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "unready", "database": "does not answer"}
    assert CANARY not in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_looks_for_no_session(
    world: World, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = world.client(world.user())
    with caplog.at_level("INFO", "webapp.observe.requests"):
        answer = client.get(path, base_url="https://localhost")
    assert "Set-Cookie" not in answer.headers
    (record,) = [r for r in caplog.records if r.name == "webapp.observe.requests"]
    assert record.queries == (1 if path == "/readyz" else 0)


def test_a_database_that_is_full_of_requests_is_not_ready(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    app = create_app(settings_for(url, pool_size=1, pool_timeout=0.1))
    with app.extensions["shop"].database.engine.connect():
        assert app.test_client().get("/readyz").status_code == 503
