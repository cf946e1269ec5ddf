"""What every step of a member's work needs, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import apsw

from core.plan import Plan
from core.server.connection import Connection
from core.transfer.claims import Claims
from core.transfer.events import Event
from core.transfer.ledger import Ledger
from core.transfer.membership import Member, Pulse, Session, persist
from core.transfer.model import Orders

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Work:
    """A member at work: its session on the target, the snapshot it reads, the plan.
    ``by_columns``: whether rows may go the Arrow path.

    ``tell`` hears what is done; ``is_to_end`` says, between two chunks, whether this
    process is to end though the run goes on.
    """

    member: Member
    session: Session
    snapshot: apsw.Connection
    plan: Plan
    tell: Callable[[Event], None]
    is_to_end: Callable[[], bool]
    pulse: Pulse
    by_columns: bool = False

    @property
    def run(self) -> UUID:
        """The run that the member takes part in."""
        return self.member.run

    def claims(self, connection: Connection) -> Claims:
        """The member's claims, through ``connection``."""
        return Claims(connection, self.run, self.member.member)

    def orders(self) -> Orders:
        """How the run is to go on."""
        return self.persist(lambda connection: Ledger(connection).orders(self.run))

    def persist(self, work: Callable[[Connection], T]) -> T:
        """Do something in the ledger, in spite of what passes."""
        return persist(self.session, work)

    def wait_for(self, what: str) -> None:
        """Let everybody see why the member does not copy just now."""
        self.persist(lambda connection: self.member.wait_for(connection, what))
