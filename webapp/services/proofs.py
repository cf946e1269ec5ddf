"""Proving who one is, by a password.

Deriving a key from it takes longer than most of what is written, so that it stands between two
units of work: ``begin`` counts a failure, ``prove`` asks no database, ``accept`` takes the
failure back, if the password is still the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from webapp.models import User
from webapp.services import passwords, throttle
from webapp.services.errors import Conflict
from webapp.services.throttle import Limits


@dataclass(frozen=True)
class Attempt:
    """A password is about to be tried. ``kept``: the hash that it must fit, None when there is
    no such account."""

    account: str
    user_id: int | None
    kept: str | None


@dataclass(frozen=True)
class Proof:
    """It fitted. ``new_hash``: of the same password, when ``kept`` is outdated."""

    account: str
    user_id: int
    kept: str
    new_hash: str | None


def begin(session: Session, login: str, *, address: str, limits: Limits, now: datetime) -> Attempt:
    """Begin to try a password for a name or a mail address. Raises TooMany."""
    name = login.replace("\x00", "").strip().lower()[:254]
    user = session.scalar(
        select(User).where(
            or_(User.email == name, func.lower(User.username) == name),
            User.deleted_at.is_(None),
            User.is_disabled.is_(False),
        )
    )
    # One count for both ways to name an account.
    account = account_of(user) if user is not None else name[:200]
    throttle.count(session, account, address, limits=limits, now=now)
    return Attempt(account, user.id if user else None, user.password if user else None)


def prove(attempt: Attempt, password: str) -> Proof | None:
    """Whether the password fits; it takes as long when there is no such account."""
    is_it = passwords.fits(password[: passwords.LONGEST + 1], attempt.kept)
    if not is_it or attempt.user_id is None or attempt.kept is None:
        return None
    new_hash = passwords.hashed(password) if passwords.is_outdated(attempt.kept) else None
    return Proof(attempt.account, attempt.user_id, attempt.kept, new_hash)


def accept(session: Session, proof: Proof) -> User:
    """Whose proof it is. Raises Conflict when the account has changed since."""
    user = session.get(User, proof.user_id, with_for_update=True)
    if user is None or user.is_disabled or user.password not in (proof.kept, proof.new_hash):
        raise Conflict
    throttle.forget(session, proof.account)
    if proof.new_hash is not None:
        user.password = proof.new_hash
    return user


def account_of(user: User) -> str:
    """What an account is counted under."""
    return user.username.lower()
