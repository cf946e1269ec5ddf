"""Rows of the quarantine tried again, under the plan as a person has mended it.

One transaction: the rows that have a place now go in, leave the quarantine for its
history, and are counted in their ranges; the run gets its new plan and exit code. Its
last statement is the fence. What still does not fit stays, with its new reason.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from core.failpoints import failpoint
from core.plan import (
    NO_CHOICES,
    BuildKind,
    Choices,
    Fate,
    ObjectFate,
    Plan,
    TablePlan,
    digest,
    to_json,
    write_document,
)
from core.plan.amend import Change, amended, changes
from core.plan.ddl import qualified
from core.source.rows import Row, quoted
from core.transfer.borne import require_borne, retype
from core.transfer.constraints import Constraints
from core.transfer.convert import Encoded, TableConverter, copy_tuple
from core.transfer.ledger import Ledger
from core.transfer.membership import who
from core.transfer.model import AlteredCell, BadCell, QuarantineEntry
from core.transfer.quarantine import ALL, RowId, Selection, Values
from core.transfer.quiet import triggers_quiet
from core.transfer.report import exit_code_of
from core.transfer.resting import Resting, at_rest
from core.transfer.steering import Place
from core.transfer.writer import Writer
from core.values.storage import pack, unpack

_DUPLICATE = "23505"


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """Which rows are to be tried again, under which choices. ``dry_run``: all of it is
    done, and undone."""

    place: Place
    selection: Selection = ALL
    choices: Choices = NO_CHOICES
    choices_path: str = ""
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class TableReplay:
    """What became of a table's rows: ``edited`` are those of the ``arrived`` with a value
    that a person put in place; ``stayed`` counts those that were tried in vain by reason."""

    name: str
    target: str
    arrived: int
    edited: int
    stayed: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """What a replay did. ``objects``: foreign keys and checks whose fate is another now;
    ``quarantined``: rows that are left in quarantine, of all tables."""

    run: UUID
    changes: tuple[Change, ...]
    tables: tuple[TableReplay, ...]
    objects: tuple[ObjectFate, ...]
    quarantined: int
    exit_code_before: int
    exit_code: int
    dry_run: bool

    @property
    def arrived(self) -> int:
        """Rows that are in the target now."""
        return sum(table.arrived for table in self.tables)


def replay(request: ReplayRequest) -> ReplayReport:
    """Try quarantined rows again.

    Raises RunUnfinished, RunHeld, PlanDoesNotFit, RuleChangesRows, TypeNotCastable,
    SnapshotLost; then nothing has changed.
    """
    with at_rest(request.place) as resting:
        found = changes(resting.plan, request.choices, request.choices_path)
        for change in found:
            require_borne(resting, change)
        plan = amended(resting.plan, found)
        tries = list(_tries(resting, _Stored(resting, plan), request.selection))
        with resting.connection.transaction(force_rollback=request.dry_run):
            report = _Replay(resting, plan, found).carry(tries)
        failpoint("replay.committed")
    return replace(report, dry_run=request.dry_run)


# --- converting -------------------------------------------------------------------------


@dataclass
class _Try:
    """A table's rows, converted anew: those that may go in, by their packed keys, and those
    that still do not fit."""

    table: TablePlan
    entries: dict[bytes, QuarantineEntry]
    plain: list[Encoded] = field(default_factory=list)
    edited: list[Encoded] = field(default_factory=list)
    altered: list[AlteredCell] = field(default_factory=list)
    misfits: dict[bytes, tuple[str, str, tuple[BadCell, ...]]] = field(default_factory=dict)


class _Stored:
    """A plan's tables without the columns that the server computes by now: it takes no value
    for one."""

    def __init__(self, resting: Resting, plan: Plan) -> None:
        self.plan = plan
        fates = Ledger(resting.connection).build_fates(resting.run.run, len(plan.builds))
        self._computed = {
            (build.table, column)
            for number, build in enumerate(plan.builds, start=1)
            if build.kind is BuildKind.GENERATED
            and number in fates
            and fates[number].fate is not Fate.NOT_CARRIED
            for column, _ in build.terms
        }

    def table(self, table: TablePlan) -> TablePlan:
        """The table with the columns that rows are written into."""
        stored = tuple(c for c in table.columns if (table.name, c.source) not in self._computed)
        return replace(table, columns=stored)


def _tries(resting: Resting, stored: _Stored, selection: Selection) -> Iterator[_Try]:
    """The selected rows by table, parents before children."""
    values = resting.quarantine.edited_values()
    by_table: dict[int, list[QuarantineEntry]] = defaultdict(list)
    for entry in resting.quarantine.entries(selection):
        by_table[entry.table_number].append(entry)
    for table in _parents_first(stored.plan):
        if entries := by_table[table.number]:
            yield _converted(table, stored.table(table), entries, values)


def _converted(
    table: TablePlan,
    stored: TablePlan,
    entries: Sequence[QuarantineEntry],
    values: Mapping[RowId, Values],
) -> _Try:
    converter = TableConverter(table)
    written = {column.source for column in stored.columns}
    tried = _Try(stored, {entry.source_key: entry for entry in entries})
    for entry in entries:
        key, source = unpack(entry.source_key), unpack(entry.row)
        row = edited_row(table, source, values.get((table.number, entry.source_key), {}))
        fields = converter.fields(row)
        if isinstance(fields, tuple):
            tried.misfits[entry.source_key] = (fields[0].reason, "", fields)
            continue
        into = tried.plain if row == source else tried.edited
        held = [f for c, f in zip(table.columns, fields, strict=True) if c.source in written]
        into.append(Encoded(key, row, copy_tuple(held)))
        tried.altered.extend(AlteredCell(key, cell) for cell in converter.altered(row))
    return tried


def edited_row(table: TablePlan, row: Row, values: Values) -> Row:
    """A row of the source with the values that a person put in place."""
    if not values:
        return row
    return tuple(
        values.get(column.source, value) for column, value in zip(table.columns, row, strict=True)
    )


def _parents_first(plan: Plan) -> list[TablePlan]:
    """The tables, each after those that it refers to, as far as that can be."""
    parents: dict[str, list[str]] = defaultdict(list)
    for build in plan.builds:
        if build.kind is BuildKind.FOREIGN_KEY:
            parents[build.table].append(build.parent)
    ordered: dict[str, None] = {}
    visited: set[str] = set()

    def visit(name: str) -> None:
        if name not in visited:
            visited.add(name)
            for parent in parents[name]:
                visit(parent)
            ordered[name] = None

    for table in plan.tables:
        visit(table.name)
    return [plan.table(name) for name in ordered]


# --- the transaction --------------------------------------------------------------------


class _Replay:
    """One replay, within the transaction of its caller."""

    def __init__(self, resting: Resting, plan: Plan, changed: tuple[Change, ...]) -> None:
        self._resting = resting
        self._connection = resting.connection
        self._plan = plan
        self._changed = changed
        self._constraints = Constraints(resting.connection, resting.run.run, plan)

    def carry(self, tries: Sequence[_Try]) -> ReplayReport:
        """Do all of it. Raises LeaseLost."""
        self._prepare()
        with triggers_quiet(self._connection, self._plan):
            tables = tuple(self._table(each) for each in tries)
        failpoint("replay.written")
        arrived = {
            tried.table.name for tried, done in zip(tries, tables, strict=True) if done.arrived
        }
        objects = self._constraints.settle(arrived)
        self._raise_sequences(arrived)
        return self._close(tables, objects)

    def _prepare(self) -> None:
        connection, run = self._connection, self._resting.run
        milliseconds = str(int(self._resting.limits.build * 1000))
        connection.execute("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))
        # So that what a row breaks is known while something can be done about it.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        row = connection.execute(
            "INSERT INTO mudanza.replay (run, replay, plan, plan_document, plan_sha256, exit_code,"
            " changes, rows_arrived, rows_left, replayed_by)"
            " SELECT %s, coalesce(max(replay), 0) + 1, %s, %s, %s, %s, %s, 0, 0, %s"
            " FROM mudanza.replay WHERE run = %s RETURNING replay",
            (
                run.run,
                run.plan,
                run.plan_document,
                run.plan_sha256,
                run.exit_code,
                json.dumps([_written(change) for change in self._changed]),
                who(),
                run.run,
            ),
        ).fetchone()
        assert row is not None
        self._number = int(str(row[0]))
        for change in self._changed:
            if change.is_retyped:
                retype(connection, self._plan.schema, change)
            self._say_type(change)

    def _say_type(self, change: Change) -> None:
        """The column's fate in the ledger: a person chose its type and rule."""
        fate = next(
            o for o in self._plan.objects if o.name == change.name and o.reason == "type_chosen"
        )
        facts = json.dumps(fate.facts)
        updated = self._connection.execute(
            "UPDATE mudanza.object SET fate = %s, reason = %s, facts = %s, counts = false"
            " WHERE run = %s AND kind = 'column' AND name = %s AND facts::jsonb ? 'type'",
            (fate.fate.value, fate.reason, facts, self._resting.run.run, fate.name),
        )
        if not updated.rowcount:
            self._connection.execute(
                "INSERT INTO mudanza.object (run, object, kind, name, table_name, fate, reason, facts)"
                " SELECT run, max(object) + 1, 'column', %s, %s, %s, %s, %s FROM mudanza.object"
                " WHERE run = %s GROUP BY run",
                (fate.name, fate.table, fate.fate.value, fate.reason, facts, self._resting.run.run),
            )

    # --- rows

    def _table(self, tried: _Try) -> TableReplay:
        table = tried.table
        writer = Writer(self._connection, self._plan.schema, table)
        # The source's own rows go in even where they break a foreign key or a check, as when
        # they were copied; what a person put in place must hold.
        refused = [
            *writer.write(tried.plain, self._constraints.give_way),
            *writer.write(tried.edited),
        ]
        for each in refused:
            duplicate = each.detail == _DUPLICATE
            reason, detail = ("duplicate_key", "") if duplicate else (each.reason, each.detail)
            tried.misfits[pack(each.key)] = (reason, detail, ())
        arrived = [key for key in tried.entries if key not in tried.misfits]
        self._move(table, arrived)
        self._stay(tried)
        altered = [each for each in tried.altered if pack(each.key) not in tried.misfits]
        self._resting.quarantine.add_altered(table.number, altered)
        self._count(tried, arrived)
        edited = {pack(row.key) for row in tried.edited}
        return TableReplay(
            name=table.name,
            target=table.target,
            arrived=len(arrived),
            edited=len(edited.intersection(arrived)),
            stayed=Counter(reason for reason, _, _ in tried.misfits.values()),
        )

    def _move(self, table: TablePlan, keys: list[bytes]) -> None:
        """From the quarantine to its history."""
        moved = self._connection.execute(
            "WITH gone AS (DELETE FROM mudanza.quarantine WHERE run = %(run)s"
            " AND table_number = %(table)s AND source_key = ANY (%(keys)s) RETURNING *)"
            " INSERT INTO mudanza.quarantine_past (run, replay, range, table_number, source_key,"
            " key_shown, reason, detail, row, cells, quarantined_at)"
            " SELECT run, %(replay)s, range, table_number, source_key, key_shown, reason, detail, row,"
            " coalesce((SELECT json_agg(json_build_object('column', column_name, 'storage_class',"
            " storage_class, 'raw', encode(raw, 'hex'), 'rule', rule, 'reason', c.reason)"
            " ORDER BY column_name) FROM mudanza.quarantine_cell c"
            " WHERE (c.run, c.table_number, c.source_key)"
            " = (gone.run, gone.table_number, gone.source_key)), '[]')::text, quarantined_at"
            " FROM gone",
            {
                "run": self._resting.run.run,
                "table": table.number,
                "keys": keys,
                "replay": self._number,
            },
        )
        assert moved.rowcount == len(keys), "a row left the quarantine by another hand"

    def _stay(self, tried: _Try) -> None:
        """Write down why rows stay, where that is another reason than before."""
        run, number = self._resting.run.run, tried.table.number
        for key, said in tried.misfits.items():
            entry = tried.entries[key]
            if (entry.reason, entry.detail, entry.cells) == said:
                continue
            reason, detail, cells = said
            self._connection.execute(
                "UPDATE mudanza.quarantine SET reason = %s, detail = %s"
                " WHERE run = %s AND table_number = %s AND source_key = %s",
                (reason, detail, run, number, key),
            )
            self._connection.execute(
                "DELETE FROM mudanza.quarantine_cell"
                " WHERE run = %s AND table_number = %s AND source_key = %s",
                (run, number, key),
            )
            self._resting.quarantine.add_cells(
                "quarantine_cell", [((number, key), cell) for cell in cells]
            )

    def _count(self, tried: _Try, arrived: list[bytes]) -> None:
        """A line per range: it reads nothing anew, and writes what was set aside."""
        sizes = {pack(row.key): len(row.tuple) for row in (*tried.plain, *tried.edited)}
        rows: dict[int, list[int]] = defaultdict(list)
        for key in arrived:
            rows[tried.entries[key].range].append(sizes[key])
        for number, written in rows.items():
            self._connection.execute(
                "WITH counted AS (UPDATE mudanza.range SET chunks = chunks + 1,"
                " rows_written = rows_written + %(rows)s, rows_quarantined = rows_quarantined - %(rows)s"
                " WHERE run = %(run)s AND range = %(range)s RETURNING run, range, chunks, done_to)"
                " INSERT INTO mudanza.chunk (run, range, chunk, lo, rows_read, rows_written,"
                " rows_quarantined, bytes, path, member)"
                " SELECT run, range, chunks, done_to, 0, %(rows)s, -%(rows)s, %(bytes)s, 'exact',"
                " %(member)s FROM counted",
                {
                    "run": self._resting.run.run,
                    "range": number,
                    "rows": len(written),
                    "bytes": sum(written),
                    "member": self._resting.lease.member,
                },
            )

    def _raise_sequences(self, arrived: set[str]) -> None:
        """Past every key that came in: an edited one may be larger than all of the source."""
        for table in self._plan.tables:
            column = next((c for c in table.columns if c.identity), None)
            if table.name not in arrived or column is None:
                continue
            name = qualified(self._plan.schema, table.target)
            found = self._connection.execute(
                "SELECT pg_get_serial_sequence(%s, %s)", (name, column.target)
            ).fetchone()
            if found is not None and found[0] is not None:
                self._connection.execute(
                    f"SELECT setval(%s, m) FROM (SELECT max({quoted(column.target)}) AS m FROM {name}) t,"
                    f" {found[0]} s WHERE m > s.last_value OR (m = s.last_value AND NOT s.is_called)".encode(),
                    (found[0],),
                )

    # --- the end

    def _close(
        self, tables: tuple[TableReplay, ...], objects: tuple[ObjectFate, ...]
    ) -> ReplayReport:
        run, connection = self._resting.run, self._connection
        left = self._resting.quarantine.count()
        connection.execute(
            "UPDATE mudanza.replay SET rows_arrived = %s, rows_left = %s"
            " WHERE run = %s AND replay = %s",
            (sum(t.arrived for t in tables), left, run.run, self._number),
        )
        failpoint("replay.moved")
        exit_code = exit_code_of(connection, run.run, self._plan)
        document = write_document(self._plan)
        self._resting.lease.amend(
            connection,
            plan=to_json(self._plan),
            document=document,
            sha256=digest(document),
            exit_code=exit_code,
        )
        failpoint("replay.fenced")
        return ReplayReport(
            run=run.run,
            changes=self._changed,
            tables=tables,
            objects=objects,
            quarantined=left,
            exit_code_before=run.exit_code or 0,
            exit_code=exit_code,
            dry_run=False,
        )


def _written(change: Change) -> dict[str, str]:
    was, now = change.column, change.conversion
    return {
        "table": change.table.name,
        "column": was.source,
        "type_before": was.type.sql,
        "rule_before": was.rule,
        "type": now.type.sql,
        "rule": now.rule,
    }
