"""Accounts: joining, proving who one is, changing and leaving."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.database import is_frozen
from webapp.models import (
    CartItem,
    Favourite,
    LoginSession,
    OneTimeToken,
    Product,
    ProductState,
    Purpose,
    Role,
    User,
)
from webapp.services import passwords, sessions, throttle
from webapp.services.errors import Conflict, Invalid, NotFound
from webapp.services.outbox import put_mail
from webapp.services.people import Viewer

RESET_LASTS = timedelta(hours=1)
ADMIN_TOKEN_LASTS = timedelta(hours=24)
LANGUAGES = ("en", "es")
_EMAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+\.[^@\s.\x00]+")
_USERNAME = re.compile(r"[A-Za-z0-9_.-]{2,40}")


@dataclass(frozen=True)
class Limits:
    """How many failed logins an account and an address may have in fifteen minutes."""

    account: int
    address: int


# --- joining --------------------------------------------------------------------------------


def register(
    session: Session, *, email: str, username: str, secret: str, language: str, now: datetime
) -> User:
    """A new account. ``secret``: the hash of a password that is good. Raises Invalid, naming
    every field that will not do."""
    email, username = email.strip().lower(), username.strip()
    problems = dict(_problems(email, username)) or _taken(session, email, username)
    if problems:
        raise Invalid(problems)
    user = User(
        email=email,
        username=username,
        password=secret,
        language=language if language in LANGUAGES else None,
        created_at=now,
    )
    return _added(session, user)


def _added(session: Session, user: User) -> User:
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        if is_frozen(error):  # a trigger's refusal is of the same kind on SQLite
            raise
        # Somebody else took the name since we looked.
        raise Invalid({"username": "username_taken"}) from None
    return user


def _problems(email: str, username: str) -> Mapping[str, str]:
    found = {}
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        found["email"] = "email_invalid"
    if not _USERNAME.fullmatch(username):
        found["username"] = "username_invalid"
    return found


def _taken(session: Session, email: str, username: str) -> dict[str, str]:
    found = {}
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        found["email"] = "email_taken"
    same = func.lower(User.username) == func.lower(username)
    if session.scalar(select(User.id).where(same)) is not None:
        found["username"] = "username_taken"
    return found


# --- proving who one is -----------------------------------------------------------------------


@dataclass(frozen=True)
class Attempt:
    """A login under way, counted as failed until its password fits. ``kept``: the hash that it
    must fit, None when there is no such account."""

    account: str
    user_id: int | None
    kept: str | None


def attempt(
    session: Session, login: str, *, address: str, limits: Limits, now: datetime
) -> Attempt:
    """Begin a login. Counting comes first: of many at once none is looked at beyond the limit.

    Raises TooMany.
    """
    account = login.strip().lower()[:200]
    throttle.require_few(
        session,
        account,
        address,
        per_account=limits.account,
        per_address=limits.address,
        now=now,
    )
    throttle.failed(session, account, address, now=now)
    user = session.scalar(
        select(User).where(
            or_(User.email == account, func.lower(User.username) == account),
            User.deleted_at.is_(None),
            User.is_disabled.is_(False),
        )
    )
    return Attempt(account, user.id if user else None, user.password if user else None)


def succeed(session: Session, tried: Attempt, *, new_hash: str | None) -> User:
    """The password fitted. ``new_hash``: of the same password, when the old one is outdated.

    Raises NotFound when the account is gone since.
    """
    user = session.get(User, tried.user_id)
    if user is None or user.is_disabled or user.password != tried.kept:
        raise NotFound
    throttle.forget(session, tried.account)
    if new_hash is not None:
        user.password = new_hash
    return user


# --- forgotten passwords ------------------------------------------------------------------------


def ask_reset(session: Session, email: str, *, link: str, now: datetime) -> None:
    """Send a link that sets a new password, if there is such an account; nobody can tell
    whether. ``link``: the address, with ``TOKEN`` where the token goes."""
    user = session.scalar(
        select(User).where(
            User.email == email.strip().lower(),
            User.deleted_at.is_(None),
            User.is_disabled.is_(False),
        )
    )
    if user is None:
        return
    token = _one_time(session, Purpose.RESET_PASSWORD, user.id, now + RESET_LASTS)
    subject, body = _RESET[user.language if user.language in LANGUAGES else "en"]
    facts = {"name": user.display_name or user.username, "link": link.replace("TOKEN", token)}
    put_mail(session, user.email, subject, body % facts, now=now)


_RESET = {
    "en": (
        "A new password",
        """%(name)s, somebody asked for a new password for your account.
If it was you, choose one within the hour: %(link)s
If it was not, do nothing.""",
    ),
    "es": (
        "Una contraseña nueva",
        """%(name)s, alguien ha pedido una contraseña nueva para tu cuenta.
Si has sido tú, elígela antes de una hora: %(link)s
Si no, no hagas nada.""",
    ),
}


def reset(session: Session, token: str, password: str, *, now: datetime) -> User:
    """Set a new password by a token; every session ends. Raises NotFound, Invalid."""
    user = _of_token(session, token, Purpose.RESET_PASSWORD, now)
    passwords.require_good(password, user.email, user.username)
    _use(session, token, now)
    user.password = passwords.hashed(password)
    sessions.end(session, user.id, now=now)
    throttle.forget(session, user.email)
    throttle.forget(session, user.username.lower())
    return user


def is_open(session: Session, token: str, purpose: Purpose, *, now: datetime) -> bool:
    """Whether a token is good for it."""
    return session.scalar(_open(token, purpose, now)) is not None


def _open(token: str, purpose: Purpose, now: datetime):  # type: ignore[no-untyped-def]
    return select(OneTimeToken).where(
        OneTimeToken.token_digest == sessions.digest(token),
        OneTimeToken.purpose == purpose,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now,
    )


def _of_token(session: Session, token: str, purpose: Purpose, now: datetime) -> User:
    found = session.scalar(_open(token, purpose, now).with_for_update())
    user = session.get(User, found.user_id) if found is not None and found.user_id else None
    if user is None or user.deleted_at is not None:
        raise NotFound
    return user


def _one_time(session: Session, purpose: Purpose, user_id: int | None, until: datetime) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            token_digest=sessions.digest(token),
            purpose=purpose,
            user_id=user_id,
            expires_at=until,
        )
    )
    return token


def _use(session: Session, token: str, now: datetime) -> None:
    session.execute(
        update(OneTimeToken)
        .where(OneTimeToken.token_digest == sessions.digest(token))
        .values(used_at=now)
    )


# --- the first admin ------------------------------------------------------------------------------


def admin_token(session: Session, *, now: datetime) -> str:
    """A token by which somebody with an account becomes an admin: there is no default one."""
    return _one_time(session, Purpose.CREATE_ADMIN, None, now + ADMIN_TOKEN_LASTS)


def become_admin(session: Session, viewer: Viewer, token: str, *, now: datetime) -> None:
    """Use it. Raises NotFound."""
    if session.scalar(_open(token, Purpose.CREATE_ADMIN, now).with_for_update()) is None:
        raise NotFound
    _use(session, token, now)
    session.execute(update(User).where(User.id == viewer.id).values(role=Role.ADMIN))


# --- one's own account ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Profile:
    """What somebody sees of their own account."""

    email: str
    username: str
    display_name: str
    language: str | None
    role: Role
    created_at: datetime


def profile(session: Session, viewer: Viewer) -> Profile:
    """The viewer's."""
    user = session.get_one(User, viewer.id)
    return Profile(
        user.email, user.username, user.display_name, user.language, user.role, user.created_at
    )


def change_profile(
    session: Session, viewer: Viewer, *, display_name: str, language: str | None, sells: bool
) -> None:
    """Another name, another language; from now on a seller. Raises Invalid."""
    if len(display_name) > 200 or "\x00" in display_name:
        raise Invalid({"display_name": "name_too_long"})
    user = session.get_one(User, viewer.id)
    user.display_name = display_name.strip()
    user.language = language if language in LANGUAGES else None
    if sells and user.role is Role.USER:
        user.role = Role.SELLER


def change_email(session: Session, viewer: Viewer, email: str, password: str) -> None:
    """Another address, proved by the password. Raises Invalid."""
    user = _proved(session, viewer, password)
    email = email.strip().lower()
    if "email" in _problems(email, user.username):
        raise Invalid({"email": "email_invalid"})
    other = session.scalar(select(User.id).where(User.email == email, User.id != user.id))
    if other is not None:
        raise Invalid({"email": "email_taken"})
    user.email = email


def change_password(
    session: Session, viewer: Viewer, current: str, password: str, *, now: datetime
) -> None:
    """Another password; all other sessions end. Raises Invalid."""
    user = _proved(session, viewer, current)
    passwords.require_good(password, user.email, user.username)
    user.password = passwords.hashed(password)
    others = select(LoginSession).where(
        LoginSession.user_id == user.id,
        LoginSession.revoked_at.is_(None),
        LoginSession.id != viewer.session_id,
    )
    for other in session.scalars(others):
        other.revoked_at = now


def _proved(session: Session, viewer: Viewer, password: str) -> User:
    user = session.get_one(User, viewer.id)
    if not passwords.fits(password, user.password):
        raise Invalid({"current_password": "password_wrong"})
    return user


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


def open_sessions(session: Session, viewer: Viewer, *, now: datetime) -> list[OpenSession]:
    """Where the viewer is logged in, the last used first."""
    found = session.scalars(
        select(LoginSession)
        .where(
            LoginSession.user_id == viewer.id,
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
        )
        .order_by(LoginSession.seen_at.desc(), LoginSession.id)
    )
    return [
        OpenSession(
            s.id, s.address, s.agent, s.is_api, s.created_at, s.seen_at, s.id == viewer.session_id
        )
        for s in found
    ]


def revoke(session: Session, viewer: Viewer, session_id: int, *, now: datetime) -> None:
    """End one of the viewer's sessions. Raises NotFound."""
    if not sessions.end(session, viewer.id, now=now, session_id=session_id):
        raise NotFound


def leave(session: Session, viewer: Viewer, password: str, *, now: datetime) -> None:
    """Delete the account: what is personal goes, orders stay with those they concern, and what
    was for sale is not any more. Raises Invalid."""
    user = _proved(session, viewer, password)
    user.email = f"deleted-{user.id}@invalid.example"
    user.username = f"deleted-{user.id}"
    user.display_name, user.password, user.language = "", None, None
    user.preferences = {}
    user.deleted_at = now
    session.execute(delete(CartItem).where(CartItem.user_id == user.id))
    session.execute(delete(Favourite).where(Favourite.user_id == user.id))
    session.execute(
        update(Product)
        .where(Product.seller_id == user.id, Product.state == ProductState.LISTED)
        .values(state=ProductState.WITHDRAWN)
    )
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))


# --- governing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """An account as an admin sees it."""

    id: int
    username: str
    email: str
    role: Role
    is_disabled: bool
    created_at: datetime


def people(session: Session, words: str, *, most: int = 50) -> list[Person]:
    """Accounts whose name or address begins so, the newest first."""
    start = words.strip().lower()
    found = select(User).where(User.deleted_at.is_(None))
    if start:
        found = found.where(
            or_(
                User.email.startswith(start, autoescape=True),
                func.lower(User.username).startswith(start, autoescape=True),
            )
        )
    found = found.order_by(User.created_at.desc(), User.id.desc()).limit(most)
    return [
        Person(u.id, u.username, u.email, u.role, u.is_disabled, u.created_at)
        for u in session.scalars(found)
    ]


def disable(
    session: Session, viewer: Viewer, user_id: int, *, disabled: bool, now: datetime
) -> None:
    """Close an account, or open it again. Raises NotFound, and Conflict for one's own."""
    user = session.get(User, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFound
    if user.id == viewer.id:
        raise Conflict
    user.is_disabled = disabled
    if disabled:
        sessions.end(session, user.id, now=now)
