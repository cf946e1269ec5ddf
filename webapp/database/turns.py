"""Turns: who must not look while another changes what they look at."""

from __future__ import annotations

from zlib import crc32

from sqlalchemy import func, select
from sqlalchemy.orm import Session

_OURS = 0x53484F50
"""Sets the shop's turns apart from other advisory locks of the database."""


def take_turns(session: Session, *names: str) -> None:
    """Be alone with each of ``names`` until the transaction ends.

    SQLite has one writer at a time anyway; PostgreSQL needs a lock, for there may be no row to
    lock yet. All are taken in one order, so that nobody waits in a circle.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for number in sorted({crc32(name.encode()) - 2**31 for name in names}):
        session.execute(select(func.pg_advisory_xact_lock(_OURS, number)))
