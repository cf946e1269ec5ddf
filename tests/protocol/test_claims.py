"""Claims: a range has one owner at a time, and whoever looks for work is not held up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from core.transfer.claims import Claims, FenceLost
from core.transfer.member import next_piece
from core.transfer.model import BuildClaim, RangeClaim
from tests.protocol.stage import RANGE, Actor, Stage, begin_run, stage_on


def test_the_largest_table_comes_first(stage: Stage, ana: Actor) -> None:
    assert stage.plan.tables[ana.claim().table_number - 1].name == "child"


def test_a_claim_gives_the_range_and_a_new_token(stage: Stage, ana: Actor) -> None:
    claim = ana.claim()
    assert stage.range(claim.range) == (ana.id, claim.token, None, 0, False)
    assert claim.token == 1


def test_a_claim_that_is_undecided_is_passed_by_at_once(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    bob.connection.execute("SET lock_timeout = '1s'")
    with ana.connection.transaction():
        first = ana.claim()
        second = bob.claim()
    assert first.range != second.range
    assert (stage.range(first.range).owner, stage.range(second.range).owner) == (ana.id, bob.id)


def test_claimers_at_once_never_get_one_range(database: str, tmp_path: Path) -> None:
    begin_run(database, tmp_path, children=50 * RANGE)
    stage = stage_on(database)
    actors = [stage.enter() for _ in range(8)]

    def claim_all(actor: Actor) -> list[RangeClaim]:
        found = []
        while claim := actor.claims.claim_range():
            found.append(claim)
            actor.commit(claim, claim.range, last=True)
        return found

    with ThreadPoolExecutor(len(actors)) as threads:
        claims = [c for found in threads.map(claim_all, actors) for c in found]
    assert len(claims) >= 50
    assert len({c.range for c in claims}) == len(claims) == stage.left().lines
    # Not one of them was taken out of another's hands on the way.
    assert {c.token for c in claims} == {1}
    stage.close()


def test_what_somebody_holds_is_nobody_elses_to_claim(stage: Stage, ana: Actor, bob: Actor) -> None:
    held = ana.claim()
    others: list[RangeClaim] = []
    while claim := bob.claims.claim_range():
        others.append(claim)
        bob.commit(claim, 100 + claim.range, last=True)
    assert held.range not in {c.range for c in others}
    assert stage.range(held.range).owner == ana.id
    assert bob.claims.unfinished_tables() == {held.table_number}


def test_a_claim_whose_answer_was_lost_is_made_again(stage: Stage, ana: Actor) -> None:
    lost = ana.claim()
    again = ana.claim()
    assert (again.range, again.token) == (lost.range, lost.token + 1)


def test_a_finished_range_is_never_claimed_again(stage: Stage, ana: Actor) -> None:
    finished = set()
    while claim := ana.claims.claim_range():
        assert claim.range not in finished
        finished.add(claim.range)
        ana.commit(claim, claim.range, last=True)
    assert ana.claims.unfinished_tables() == set()
    assert len(finished) == stage.one("SELECT count(*) FROM mudanza.range")


# --- a commit whose outcome is unknown: the session is lost, the transaction may live on


def test_claiming_again_waits_for_the_commit_and_says_where_it_stands(
    stage: Stage, ana: Actor
) -> None:
    claim = ana.claim()
    with ana.chunk(claim, 1, 2):
        again = stage.blocked(ana.heart, lambda: _elsewhere(ana).claim_again(claim))
    found = again.outcome()
    assert found is not None
    assert (found.done_to, found.token) != (claim.done_to, claim.token)
    assert stage.range(claim.range) == (ana.id, found.token, 2, 1, False)


def test_claiming_again_after_a_rollback_says_that_nothing_came_of_it(
    stage: Stage, ana: Actor
) -> None:
    claim = ana.claim()
    with ana.connection.transaction(force_rollback=True), ana.chunk(claim, 1, 2):
        again = stage.blocked(ana.heart, lambda: _elsewhere(ana).claim_again(claim))
    found = again.outcome()
    assert found is not None
    assert (found.done_to, found.token) == (None, claim.token + 1)


def test_after_claiming_again_a_commit_that_was_late_is_out(stage: Stage, ana: Actor) -> None:
    claim = ana.claim()
    with pytest.raises(FenceLost):
        ana.commit_after(lambda: _elsewhere(ana).claim_again(claim), claim, 1)
    assert stage.left().rows == 0


def test_what_came_into_other_hands_is_not_claimed_again(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = ana.claim()
    ana.claims.hand_back(claim)
    assert bob.claim().range == claim.range
    assert ana.claims.claim_again(claim) is None
    assert stage.range(claim.range).owner == bob.id


# --- handing back


def test_handed_back_a_range_is_free_and_its_token_dead(stage: Stage, ana: Actor) -> None:
    claim = ana.claim()
    ana.claims.hand_back(claim)
    assert stage.range(claim.range) == (None, claim.token + 1, None, 0, False)
    with pytest.raises(FenceLost):
        ana.commit(claim, 1)


def test_handing_back_under_an_earlier_token_frees_nothing(stage: Stage, ana: Actor) -> None:
    earlier, later = ana.claim(), ana.claim()
    ana.claims.hand_back(earlier)
    assert stage.range(later.range)[:2] == (ana.id, later.token)


def test_nobody_hands_back_what_another_holds(stage: Stage, ana: Actor, bob: Actor) -> None:
    claim = ana.claim()
    bob.claims.hand_back(claim)
    assert stage.range(claim.range)[:2] == (ana.id, claim.token)


def test_waiting_for_a_commit_has_an_end(stage: Stage, ana: Actor) -> None:
    claim = ana.claim()
    ana.heart.execute("SET lock_timeout = '100ms'")
    with ana.chunk(claim, 1), pytest.raises(psycopg.errors.LockNotAvailable):
        _elsewhere(ana).claim_again(claim)


def _elsewhere(actor: Actor) -> Claims:
    """The same member's claims, in a session other than the one that commits."""
    return Claims(actor.heart, actor.stage.run, actor.id)


# --- rows or builds


@pytest.mark.parametrize(
    ("copiers", "kind"), [(1, RangeClaim), (2, RangeClaim), (3, BuildClaim), (8, BuildClaim)]
)
def test_only_of_more_than_two_members_one_builds_while_rows_are_free(
    copiers: int, kind: type, stage: Stage, ana: Actor
) -> None:
    _fill(stage, ana, "parent")
    with ana.work() as work:
        assert isinstance(next_piece(work, copiers, ana.connection), kind)


def test_less_than_half_of_the_members_build_while_rows_are_free(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    _fill(stage, ana, "parent")
    with ana.work() as work, bob.work() as other:
        assert isinstance(next_piece(work, 3, ana.connection), BuildClaim)
        assert isinstance(next_piece(other, 3, bob.connection), RangeClaim)


def test_who_finds_no_free_rows_builds(stage: Stage, ana: Actor, bob: Actor) -> None:
    _fill(stage, ana, "parent")
    ana.connection.execute("UPDATE mudanza.range SET owner = %s WHERE NOT finished", (bob.id,))
    with ana.work() as work:
        assert isinstance(next_piece(work, 2, ana.connection), BuildClaim)


def test_a_build_taken_since_the_reading_changes_what_may_begin(
    stage: Stage, ana: Actor, bob: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(stage, ana, "parent")
    first, second, *_ = (n for n, b in enumerate(stage.plan.builds, 1) if b.table == "parent")
    read = Claims.open_builds

    def bob_is_faster(claims: Claims) -> dict[int, bool]:
        found = read(claims)
        if not any(found.values()):
            bob.claims.claim_build(first)
        return found

    monkeypatch.setattr(Claims, "open_builds", bob_is_faster)
    with ana.work() as work:
        # The second is of the same table: it would wait for the first.
        assert isinstance(next_piece(work, 3, ana.connection), RangeClaim)
    assert ana.claims.open_builds()[second] is False


def _fill(stage: Stage, actor: Actor, table: str) -> None:
    """Every row of the table has its place."""
    number = stage.plan.table(table).number
    actor.connection.execute(
        "UPDATE mudanza.range SET finished = true WHERE table_number = %s", (number,)
    )
