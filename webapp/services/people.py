"""Whoever asks, and how services see them."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.models import Role
from webapp.services.errors import Forbidden, LoginNeeded


@dataclass(frozen=True)
class Viewer:
    """Somebody who is logged in. ``session_id``: by which session."""

    id: int
    username: str
    role: Role
    session_id: int
    language: str | None = None

    @property
    def sells(self) -> bool:
        """Whether they may offer products."""
        return self.role in (Role.SELLER, Role.ADMIN)

    @property
    def governs(self) -> bool:
        """Whether they may hide products and close accounts."""
        return self.role is Role.ADMIN


def known(viewer: Viewer | None) -> Viewer:
    """The viewer. Raises LoginNeeded."""
    if viewer is None:
        raise LoginNeeded
    return viewer


def seller(viewer: Viewer | None) -> Viewer:
    """The viewer, who sells. Raises LoginNeeded, Forbidden."""
    if not known(viewer).sells:
        raise Forbidden
    return known(viewer)


def admin(viewer: Viewer | None) -> Viewer:
    """The viewer, who governs. Raises LoginNeeded, Forbidden."""
    if not known(viewer).governs:
        raise Forbidden
    return known(viewer)
