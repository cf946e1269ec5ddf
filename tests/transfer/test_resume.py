"""Going on with a run: from wherever it broke off, and only if it is the same undertaking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import psycopg
import pytest

from core.errors import (
    OtherSource,
    PlanChanged,
    RunHeld,
    RunUnfinished,
    SnapshotLost,
    WatermarkMoved,
)
from core.plan import Choices, ColumnChoice, TableChoice
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.events import ChunkCommitted, Event, RunBegun
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import EXIT_NO, EXIT_PARTIAL
from core.transfer.states import Status
from core.values.types import Conversion, TargetType
from core.verify import parity
from tests.transfer.running import (
    asked,
    break_off,
    check_ledger,
    interrupted,
    prove,
    source_of,
    table,
)

SQL = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, age INTEGER);
CREATE TABLE pets (owner INTEGER REFERENCES people, name TEXT, PRIMARY KEY (owner, name)) WITHOUT ROWID;
CREATE TABLE log (at TIMESTAMP UNIQUE, said TEXT);
CREATE TABLE vacant (a);
CREATE INDEX people_age ON people (age);
"""
ROWS = {
    "people": [(n, f"name {n}", "old" if n == 5 else n) for n in range(1, 11)],
    "pets": [(n % 7 + 1, f"pet {n}") for n in range(8)],
    # One instant in two spellings: the second one stands aside.
    "log": [(f"2024-01-0{n} 00:00:00", "x") for n in range(1, 6)] + [("2024-01-02", "again")],
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return source_of(tmp_path / "s.db", SQL, ROWS)


def test_broken_off_after_any_event_it_ends_exact(
    source: Path, database: str, tmp_path: Path
) -> None:
    whole: list[Event] = []
    first = migrate(asked(source, database, tmp_path, schema="whole"), whole.append)
    assert first.exit_code == EXIT_PARTIAL
    assert table(first, "log").rows_quarantined == 1
    assert not first.not_carried
    assert len(whole) > 20
    for after in range(len(whole)):
        schema = f"s{after}"
        break_off(asked(source, database, tmp_path, schema=schema), after=after)
        told: list[Event] = []
        again = migrate(asked(source, database, tmp_path, schema=schema), told.append)
        began = next(e for e in told if isinstance(e, RunBegun))
        committed = sum(isinstance(e, ChunkCommitted) for e in whole[: after + 1])
        assert (
            again.resumed
            == began.resumed
            == any(isinstance(e, RunBegun) for e in whole[: after + 1])
        )
        assert sum(isinstance(e, ChunkCommitted) for e in told) == _chunks(whole) - committed
        assert [(t.name, t.rows_target, t.rows_quarantined) for t in again.tables] == [
            (t.name, t.rows_target, t.rows_quarantined) for t in first.tables
        ]
        assert again.objects == first.objects
        prove(source, database, tmp_path, schema=schema)


def _chunks(events: list[Event]) -> int:
    return sum(isinstance(event, ChunkCommitted) for event in events)


def test_broken_off_at_every_chunk_in_turn_it_ends_exact(
    source: Path, database: str, tmp_path: Path
) -> None:
    """One chunk per life."""
    lives = 0
    while True:
        try:
            interrupted(asked(source, database, tmp_path), chunks=1)
            lives += 1
        except AssertionError:
            break
        check_ledger(database)
    assert lives > 8
    prove(source, database, tmp_path)


def test_an_unfinished_run_is_not_verified(source: Path, database: str, tmp_path: Path) -> None:
    interrupted(asked(source, database, tmp_path), chunks=2)
    with pytest.raises(RunUnfinished):
        parity.verify(
            parity.Request(source=inspect(source), target=parse_target(database), home=tmp_path)
        )


def test_the_source_may_move_while_a_run_is_unfinished(
    source: Path, database: str, tmp_path: Path
) -> None:
    """A run carries its snapshot, whenever it is finished."""
    interrupted(asked(source, database, tmp_path), chunks=2)
    _write(source, "DELETE FROM people WHERE id > 3")
    report = migrate(asked(source, database, tmp_path))
    assert table(report, "people").rows_source == 10
    proof = parity.Request(
        source=inspect(source), target=parse_target(database), home=tmp_path, run=report.run
    )
    assert parity.verify(proof).parity


# --- not the same undertaking -------------------------------------------------------

RETYPED = Choices(
    tables={
        "people": TableChoice(
            columns={"age": ColumnChoice(conversion=Conversion(TargetType("text"), "spelled"))}
        )
    }
)
LEFT_OUT = Choices(tables={"vacant": TableChoice(carry=False)})
RENAMED = Choices(tables={"pets": TableChoice(target="animals")})


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("choices", [RETYPED, LEFT_OUT, RENAMED])
def test_another_plan_is_refused(
    choices: Choices, finished: bool, source: Path, database: str, tmp_path: Path
) -> None:
    request = asked(source, database, tmp_path)
    migrate(request) if finished else interrupted(request, chunks=2)
    before = _ledger(database)
    with pytest.raises(PlanChanged):
        migrate(asked(source, database, tmp_path, choices=choices))
    with pytest.raises(PlanChanged):
        migrate(asked(source, database, tmp_path, narrow=lambda _: choices))
    assert _ledger(database) == before


def test_the_same_choices_go_on(source: Path, database: str, tmp_path: Path) -> None:
    interrupted(asked(source, database, tmp_path, choices=RETYPED), chunks=2)
    assert migrate(asked(source, database, tmp_path, choices=RETYPED)).resumed
    assert migrate(asked(source, database, tmp_path)).repeated  # no word is no other word
    prove(source, database, tmp_path)


@pytest.mark.parametrize("damage", ["gone", "one byte"])
def test_a_lost_snapshot_is_refused(
    damage: str, source: Path, database: str, tmp_path: Path
) -> None:
    interrupted(asked(source, database, tmp_path), chunks=2)
    (snapshot,) = (tmp_path / "snapshots").iterdir()
    if damage == "gone":
        snapshot.unlink()
    else:
        pages = bytearray(snapshot.read_bytes())
        pages[-1] ^= 1
        snapshot.chmod(0o600)
        snapshot.write_bytes(pages)
    before = _ledger(database)
    with pytest.raises(SnapshotLost):
        migrate(asked(source, database, tmp_path))
    assert _ledger(database) == before


@pytest.mark.parametrize("finished", [False, True])
def test_another_source_is_refused(
    finished: bool, source: Path, database: str, tmp_path: Path
) -> None:
    request = asked(source, database, tmp_path)
    migrate(request) if finished else interrupted(request, chunks=2)
    other = source_of(tmp_path / "other.db", SQL, ROWS)
    with pytest.raises(OtherSource):
        migrate(asked(other, database, tmp_path))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held runs are waited for a moment instead of ten seconds."""
    monkeypatch.setitem(Ledger.hold.__kwdefaults__, "seconds", 0.3)


@pytest.fixture
def holder(database: str) -> Iterator[psycopg.Connection]:
    """Another process's session, which holds the target schema."""
    with psycopg.connect(database, autocommit=True) as connection:
        Ledger(connection).hold("public")
        yield connection


@pytest.mark.usefixtures("impatient")
def test_a_held_run_is_refused_and_its_holder_named(
    source: Path, database: str, tmp_path: Path
) -> None:
    interrupted(asked(source, database, tmp_path), chunks=2)
    before = _ledger(database)
    with psycopg.connect(database, autocommit=True) as other:
        Ledger(other).hold("public")
        with pytest.raises(RunHeld) as refused:
            migrate(asked(source, database, tmp_path))
        assert refused.value.facts["pid"] == other.info.backend_pid
        assert _ledger(database) == before
        # Another schema is another undertaking.
        migrate(asked(source, database, tmp_path, schema="elsewhere"))
    migrate(asked(source, database, tmp_path))
    prove(source, database, tmp_path)


@pytest.mark.usefixtures("impatient", "holder")
def test_a_schema_held_before_any_ledger_is_refused(
    source: Path, database: str, tmp_path: Path
) -> None:
    with pytest.raises(RunHeld):
        migrate(asked(source, database, tmp_path))
    assert not list(tmp_path.glob("snapshots/*"))


def test_a_stale_process_cannot_commit_a_chunk(source: Path, database: str, tmp_path: Path) -> None:
    """Somebody else carried the next chunk: the watermark is not where we left it."""
    passed: list[int] = []

    def overtake(event: Event) -> None:
        if isinstance(event, ChunkCommitted) and not passed:
            with psycopg.connect(database) as other:
                other.execute(
                    "UPDATE mudanza.range SET done_to = '\\x010000000000000009' WHERE range = 1"
                )
            passed.append(_count(database))

    with pytest.raises(WatermarkMoved):
        migrate(asked(source, database, tmp_path), overtake)
    assert passed == [_count(database)], "nothing of the second chunk was committed"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM mudanza.chunk").fetchone() == (1,)


def test_a_server_that_forgot_the_last_chunk_gets_it_again(
    source: Path, database: str, tmp_path: Path
) -> None:
    """Chunks commit without waiting for the disk: a crash may take the last ones away, rows
    and line together."""
    passed: list[Event] = []

    def forget(event: Event) -> None:
        passed.append(event)
        chunks = [e for e in passed if isinstance(e, ChunkCommitted) and e.table == "people"]
        if len(chunks) == 2 and event is chunks[1]:
            with psycopg.connect(database) as other:
                other.execute("DELETE FROM people WHERE id > 3")
                other.execute("DELETE FROM mudanza.quarantine WHERE key_shown = '5'")
                other.execute("DELETE FROM mudanza.chunk WHERE (range, chunk) = (1, 2)")
                other.execute(
                    "UPDATE mudanza.range SET (done_to, chunks, rows_read, rows_written,"
                    " rows_quarantined) = (SELECT hi, 1, rows_read, rows_written, rows_quarantined"
                    " FROM mudanza.chunk WHERE (range, chunk) = (1, 1)) WHERE range = 1"
                )

    report = migrate(asked(source, database, tmp_path), forget)
    assert report.exit_code == EXIT_PARTIAL
    assert table(report, "people").rows_quarantined == 1
    prove(source, database, tmp_path)


# --- complete runs ------------------------------------------------------------------


def test_a_complete_run_does_nothing_again(source: Path, database: str, tmp_path: Path) -> None:
    first = migrate(asked(source, database, tmp_path))
    before = _ledger(database)
    for _ in range(2):
        told: list[Event] = []
        again = migrate(asked(source, database, tmp_path), told.append)
        assert again.repeated
        assert not again.resumed
        assert (again.run, again.exit_code, again.moved) == (first.run, EXIT_PARTIAL, False)
        assert (again.tables, again.objects) == (first.tables, first.objects)
        assert told == []
    assert _ledger(database) == before


def test_a_complete_run_without_loss_repeats_its_zero(database: str, tmp_path: Path) -> None:
    source = source_of(tmp_path / "c.db", "CREATE TABLE t (a INTEGER)", {"t": [(1,)]})
    assert [migrate(asked(source, database, tmp_path)).exit_code for _ in range(3)] == [0, 0, 0]


def test_a_complete_run_says_that_its_source_moved(
    source: Path, database: str, tmp_path: Path
) -> None:
    first = migrate(asked(source, database, tmp_path))
    _write(source, "INSERT INTO people (name) VALUES ('new')")
    again = migrate(asked(source, database, tmp_path))
    assert (again.run, again.repeated, again.moved) == (first.run, True, True)
    assert again.exit_code == EXIT_NO
    assert again.status is Status.COMPLETE
    assert len(list(tmp_path.glob("snapshots/*"))) == 1, "only the run's own copy remains"


def _write(source: Path, sql: str) -> None:
    connection = apsw.Connection(str(source))
    connection.execute(sql)
    connection.close()


def _ledger(database: str) -> list[object]:
    """All that the ledger says."""
    tables = ("run", "range", "chunk", "object", "quarantine", "quarantine_cell")
    with psycopg.connect(database) as connection:
        return [
            connection.execute(f"SELECT * FROM mudanza.{t} ORDER BY 1, 2, 3".encode()).fetchall()
            for t in tables
        ]


def _count(database: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM people").fetchone()
    assert row is not None
    return int(row[0])
