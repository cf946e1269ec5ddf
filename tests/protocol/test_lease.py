"""The lease: one coordinator at a time, by the database's clock alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import pytest

from core.transfer.claims import FenceLost
from core.transfer.lease import Lease, LeaseLost, is_held, lost_members
from core.transfer.ledger import Ledger
from core.transfer.states import Status
from core.transfer.steering import Asked, RunRequest, answer, ask, grant_all
from tests.protocol.conftest import At
from tests.protocol.stage import LIMITS, Actor, Stage

# --- who may take it


def test_a_lease_that_nobody_holds_is_to_be_had(stage: Stage, ana: Actor) -> None:
    assert not is_held(stage.watcher, stage.run)
    assert ana.lead().epoch == stage.epoch() == 1
    assert is_held(stage.watcher, stage.run)


def test_while_its_holder_lives_nobody_else_takes_it(stage: Stage, ana: Actor, bob: Actor) -> None:
    lease = ana.lead()
    before = stage.tokens()
    assert bob.take() is None
    assert (stage.epoch(), stage.tokens()) == (lease.epoch, before)
    lease.beat(ana.heart)


def test_it_is_to_be_had_once_it_has_expired(stage: Stage, ana: Actor, bob: Actor) -> None:
    ana.lead()
    stage.expire_lease()
    assert bob.lead().epoch == 2


def test_it_is_to_be_had_once_its_holder_counts_as_dead(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    ana.lead()
    ana.fall_silent()
    assert bob.lead().epoch == 2


def test_it_is_to_be_had_once_its_holders_sessions_are_gone(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    ana.lead()
    ana.vanish()
    assert bob.lead().epoch == 2
    # And that one has been seen off: it is not found dead again and again.
    assert lost_members(stage.watcher, stage.run) == []


def test_one_that_was_itself_silent_for_long_takes_it_and_lives(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    """A host that slept: ending the sessions of the dead, it must not end its own."""
    ana.lead()
    ana.fall_silent()
    bob.fall_silent()
    assert bob.lead().epoch == 2
    bob.connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        ana.connection.execute("SELECT 1")


def test_it_is_to_be_had_once_it_is_released(stage: Stage, ana: Actor, bob: Actor) -> None:
    ana.lead().release(ana.heart)
    assert bob.lead().epoch == 2


def test_its_holder_may_take_it_anew(ana: Actor) -> None:
    assert [ana.lead().epoch, ana.lead().epoch] == [1, 2]


def test_of_two_who_take_it_at_once_the_later_waits_and_gets_nothing(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    """Both saw it free: what they saw is not what counts."""
    with ana.heart.transaction():
        ana.lead()
        taking = stage.blocked(bob.heart, bob.take)
    assert taking.outcome() is None
    assert stage.epoch() == 1


# --- what taking it does


def test_epoch_and_tokens_are_raised_in_one_transaction(
    stage: Stage, ana: Actor, bob: Actor, at: At
) -> None:
    held, finished = ana.claim(), bob.claim()
    bob.commit(finished, 1, last=True)
    before = stage.tokens()
    seen: list[tuple[int, list[int]]] = []
    for point in ("take.epoch", "take.tokens", "take.committed"):
        at(point, lambda: seen.append((stage.epoch(), stage.tokens())))
    bob.lead()
    after = [token + 1 for token in before]
    after[finished.range - 1] -= 1
    assert seen == [(0, before), (0, before), (1, after)]
    assert stage.range(held.range).owner is None


def test_builds_are_taken_out_of_all_hands_too(stage: Stage, ana: Actor, bob: Actor) -> None:
    claim = ana.claims.claim_build(1)
    assert claim is not None
    bob.lead()
    again = bob.claims.claim_build(1)
    assert again is not None
    assert again.token == claim.token + 2


def test_broken_off_before_its_commit_nothing_has_changed(
    stage: Stage, ana: Actor, bob: Actor, at: At
) -> None:
    claim = ana.claim()
    before = stage.tokens()
    at("take.tokens", _break_off)
    with pytest.raises(_BrokenOffError):
        bob.take()
    assert (stage.epoch(), stage.tokens()) == (0, before)
    ana.commit(claim, 1)


def test_it_waits_for_a_chunk_past_its_fence_and_then_takes_the_range(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    """Passing the locked range by would leave it with an owner of the former epoch; and
    until it has them all, the new epoch has not begun."""
    claim = ana.claim()
    with ana.chunk(claim, 1):
        taking = stage.blocked(bob.heart, bob.lead)
        assert stage.epoch() == 0
    taking.outcome()
    assert stage.range(claim.range) == (None, claim.token + 1, 1, 1, False)


def test_the_sessions_of_the_dead_end_first(stage: Stage, ana: Actor, bob: Actor) -> None:
    """Stopped between its fence and COMMIT, a session would be waited for."""
    ana.lead()
    claim = ana.claim()
    stopped = ana.chunk(claim, 1)
    stopped.__enter__()
    ana.fall_silent()
    bob.heart.execute("SET lock_timeout = '2s'")
    assert bob.lead().epoch == 2
    with pytest.raises(psycopg.OperationalError):
        stopped.__exit__(None, None, None)
    assert stage.left().rows == 0


# --- the former coordinator

ONLY_THE_HOLDER_MAY: dict[str, Callable[[Lease, Actor], None]] = {
    "beat": lambda lease, a: lease.beat(a.heart),
    "move": lambda lease, a: lease.move(a.heart, Status.BUILDING),
    "set_bounds": lambda lease, a: lease.set_bounds(a.heart, chunk_rows=7),
    "set_pace": lambda lease, a: lease.set_pace(a.heart, 1.0, None),
}


@pytest.mark.parametrize("what", ONLY_THE_HOLDER_MAY)
def test_the_former_coordinator_is_refused(what: str, stage: Stage, ana: Actor, bob: Actor) -> None:
    former = ana.lead()
    stage.expire_lease()
    bob.lead()
    before = _run_row(stage)
    with pytest.raises(LeaseLost):
        ONLY_THE_HOLDER_MAY[what](former, ana)
    assert _run_row(stage) == before


@pytest.mark.parametrize("what", ONLY_THE_HOLDER_MAY)
def test_the_former_coordinator_waits_for_an_undecided_successor_and_is_refused(
    what: str, stage: Stage, ana: Actor, bob: Actor
) -> None:
    """What it read of its epoch before is not what counts."""
    former = ana.lead()
    stage.expire_lease()
    with bob.heart.transaction():
        bob.lead()
        late = stage.blocked(ana.heart, lambda: ONLY_THE_HOLDER_MAY[what](former, ana))
    with pytest.raises(LeaseLost):
        late.outcome()
    assert [s.status for s in Ledger(stage.watcher).steps(stage.run)] == [Status.COPYING]


def test_the_former_coordinator_grants_nothing(stage: Stage, ana: Actor, bob: Actor) -> None:
    former = ana.lead()
    stage.expire_lease()
    bob.lead()
    number = ask(stage.watcher, RunRequest(run=stage.run, kind=Asked.PAUSE, asked_by="eva"))
    with pytest.raises(LeaseLost):
        grant_all(ana.heart, former)
    assert answer(stage.watcher, number) is None


def test_the_former_coordinators_goodbye_frees_nothing(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    former = ana.lead()
    stage.expire_lease()
    bob.lead()
    former.release(ana.heart)
    assert is_held(stage.watcher, stage.run)
    assert stage.one("SELECT coordinator FROM mudanza.run") == bob.id


def test_the_former_coordinators_members_commit_nothing(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    ana.lead()
    claim = ana.claim()
    stage.expire_lease()
    bob.lead()
    with pytest.raises(FenceLost):
        ana.commit(claim, 1)


# --- time


def test_a_heartbeat_prolongs_it(stage: Stage, ana: Actor) -> None:
    lease = ana.lead()
    stage.expire_lease()
    lease.beat(ana.heart)
    assert is_held(stage.watcher, stage.run)


@pytest.mark.parametrize("days", [-2, 2])
def test_a_wrong_clock_on_this_host_changes_nothing(
    days: int, stage: Stage, ana: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + days * 86400)
    lease = ana.lead()
    lease.beat(ana.heart)
    ana.member.join(ana.heart)
    ana.member.beat(ana.heart, 0.0)
    assert bob.take() is None
    assert lease.reclaim(ana.heart) == 0
    for seconds, until in [
        (lease.seconds, "SELECT lease_until FROM mudanza.run"),
        (LIMITS.lease, f"SELECT lease_until FROM mudanza.member WHERE member = '{ana.id}'"),
    ]:
        ahead = stage.one(f"SELECT extract(epoch FROM ({until}) - clock_timestamp())::float8")
        assert seconds - 5 < ahead <= seconds
    stage.expire_lease()
    assert bob.lead().epoch == 2


class _BrokenOffError(Exception):
    pass


def _break_off() -> None:
    raise _BrokenOffError


def _run_row(stage: Stage) -> object:
    return stage.one("SELECT r::text FROM mudanza.run r")
