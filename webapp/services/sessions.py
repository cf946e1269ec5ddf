"""Sessions: a random token with its bearer, its digest in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from webapp.models import LoginSession, User
from webapp.services.errors import NotFound
from webapp.services.people import Viewer

SEEN_EVERY = timedelta(minutes=5)
"""How stale ``seen_at`` may get before a request writes it anew."""


@dataclass(frozen=True)
class Lifetime:
    """How long a session lasts: unused, and at all."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True)
class Found:
    """Who bears a token. ``is_stale``: its use should be written down."""

    viewer: Viewer
    is_stale: bool


def begin(
    session: Session,
    user: User,
    *,
    now: datetime,
    lifetime: Lifetime,
    address: str,
    agent: str,
    is_api: bool = False,
) -> str:
    """A new token for somebody who has proved who they are: 256 random bits."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginSession(
            token_digest=digest(token),
            user_id=user.id,
            is_api=is_api,
            address=address[:40],
            agent=agent[:200],
            created_at=now,
            seen_at=now,
            expires_at=now + lifetime.absolute,
        )
    )
    return token


def find(session: Session, token: str, *, now: datetime, lifetime: Lifetime) -> Found | None:
    """Who bears the token, if its session still runs."""
    row = session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.token_digest == digest(token),
            *_running(now, lifetime),
            User.is_disabled.is_(False),
            User.deleted_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    held, user = row
    viewer = Viewer(
        id=user.id,
        username=user.username,
        role=user.role,
        session_id=held.id,
        language=user.language,
    )
    return Found(viewer, is_stale=held.seen_at < now - SEEN_EVERY)


def touch(session: Session, session_id: int, *, now: datetime) -> None:
    """Write down that a session was used."""
    session.execute(update(LoginSession).where(LoginSession.id == session_id).values(seen_at=now))


def end(session: Session, user_id: int, *, now: datetime, session_id: int | None = None) -> int:
    """End one of somebody's sessions, or all of them; how many there were."""
    ended = update(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None)
    )
    if session_id is not None:
        ended = ended.where(LoginSession.id == session_id)
    return session.execute(ended.values(revoked_at=now)).rowcount  # type: ignore[attr-defined,no-any-return]


@dataclass(frozen=True)
class OpenSession:
    """Where somebody is logged in. ``is_this``: it is the one that asks."""

    id: int
    address: str
    agent: str
    is_api: bool
    created_at: datetime
    seen_at: datetime
    is_this: bool


def open_sessions(
    session: Session, viewer: Viewer, *, now: datetime, lifetime: Lifetime
) -> list[OpenSession]:
    """Where the viewer is logged in: here, then the last used first."""
    found = session.scalars(
        select(LoginSession)
        .where(LoginSession.user_id == viewer.id, *_running(now, lifetime))
        .order_by(
            (LoginSession.id == viewer.session_id).desc(),
            LoginSession.seen_at.desc(),
            LoginSession.id,
        )
    )
    return [
        OpenSession(
            s.id, s.address, s.agent, s.is_api, s.created_at, s.seen_at, s.id == viewer.session_id
        )
        for s in found
    ]


def revoke(session: Session, viewer: Viewer, session_id: int, *, now: datetime) -> None:
    """End one of the viewer's sessions. Raises NotFound."""
    if not end(session, viewer.id, now=now, session_id=session_id):
        raise NotFound


def _running(now: datetime, lifetime: Lifetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > now,
        LoginSession.seen_at > now - lifetime.idle,
    )


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
