"""Addresses that are built once are those that Flask builds each time."""

from __future__ import annotations

import pytest
from flask import url_for

from tests.webapp.world import World
from webapp.web.links import link

ASKED = [
    ("marketplace.browse", {}),
    ("marketplace.browse", {"q": "a b&c", "seller": "ñ"}),
    ("marketplace.product", {"product_id": 7}),
    ("marketplace.image", {"product_id": 7, "number": 1, "v": "abc"}),
    ("marketplace.browse", {"q": None}),
    ("static", {"filename": "shop.css"}),
    ("static", {"filename": "shop.css", "_external": True}),
    ("accounts.login", {"next": "/account"}),
]


@pytest.mark.parametrize(("endpoint", "values"), ASKED)
@pytest.mark.parametrize("base", ["https://a.example", "https://b.example/under", "http://c:8000"])
def test_a_link_is_the_one_that_flask_builds(
    world: World, endpoint: str, values: dict[str, object], base: str
) -> None:
    with world.app.test_request_context("/", base_url=base):
        for _ in range(2):
            assert link(endpoint, **values) == url_for(endpoint, **values)


def test_one_and_true_are_two(world: World) -> None:
    with world.app.test_request_context("/"):
        assert link("marketplace.browse", page=1) == "/?page=1"
        assert link("marketplace.browse", page=True) == url_for("marketplace.browse", page=True)


def test_an_endpoint_by_its_short_name_is_the_requests_own(world: World) -> None:
    for path, found in (("/cart", "/cart"), ("/", "/")):
        with world.app.test_request_context(path):
            name = ".cart" if path == "/cart" else ".browse"
            assert link(name) == found
