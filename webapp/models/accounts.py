"""Who people are, and how they are known again."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy_utils import EmailType

from webapp.database.types import Choice
from webapp.models.base import Base, Code, Digest, Key, Reference, Short


class Role(enum.StrEnum):
    """What a person may do. A seller may all that a user may, an admin too."""

    USER = "user"
    SELLER = "seller"
    ADMIN = "admin"


class Purpose(enum.StrEnum):
    """What a token that works once is good for."""

    RESET_PASSWORD = "reset_password"  # noqa: S105
    CREATE_ADMIN = "create_admin"


class User(Base):
    """A person with an account. ``email`` is kept in lower case and unique so, ``username`` as
    it was typed and unique without case. A deleted account keeps its row, for the orders that
    name it, and none of the person's data. ``session_epoch`` is of earlier years: nobody reads it
    any more, a session ends by its own row."""

    __tablename__ = "user_account"
    __table_args__ = (
        Index("uq_user_account_username_lower", func.lower(text("username")), unique=True),
        CheckConstraint("length(username) >= 2", name="username_long_enough"),
    )

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(EmailType(254), unique=True)
    username: Mapped[Code]
    password: Mapped[str | None] = mapped_column(Text)
    role: Mapped[Role] = mapped_column(Choice(Role, "role_known"), default=Role.USER)
    display_name: Mapped[Short] = mapped_column(default="")
    language: Mapped[str | None] = mapped_column(Text)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    session_epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    is_disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class LoginSession(Base):
    """A browser or a program that has logged in. The token itself is with its bearer; here is
    its SHA-256 alone. ``is_api``: it came for a token, not with a browser."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_user_id", "user_id"),)

    id: Mapped[Key]
    token_digest: Mapped[Digest] = mapped_column(unique=True)
    user_id: Mapped[Reference] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    is_api: Mapped[bool] = mapped_column(default=False)
    address: Mapped[Code]
    agent: Mapped[Short]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class OneTimeToken(Base):
    """A token sent by mail or shown in a terminal, good once; its SHA-256."""

    __tablename__ = "one_time_token"

    token_digest: Mapped[Digest] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(Choice(Purpose, "purpose_known"))
    user_id: Mapped[Reference | None] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE")
    )
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A login that failed. They are counted by account and by address."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_account_at", "account", "at"),
        Index("ix_login_attempt_address_at", "address", "at"),
    )

    id: Mapped[Key]
    account: Mapped[Short]
    address: Mapped[Code]
    at: Mapped[datetime]
