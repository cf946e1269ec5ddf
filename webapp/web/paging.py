"""Cursors: where the next page of a list begins, signed, so that nobody can make one up."""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from webapp.services.errors import Invalid

LONGEST = 1000


def position(*parts: str) -> str:
    """The cursor of a position in a list."""
    return str(_serializer().dumps(list(parts)))


def after_position(cursor: str, length: int) -> list[str]:
    """The position of a cursor. Raises Invalid for one that is none of ours."""
    try:
        found = _serializer().loads(cursor[:LONGEST])
    except BadData:
        raise Invalid({"after": "no_such_page"}) from None
    if not isinstance(found, list) or len(found) != length:
        raise Invalid({"after": "no_such_page"})
    return [str(part) for part in found]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="page")
