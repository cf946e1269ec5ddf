"""What a request handler reaches for: the database, the settings, the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar, cast

from flask import current_app, g
from sqlalchemy.orm import Session

from webapp.database import Database
from webapp.providers import Providers, providers
from webapp.services import categories
from webapp.services.categories import Branch
from webapp.settings import Settings
from webapp.web.kept import Kept

T = TypeVar("T")
EXTENSION = "shop"


class Shop:
    """The parts of one application. ``clock``: aware, in UTC."""

    def __init__(
        self, settings: Settings, database: Database, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.settings, self.database = settings, database
        self.providers: Providers = providers(settings)
        self.kept = Kept(settings.categories_kept)
        self.clock = clock or (lambda: datetime.now(UTC))


def shop() -> Shop:
    """The application's."""
    return cast(Shop, current_app.extensions[EXTENSION])


def now() -> datetime:
    """When the request came: one moment for all that it does."""
    if "now" not in g:
        g.now = shop().clock()
    return cast(datetime, g.now)


def read(work: Callable[[Session], T]) -> T:
    """What ``work`` finds in one state of the database."""
    with shop().database.reading() as session:
        return work(session)


def write(work: Callable[[Session], T]) -> T:
    """What ``work`` answers once it is committed. It may run several times. Raises Frozen."""
    return shop().database.write(work)


def category_tree(language: str) -> tuple[Branch, ...]:
    """All categories in a language, and how much is for sale in each, as of some seconds ago:
    counting it takes longer than all else that a page shows."""
    found = shop()
    key = (found.database.backend, language)
    return found.kept.get(key, lambda: read(lambda s: categories.tree(s, language)))
