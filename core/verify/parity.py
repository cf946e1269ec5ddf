"""Verification from beginning to end: the source as it is now against the target.

Both sides stand still while they are compared: the source as a page copy (the run's own,
if the source still is what it holds), the target under one REPEATABLE READ transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import apsw

from core.errors import RunUnfinished, RunUnknown
from core.plan import Plan, TablePlan, from_json
from core.schema import Database, read_postgres, read_sqlite
from core.schema.model import Table
from core.schema.reading import table_source
from core.server.connection import Connection, Target, connect, translated
from core.source.opening import SourceFile
from core.source.rows import KeyKind
from core.source.rows import count_rows as source_rows
from core.source.snapshot import discard_snapshot, take_snapshot, verify_snapshot
from core.source.unchanged import still_holds
from core.transfer.ledger import Ledger
from core.transfer.model import Run, Way
from core.transfer.prepare import snapshot_connection
from core.transfer.report import count_rows
from core.transfer.states import Status
from core.values.storage import pack, raw_bytes, shown_key, storage_class, unpack
from core.verify.aggregates import compare_aggregates
from core.verify.model import (
    Difference,
    DifferenceKind,
    EditedCell,
    Level,
    ParityReport,
    QueryParity,
    Relation,
    TableParity,
)
from core.verify.provers import Provers, Standstill
from core.verify.relations import compare_relations, shape_problems
from core.verify.rows import compare_rows
from core.verify.sides import Aside, SourceSide, TargetSide
from core.verify.views import Ask, compare_views

Tell = Callable[[TableParity], None]
SAMPLES = 20
POSITION = KeyKind.POSITION
_COLUMN_LEFT = ("unreadable_column", "no_counterpart", "computed_there")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be verified. ``run``: compare that run's own snapshot, whatever
    the source has become. ``reveal``: show the differing values instead of masks. ``way``: which path
    the source's values go."""

    source: SourceFile
    target: Target
    home: Path
    schema: str = "public"
    level: Level = Level.FULL
    run: UUID | None = None
    samples: int = SAMPLES
    reveal: bool = False
    way: Way = Way.AUTO


def verify(request: Request, tell: Tell = lambda _: None) -> ParityReport:
    """Compare both sides. Raises MudanzaError when they cannot be compared; that they
    differ is the report's to say."""
    began = time.monotonic()
    target = request.target
    with connect(target, autocommit=True) as connection, translated(target):
        ledger = Ledger(connection)
        ledger.require(target.shown)
        run = _run(ledger, request)
        if run.status is not Status.COMPLETE:
            raise RunUnfinished(run=run.run, status=run.status)
        plan = from_json(Plan, run.plan)
        with (
            _provers(request, plan) as quick,
            _source_copy(run, request) as (path, sha256),
            _standing_still(connection, run, plan, path, request) as sides,
        ):
            report = _report(sides, quick, tell, moved=sha256 != run.snapshot_sha256)
    return replace(report, seconds=time.monotonic() - began)


def _run(ledger: Ledger, request: Request) -> Run:
    if request.run is not None:
        return ledger.run(request.run)
    run = ledger.live_run(request.schema)
    if run is None:
        raise RunUnknown(run=request.schema, target=request.target.shown)
    return run


@contextmanager
def _source_copy(run: Run, request: Request) -> Iterator[tuple[Path, str]]:
    """The pages to compare, and their digest."""
    if request.run is not None:
        path = Path(run.snapshot_path)
        verify_snapshot(path, run.snapshot_sha256, run=str(run.run))
        yield path, run.snapshot_sha256
        return
    own = Path(run.snapshot_path)
    if still_holds(request.source, own, run.snapshot_sha256):
        yield own, run.snapshot_sha256
        return
    path = request.home / "snapshots" / f"{uuid4()}.sqlite"
    try:
        yield path, take_snapshot(request.source, path).sha256
    finally:
        discard_snapshot(path)


def _provers(request: Request, plan: Plan) -> AbstractContextManager[Provers | None]:
    """The processes of the quick proof, where it is worth their loading."""
    wanted = request.level.includes(Level.ROWS) and request.way.by_columns(plan)
    return Provers() if wanted else nullcontext()


@contextmanager
def _standing_still(
    connection: Connection, run: Run, plan: Plan, path: Path, request: Request
) -> Iterator[_Sides]:
    with snapshot_connection(path) as source, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield _Sides(
            source=source,
            path=path,
            connection=connection,
            ledger=Ledger(connection),
            run=run,
            plan=plan,
            request=request,
            source_schema=read_sqlite(source).database,
            target_schema=read_postgres(connection, plan.schema),
        )


def _report(sides: _Sides, quick: Provers | None, tell: Tell, *, moved: bool) -> ParityReport:
    if moved:
        quick = None  # the census, on which the quick proof relies, is of another state
    if quick is not None:
        quick.begin(sides.standstill(), sides.maybe_equal())
    tables: list[TableParity] = []
    for table in sides.plan.tables:
        tables.append(sides.table(table, quick))
        tell(tables[-1])
    for added in sides.added():
        tables.append(added)
        tell(added)
    return ParityReport(
        run=sides.run.run,
        level=sides.request.level,
        tables=tuple(tables),
        relations=tuple(sides.relations()),
        queries=tuple(sides.views()),
        moved=moved,
    )


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """Both sides, standing still, and what is known of them."""

    source: apsw.Connection
    path: Path
    connection: Connection
    ledger: Ledger
    run: Run
    plan: Plan
    request: Request
    source_schema: Database
    target_schema: Database

    def standstill(self) -> Standstill:
        """What a quick proof needs to see the same."""
        row = self.connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        return Standstill(
            snapshot=str(self.path),
            conninfo=self.request.target.conninfo,
            shown=self.request.target.shown,
            schema=self.plan.schema,
            view=str(row[0]),
        )

    def maybe_equal(self) -> list[TablePlan]:
        """The tables of which every row may be the same on both sides: they have their shape
        on both, and nothing was set aside."""
        quarantine = self.ledger.quarantine(self.run.run)
        aside = {*quarantine.counts(), *quarantine.altered_counts(), *quarantine.edit_counts()}
        return [t for t in self.plan.tables if t.number not in aside and not self._shape(t)]

    def aside(self, table: TablePlan) -> Aside:
        """What the ledger says of the table's rows that did not simply arrive."""
        quarantine = self.ledger.quarantine(self.run.run)
        number = table.number
        return Aside(
            quarantine.rows(number), quarantine.repaired(number), quarantine.altered(number)
        )

    def table(self, table: TablePlan, quick: Provers | None) -> TableParity:
        """One table of the plan, as far as the level asks."""
        aside = self.aside(table)
        edits = tuple(self._edits(table, aside)) if aside.repaired else ()
        parity = TableParity(
            name=table.name,
            target=table.target,
            rows_source=0,
            rows_target=0,
            quarantined=len(aside.quarantined),
            altered=len(aside.altered),
            edited=len({edit.key for edit in edits}),
            edits=edits[: self.request.samples],
            differences=0,
        )
        problems = self._shape(table)
        if problems:
            # Reading a table of another shape would compare the wrong things.
            return replace(
                parity,
                differences=len(problems),
                samples=tuple(Difference(kind=DifferenceKind.SHAPE, key=p) for p in problems),
            )
        return self._with_left_out(table, self._looked_at(table, quick, parity, aside))

    def _looked_at(
        self,
        table: TablePlan,
        quick: Provers | None,
        parity: TableParity,
        aside: Aside,
    ) -> TableParity:
        if not self.request.level.includes(Level.ROWS):
            return self._counted(table, parity)
        rows = None if quick is None else quick.rows(table)
        if rows is not None:
            return self._agreed(table, parity, rows)
        return self._compared(table, parity, aside)

    def _edits(self, table: TablePlan, aside: Aside) -> Iterator[EditedCell]:
        """The values that hold in rows which came out of the quarantine, if they are others
        than the source's."""
        quarantine = self.ledger.quarantine(self.run.run)
        last = {(e.source_key, e.column): e for e in quarantine.edits(table=table.number)}
        for (key, column), edit in last.items():
            repair = aside.repaired.get(key)
            place = [c.source for c in table.columns].index(column)
            if repair is None or pack((unpack(repair.row)[place],)) == edit.after_packed:
                continue
            own = unpack(repair.row)[place]
            before, after = raw_bytes(own), edit.after_raw
            yield EditedCell(
                key=shown_key(unpack(key)),
                column=column,
                source=self._said(storage_class(own), before),
                target=self._said(edit.after_class, after),
                by=edit.edited_by,
                at=edit.edited_at,
                reason=edit.reason,
            )

    def _said(self, kind: str, raw: bytes) -> str:
        if kind == "null":
            return "NULL"
        text = raw.decode(errors="backslashreplace")
        return text if self.request.reveal else _masked(text)

    def added(self) -> Iterator[TableParity]:
        """Tables that the source has and the plan never heard of."""
        known = {t.name for t in self.plan.tables}
        encoding = self.source_schema.encoding
        known |= {o.name for o in self.plan.objects if o.kind == "table"}
        for table in self.source_schema.tables:
            if table.is_copied and table.name not in known:
                yield TableParity(
                    name=table.name,
                    target="",
                    rows_source=source_rows(self.source, table_source(table, encoding, ())),
                    rows_target=0,
                    quarantined=0,
                    differences=1,
                    samples=(Difference(kind=DifferenceKind.SHAPE, key="not in the plan"),),
                )

    def relations(self) -> Iterator[Relation]:
        """Keys, foreign keys, indexes and sequences, when the level asks."""
        if self.request.level.includes(Level.RELATIONS):
            fates = self.ledger.build_fates(self.run.run, len(self.plan.builds))
            yield from compare_relations(self.connection, self.plan, fates, self.target_schema)

    def views(self) -> Iterator[QueryParity]:
        """What each view shows, when values are compared."""
        if not self.plan.views or not self.request.level.includes(Level.ROWS):
            return
        ask = Ask(
            samples=self.request.samples,
            aside=self.ledger.quarantine(self.run.run).counts(),
            encoding=self.source_schema.encoding,
        )
        fates = self.ledger.build_fates(self.run.run, len(self.plan.builds))
        with snapshot_connection(self.path) as source:
            for found in compare_views(source, self.connection, self.plan, fates, ask):
                samples = (self._shown(replace(d, key=self._key(d))) for d in found.samples)
                yield replace(found, samples=tuple(samples))

    def _key(self, difference: Difference) -> str:
        """A row of a view has no key: all of its values name it."""
        is_plain = self.request.reveal or difference.kind is DifferenceKind.SHAPE
        return difference.key if is_plain else _masked(difference.key)

    def _shape(self, table: TablePlan) -> list[str]:
        found = next((t for t in self.target_schema.tables if t.name == table.target), None)
        own = next((t for t in self.source_schema.tables if t.name == table.name), None)
        left = {o.name for o in self.plan.objects if o.reason in _COLUMN_LEFT}
        return [*_source_problems(table, own, left), *shape_problems(table, found)]

    def _with_left_out(self, table: TablePlan, parity: TableParity) -> TableParity:
        """The same with the rows that the table's filter passes over, counted by itself."""
        if not table.source.where:
            return parity
        everything = replace(table.source, where=f"({table.source.where}) IS NOT TRUE")
        left_out = source_rows(self.source, everything)
        return replace(parity, rows_source=parity.rows_source + left_out, left_out=left_out)

    def _counted(self, table: TablePlan, parity: TableParity) -> TableParity:
        ours = source_rows(self.source, table.source)
        theirs = count_rows(self.connection, self.plan.schema, table)
        found = _count_difference(ours, theirs, parity.quarantined)
        return replace(
            parity,
            rows_source=ours,
            rows_target=theirs,
            differences=abs(ours - theirs - parity.quarantined),
            samples=found,
        )

    def _compared(self, table: TablePlan, parity: TableParity, aside: Aside) -> TableParity:
        ours = SourceSide(self.source, table, aside)
        theirs = TargetSide(self.connection, self.plan.schema, table)
        wanted = self.request.samples
        count, found = compare_rows(table, ours, theirs, samples=wanted)
        named = [*ours.problems, *found]
        count += len(ours.problems)
        disagreements = self._disagreements(table, aside)
        # Rows that differ make the sums differ as well; sums that differ alone
        # accuse the comparison of rows itself.
        count = count or len(disagreements)
        named.extend(disagreements)
        return replace(
            parity,
            rows_source=ours.rows,
            rows_target=theirs.rows,
            differences=count,
            samples=tuple(self._shown(difference) for difference in named[:wanted]),
            values=theirs.rows * len(table.columns),
        )

    def _agreed(self, table: TablePlan, parity: TableParity, rows: int) -> TableParity:
        """A table of which every value is proven; what the engines say of it is asked still."""
        disagreements = self._disagreements(table, _NOTHING)
        return replace(
            parity,
            rows_source=rows,
            rows_target=rows,
            differences=len(disagreements),
            samples=tuple(self._shown(d) for d in disagreements[: self.request.samples]),
            values=rows * len(table.columns),
        )

    def _disagreements(self, table: TablePlan, aside: Aside) -> list[Difference]:
        """What the engines themselves say differently, when the level asks."""
        if not self.request.level.includes(Level.FULL) or table.source.key.kind is POSITION:
            return []
        with snapshot_connection(self.path) as source:
            source.execute("PRAGMA query_only = OFF")  # of a read-only file: temporary tables
            schema = self.plan.schema
            return list(
                compare_aggregates(
                    source, self.connection, schema, table, aside.quarantined, aside.columns
                )
            )

    def _shown(self, difference: Difference) -> Difference:
        if self.request.reveal or difference.kind is DifferenceKind.SHAPE:
            return difference
        return replace(
            difference, source=_masked(difference.source), target=_masked(difference.target)
        )


_NOTHING = Aside({}, {}, frozenset())


def _source_problems(table: TablePlan, found: Table | None, left: set[str]) -> list[str]:
    """Columns the plan reads and the source no longer has, or has since got; ``left``
    are those that the plan says it left behind."""
    if found is None:
        return ["table gone from the source"]
    names = {column.name for column in found.columns}
    planned = {column.source for column in table.columns}
    gone = [f"{name} gone from the source" for name in planned - names]
    new = [
        f"{name} not in the plan" for name in names - planned if f"{found.name}.{name}" not in left
    ]
    return sorted([*gone, *new])


def _count_difference(ours: int, theirs: int, quarantined: int) -> tuple[Difference, ...]:
    if ours == theirs + quarantined:
        return ()
    return (Difference(kind=DifferenceKind.COUNT, source=str(ours), target=str(theirs)),)


def _masked(value: str) -> str:
    """That there is a value, and how long it is; not what it is."""
    return value if value in ("", "NULL") else f"•••({len(value)})"
