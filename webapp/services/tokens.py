"""Tokens that work once: sent by mail or shown in a terminal, kept as their digests."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session

from webapp.models import OneTimeToken, Purpose
from webapp.services.errors import NotFound
from webapp.services.sessions import digest


def make(session: Session, purpose: Purpose, user_id: int | None, *, until: datetime) -> str:
    """A new one: 256 random bits."""
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(token_digest=digest(token), purpose=purpose, user_id=user_id, expires_at=until)
    )
    return token


def find(session: Session, token: str, purpose: Purpose, *, now: datetime) -> int | None:
    """Whose token it is, if anybody's. Raises NotFound unless it is good for that now."""
    found = session.scalar(_open(purpose, now).where(OneTimeToken.token_digest == digest(token)))
    if found is None:
        raise NotFound
    return found.user_id


def use(session: Session, token: str, purpose: Purpose, *, now: datetime) -> int | None:
    """The same, and it is good no more: of two who use it at once, one does. Raises NotFound."""
    used = session.execute(
        update(OneTimeToken)
        .where(OneTimeToken.token_digest == digest(token), *_is_open(purpose, now))
        .values(used_at=now)
        .returning(OneTimeToken.user_id)
    ).one_or_none()
    if used is None:
        raise NotFound
    owner: int | None = used.user_id
    return owner


def open_count(session: Session, purpose: Purpose, user_id: int, *, now: datetime) -> int:
    """How many of somebody's are still good."""
    theirs = _open(purpose, now).where(OneTimeToken.user_id == user_id).subquery()
    return session.scalar(select(func.count()).select_from(theirs)) or 0


def spend(session: Session, purpose: Purpose, user_id: int, *, now: datetime) -> None:
    """None of somebody's is good any more."""
    session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.purpose == purpose,
            OneTimeToken.user_id == user_id,
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now)
    )


def forget(session: Session, user_id: int) -> None:
    """Keep nothing of somebody's."""
    session.execute(delete(OneTimeToken).where(OneTimeToken.user_id == user_id))


def _open(purpose: Purpose, now: datetime) -> Select[OneTimeToken]:
    return select(OneTimeToken).where(*_is_open(purpose, now))


def _is_open(purpose: Purpose, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now,
    )
