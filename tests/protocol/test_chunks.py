"""A chunk on its way: rows, quarantine, line and watermark are one, and nobody waits for it."""

from __future__ import annotations

import time

import psycopg
import pytest

from core.failpoints import FailpointFired
from core.transfer.copying import copy_range
from core.transfer.lease import Lease
from tests.protocol.conftest import At
from tests.protocol.stage import CHILDREN, CHUNK, MISFIT, NOTHING, Actor, Left, Stage
from tests.transfer.running import check_ledger

WITHIN = ("chunk.begun", "chunk.copied", "chunk.lined", "chunk.fenced")
FIRST = Left(rows=CHUNK - 1, quarantined=1, cells=1, lines=1, read=CHUNK)
"""What the first chunk leaves: the misfit is one of its rows."""


@pytest.mark.parametrize("point", WITHIN)
def test_broken_off_at_any_place_a_chunk_leaves_nothing(
    point: str, stage: Stage, ana: Actor, at: At
) -> None:
    at(point, _break_off)
    with ana.work() as work, pytest.raises(FailpointFired):
        copy_range(work, ana.claim())
    assert stage.left() == NOTHING
    assert stage.range(2).done_to is None


def test_nobody_sees_any_of_it_before_its_commit_and_everybody_all_of_it_after(
    stage: Stage, ana: Actor, at: At
) -> None:
    seen: dict[str, Left] = {}

    def look(point: str) -> None:
        seen[point] = stage.left()
        if point == "chunk.committed":
            raise FailpointFired

    for point in (*WITHIN, "chunk.committed"):
        at(point, lambda point=point: look(point))  # type: ignore[misc]
    with ana.work() as work, pytest.raises(FailpointFired):
        copy_range(work, ana.claim())
    assert seen == dict.fromkeys(WITHIN, NOTHING) | {"chunk.committed": FIRST}
    assert MISFIT == CHUNK


def test_line_quarantine_and_watermark_are_of_one_transaction(
    stage: Stage, ana: Actor, at: At
) -> None:
    at("chunk.committed", _break_off)
    with ana.work() as work, pytest.raises(FailpointFired):
        copy_range(work, ana.claim())
    writers = stage.one(
        "SELECT array_agg(DISTINCT x) FROM (SELECT xmin::text FROM mudanza.quarantine"
        " UNION ALL SELECT xmin::text FROM mudanza.quarantine_cell"
        " UNION ALL SELECT xmin::text FROM mudanza.chunk"
        " UNION ALL SELECT xmin::text FROM mudanza.range WHERE chunks > 0) t (x)"
    )
    assert stage.left() == FIRST
    assert len(writers) == 1


def test_all_ranges_together_carry_each_row_once(stage: Stage, ana: Actor) -> None:
    """A range ends where it ends: the rows after it are another's."""
    _copy_all(ana)
    found = stage.one("SELECT array_agg(id ORDER BY id) FROM child")
    assert found == [k for k in range(1, CHILDREN + 1) if k != MISFIT]
    check_ledger(stage.database)


def test_a_token_raised_at_any_place_before_the_fence_costs_the_chunk(
    stage: Stage, ana: Actor, bob: Actor, at: At
) -> None:
    at("chunk.lined", bob.lead)
    with ana.work() as work:
        copy_range(work, ana.claim())
    assert stage.left() == NOTHING
    assert stage.range(2).owner is None


def test_two_members_in_turn_carry_a_range_that_changed_hands(
    stage: Stage, ana: Actor, bob: Actor, at: At
) -> None:
    """The rows of the first are in the target's files when the second writes the same."""

    def hand_over() -> None:
        bob.lead()
        _copy_all(bob)

    at("chunk.copied", hand_over)
    with ana.work() as work:
        copy_range(work, ana.claim())
    assert stage.one("SELECT count(*) FROM child") == CHILDREN - 1
    assert stage.one("SELECT count(DISTINCT id) FROM child") == CHILDREN - 1
    check_ledger(stage.database)


@pytest.mark.parametrize("point", ["chunk.copied", "chunk.fenced", "chunk.committed"])
def test_a_session_lost_around_a_commit_neither_loses_nor_repeats_a_row(
    point: str, stage: Stage, ana: Actor, at: At
) -> None:
    at(point, lambda: _lose(ana.connection))
    with ana.work() as work:
        copy_range(work, ana.claim())
    assert stage.range(2)[2:] == (20, 10, True)
    assert stage.one("SELECT count(*), count(DISTINCT id) FROM child") == 19
    check_ledger(stage.database)


# --- the heartbeat


@pytest.mark.parametrize("point", WITHIN)
def test_an_open_chunk_delays_no_heartbeat(
    point: str, stage: Stage, ana: Actor, bob: Actor, at: At
) -> None:
    lease = bob.lead()
    bob.heart.execute("SET lock_timeout = '1s'")
    ana.heart.execute("SET lock_timeout = '1s'")
    seconds: list[float] = []
    at(point, lambda: seconds.append(_beaten(lease, ana, bob)))
    with ana.work() as work:
        copy_range(work, ana.claim())
    assert len(seconds) == 1
    assert seconds[0] < 1


def test_an_open_heartbeat_delays_no_chunk(stage: Stage, ana: Actor, bob: Actor) -> None:
    """The other way round: a coordinator that stops in the middle of its beat."""
    lease, claim = bob.lead(), ana.claim()
    ana.connection.execute("SET lock_timeout = '1s'")
    with bob.heart.transaction():
        lease.beat(bob.heart)
        ana.member.beat(bob.heart, 0.0)
        ana.commit(claim, 1)
    assert stage.left().rows == 1


def test_how_the_run_goes_on_is_read_without_waiting(stage: Stage, ana: Actor, bob: Actor) -> None:
    lease = bob.lead()
    ana.connection.execute("SET lock_timeout = '1s'")
    with ana.work() as work, bob.heart.transaction():
        lease.set_bounds(bob.heart, chunk_rows=7)
        assert work.orders().bounds.rows == CHUNK
    with ana.work() as work:
        assert work.orders().bounds.rows == 7


def _copy_all(actor: Actor) -> None:
    with actor.work() as work:
        while claim := actor.claims.claim_range():
            copy_range(work, claim)


def _beaten(lease: Lease, *members: Actor) -> float:
    began = time.monotonic()
    for each in members:
        each.member.beat(each.heart, 0.0)
    lease.beat(members[-1].heart)
    return time.monotonic() - began


def _break_off() -> None:
    raise FailpointFired


def _lose(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.pgconn.finish()
    raise psycopg.OperationalError("the connection is lost")
