"""From a source file to a snapshot, its census and a plan: nothing of the target yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import apsw

from core.assess.acceptances import check_acceptances, settled
from core.census import RANGE_ROWS, Census, take_census
from core.errors import AdoptNoTarget, SourceHasNoTables, ZoneUnknown
from core.plan import NO_CHOICES, Choices, Plan, check_fit, make_plan, overlaid
from core.plan.adopt import adopt
from core.plan.amend import require_nullable
from core.plan.counterparts import Counterparts, counterparts, kinds_wanted
from core.schema.filters import check_filter
from core.schema.model import Database, Table
from core.schema.sqlite import Reading, read_sqlite
from core.source.integrity import check_integrity
from core.source.opening import SourceFile
from core.source.reading import reading
from core.source.snapshot import (
    Snapshot,
    accept_collations,
    copy_pages,
    open_snapshot,
    seal,
)
from core.transfer.adopting import (
    Survey,
    refuse_holding_nothing,
    refuse_other_versions,
    source_versions,
)
from core.transfer.events import CensusTaken, Event, Scanned, SnapshotTaken
from core.transfer.model import Way
from core.values.temporal import zone_known

Narrow = Callable[[list[str]], Choices]
"""From the names of a source's ordinary tables to further choices."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that is known before a run touches its target. ``notes`` are what
    SQLite's own check had to say that does not stop a copy."""

    snapshot: Snapshot
    reading: Reading
    census: Census
    plan: Plan
    notes: tuple[str, ...]


@contextmanager
def snapshot_connection(path: Path, *, run: str = "?") -> Iterator[apsw.Connection]:
    """A snapshot to read from; what SQLite raises names the file."""
    connection = open_snapshot(path, run=run)
    try:
        with reading(path):
            accept_collations(connection)
            yield connection
    finally:
        connection.close()


def prepare(
    source: SourceFile,
    snapshot_path: Path,
    *,
    schema: str,
    choices: Choices = NO_CHOICES,
    choices_path: str = "",
    narrow: Narrow | None = None,
    range_rows: int = RANGE_ROWS,
    way: Way = Way.AUTO,
    there: Survey | None = None,
    tell: Callable[[Event], None] = lambda _: None,
) -> Prepared:
    """Copy the source's pages to ``snapshot_path``, check them, scan them, plan.

    ``narrow`` is told the names of the ordinary tables and returns choices that are
    laid over ``choices``; ``there`` is what stands in the target, for a plan that adopts it.
    Raises SourceHasNoTables, PlanDoesNotFit, AcceptanceUnknown, AcceptanceNowhere,
    AdoptRefused, FilterRefused, and what a snapshot raises; the snapshot is then removed by
    the caller.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as beside, ExitStack() as opened:
        if way.counts_by_columns(source.bytes):
            beside.submit(_load_arrow)
        began = time.monotonic()
        copied = copy_pages(source, snapshot_path)
        tell(SnapshotTaken(bytes=copied.bytes, seconds=time.monotonic() - began))
        sealed = beside.submit(seal, copied)
        check = opened.enter_context(_checked_meanwhile(copied.path, source.path))
        connection = opened.enter_context(snapshot_connection(copied.path))
        found = read_sqlite(connection)
        if not found.database.tables:
            raise SourceHasNoTables(path=source.path)
        if narrow is not None:
            ordinary = (t for t in found.database.tables if t.is_copied)
            choices = overlaid(choices, narrow([t.name for t in ordinary]))
        check_fit(choices, found.database, choices_path)
        for name, where in choices.filters.items():
            check_filter(connection, _table(found.database, name), where)
        pairs = _pairs(connection, found.database, choices, there)
        began = time.monotonic()
        census = take_census(
            connection,
            found.database,
            lambda table, rows: tell(Scanned(table=table, rows=rows)),
            range_rows=range_rows,
            by_columns=way.counts_by_columns(copied.bytes),
            filters=choices.filters,
            also={} if pairs is None else kinds_wanted(pairs),
        )
        took = time.monotonic() - began
        plan = make_plan(found.database, census, schema=schema, choices=choices, notes=found.notes)
        if pairs is not None and there is not None:
            plan = adopt(plan, found.database, census, choices, there.found, pairs)
            refuse_holding_nothing(connection, plan)
        require_nullable(plan, choices_path)
        check_acceptances(plan, found.database, found.notes, choices_path)
        notes, check_seconds = check.result()
        tell(CensusTaken(seconds=took, check_seconds=check_seconds))
        snapshot = sealed.result()
        return Prepared(
            snapshot=snapshot, reading=found, census=census, plan=settled(plan), notes=notes
        )


def _pairs(
    snapshot: apsw.Connection, database: Database, choices: Choices, there: Survey | None
) -> Counterparts | None:
    """What belongs together on both sides, for a plan that adopts; None for any other.
    Raises AdoptRefused, ZoneUnknown."""
    if choices.zone and not zone_known(choices.zone):
        raise ZoneUnknown(zone=choices.zone)
    if not choices.adopt:
        return None
    if there is None:
        raise AdoptNoTarget
    refuse_other_versions(source_versions(snapshot, database), there.versions)
    return counterparts(database, there.found, choices)


def _table(database: Database, name: str) -> Table:
    return next(t for t in database.tables if t.name == name)


def _load_arrow() -> None:
    """It takes a third of a second, which the copying of pages leaves to others."""
    import_module("core.census.by_columns")


Checked = tuple[tuple[str, ...], float]
"""What SQLite's own check had to say, and how many seconds it took."""


@contextmanager
def _checked_meanwhile(snapshot: Path, source: Path) -> Iterator[Future[Checked]]:
    """SQLite's own check beside other work, by a connection that knows no collation but
    SQLite's. Whatever fails meanwhile, damage is the reason to name."""
    with (
        closing(open_snapshot(snapshot)) as connection,
        ThreadPoolExecutor(1, thread_name_prefix="integrity") as pool,
    ):
        check = pool.submit(_checked, connection, source)
        try:
            yield check
        except Exception:
            check.result()
            raise
        except BaseException:
            connection.interrupt()  # nobody waits for its answer any more
            raise


def _checked(connection: apsw.Connection, source: Path) -> Checked:
    began = time.monotonic()
    return check_integrity(connection, source, quick=True), time.monotonic() - began
