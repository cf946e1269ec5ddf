"""A member's work: claim, do, claim again, until nothing is left or the run is to rest."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

import psycopg

from core.errors import MudanzaError
from core.server.connection import Connection
from core.transfer.build import build_claimed, ready
from core.transfer.copying import copy_range
from core.transfer.events import Waiting
from core.transfer.membership import Member, Session
from core.transfer.model import BuildClaim, RangeClaim
from core.transfer.work import Work

_IDLE_SECONDS = 0.1
OTHERS = "others"
"""What a member waits for when all that is left is in other hands."""


def take_part(work: Work) -> None:
    """Copy and build. Raises MudanzaError for what stops the run."""
    waiting = False
    while not work.is_to_end() and (orders := work.orders()).working:
        claim = work.persist(partial(next_piece, work, orders.copiers))
        if waiting and claim is not None:
            work.wait_for("")
            waiting = False
        match claim:
            case RangeClaim():
                copy_range(work, claim)
            case BuildClaim():
                build_claimed(work, claim)
            case None:
                if not work.persist(lambda c: work.claims(c).anything_left()):
                    return
                if not waiting:
                    work.wait_for(OTHERS)
                    waiting = True
                work.tell(Waiting(reason=OTHERS))
                time.sleep(_IDLE_SECONDS)


def leave(member: Member, session: Session, why: str) -> None:
    """Say goodbye, if the ledger can still be reached: else it will be noticed."""
    with suppress(psycopg.Error, MudanzaError):
        member.leave(session.connection(), why)


def next_piece(work: Work, copiers: int, connection: Connection) -> RangeClaim | BuildClaim | None:
    """What is to be done next. Rows before builds as long as there are free ones, but of many
    members less than half build meanwhile. Two have enough to do with rows."""
    claims = work.claims(connection)
    while True:
        open_builds = claims.open_builds()
        unfinished = claims.unfinished_tables()
        if unfinished and sum(open_builds.values()) >= (copiers - 1) // 2:
            claim = claims.claim_range()
            if claim is not None:
                return claim
        number = next(ready(work.plan, open_builds, unfinished), None)
        if number is None:
            return claims.claim_range()
        if build := claims.claim_build(number):
            return build
        # Somebody was faster: what may begin is another matter now, and is asked anew. Else
        # two would be at one table, and its computed columns come in any order.
