"""States: along an arrow or not at all, whoever asks; requests in the order they came."""

from __future__ import annotations

from itertools import product

import psycopg
import pytest

from core.errors import ArrowRefused
from core.transfer.claims import FenceLost
from core.transfer.ledger import Ledger
from core.transfer.model import Step
from core.transfer.states import ARROWS, Status
from core.transfer.steering import Asked, RunRequest, answer, ask, grant_all
from tests.protocol.conftest import At
from tests.protocol.stage import NOTHING, Actor, Stage

WAYS = {(a.start, a.end) for a in ARROWS if a.start}
PAIRS = set(product(Status, Status))


def test_each_way_that_is_no_arrow_is_refused(stage: Stage, ana: Actor) -> None:
    lease = ana.lead()
    steps = Ledger(stage.watcher).steps(stage.run)
    for start, end in sorted(PAIRS - WAYS):
        stage.do("UPDATE mudanza.run SET status = %s", start)
        with pytest.raises(ArrowRefused):
            lease.move(ana.heart, end)
        assert _status(stage) == start
    assert Ledger(stage.watcher).steps(stage.run) == steps


def test_each_way_that_is_no_arrow_is_refused_by_the_ledger_itself(stage: Stage) -> None:
    ledger = Ledger(stage.watcher)
    for start, end in sorted(PAIRS - WAYS):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            ledger.write_step(stage.run, start, end, by="eva")
    for status in set(Status) - {Status.COPYING}:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            ledger.write_step(stage.run, None, status, by="eva")
    assert len(ledger.steps(stage.run)) == 1


def test_each_arrow_is_gone_along_and_written_down(stage: Stage, ana: Actor) -> None:
    lease = ana.lead()
    for number, (start, end) in enumerate(sorted(WAYS), start=1):
        stage.do("UPDATE mudanza.run SET status = %s", start)
        lease.move(ana.heart, end, by="eva", detail=f"{number}")
        last = Ledger(stage.watcher).steps(stage.run)[-1]
        assert (last.status, last.by, last.detail) == (end, "eva", f"{number}")
        assert _status(stage) == end


def test_a_move_and_its_step_are_one(stage: Stage, ana: Actor, at: At) -> None:
    lease = ana.lead()
    seen: list[tuple[Status, int]] = []
    at("move.written", lambda: seen.append((_status(stage), len(_steps(stage)))))
    lease.move(ana.heart, Status.PAUSED)
    assert seen == [(Status.COPYING, 1)]
    assert (_status(stage), len(_steps(stage))) == (Status.PAUSED, 2)


# --- requests


def test_requests_are_granted_in_the_order_they_were_asked(stage: Stage, ana: Actor) -> None:
    lease = ana.lead()
    numbers = [
        _ask(stage, Asked.PAUSE, note="first"),
        _ask(stage, Asked.RESUME, note="second"),
        _ask(stage, Asked.PAUSE, note="third"),
    ]
    grant_all(ana.heart, lease)
    assert [answer(stage.watcher, n) for n in numbers] == ["granted"] * 3
    assert [s.detail for s in _steps(stage)] == ["", "first", "second", "third"]


def test_one_that_no_arrow_allows_is_refused_and_changes_nothing(stage: Stage, ana: Actor) -> None:
    lease = ana.lead()
    wrong, right = _ask(stage, Asked.RESUME), _ask(stage, Asked.PAUSE)
    grant_all(ana.heart, lease)
    assert [answer(stage.watcher, n) for n in (wrong, right)] == ["refused", "granted"]
    assert [s.status for s in _steps(stage)] == [Status.COPYING, Status.PAUSED]


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (Asked.CHUNK, {"rows": 0, "bytes": None}),
        (Asked.CHUNK, {"rows": 1, "bytes": -1}),
        (Asked.CHUNK, {"rows": 1e12, "bytes": None}),
        (Asked.THROTTLE, {"rows_per_second": 0, "load_max": None}),
        (Asked.THROTTLE, {"rows_per_second": 1, "load_max": -1}),
    ],
)
def test_one_that_the_ledger_cannot_hold_is_refused_and_stops_nobody(
    kind: Asked, argument: dict[str, float | None], stage: Stage, ana: Actor
) -> None:
    """Left without an answer it would stop each coordinator that comes to it."""
    lease = ana.lead()
    before = Ledger(stage.watcher).orders(stage.run)
    wrong, right = _ask(stage, kind, argument=argument), _ask(stage, Asked.PAUSE)
    grant_all(ana.heart, lease)
    assert [answer(stage.watcher, n) for n in (wrong, right)] == ["refused", "granted"]
    after = Ledger(stage.watcher).orders(stage.run)
    assert (after.bounds, after.rows_per_second) == (before.bounds, before.rows_per_second)


def test_a_request_and_its_answer_are_one(stage: Stage, ana: Actor, at: At) -> None:
    lease = ana.lead()
    number = _ask(stage, Asked.PAUSE)
    seen: list[tuple[Status, str | None]] = []
    for point in ("move.written", "grant.moved"):
        at(point, lambda: seen.append((_status(stage), answer(stage.watcher, number))))
    grant_all(ana.heart, lease)
    assert seen == [(Status.COPYING, None), (Status.PAUSED, "granted")]


# --- cancelling


def test_cancelled_a_chunk_before_its_fence_is_out(stage: Stage, ana: Actor, bob: Actor) -> None:
    lease, claim = bob.lead(), ana.claim()
    with pytest.raises(FenceLost):
        ana.commit_after(lambda: lease.move(bob.heart, Status.CANCELLED), claim, 1)
    assert stage.left() == NOTHING


def test_cancelled_a_chunk_past_its_fence_is_in_and_waited_for(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    """When the run says that it is cancelled, nothing moves any more."""
    lease, claim = bob.lead(), ana.claim()
    with ana.chunk(claim, 1):
        moving = stage.blocked(bob.heart, lambda: lease.move(bob.heart, Status.CANCELLED))
        assert _status(stage) is Status.COPYING
    moving.outcome()
    assert (_status(stage), stage.left().rows) == (Status.CANCELLED, 1)
    with pytest.raises(FenceLost):
        ana.commit(claim, 2)


def test_cancelled_a_build_in_hand_is_out(stage: Stage, ana: Actor, bob: Actor) -> None:
    lease, claim = bob.lead(), ana.claims.claim_build(1)
    assert claim is not None
    lease.move(bob.heart, Status.CANCELLED)
    with pytest.raises(FenceLost):
        ana.claims.set_fate(claim, stage.plan.builds[0].fate, seconds=0)


def test_paused_a_chunk_in_hand_is_still_committed(stage: Stage, ana: Actor, bob: Actor) -> None:
    lease, claim = bob.lead(), ana.claim()
    lease.move(bob.heart, Status.PAUSED)
    ana.commit(claim, 1)


def _ask(
    stage: Stage, kind: Asked, *, note: str = "", argument: dict[str, float | None] | None = None
) -> int:
    request = RunRequest(run=stage.run, kind=kind, asked_by="eva", note=note, argument=argument)
    return ask(stage.watcher, request)


def _status(stage: Stage) -> Status:
    return Status(stage.one("SELECT status FROM mudanza.run"))


def _steps(stage: Stage) -> list[Step]:
    return Ledger(stage.watcher).steps(stage.run)
