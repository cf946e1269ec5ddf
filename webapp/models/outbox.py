"""What is to be done once a transaction is committed, written by the transaction itself."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.database.types import Choice
from webapp.models.base import Base, Key, Long


class OutboxKind(enum.StrEnum):
    """What kind of call it is."""

    MAIL = "mail"
    CHARGE = "charge"
    REFUND = "refund"


class OutboxMessage(Base):
    """One call to another system. ``due_at``: not before; ``done_at``: when it was answered, or
    given up after ``attempts`` with ``error``."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_due",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    kind: Mapped[OutboxKind] = mapped_column(Choice(OutboxKind, "kind_known"))
    payload: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[Long | None]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
