"""Logins that fail, counted by account and by address, so that guessing takes for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.models import LoginAttempt
from webapp.services.errors import TooMany

WINDOW = timedelta(minutes=15)


def require_few(
    session: Session,
    account: str,
    address: str,
    *,
    per_account: int,
    per_address: int,
    now: datetime,
) -> None:
    """Raises TooMany when the account or the address has failed too often lately."""
    for column, value, most in (
        (LoginAttempt.account, account, per_account),
        (LoginAttempt.address, address, per_address),
    ):
        count, first = session.execute(
            select(func.count(), func.min(LoginAttempt.at)).where(
                column == value, LoginAttempt.at > now - WINDOW
            )
        ).one()
        if count >= most:
            wait = _moment(first) + WINDOW - now
            raise TooMany(max(1, int(wait.total_seconds())))


def _moment(found: datetime | str) -> datetime:
    return datetime.fromisoformat(found) if isinstance(found, str) else found


def failed(session: Session, account: str, address: str, *, now: datetime) -> None:
    """Count a failure, and forget what no longer counts."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    session.add(LoginAttempt(account=account, address=address, at=now))


def forget(session: Session, account: str) -> None:
    """Whoever proved who they are starts at none."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.account == account))
