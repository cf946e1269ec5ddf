"""The fence: a chunk is committed by the one who holds its range, from where it stood, or not."""

from __future__ import annotations

import pytest

from core.transfer.claims import FenceLost
from tests.protocol.stage import NOTHING, Actor, Left, Stage


def test_the_holder_moves_the_watermark_with_its_rows(stage: Stage, ana: Actor) -> None:
    claim = ana.claim()
    with ana.chunk(claim, 1, aside=[2]):
        assert stage.left() == NOTHING
    assert stage.left() == Left(rows=1, quarantined=1, cells=0, lines=1, read=2)
    assert stage.range(claim.range) == (ana.id, claim.token, 2, 1, False)


def test_a_token_raised_before_the_chunk_began_refuses_it(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = ana.claim()
    bob.lead()
    with pytest.raises(FenceLost):
        ana.commit(claim, 1)
    assert stage.left() == NOTHING


def test_a_token_raised_while_its_rows_go_in_refuses_it(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = ana.claim()
    with pytest.raises(FenceLost):
        ana.commit_after(bob.lead, claim, 1)
    assert stage.left() == NOTHING


def test_a_token_whose_raising_is_undecided_is_waited_for(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    """A fence that only looks would see the old token, and let the chunk in."""
    claim = ana.claim()
    with bob.heart.transaction():
        bob.lead()
        chunk = stage.blocked(ana.connection, lambda: ana.commit(claim, 1))
    with pytest.raises(FenceLost):
        chunk.outcome()


def test_a_raising_that_is_rolled_back_refuses_nobody(stage: Stage, ana: Actor, bob: Actor) -> None:
    claim = ana.claim()
    with bob.heart.transaction(force_rollback=True):
        bob.lead()
        chunk = stage.blocked(ana.connection, lambda: ana.commit(claim, 1))
    chunk.outcome()
    assert stage.range(claim.range).done_to == 1


def test_after_the_fence_a_chunk_is_in_and_whoever_raises_the_token_waits_for_it(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = ana.claim()
    with ana.chunk(claim, 1):
        taking = stage.blocked(bob.heart, bob.lead)
    taking.outcome()
    assert stage.range(claim.range) == (None, claim.token + 1, 1, 1, False)
    with pytest.raises(FenceLost):
        ana.commit(claim, 2)
    assert stage.left().rows == 1


def test_a_token_is_of_no_use_to_anybody_but_its_owner(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = ana.claim()
    with pytest.raises(FenceLost):
        bob.commit(claim, 1)
    assert stage.left() == NOTHING


def test_an_owner_commits_nothing_under_its_own_earlier_token(stage: Stage, ana: Actor) -> None:
    earlier, later = ana.claim(), ana.claim()
    assert (earlier.range, earlier.token + 1) == (later.range, later.token)
    with pytest.raises(FenceLost):
        ana.commit(earlier, 1)
    ana.commit(later, 1)
    assert stage.left().rows == 1


def test_a_chunk_that_does_not_begin_at_the_watermark_is_refused(stage: Stage, ana: Actor) -> None:
    """The same chunk again, say: the token is right, the place is not."""
    claim = ana.claim()
    ana.commit(claim, 1)
    with pytest.raises(FenceLost):
        ana.commit(claim, 1)
    assert stage.left() == Left(rows=1, quarantined=0, cells=0, lines=1, read=1)


def test_a_finished_range_takes_nothing_more(stage: Stage, ana: Actor) -> None:
    claim = ana.claim()
    ana.commit(claim, 1, last=True)
    assert stage.range(claim.range) == (None, claim.token, 1, 1, True)
    with pytest.raises(FenceLost):
        ana.commit(claim, 2)
    assert stage.left().rows == 1


# --- two who carry the same rows: the late one is refused, it does not fail


def test_rows_that_the_next_owner_set_aside_first_are_no_error(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    late = ana.claim()
    ana.claims.hand_back(late)
    bob.commit(bob.claim(), 1, aside=[2])
    with pytest.raises(FenceLost):
        ana.commit(late, 1, aside=[2])
    assert stage.left() == Left(rows=1, quarantined=1, cells=0, lines=1, read=2)


def test_a_line_that_the_next_owner_is_just_writing_is_waited_for_and_no_error(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    late = ana.claim()
    ana.claims.hand_back(late)
    with bob.chunk(bob.claim(), 1):
        chunk = stage.blocked(ana.connection, lambda: ana.commit(late, 1))
    with pytest.raises(FenceLost):
        chunk.outcome()
    assert stage.left().lines == 1
