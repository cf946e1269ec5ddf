"""A shop under test: its settings, its schema, and people and products to put into it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from webapp.database import Database
from webapp.models import Product, ProductState, Role, User
from webapp.services import sessions
from webapp.settings import Settings
from webapp.web.shop import EXTENSION
from webapp.web.viewer import lifetime

REPOSITORY = Path(__file__).resolve().parents[2]
BACKENDS = ("sqlite", "postgresql")
SECRET = "a secret of the tests, of no use elsewhere"
T = TypeVar("T")
PASSWORD = "correct horse battery staple"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database's schema to a revision, as a release does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        command.upgrade(Config(str(REPOSITORY / "migrations/marketplace/alembic.ini")), revision)


def settings_for(url: str, **others: Any) -> Settings:
    """Settings of a shop under test."""
    given = {
        "app_env": "development",
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "public_url": "https://shop.example",
        "mail": "console",
        "payments": "fake",
        "categories_kept": 0,
    }
    return Settings(**(given | others))


@dataclass
class World:
    """A shop that a test may do anything to. ``now`` is its clock: move it at will."""

    app: Flask
    url: str
    backend: str
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))

    @property
    def database(self) -> Database:
        """The shop's."""
        found: Database = self.app.extensions[EXTENSION].database
        return found

    def write(self, work: Callable[[Session], T]) -> T:
        """One unit of work."""
        return self.database.write(work)

    def user(self, username: str = "", role: Role = Role.USER, **others: Any) -> User:
        """A person with an account, who has no password unless one is given."""
        name = username or f"p{secrets.token_hex(4)}"
        words = {
            "email": f"{name}@example.com",
            "username": name,
            "role": role,
            "created_at": self.now,
        } | others
        made = User(**words)
        self.write(lambda s: s.add(made))
        return made

    def product(self, seller: User, title: str = "A lamp", **others: Any) -> Product:
        """Something for sale."""
        words = {"price": Decimal("19.99"), "stock": 10, "state": ProductState.LISTED} | others
        made = Product(
            seller_id=seller.id, title=title, created_at=self.now, updated_at=self.now, **words
        )
        self.write(lambda s: s.add(made))
        return made

    def client(self, user: User | None = None) -> FlaskClient:
        """A browser, logged in as ``user``. Forms it sends need no token."""
        client = self.app.test_client()
        if user is not None:
            client.set_cookie("__Host-shop-session", self.token(user), secure=True)
        return client

    def token(self, user: User, *, is_api: bool = False) -> str:
        """What a session of theirs bears."""
        lasts = lifetime(self.app.extensions[EXTENSION].settings)
        return self.write(
            lambda s: sessions.begin(
                s,
                user,
                now=self.now,
                lifetime=lasts,
                address="127.0.0.1",
                agent="tests",
                is_api=is_api,
            )
        )
