"""Logins that fail, counted by account and by address, so that guessing takes for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from webapp.database import take_turns
from webapp.models import LoginAttempt
from webapp.services.errors import TooMany

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Limits:
    """How many failed logins an account and an address may have in fifteen minutes."""

    account: int
    address: int


def count(session: Session, account: str, address: str, *, limits: Limits, now: datetime) -> None:
    """Count a failure before it happens: of many at once, none is tried beyond the limit.

    Raises TooMany when the account or the address has failed too often lately.
    """
    place = network(address)
    take_turns(session, f"account {account}", f"address {place}")
    for column, value, most in (
        (LoginAttempt.account, account, limits.account),
        (LoginAttempt.address, place, limits.address),
    ):
        failed, first = session.execute(
            select(func.count(), func.min(LoginAttempt.at)).where(
                column == value, LoginAttempt.at > now - WINDOW
            )
        ).one()
        if failed >= most:
            wait = _moment(first) + WINDOW - now
            raise TooMany(max(1, int(wait.total_seconds())))
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - WINDOW))
    session.add(LoginAttempt(account=account, address=place, at=now))


def forget(session: Session, *accounts: str) -> None:
    """Whoever proved who they are starts at none."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.account.in_(accounts)))


def network(address: str) -> str:
    """Whose address it is: of IPv6, a household has 2 to the 64."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:40]
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


def _moment(found: datetime | str) -> datetime:
    return datetime.fromisoformat(found) if isinstance(found, str) else found
