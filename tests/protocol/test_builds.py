"""Builds: begun when their rows are there, by one member, and fenced like a chunk."""

from __future__ import annotations

import pytest

from core.plan import Build, BuildKind
from core.transfer.build import build_claimed, ready
from core.transfer.claims import FenceLost
from core.transfer.events import Built
from core.transfer.model import BuildClaim
from core.transfer.states import Status
from tests.plan.planning import planned
from tests.protocol.conftest import At
from tests.protocol.stage import Actor, Stage


class Yard:
    """The builds of the stage's plan, by what they are."""

    def __init__(self, stage: Stage) -> None:
        self.plan = stage.plan
        self.open = dict.fromkeys(range(1, len(stage.plan.builds) + 1), False)
        self.tables = {t.name: t.number for t in stage.plan.tables}

    def number(self, kind: BuildKind, table: str, nth: int = 0) -> int:
        found = [n for n in self.open if self._is(n, kind, table)]
        return found[nth]

    def ready(
        self, *lacking: str, busy: tuple[int, ...] = (), done: tuple[int, ...] = ()
    ) -> set[int]:
        open_builds = {n: n in busy for n in self.open if n not in done}
        return set(ready(self.plan, open_builds, {self.tables[t] for t in lacking}))

    def _is(self, number: int, kind: BuildKind, table: str) -> bool:
        build = self.plan.builds[number - 1]
        return (build.kind, build.table) == (kind, table)


@pytest.fixture
def yard(stage: Stage) -> Yard:
    return Yard(stage)


# --- which may begin


def test_a_view_waits_for_the_keys_of_its_tables_and_for_the_views_it_reads() -> None:
    plan = planned(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE u (x INTEGER);"
        "CREATE VIEW low AS SELECT * FROM t; CREATE VIEW top AS SELECT * FROM low;"
        "CREATE VIEW other AS SELECT x FROM u;"
    )
    numbers = {(b.kind, b.table): n for n, b in enumerate(plan.builds, start=1)}
    low, top, other = (numbers[BuildKind.VIEW, name] for name in ("low", "top", "other"))
    everything = dict.fromkeys(numbers.values(), False)
    assert {low, top, other} & set(ready(plan, everything, set())) == {other}
    assert set(ready(plan, {low: False, top: False}, set())) == {low}
    assert set(ready(plan, {low: True, top: False}, set())) == set()
    assert set(ready(plan, {top: False}, set())) == {top}
    assert set(ready(plan, {top: False, other: False}, {plan.table("u").number})) == {top}


def test_nothing_begins_before_the_rows_it_speaks_of(yard: Yard) -> None:
    assert yard.ready("parent", "child") == set()
    tables = {yard.plan.builds[n - 1].table for n in yard.ready("child")}
    assert tables == {"parent"}


def test_a_foreign_key_waits_for_the_rows_of_its_parent(yard: Yard) -> None:
    key = yard.number(BuildKind.FOREIGN_KEY, "child")
    keys = (yard.number(BuildKind.PRIMARY_KEY, "parent"), yard.number(BuildKind.UNIQUE, "parent"))
    assert key not in yard.ready("parent", done=keys)
    assert key in yard.ready(done=keys)


def test_a_foreign_key_waits_for_the_keys_of_its_parent(yard: Yard) -> None:
    key = yard.number(BuildKind.FOREIGN_KEY, "child")
    primary = yard.number(BuildKind.PRIMARY_KEY, "parent")
    unique = yard.number(BuildKind.UNIQUE, "parent")
    assert key not in yard.ready(done=(unique,))
    assert key not in yard.ready(done=(primary,))
    assert key in yard.ready(done=(primary, unique))


def test_what_would_wait_for_the_lock_of_another_does_not_begin(yard: Yard) -> None:
    primary = yard.number(BuildKind.PRIMARY_KEY, "child")
    begun = {yard.plan.builds[n - 1].table for n in yard.ready(busy=(primary,))}
    assert begun == {"parent"}


def test_a_foreign_key_locks_its_parent_too(yard: Yard) -> None:
    keys = (yard.number(BuildKind.PRIMARY_KEY, "parent"), yard.number(BuildKind.UNIQUE, "parent"))
    foreign = yard.number(BuildKind.FOREIGN_KEY, "child")
    assert yard.ready(done=keys, busy=(foreign,)) == set()


def test_two_plain_indexes_of_one_table_go_side_by_side(yard: Yard) -> None:
    first, second = (yard.number(BuildKind.INDEX, "child", nth) for nth in (0, 1))
    assert second in yard.ready(busy=(first,))
    assert yard.number(BuildKind.PRIMARY_KEY, "child") not in yard.ready(busy=(first,))


def test_what_somebody_is_at_does_not_begin_again(yard: Yard) -> None:
    index = yard.number(BuildKind.INDEX, "child")
    assert index in yard.ready()
    assert index not in yard.ready(busy=(index,))
    assert index not in yard.ready(done=(index,))


# --- one owner, and a fence


def test_a_build_is_claimed_once(stage: Stage, ana: Actor, bob: Actor) -> None:
    claim = _claimed(ana, 1)
    assert bob.claims.claim_build(1) is None
    assert (bob.claims.open_builds()[1], ana.claims.open_builds()[1]) == (True, False)
    assert _claimed(ana, 1).token == claim.token + 1


def test_of_two_who_claim_it_at_once_the_later_waits_and_gets_nothing(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    with ana.connection.transaction():
        _claimed(ana, 1)
        claiming = stage.blocked(bob.connection, lambda: bob.claims.claim_build(1))
    assert claiming.outcome() is None


def test_what_has_its_fate_is_never_claimed_again(stage: Stage, ana: Actor, bob: Actor) -> None:
    ana.claims.set_fate(_claimed(ana, 1), _build(stage, 1).fate, seconds=0)
    assert ana.claims.claim_build(1) is None
    assert bob.claims.claim_build(1) is None
    assert 1 not in bob.claims.open_builds()


@pytest.mark.parametrize("what", ["fate", "added"])
def test_under_a_raised_token_nothing_is_recorded(
    what: str, stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = _claimed(ana, 1)
    bob.lead()
    before = _row(stage, 1)
    with pytest.raises(FenceLost):
        _record(what, stage, ana, claim)
    _claimed(ana, 1)
    with pytest.raises(FenceLost):
        _record(what, stage, ana, claim)
    assert _row(stage, 1)[:2] == before[:2]


@pytest.mark.parametrize("what", ["fate", "added"])
def test_nobody_records_anything_of_anothers_build(
    what: str, stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = _claimed(ana, 1)
    with pytest.raises(FenceLost):
        _record(what, stage, bob, claim)


@pytest.mark.parametrize("what", ["fate", "added"])
def test_a_token_whose_raising_is_undecided_is_waited_for(
    what: str, stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = _claimed(ana, 1)
    with bob.heart.transaction():
        bob.lead()
        recording = stage.blocked(ana.connection, lambda: _record(what, stage, ana, claim))
    with pytest.raises(FenceLost):
        recording.outcome()


def test_handed_back_a_build_is_free_and_its_token_dead(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    claim = _claimed(ana, 1)
    ana.claims.hand_back_build(claim)
    assert _claimed(bob, 1).token == claim.token + 2
    ana.claims.hand_back_build(claim)
    assert bob.claims.open_builds()[1] is False


# --- making it


def test_a_build_and_its_fate_are_one(stage: Stage, ana: Actor, at: At) -> None:
    number = _index(stage)
    seen: list[tuple[bool, str]] = []
    for point in ("build.made", "build.fenced", "build.committed"):
        at(point, lambda: seen.append((_stands(stage, number), _row(stage, number)[0])))
    with ana.work() as work:
        build_claimed(work, _claimed(ana, number))
    assert seen == [(False, "planned"), (False, "planned"), (True, "carried")]


def test_a_build_whose_token_was_raised_leaves_nothing(
    stage: Stage, ana: Actor, bob: Actor, at: At
) -> None:
    number = _index(stage)
    at("build.made", bob.lead)
    told: list[object] = []

    def tell(event: object) -> None:
        if isinstance(event, Built):
            told.append(event)

    with ana.work(tell) as work:
        build_claimed(work, _claimed(ana, number))
    assert (_stands(stage, number), _row(stage, number)[0], told) == (False, "planned", [])
    with bob.work(tell) as work:
        build_claimed(work, _claimed(bob, number))
    assert (_stands(stage, number), _row(stage, number)[0], len(told)) == (True, "carried", 1)


def test_one_claimed_when_the_run_was_just_cancelled_is_not_made(
    stage: Stage, ana: Actor, bob: Actor
) -> None:
    """Its member read the orders before: cancelling raised the tokens of what was claimed then."""
    bob.lead().move(bob.heart, Status.CANCELLED)
    number = _index(stage)
    with ana.work() as work:
        build_claimed(work, _claimed(ana, number))
    assert not _stands(stage, number)
    assert bob.claims.open_builds()[number] is False


def _claimed(actor: Actor, number: int) -> BuildClaim:
    claim = actor.claims.claim_build(number)
    assert claim is not None
    return claim


def _build(stage: Stage, number: int) -> Build:
    return stage.plan.builds[number - 1]


def _index(stage: Stage) -> int:
    return Yard(stage).number(BuildKind.INDEX, "child")


def _record(what: str, stage: Stage, actor: Actor, claim: BuildClaim) -> None:
    if what == "added":
        actor.claims.mark_added(claim)
    else:
        actor.claims.set_fate(claim, _build(stage, claim.number).fate, seconds=0)


def _row(stage: Stage, number: int) -> tuple[str, bool]:
    fate = stage.one("SELECT fate FROM mudanza.object WHERE object = %s", number)
    added = stage.one("SELECT added FROM mudanza.object WHERE object = %s", number)
    return fate, added


def _stands(stage: Stage, number: int) -> bool:
    name = _build(stage, number).name
    return bool(stage.one("SELECT to_regclass(%s) IS NOT NULL", name))
