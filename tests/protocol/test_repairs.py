"""The fence of a repair: who changes a complete run holds its lease to the end, or changes nothing."""

from __future__ import annotations

import pytest

from core.errors import RunHeld, RunUnfinished
from core.plan import Choices, ColumnChoice, TableChoice
from core.server.connection import parse_target
from core.transfer.edit import NULL, EditRequest, edit
from core.transfer.lease import LeaseLost
from core.transfer.model import Quarantined
from core.transfer.quarantine import Quarantine, Selection
from core.transfer.replay import ReplayRequest, replay
from core.transfer.steering import Place
from core.values.types import Conversion, TargetType
from tests.protocol.conftest import At
from tests.protocol.stage import LIMITS, Actor, Stage

MENDED = Choices(
    tables={
        "child": TableChoice(
            columns={"n": ColumnChoice(conversion=Conversion(TargetType("bigint"), "integer|null"))}
        )
    }
)
PLAN = {"plan": "p", "document": "d", "sha256": "s", "exit_code": 0}


@pytest.fixture
def ended(stage: Stage, ana: Actor) -> Place:
    """The run as it is when complete, with the row in quarantine that cannot be carried."""
    claim = ana.claim()
    row = Quarantined(key=(2,), row=(2, 3, "misfit"), reason="not_an_integer")
    Quarantine(ana.connection, stage.run).add(claim, [row])
    stage.do(
        "UPDATE mudanza.range SET finished = true, owner = NULL,"
        " rows_quarantined = (range = %s)::int",
        claim.range,
    )
    stage.do("UPDATE mudanza.object SET fate = 'carried' WHERE fate = 'planned'")
    stage.do("UPDATE mudanza.run SET status = 'complete', exit_code = 3")
    return Place(target=parse_target(stage.database), run=stage.run, limits=LIMITS)


def test_a_repair_takes_the_run_and_lets_it_go(stage: Stage, ended: Place) -> None:
    before = stage.epoch()
    assert replay(ReplayRequest(place=ended, choices=MENDED)).arrived == 1
    assert stage.epoch() == before + 1
    assert stage.one("SELECT coordinator FROM mudanza.run") is None


def test_while_another_holds_the_lease_a_repair_does_not_begin(
    stage: Stage, ended: Place, bob: Actor
) -> None:
    bob.lead()
    with pytest.raises(RunHeld):
        replay(ReplayRequest(place=ended, choices=MENDED))
    with pytest.raises(RunHeld):
        edit(_to_null(ended))
    assert rows(stage) == (0, 1)


def test_a_replay_whose_lease_is_taken_while_it_works_changes_nothing(
    stage: Stage, ended: Place, bob: Actor, at: At
) -> None:
    at("replay.moved", lambda: _take_over(stage, bob))
    with pytest.raises(RunHeld):
        replay(ReplayRequest(place=ended, choices=MENDED))
    assert rows(stage) == (0, 1)
    assert stage.one("SELECT exit_code FROM mudanza.run") == 3


def test_an_edit_whose_lease_is_taken_while_it_works_changes_nothing(
    stage: Stage, ended: Place, bob: Actor, at: At
) -> None:
    at("edit.written", lambda: _take_over(stage, bob))
    with pytest.raises(RunHeld):
        edit(_to_null(ended))
    assert stage.one("SELECT count(*) FROM mudanza.quarantine_edit") == 0


def test_a_taking_that_is_undecided_is_waited_for(
    stage: Stage, ended: Place, ana: Actor, bob: Actor
) -> None:
    """A fence that only looks would see the old epoch, and let the replay in."""
    lease = ana.lead()
    stage.expire_lease()
    with bob.heart.transaction():
        bob.lead()
        closing = stage.blocked(ana.heart, lambda: lease.amend(ana.heart, **PLAN))
    with pytest.raises(LeaseLost):
        closing.outcome()


def test_who_takes_the_lease_waits_for_a_replay_past_its_fence(
    stage: Stage, ended: Place, ana: Actor, bob: Actor
) -> None:
    lease = ana.lead()
    stage.expire_lease()
    with ana.heart.transaction():
        lease.amend(ana.heart, **PLAN)
        taking = stage.blocked(bob.heart, bob.lead)
    taking.outcome()
    assert stage.one("SELECT exit_code FROM mudanza.run") == 0


def test_a_run_that_is_no_longer_complete_is_not_amended(
    stage: Stage, ended: Place, at: At
) -> None:
    at("replay.moved", lambda: stage.do("UPDATE mudanza.run SET status = 'replaced'"))
    with pytest.raises(RunHeld):
        replay(ReplayRequest(place=ended, choices=MENDED))
    assert rows(stage) == (0, 1)


def test_a_run_at_work_is_not_repaired(stage: Stage, ended: Place) -> None:
    stage.do("UPDATE mudanza.run SET status = 'copying', exit_code = NULL")
    tokens = stage.tokens()
    with pytest.raises(RunUnfinished):
        replay(ReplayRequest(place=ended, choices=MENDED))
    with pytest.raises(RunUnfinished):
        edit(_to_null(ended))
    assert stage.tokens() == tokens
    assert rows(stage) == (0, 1)


def rows(stage: Stage) -> tuple[int, int]:
    """Rows of the children in the target, and in quarantine."""
    return (
        stage.one("SELECT count(*) FROM child"),
        stage.one("SELECT count(*) FROM mudanza.quarantine"),
    )


def _to_null(place: Place) -> EditRequest:
    return EditRequest(
        place=place, selection=Selection(row="2"), column="n", value=NULL, reason="why"
    )


def _take_over(stage: Stage, actor: Actor) -> None:
    stage.expire_lease()
    actor.lead()
