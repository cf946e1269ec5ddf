"""The outbox: calls to other systems that a transaction leaves to be made once it is
committed. Here are its rows; ``services.calls`` makes the calls.

A message is claimed by one worker for a while; one that dies gives it back by that. It may so
be carried out twice: everybody who is called tells a second time by its key.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from webapp.models import OutboxKind, OutboxMessage

ATTEMPTS_MAX = 12
CLAIM = timedelta(minutes=2)
"""Longer than any call takes."""
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class Message:
    """A call to be made. ``attempts``: how often it was begun, this time included."""

    id: int
    kind: OutboxKind
    payload: dict[str, Any]
    attempts: int

    @property
    def order_id(self) -> uuid.UUID:
        """Which order's money it is about."""
        return uuid.UUID(self.payload["order_id"])


def put_mail(session: Session, to: str, subject: str, body: str, *, now: datetime) -> None:
    """Leave a letter to be sent."""
    payload = {"to": to, "subject": subject, "body": body}
    session.add(OutboxMessage(kind=OutboxKind.MAIL, payload=payload, created_at=now, due_at=now))


def forget_mail(session: Session, to: str) -> None:
    """Keep no letter to somebody, sent or not."""
    theirs = OutboxMessage.payload["to"].as_string() == to
    session.execute(delete(OutboxMessage).where(OutboxMessage.kind == OutboxKind.MAIL, theirs))


def put_call(session: Session, kind: OutboxKind, order_id: uuid.UUID, *, now: datetime) -> None:
    """Leave an order's money to be asked for, or to be given back."""
    payload = {"order_id": str(order_id)}
    session.add(OutboxMessage(kind=kind, payload=payload, created_at=now, due_at=now))


def is_pending(session: Session, kind: OutboxKind, order_id: uuid.UUID) -> bool:
    """Whether such a call is still to be made."""
    there = select(OutboxMessage.id).where(OutboxMessage.done_at.is_(None), _of(kind, order_id))
    return session.scalar(there.limit(1)) is not None


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether there is anything to do; asked before a claim, which would hold up writers."""
    return session.scalar(select(OutboxMessage.id).where(_free(now)).limit(1)) is not None


def claim(session: Session, *, now: datetime) -> Message | None:
    """Take the message that has been due for longest and that nobody else has."""
    return _claim(session, _free(now), now)


def claim_call(
    session: Session, kind: OutboxKind, order_id: uuid.UUID, *, now: datetime
) -> Message | None:
    """Take the call about an order, if it is due and nobody else has it."""
    return _claim(session, and_(_free(now), _of(kind, order_id)), now)


def _claim(session: Session, which: ColumnElement[bool], now: datetime) -> Message | None:
    row = session.scalar(
        select(OutboxMessage)
        .where(which)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.claimed_until = now + CLAIM
    row.attempts += 1
    return Message(row.id, row.kind, dict(row.payload), row.attempts)


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(
        OutboxMessage.done_at.is_(None),
        OutboxMessage.due_at <= now,
        or_(OutboxMessage.claimed_until.is_(None), OutboxMessage.claimed_until < now),
    )


def _of(kind: OutboxKind, order_id: uuid.UUID) -> ColumnElement[bool]:
    about = OutboxMessage.payload["order_id"].as_string()
    return and_(OutboxMessage.kind == kind, about == str(order_id))


def finish(session: Session, message: Message, *, now: datetime) -> None:
    """It was carried out."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message.id)
        .values(done_at=now, error=None, claimed_until=None)
    )


def put_off(session: Session, message: Message, why: str, *, now: datetime) -> None:
    """It could not be carried out: later, each time twice as late; or, in the end, never."""
    wait = min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)
    given_up = now if message.attempts >= ATTEMPTS_MAX else None
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message.id)
        .values(due_at=now + wait, error=why, claimed_until=None, done_at=given_up)
    )
