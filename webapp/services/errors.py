"""What the shop refuses, as one tree. Each says which HTTP status tells it best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class Refused(Exception):
    """Something that was asked cannot be had. ``id``: names it for programs; ``facts``: what
    the sentence about it (``web.errors``) needs, and no secret."""

    id = "refused"
    status = 400

    def __init__(self, **facts: object) -> None:
        super().__init__(self.id)
        self.facts = facts


class NotFound(Refused):
    """It is not there, or not for whoever asks: nobody can tell which."""

    id = "not_found"
    status = 404


class Forbidden(Refused):
    """Whoever asks may not."""

    id = "forbidden"
    status = 403


class LoginNeeded(Refused):
    """Only somebody who is logged in may."""

    id = "login_needed"
    status = 401


class Conflict(Refused):
    """It does not go with what has happened meanwhile."""

    id = "conflict"
    status = 409


class Invalid(Refused):
    """What was sent is not what was asked for. ``problems``: an id for each field."""

    id = "invalid"
    status = 422

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(problems=dict(problems))
        self.problems = dict(problems)


class TooMany(Refused):
    """Asked too often. ``retry_after``: seconds."""

    id = "too_many"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


@dataclass(frozen=True)
class Shortage:
    """A product of which there is less than was asked for."""

    product_id: int
    title: str
    wanted: int
    left: int


class OutOfStock(Conflict):
    """There is too little of some products: all of them are named."""

    id = "out_of_stock"

    def __init__(self, shortages: tuple[Shortage, ...]) -> None:
        super().__init__(shortages=[vars(shortage) for shortage in shortages])
        self.shortages = shortages
