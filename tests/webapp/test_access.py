"""Who may ask for what: every route x everybody. A route without a line here fails."""

from __future__ import annotations

import re
import uuid

import pytest
from flask.testing import FlaskClient

from tests.webapp.world import World
from webapp.models import Role

VISITORS = ("anonymous", "user", "seller", "admin")
ANYONE = VISITORS
KNOWN = ("user", "seller", "admin")
SELLS = ("seller", "admin")
ADMIN = ("admin",)

WHO = {
    "accounts.account": KNOWN,
    "accounts.admin": ADMIN,
    "accounts.become_admin": KNOWN,  # whoever has the link
    "accounts.change_email": KNOWN,
    "accounts.change_password": KNOWN,
    "accounts.change_profile": KNOWN,
    "accounts.choose_language": ANYONE,
    "accounts.delete": KNOWN,
    "accounts.disable": ADMIN,
    "accounts.email": KNOWN,
    "accounts.enable": ADMIN,
    "accounts.enter": ANYONE,
    "accounts.first_admin": KNOWN,  # whoever has the link
    "accounts.forgot": ANYONE,
    "accounts.join": ANYONE,
    "accounts.leave": KNOWN,
    "accounts.login": ANYONE,
    "accounts.logout": KNOWN,
    "accounts.password": KNOWN,
    "accounts.register": ANYONE,
    "accounts.reset": ANYONE,
    "accounts.revoke": KNOWN,
    "accounts.send_link": ANYONE,
    "accounts.session_list": KNOWN,
    "accounts.set_password": ANYONE,
    "api.cancel_order": KNOWN,
    "api.categories": ANYONE,
    "api.change": KNOWN,  # whoever sells it: to others there is no such product
    "api.log_in": ANYONE,
    "api.log_out": KNOWN,
    "api.me": KNOWN,
    "api.offer": SELLS,
    "api.openapi": ANYONE,
    "api.order": KNOWN,
    "api.orders": KNOWN,
    "api.place_order": KNOWN,
    "api.product": ANYONE,
    "api.products": ANYONE,
    "health.alive": ANYONE,
    "health.ready": ANYONE,
    "marketplace.add_image": SELLS,
    "marketplace.answer": KNOWN,  # whoever sells it: to others there is no such question
    "marketplace.ask": KNOWN,
    "marketplace.browse": ANYONE,
    "marketplace.edit": SELLS,
    "marketplace.edit_form": SELLS,
    "marketplace.favourite": KNOWN,
    "marketplace.favourite_products": KNOWN,
    "marketplace.hide": ADMIN,
    "marketplace.image": ANYONE,
    "marketplace.mine": SELLS,
    "marketplace.offer": SELLS,
    "marketplace.offer_form": SELLS,
    "marketplace.product": ANYONE,
    "marketplace.remove_image": SELLS,
    "marketplace.review": KNOWN,
    "marketplace.show": ADMIN,
    "marketplace.turn": SELLS,
    "orders.add": KNOWN,
    "orders.cancel": KNOWN,
    "orders.cancel_sale": KNOWN,
    "orders.cart": KNOWN,
    "orders.change": KNOWN,
    "orders.checkout": KNOWN,
    "orders.history": KNOWN,
    "orders.order": KNOWN,
    "orders.pay": KNOWN,
    "orders.place": KNOWN,
    "orders.refund": KNOWN,
    "orders.sale": KNOWN,
    "orders.sales": KNOWN,
    "orders.ship": KNOWN,
    "orders.webhook": ANYONE,  # whoever signs as the provider does
    "static": ANYONE,
}


def routes(world: World) -> list[tuple[str, str, str]]:
    """Endpoint, method and path of each, with ids that nothing has."""
    found = []
    for rule in world.app.url_map.iter_rules():
        path = re.sub(r"<int[^:]*:\w+>", "999999", rule.rule)
        path = re.sub(r"<uuid:\w+>", str(uuid.UUID(int=0)), path)
        path = re.sub(r"<(\w+:)?\w+>", "nothing", path)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found += [(rule.endpoint, method, path) for method in methods]
    return found


def visitor(world: World, who: str) -> tuple[FlaskClient, dict[str, str]]:
    """A browser of somebody new of that role, and what a program of theirs shows: what was
    asked before may have ended a session."""
    if who == "anonymous":
        return world.client(), {}
    user = world.user(role=Role(who))
    return world.client(user), {"Authorization": f"Bearer {world.token(user, is_api=True)}"}


def test_every_route_has_a_line(world: World) -> None:
    assert {endpoint for endpoint, _, _ in routes(world)} == set(WHO)


@pytest.mark.parametrize("who", VISITORS)
def test_each_gets_what_is_theirs_and_nothing_else(world: World, who: str) -> None:
    wrong = []
    for endpoint, method, path in routes(world):
        client, bearer = visitor(world, who)
        headers = bearer if endpoint.startswith("api.") else {}
        answer = client.open(path, method=method, headers=headers, json=_body(endpoint))
        to_login = answer.status_code == 302 and (answer.location or "").startswith("/login")
        refused = to_login or answer.status_code in (401, 403)
        allowed = who in WHO[endpoint]
        if endpoint == "api.log_in":
            refused = answer.status_code not in (401, 422)  # it says 401 of a wrong password
        if refused is allowed or answer.status_code >= 500:
            wrong.append((endpoint, method, answer.status_code))
        if not allowed and who != "anonymous":
            assert answer.status_code == 403, endpoint
    assert wrong == []


def _body(endpoint: str) -> dict[str, object] | None:
    """A body that gets as far as the question who asks."""
    offer = {"title": "A lamp", "price": "1.00", "version": 1}
    return {"api.change": offer, "api.offer": {"title": "A lamp", "price": "1"}}.get(endpoint)
