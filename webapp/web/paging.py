"""Cursors: where the next page of a list begins, signed, so that nobody can make one up.

A cursor is good for one list in one order, which its ``scope`` names, as long as the secret
key or the one before it is.
"""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from webapp.services.errors import Invalid
from webapp.services.pages import Place

LONGEST = 4000
"""Of a cursor: a title of two hundred signs is in some."""


class NoSuchPage(Invalid):
    """A cursor is none of ours, or another list's."""

    id = "no_such_page"

    def __init__(self) -> None:
        super().__init__({"after": self.id})


def signed(place: Place | None, scope: str) -> str | None:
    """The cursor of a place, if there is one."""
    return position(place.key, str(place.id), scope=scope) if place is not None else None


def opened(cursor: str | None, scope: str) -> Place | None:
    """The place that a cursor means; None: the beginning. Raises NoSuchPage."""
    if not cursor:
        return None
    key, id_ = after_position(cursor, 2, scope=scope)
    return Place(key, int(id_))


def position(*parts: str, scope: str = "page") -> str:
    """The cursor of a position in a list."""
    return str(_serializer(scope).dumps(list(parts)))


def after_position(cursor: str, length: int, *, scope: str = "page") -> list[str]:
    """The position of a cursor. Raises NoSuchPage for one that is none of ours."""
    try:
        found = _serializer(scope).loads(cursor[:LONGEST])
    except BadData:
        raise NoSuchPage from None
    if not isinstance(found, list) or len(found) != length:
        raise NoSuchPage
    return [str(part) for part in found]


def _serializer(scope: str) -> URLSafeSerializer:
    config = current_app.config
    return URLSafeSerializer([*config["SECRET_KEY_FALLBACKS"], config["SECRET_KEY"]], salt=scope)
