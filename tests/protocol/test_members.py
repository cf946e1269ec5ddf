"""The dead: who counts as such, what is taken from them, and what from nobody else."""

from __future__ import annotations

import time

import psycopg
import pytest

from core.transfer.claims import FenceLost
from core.transfer.lease import lost_members
from tests.protocol.stage import Actor, Stage


@pytest.fixture
def eva(stage: Stage) -> Actor:
    """The one who coordinates."""
    return stage.enter()


# --- who counts as dead


def test_with_a_heartbeat_and_a_session_nobody_does(stage: Stage, ana: Actor, bob: Actor) -> None:
    assert lost_members(stage.watcher, stage.run) == []


def test_silent_for_longer_than_its_lease_a_member_does(stage: Stage, ana: Actor) -> None:
    ana.fall_silent()
    assert lost_members(stage.watcher, stage.run) == [ana.id]


def test_without_any_session_left_a_member_does(stage: Stage, ana: Actor) -> None:
    ana.vanish()
    assert lost_members(stage.watcher, stage.run) == [ana.id]


def test_one_session_left_is_enough(stage: Stage, ana: Actor) -> None:
    assert not ana.heart.closed
    ana.session.drop()
    ana.wait_for_sessions(1)
    assert lost_members(stage.watcher, stage.run) == []


def test_a_session_that_only_has_the_number_of_one_that_is_gone_does_not_count(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    _reuse_number(stage, dead=ana, living=bob)
    assert lost_members(stage.watcher, stage.run) == [ana.id]


def test_who_has_left_is_not_lost(stage: Stage, ana: Actor) -> None:
    ana.member.leave(ana.connection, "done")
    ana.vanish()
    assert lost_members(stage.watcher, stage.run) == []


# --- what is taken from them


def test_what_the_dead_hold_is_freed_and_nothing_else(
    stage: Stage, ana: Actor, bob: Actor, eva: Actor
) -> None:
    lease = eva.lead()
    dead, living = ana.claim(), bob.claim()
    dead_build, living_build = ana.claims.claim_build(1), bob.claims.claim_build(2)
    before = stage.tokens()
    ana.vanish()
    assert lease.reclaim(eva.heart) == 1
    ranges = stage.one("SELECT count(*) FROM mudanza.range")
    before[dead.range - 1] += 1
    before[ranges] += 1
    assert None not in (dead_build, living_build)
    assert stage.tokens() == before
    assert stage.range(dead.range).owner is None
    assert stage.range(living.range).owner == bob.id
    bob.commit(living, 1)


def test_nothing_is_freed_twice(stage: Stage, ana: Actor, eva: Actor) -> None:
    lease = eva.lead()
    ana.claim()
    ana.vanish()
    assert [lease.reclaim(eva.heart), lease.reclaim(eva.heart)] == [1, 0]


def test_a_living_member_commits_through_it_all(
    stage: Stage, ana: Actor, bob: Actor, eva: Actor
) -> None:
    """Its chunk is open, before its fence, while the dead beside it are seen off."""
    lease = eva.lead()
    claim = bob.claim()
    ana.claim()
    ana.vanish()
    bob.commit_after(lambda: lease.reclaim(eva.heart), claim, 1)
    assert lost_members(stage.watcher, stage.run) == []
    assert stage.range(claim.range) == (bob.id, claim.token, 1, 1, False)


def test_whoever_coordinates_does_not_bury_itself(stage: Stage, eva: Actor) -> None:
    lease = eva.lead()
    claim = eva.claim()
    eva.fall_silent()
    assert lease.reclaim(eva.heart) == 0
    eva.commit(claim, 1)


def test_a_session_stopped_after_its_fence_is_ended_and_does_not_delay(
    stage: Stage, ana: Actor, eva: Actor
) -> None:
    lease = eva.lead()
    claim = ana.claim()
    stopped = ana.chunk(claim, 1)
    stopped.__enter__()
    ana.fall_silent()
    eva.heart.execute("SET lock_timeout = '2s'")
    began = time.monotonic()
    assert lease.reclaim(eva.heart) == 1
    assert time.monotonic() - began < 2
    assert stage.range(claim.range) == (None, claim.token + 1, None, 0, False)
    with pytest.raises(psycopg.OperationalError):
        stopped.__exit__(None, None, None)
    assert stage.left().rows == 0


def test_a_session_that_has_the_number_of_a_dead_one_is_left_alone(
    stage: Stage, ana: Actor, bob: Actor, eva: Actor
) -> None:
    lease = eva.lead()
    _reuse_number(stage, dead=ana, living=bob)
    assert lease.reclaim(eva.heart) == 1
    bob.connection.execute("SELECT 1")


def test_what_was_claimed_while_being_declared_dead_is_freed_next_time(
    stage: Stage, ana: Actor, eva: Actor
) -> None:
    lease = eva.lead()
    ana.fall_silent()
    lease.reclaim(eva.heart)
    ana.session.drop()
    claim = ana.claim()
    lease.reclaim(eva.heart)
    assert stage.range(claim.range).owner is None
    with pytest.raises(FenceLost):
        ana.commit(claim, 1)


# --- who comes back


def test_who_comes_back_finds_its_token_dead_and_claims_anew(
    stage: Stage, ana: Actor, eva: Actor
) -> None:
    lease = eva.lead()
    claim = ana.claim()
    ana.fall_silent()
    lease.reclaim(eva.heart)
    ana.session.drop()
    ana.heart_session.drop()
    ana.member.beat(ana.heart, 0.0)
    with pytest.raises(FenceLost):
        ana.commit(claim, 1)
    assert ana.claims.claim_again(claim) is None
    new = ana.claim()
    lease.reclaim(eva.heart)
    ana.commit(new, 1)
    assert stage.left().rows == 1


def test_a_heartbeat_of_one_declared_dead_is_a_new_joining(
    stage: Stage, ana: Actor, eva: Actor
) -> None:
    lease = eva.lead()
    ana.fall_silent()
    lease.reclaim(eva.heart)
    ana.heart_session.drop()
    ana.member.beat(ana.heart, 0.0)
    left = stage.one("SELECT left_at IS NOT NULL FROM mudanza.member WHERE member = %s", ana.id)
    assert not left
    # And it can die again.
    ana.fall_silent()
    assert lost_members(stage.watcher, stage.run) == [ana.id]


def _reuse_number(stage: Stage, *, dead: Actor, living: Actor) -> None:
    """All that is left of one member is a number that by now is another's session."""
    dead.vanish()
    stage.do(
        "UPDATE mudanza.session SET backend_pid = %s, backend_start = backend_start - interval '1 h'"
        " WHERE ctid = (SELECT ctid FROM mudanza.session WHERE member = %s LIMIT 1)",
        living.connection.info.backend_pid,
        dead.id,
    )
