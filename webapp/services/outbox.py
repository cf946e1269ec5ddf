"""The outbox: calls to other systems, made after the transaction that wrote them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from webapp.database import Database
from webapp.models import OutboxKind, OutboxMessage
from webapp.providers import (
    Charged,
    Letter,
    MailRefused,
    Providers,
    ProviderTimeout,
)
from webapp.services import payments

_LOG = logging.getLogger(__name__)

ATTEMPTS_MAX = 12
CLAIM = timedelta(seconds=60)
"""How long whoever took a message has it: one that dies gives it back so."""
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class Message:
    """A call to be made."""

    id: int
    kind: OutboxKind
    payload: dict[str, Any]
    attempts: int


class NotYet(Exception):
    """The other system did not take it now; it is tried again. The text says why."""


def put_mail(session: Session, to: str, subject: str, body: str, *, now: datetime) -> None:
    """Write a letter, to be sent once the transaction is committed."""
    payload = {"to": to, "subject": subject, "body": body}
    session.add(OutboxMessage(kind=OutboxKind.MAIL, payload=payload, created_at=now, due_at=now))


def drain(
    database: Database, providers: Providers, clock: Callable[[], datetime], *, most: int = 50
) -> int:
    """Make the calls that are due; how many messages were looked at. Raises Frozen."""
    claimed = database.write(lambda s: claim(s, now=clock(), most=most))
    for message in claimed:
        _handle(database, providers, clock, message)
    return len(claimed)


def claim(session: Session, *, now: datetime, most: int) -> list[Message]:
    """Take messages that are due and that nobody else has."""
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.done_at.is_(None),
            OutboxMessage.due_at <= now,
            or_(OutboxMessage.claimed_until.is_(None), OutboxMessage.claimed_until < now),
        )
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.claimed_until = now + CLAIM
        row.attempts += 1
    return [Message(row.id, row.kind, dict(row.payload), row.attempts) for row in rows]


def _handle(
    database: Database, providers: Providers, clock: Callable[[], datetime], message: Message
) -> None:
    try:
        _call(database, providers, clock, message)
    except NotYet as why:
        reason = str(why)
        database.write(lambda s: _put_off(s, message, reason, now=clock()))
        _LOG.warning(
            "outbox: %s %s, attempt %s: %s", message.kind, message.id, message.attempts, why
        )
    else:
        database.write(lambda s: _finish(s, message.id, now=clock()))


def _call(
    database: Database, providers: Providers, clock: Callable[[], datetime], message: Message
) -> None:
    """Raises NotYet."""
    if message.kind is OutboxKind.MAIL:
        _mail(providers, message)
    elif message.kind is OutboxKind.CHARGE:
        charge(database, providers, clock, uuid.UUID(message.payload["order_id"]))
    else:
        _refund(database, providers, clock, uuid.UUID(message.payload["order_id"]))


def _mail(providers: Providers, message: Message) -> None:
    said = message.payload
    letter = Letter(f"outbox-{message.id}", said["to"], said["subject"], said["body"])
    try:
        providers.mail.send(letter)
    except MailRefused as refused:
        raise NotYet(str(refused)) from refused


def charge(
    database: Database, providers: Providers, clock: Callable[[], datetime], order_id: uuid.UUID
) -> None:
    """Ask for the money of an order, if it is still wanted. Raises NotYet."""
    with database.reading() as session:
        due = payments.charge_due(session, order_id)
    if due is None:
        return
    try:
        answer = providers.payments.charge(
            due.key, due.amount, due.currency, order_id=str(order_id)
        )
    except ProviderTimeout as error:
        raise NotYet("no answer in time") from error
    if isinstance(answer, Charged):
        reference = answer.reference
        database.write(lambda s: payments.captured(s, order_id, reference, now=clock()))
    else:
        reason = answer.reason
        database.write(lambda s: payments.declined(s, order_id, reason, now=clock()))


def _refund(
    database: Database, providers: Providers, clock: Callable[[], datetime], order_id: uuid.UUID
) -> None:
    with database.reading() as session:
        due = payments.refund_due(session, order_id)
    if due is None:
        return
    try:
        providers.payments.refund(due.key, due.reference or "", due.amount, due.currency)
    except ProviderTimeout as error:
        raise NotYet("no answer in time") from error
    database.write(lambda s: payments.refunded(s, order_id, now=clock()))


def _finish(session: Session, message_id: int, *, now: datetime) -> None:
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message_id)
        .values(done_at=now, error=None, claimed_until=None)
    )


def _put_off(session: Session, message: Message, why: str, *, now: datetime) -> None:
    wait = min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)
    given_up = now if message.attempts >= ATTEMPTS_MAX else None
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == message.id)
        .values(due_at=now + wait, error=why, claimed_until=None, done_at=given_up)
    )
