"""Each way of moving, of a clean shop and of a dirty one: made once for a module's tests."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.server.embedded import Cluster
from tests.cli.command import Command
from tests.conftest import make_reachable_folder
from tests.webapp.move.moves import SHOPS, WAYS, Moved, clean_rows, planned
from tests.webapp.seed.test_seed import NOW
from tests.webapp.world import PASSWORD, settings_for, upgrade
from webapp import open_database
from webapp.seed import Size, seed
from webapp.seed.dirt import plant


@pytest.fixture(scope="session")
def mudanza() -> Iterator[Command]:
    """The command, with a home of its own."""
    home = make_reachable_folder()
    yield Command(home=home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def shops(templates: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small shop, and the same one after years: their clean rows are the same."""
    folder = tmp_path_factory.mktemp("shops")
    files = {name: folder / f"{name}.db" for name in SHOPS}
    shutil.copy(templates["sqlite"], files["clean"])
    database = open_database(settings_for(f"sqlite:///{files['clean']}"))
    seed(database, Size.SMALL, password=PASSWORD, now=NOW)
    database.close()
    shutil.copy(files["clean"], files["dirty"])
    database = open_database(settings_for(f"sqlite:///{files['dirty']}"))
    plant(database)
    database.close()
    return files


@pytest.fixture(
    scope="module",
    params=[(way, shop) for way in WAYS for shop in SHOPS],
    ids="-".join,
)
def moved(
    request: pytest.FixtureRequest,
    mudanza: Command,
    shops: dict[str, Path],
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Moved]:
    """A shop in PostgreSQL."""
    way, shop = request.param
    name = f"moved_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    target, options = cluster.url(name), []
    if way == "adopted":
        upgrade(target)
        options = ["--adopt", "--zone", "UTC"]
    elif shop == "dirty":
        plan = tmp_path_factory.mktemp("plan") / "plan.toml"
        planned(mudanza, shops[shop], plan)
        options = ["--plan", plan]
    migrated = mudanza.run("migrate", shops[shop], "--target", target, *options, "--json")
    verified = mudanza.run("verify", shops[shop], "--target", target, "--json")
    database = open_database(settings_for(target))
    arrived = clean_rows(database)
    database.close()
    yield Moved(way, shop, shops[shop], target, migrated, verified, arrived)
    cluster.drop_database(name)
