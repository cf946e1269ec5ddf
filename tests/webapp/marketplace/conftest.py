"""A shop with much in it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.webapp.marketplace.shelf import fill
from tests.webapp.world import World


@pytest.fixture
def crowded(world: World) -> World:
    """A shop of 10,000 products, with what the engine wants to know of them."""
    fill(world, world.user("seller"), 10_000)
    world.write(lambda s: s.execute(text("ANALYZE")))
    return world
