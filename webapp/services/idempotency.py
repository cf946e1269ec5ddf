"""Requests that a client may repeat: the first is done, the others get its answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.database import inserted
from webapp.models import IdempotencyKey
from webapp.services.errors import Invalid


@dataclass(frozen=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: dict[str, Any]


def request_digest(asked: Any) -> str:
    """A SHA-256 of what was asked: the same for the same, however its keys are ordered."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def claim(session: Session, user_id: int, key: str, digest: str, *, now: datetime) -> Answer | None:
    """Take the key, or the answer that was given under it.

    Whoever else is at it is waited for. Raises Invalid when the key stands for another request.
    """
    values = {"user_id": user_id, "key": key, "request_digest": digest, "created_at": now}
    if inserted(session, IdempotencyKey, values):
        return None
    held = session.execute(
        select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    ).scalar_one()
    if held.request_digest != digest or held.status is None:
        raise Invalid({"idempotency_key": "key_of_another_request"})
    return Answer(held.status, held.answer or {})


def settle(session: Session, user_id: int, key: str, answer: Answer) -> None:
    """Keep the answer, in the transaction that did what was asked."""
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
        .values(status=answer.status, answer=answer.body)
    )
