"""Who may repair: one at a time, and nobody while the run is at work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from core import failpoints
from core.errors import MudanzaError, RunHeld, RunUnfinished
from core.transfer.edit import EditRequest, NewValue, edit
from core.transfer.lease import take
from core.transfer.ledger import Ledger
from core.transfer.quarantine import Selection
from core.transfer.replay import ReplayReport, ReplayRequest, replay
from core.transfer.steering import Place
from tests.quarantine.place import LIMITS, Migrated, choices
from tests.transfer.running import asked, interrupted, source_of

MENDED = choices(("person", "born", "timestamp", "iso|epoch:s|null"))


@pytest.fixture
def at_work(database: str, tmp_path: Path) -> Place:
    """A run of which some chunks are in."""
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);"
    rows = {"t": [(1, "x"), *((n, n) for n in range(2, 40))]}
    request = asked(source_of(tmp_path / "s.db", sql, rows), database, tmp_path)
    interrupted(request, chunks=2)
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT run FROM mudanza.run").fetchone()
    assert row is not None
    return Place(target=request.target, run=row[0], limits=LIMITS)


def test_while_the_run_is_at_work_a_replay_is_refused_by_name(at_work: Place) -> None:
    with pytest.raises(RunUnfinished) as refused:
        replay(ReplayRequest(place=at_work))
    assert (refused.value.facts["run"], refused.value.facts["status"]) == (at_work.run, "copying")


def test_while_the_run_is_at_work_an_edit_is_refused_by_name(at_work: Place) -> None:
    request = EditRequest(
        place=at_work,
        selection=Selection(row="1"),
        column="n",
        value=NewValue(text="1"),
        reason="why",
    )
    with pytest.raises(RunUnfinished):
        edit(request)


def test_two_replays_at_once_carry_each_row_once(shop: Migrated) -> None:
    def one(_: int) -> ReplayReport | MudanzaError:
        try:
            return replay(ReplayRequest(place=shop.place, choices=MENDED))
        except RunHeld as held:
            return held

    with ThreadPoolExecutor(4) as threads:
        ended = list(threads.map(one, range(4)))
    assert sum(each.arrived for each in ended if isinstance(each, ReplayReport)) == 2
    assert shop.all(
        "SELECT id, count(*) FROM person WHERE id IN (21, 22) GROUP BY 1 ORDER BY 1"
    ) == [
        (21, 1),
        (22, 1),
    ]
    assert shop.one("SELECT count(*) FROM mudanza.quarantine_past") == 2
    shop.prove()


def test_while_somebody_repairs_another_is_told_who(
    shop: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    def meanwhile(_: str) -> None:
        monkeypatch.setattr(failpoints, "_armed", [])
        with pytest.raises(RunHeld) as held:
            replay(ReplayRequest(place=shop.place))
        told.append(held.value.facts["pid"])

    _at(monkeypatch, "replay.written", meanwhile)
    replay(ReplayRequest(place=shop.place, choices=MENDED))
    assert len(told) == 1
    assert str(told[0]).endswith(")")
    shop.prove()


def test_who_lost_the_lease_meanwhile_commits_nothing(
    shop: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asleep for longer than its lease, with the rows already written."""

    def taken_over(_: str) -> None:
        monkeypatch.setattr(failpoints, "_armed", [])
        _take(shop)

    _at(monkeypatch, "replay.moved", taken_over)
    with pytest.raises(RunHeld):
        replay(ReplayRequest(place=shop.place, choices=MENDED))
    assert len(shop.aside()) == 5
    assert shop.one("SELECT count(*) FROM mudanza.replay") == 0
    shop.prove()


def test_an_edit_under_a_lost_lease_is_none(
    shop: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_over(_: str) -> None:
        monkeypatch.setattr(failpoints, "_armed", [])
        _take(shop)

    _at(monkeypatch, "edit.written", taken_over)
    with pytest.raises(RunHeld):
        shop.edit("20", "age", NewValue(text="40"))
    assert shop.quarantine.edits() == []


def test_a_run_that_was_replaced_meanwhile_is_not_amended(
    shop: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced(_: str) -> None:
        monkeypatch.setattr(failpoints, "_armed", [])
        shop.do("UPDATE mudanza.run SET status = 'replaced'")

    _at(monkeypatch, "replay.moved", replaced)
    with pytest.raises(RunHeld):
        replay(ReplayRequest(place=shop.place, choices=MENDED))
    assert shop.one("SELECT count(*) FROM mudanza.quarantine") == 5


def test_after_a_repair_nobody_holds_the_run(shop: Migrated) -> None:
    shop.replay()
    assert shop.all("SELECT coordinator, lease_until FROM mudanza.run") == [(None, None)]
    assert shop.one("SELECT count(*) FROM mudanza.member WHERE left_at IS NULL") == 0
    assert shop.one("SELECT count(*) FROM mudanza.session") == 0


def _at(monkeypatch: pytest.MonkeyPatch, point: str, act: object) -> None:
    failpoints.arm("")
    monkeypatch.setattr(failpoints, "_armed", [failpoints._Armed(point, 1, point)])
    monkeypatch.setattr(failpoints, "_act", act)


def _take(shop: Migrated) -> None:
    """Somebody else takes the lease of one who shows no life."""
    from uuid import uuid4

    shop.do("UPDATE mudanza.run SET lease_until = clock_timestamp() - interval '1 second'")
    with psycopg.connect(shop.database, autocommit=True) as other:
        run = Ledger(other).runs()[0].run
        assert take(other, run, uuid4(), seconds=30, by="somebody") is not None
