"""The API's OpenAPI document, made of the operations as they are declared.

What a request may hold and what an answer does hold are pydantic models: they check the
request, write the answer, and are the document's schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
REFERENCE = "#/components/schemas/{model}"
_CONVERTER = re.compile(r"<(?:(\w+):)?(\w+)>")
_PATH_TYPES = {
    "int": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1},
    "uuid": {"type": "string", "format": "uuid"},
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. ``path``: as Flask spells it, under the API's root; ``problems``: statuses
    that refuse; ``is_open``: it needs no token; ``headers``: that the request must have, by
    what they mean."""

    method: str
    path: str
    name: str
    summary: str
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    problems: tuple[int, ...] = ()
    is_open: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def refusals(self) -> tuple[int, ...]:
        """Every status that refuses."""
        found = {*self.problems, 429, 503}
        if not self.is_open:
            found.add(401)
        if self.query is not None or self.body is not None:
            found.add(422)
        if self.body is not None:
            found |= {400, 413, 415}
        if "<int:" in self.path:
            found.add(405)  # a number that no row can have is no path of ours
        return tuple(sorted(found))


def document(operations: Iterable[Operation], root: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the operations, which are found under ``root``."""
    operations = list(operations)
    paths: dict[str, Any] = {}
    for operation in operations:
        path = _CONVERTER.sub(r"{\2}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Plaza", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": root}],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations) | {"Problem": PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


DESCRIPTION = (
    "Amounts are texts with two digits, moments ISO 8601 in UTC. Lists come in pages: `next` is"
    " the `after` of the page that follows, or null. Refusals are application/problem+json"
    " (RFC 9457). While the shop is being moved, what writes is refused with 503 and"
    " Retry-After: send it again, an order under the same Idempotency-Key."
)


def _schemas(operations: Iterable[Operation]) -> dict[str, Any]:
    pairs = [(o.body, "validation") for o in operations if o.body is not None]
    pairs += [(o.answer, "serialization") for o in operations if o.answer is not None]
    _, made = models_json_schema(pairs, ref_template=REFERENCE)  # type: ignore[arg-type]
    found: dict[str, Any] = made.get("$defs", {})
    return found


def _operation(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "As asked."}
    if operation.answer is not None:
        answer["content"] = {"application/json": {"schema": _reference(operation.answer)}}
    made: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [*_path(operation), *_query(operation), *_headers(operation)],
        "responses": {str(operation.status): answer} | _problems(operation),
        "security": [] if operation.is_open else [{"token": []}],
    }
    if operation.body is not None:
        content = {"application/json": {"schema": _reference(operation.body)}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def _problems(operation: Operation) -> dict[str, Any]:
    schema = {"schema": {"$ref": REFERENCE.format(model="Problem")}}
    return {
        str(status): {"description": "Refused.", "content": {"application/problem+json": schema}}
        for status in operation.refusals
    }


def _path(operation: Operation) -> Iterator[dict[str, Any]]:
    for kind, name in _CONVERTER.findall(operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_TYPES[kind]}


def _query(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema()
    for name, kind in schema["properties"].items():
        yield {"name": name, "in": "query", "required": False, "schema": kind}


def _headers(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, means in operation.headers.items():
        kind = {"type": "string", "minLength": 8, "maxLength": 200, "pattern": "^[!-~]+$"}
        yield {"name": name, "in": "header", "required": True, "description": means, "schema": kind}
