"""Accounts: joining, forgetting a password, changing and leaving; and who governs.

Passwords come here as hashes that are already made, and as proofs: no key is derived while a
transaction holds up others.
"""

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
    Product,
    ProductState,
    Purpose,
    Role,
    User,
)
from webapp.services import notices, outbox, proofs, sessions, throttle, tokens
from webapp.services.errors import Conflict, Invalid, NotFound
from webapp.services.pages import Order, Page, Place, page
from webapp.services.people import Viewer
from webapp.services.proofs import Proof
from webapp.services.texts import line

RESET_LASTS = timedelta(hours=1)
RESETS_MOST = 3
"""Links that are open for one account: nobody's mailbox can be filled by asking."""
ADMIN_TOKEN_LASTS = timedelta(hours=24)
LANGUAGES = ("en", "es")
PAGE = 50
NAME_MAX = 200
_EMAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+\.[^@\s.\x00]+")
_USERNAME = re.compile(r"[A-Za-z0-9_.-]{2,40}")
_GONE = "deleted-"
"""How the names of accounts begin that are deleted, and no others."""

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
    session.add(user)
    # Somebody else may have taken the name since we looked.
    _flushed(session, {"username": "username_taken"})
    return user


def _flushed(session: Session, problems: Mapping[str, str]) -> None:
    """Write what is to be written. Raises Invalid if others have written the same."""
    try:
        session.flush()
    except IntegrityError as error:
        if is_frozen(error):  # a trigger's refusal is of the same kind on SQLite
            raise
        raise Invalid(problems) from None


def _problems(email: str, username: str) -> Mapping[str, str]:
    found = {}
    if not _is_address(email):
        found["email"] = "email_invalid"
    if not _USERNAME.fullmatch(username) or username.lower().startswith(_GONE):
        found["username"] = "username_invalid"
    return found


def _is_address(email: str) -> bool:
    return len(email) <= 254 and email.isprintable() and _EMAIL.fullmatch(email) is not None


def _taken(session: Session, email: str, username: str) -> dict[str, str]:
    found = {}
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        found["email"] = "email_taken"
    same = func.lower(User.username) == func.lower(username)
    if session.scalar(select(User.id).where(same)) is not None:
        found["username"] = "username_taken"
    return found


# --- forgotten passwords ------------------------------------------------------------------------


def ask_reset(session: Session, email: str, *, link: str, now: datetime) -> None:
    """Send a link that sets a new password, if there is such an account; nobody can tell
    whether. ``link``: the address, with ``TOKEN`` where the token goes."""
    user = session.scalar(
        select(User).where(
            User.email == email.replace("\x00", "").strip().lower(),
            User.deleted_at.is_(None),
            User.is_disabled.is_(False),
        )
    )
    if user is None:
        return
    if tokens.open_count(session, Purpose.RESET_PASSWORD, user.id, now=now) >= RESETS_MOST:
        return
    token = tokens.make(session, Purpose.RESET_PASSWORD, user.id, until=now + RESET_LASTS)
    notices.leave(session, user, notices.FORGOTTEN, now=now, link=link.replace("TOKEN", token))


@dataclass(frozen=True)
class Names:
    """What an account is called: no password may say no more."""

    email: str
    username: str


def whose(session: Session, token: str, *, now: datetime) -> Names:
    """Whose new password a token sets. Raises NotFound."""
    user = _forgetful(session, tokens.find(session, token, Purpose.RESET_PASSWORD, now=now))
    return Names(user.email, user.username)


def reset(session: Session, token: str, secret: str, *, now: datetime) -> None:
    """Set a new password by a token; every session ends, and so do other tokens.
    ``secret``: the hash of a password that is good. Raises NotFound."""
    user = _forgetful(session, tokens.use(session, token, Purpose.RESET_PASSWORD, now=now))
    user.password = secret
    tokens.spend(session, Purpose.RESET_PASSWORD, user.id, now=now)
    sessions.end(session, user.id, now=now)
    throttle.forget(session, proofs.account_of(user))
    notices.leave(session, user, notices.PASSWORD_CHANGED, now=now)


def _forgetful(session: Session, user_id: int | None) -> User:
    user = session.get(User, user_id) if user_id is not None else None
    if user is None or user.is_disabled or user.deleted_at is not None:
        raise NotFound
    return user


# --- the first admin ------------------------------------------------------------------------------


def admin_token(session: Session, *, now: datetime) -> str:
    """A token by which somebody with an account becomes an admin: there is no default one."""
    return tokens.make(session, Purpose.CREATE_ADMIN, None, until=now + ADMIN_TOKEN_LASTS)


def require_admin_token(session: Session, token: str, *, now: datetime) -> None:
    """Whether it still works. Raises NotFound."""
    tokens.find(session, token, Purpose.CREATE_ADMIN, now=now)


def become_admin(session: Session, viewer: Viewer, token: str, *, now: datetime) -> None:
    """Use it. Raises NotFound."""
    tokens.use(session, token, Purpose.CREATE_ADMIN, now=now)
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
    name = line(display_name)
    if len(name) > NAME_MAX:
        raise Invalid({"display_name": "name_too_long"})
    user = session.get_one(User, viewer.id)
    user.display_name = name
    user.language = language if language in LANGUAGES else None
    if sells and user.role is Role.USER:
        user.role = Role.SELLER


def change_email(
    session: Session, viewer: Viewer, email: str, proof: Proof, *, now: datetime
) -> None:
    """Another address; the old one is told. Raises Invalid, Conflict."""
    user, email = _proved(session, viewer, proof), email.strip().lower()
    if not _is_address(email):
        raise Invalid({"email": "email_invalid"})
    if email == user.email:
        return
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        raise Invalid({"email": "email_taken"})
    notices.leave(session, user, notices.ADDRESS_CHANGED, now=now)
    tokens.spend(session, Purpose.RESET_PASSWORD, user.id, now=now)
    user.email = email
    _flushed(session, {"email": "email_taken"})


def change_password(
    session: Session, viewer: Viewer, secret: str, proof: Proof, *, now: datetime
) -> User:
    """Another password; all sessions end, and whoever asks needs a new one. ``secret``: the
    hash of one that is good. Raises Conflict."""
    user = _proved(session, viewer, proof)
    user.password = secret
    tokens.spend(session, Purpose.RESET_PASSWORD, user.id, now=now)
    sessions.end(session, user.id, now=now)
    notices.leave(session, user, notices.PASSWORD_CHANGED, now=now)
    return user


def _proved(session: Session, viewer: Viewer, proof: Proof) -> User:
    user = proofs.accept(session, proof)
    if user.id != viewer.id:
        raise Conflict
    return user


def leave(session: Session, viewer: Viewer, proof: Proof, *, now: datetime) -> None:
    """Delete the account: what is personal goes, orders stay with those they concern, and what
    was for sale is not any more. Raises Conflict."""
    user = _proved(session, viewer, proof)
    throttle.forget(session, proofs.account_of(user), user.email)
    outbox.forget_mail(session, user.email)
    tokens.forget(session, user.id)
    for kept in (CartItem, Favourite, LoginSession):
        session.execute(delete(kept).where(kept.user_id == user.id))
    session.execute(
        update(Product)
        .where(Product.seller_id == user.id, Product.state == ProductState.LISTED)
        .values(state=ProductState.WITHDRAWN, updated_at=now)
    )
    user.username = f"{_GONE}{user.id}"
    user.email = f"{_GONE}{user.id}-{secrets.token_hex(4)}@invalid.example"
    user.display_name, user.password, user.language = "", None, None
    user.role, user.preferences, user.deleted_at = Role.USER, {}, now


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


_NEWEST = Order(User.created_at.expression, User.id.expression, datetime.fromisoformat)


def people(session: Session, words: str, *, after: Place | None = None) -> Page[Person]:
    """Accounts whose name or address begins so, the newest first."""
    start = words.replace("\x00", "").strip().lower()
    found = select(User).where(User.deleted_at.is_(None))
    if start:
        found = found.where(
            or_(
                User.email.startswith(start, autoescape=True),
                func.lower(User.username).startswith(start, autoescape=True),
            )
        )
    return page(session, found, _NEWEST, after, PAGE).turned(lambda row: _person(row[0]))


def _person(user: User) -> Person:
    return Person(user.id, user.username, user.email, user.role, user.is_disabled, user.created_at)


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
