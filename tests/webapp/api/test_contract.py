"""The API is what its document says: schemathesis asks all that the document allows, and what
it does not, and holds each answer against it."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.webapp.world import World
from webapp.blueprints.api.document import Operation
from webapp.blueprints.api.routes import OPERATIONS
from webapp.models import Role

EXAMPLES = 30
ASKED_OTHERWISE = [positive_data_acceptance, ignored_auth]
"""A request of the right shape may name what is not there; and the token is put on from
outside, so that a test of its own asks without one."""

CASES = [
    (one, mode)
    for one in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or one.body or one.query or "<" in one.path
]


@pytest.fixture
def asked(world: World) -> World:
    """A shop with something in it."""
    seller = world.user("shop", Role.SELLER)
    for number in range(3):
        world.product(seller, f"Lamp {number}")
    return world


@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=[f"{one.name}-{mode.value}" for one, mode in CASES]
)
def test_an_operation_keeps_to_the_document(
    asked: World, operation: Operation, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", asked.app)
    found = schema.find_operation_by_id(operation.name)
    user = asked.user("asker", Role.SELLER)
    statuses: set[int] = set()

    @given(case=found.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case) -> None:
        bearer = asked.token(user, is_api=True)  # one may be ended by what is asked
        response = case.call(headers={"Authorization": f"Bearer {bearer}"})
        statuses.add(response.status_code)
        case.validate_response(response, excluded_checks=ASKED_OTHERWISE)
        assert response.status_code < 500

    ask()
    if mode is GenerationMode.NEGATIVE:
        assert statuses & {400, 404, 405, 415, 422}
    elif "<" not in operation.path and operation.name not in ("log_in", "place_order"):
        assert operation.status in statuses


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer wrong", "Basic YTpi"])
def test_only_a_token_opens_what_is_closed(asked: World, bearer: str) -> None:
    client = asked.client(asked.user("asker", Role.SELLER))  # a browser's cookie is no token
    for one in OPERATIONS:
        path = re.sub("<int:id>", "1", re.sub("<uuid:id>", str(uuid.uuid4()), one.path))
        headers = {"Authorization": bearer} if bearer else {}
        answer = client.open(f"/api/v1{path}", method=one.method, headers=headers, json={})
        assert (answer.status_code == 401) is not one.is_open, one.name


def test_every_operation_is_in_the_document_and_nothing_else_is(world: World) -> None:
    said = json.loads(world.client().get("/api/v1/openapi.json").text)
    named = [one["operationId"] for path in said["paths"].values() for one in path.values()]
    assert sorted(named) == sorted(one.name for one in OPERATIONS)
    served = {
        rule.endpoint.removeprefix("api.")
        for rule in world.app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
    }
    assert served - {"openapi"} == set(named)


def test_the_document_is_the_one_that_was_published(world: World) -> None:
    """A change of the API shows in a review."""
    kept = Path(__file__).with_name("openapi.json")
    said = json.loads(world.client().get("/api/v1/openapi.json").text)
    assert said == json.loads(kept.read_text(encoding="utf-8")), (
        f"write it anew: flask's answer of /api/v1/openapi.json into {kept}"
    )
