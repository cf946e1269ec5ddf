"""The calls of the outbox, made: each outside any transaction, its result written in one."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from webapp.database import Database, Frozen
from webapp.models import OutboxKind
from webapp.providers import Charged, Letter, MailRefused, Providers, ProviderTimeout
from webapp.services import outbox, payments
from webapp.services.outbox import Message

_LOG = logging.getLogger(__name__)

Result = Callable[[Session], object]
"""Writes what became of a call."""


def drain_once(
    database: Database,
    providers: Providers,
    now: datetime,
    is_ending: Callable[[], bool] = lambda: False,
) -> int:
    """Make the calls that are due, until there are none or ``is_ending``; how many were made.

    Raises Frozen, and what the database raises: a message in hand is then tried again later.
    """
    made = 0
    while not is_ending():
        with database.reading() as session:
            if not outbox.is_due(session, now=now):
                break
        message = database.write(lambda s: outbox.claim(s, now=now))
        if message is None:
            break
        _carry_out(database, providers, message, now)
        made += 1
    return made


def charge_now(
    database: Database,
    providers: Providers,
    order_ids: Sequence[uuid.UUID],
    *,
    now: datetime,
    seconds: float,
) -> None:
    """Ask for the money of orders at once, while the buyer waits: one try each, none begun
    after so many seconds. What is not known then, the outbox settles. Raises Frozen."""
    ends = time.monotonic() + seconds
    for order_id in order_ids:
        if time.monotonic() >= ends:
            return
        message = database.write(
            lambda s, id_=order_id: outbox.claim_call(s, OutboxKind.CHARGE, id_, now=now)  # type: ignore[misc]
        )
        if message is not None:
            _carry_out(database, providers, message, now)


def _carry_out(database: Database, providers: Providers, message: Message, now: datetime) -> None:
    try:
        result = _CALLS[message.kind](database, providers, message, now)
    except (Frozen, DBAPIError):
        raise  # our own trouble, not the message's
    except Exception as error:  # noqa: BLE001 - whatever one does, the others must go out
        why = _said(error)
        database.write(lambda s: outbox.put_off(s, message, why, now=now))
        _LOG.warning("outbox: %s %s failed: %s", message.kind.value, message.id, why)
        return

    def write(session: Session) -> None:
        result(session)
        outbox.finish(session, message, now=now)

    database.write(write)


def _said(error: Exception) -> str:
    """What may be kept of an error: our own texts, of others their kind."""
    kind = type(error).__name__
    told = str(error) if isinstance(error, ProviderTimeout | MailRefused) else ""
    return f"{kind}: {told}" if told else kind


def _mail(_database: Database, providers: Providers, message: Message, _now: datetime) -> Result:
    said = message.payload
    providers.mail.send(Letter(f"outbox-{message.id}", said["to"], said["subject"], said["body"]))
    return _nothing


def _charge(database: Database, providers: Providers, message: Message, now: datetime) -> Result:
    order_id, was_asked = message.order_id, message.attempts > 1
    with database.reading() as session:
        due = payments.charge_due(session, order_id, was_asked=was_asked)
    if due is None:
        return _nothing
    if not due.amount:
        return lambda s: payments.captured(s, order_id, f"free-{order_id}", now=now)
    answer = providers.payments.charge(due.key, due.amount, due.currency, order_id=str(order_id))
    if isinstance(answer, Charged):
        return lambda s: payments.captured(s, order_id, answer.reference, now=now)
    return lambda s: payments.declined(s, order_id, due.key, answer.reason, now=now)


def _refund(database: Database, providers: Providers, message: Message, now: datetime) -> Result:
    order_id = message.order_id
    with database.reading() as session:
        due = payments.refund_due(session, order_id)
    if due is None:
        return _nothing
    if due.amount:
        providers.payments.refund(due.key, due.reference or "", due.amount, due.currency)
    return lambda s: payments.refunded(s, order_id, now=now)


def _nothing(_session: Session) -> None:
    """There is nothing to write but that it was done."""


_CALLS = {OutboxKind.MAIL: _mail, OutboxKind.CHARGE: _charge, OutboxKind.REFUND: _refund}
