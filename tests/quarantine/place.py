"""A migrated source with quarantined rows, and what must hold of it at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from core.plan import Choices, ColumnChoice, Plan, TableChoice, from_json
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.edit import EditRequest, NewValue, edit
from core.transfer.migrate import migrate
from core.transfer.model import Limits, QuarantineEntry, RunReport
from core.transfer.quarantine import Quarantine, Selection
from core.transfer.replay import ReplayReport, ReplayRequest, replay
from core.transfer.steering import Place
from core.values.types import Conversion, parse_type
from core.verify import parity
from core.verify.model import ParityReport
from tests.transfer.running import asked, check_ledger, source_of

LIMITS = Limits(lease=30, chunk=20, build=20, lock=8, patience=2)


@dataclass
class Migrated:
    """The source, its target, and the run that carried it."""

    source: Path
    database: str
    home: Path
    report: RunReport
    connection: psycopg.Connection[Any] = field(repr=False)

    @property
    def place(self) -> Place:
        return Place(target=parse_target(self.database), run=self.report.run, limits=LIMITS)

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.connection, self.report.run)

    @property
    def plan(self) -> Plan:
        return from_json(Plan, str(self.one("SELECT plan FROM mudanza.run")))

    def replay(self, *rules: tuple[str, str, str, str], **more: Any) -> ReplayReport:
        """Replay with rules of (table, column, type, rule); promise 1 holds before and after."""
        selection = Selection(**{k: more.pop(k) for k in ("table", "reason", "row") if k in more})
        self.check()
        try:
            return replay(
                ReplayRequest(
                    place=self.place, selection=selection, choices=choices(*rules), **more
                )
            )
        finally:
            self.check()

    def edit(
        self, row: str, column: str, value: NewValue, *, table: str = "", reason: str = "typo"
    ) -> tuple[QuarantineEntry, ...]:
        selection = Selection(table=table, row=row)
        return self.ask(selection=selection, column=column, value=value, reason=reason)

    def ask(self, **more: Any) -> tuple[QuarantineEntry, ...]:
        try:
            return edit(EditRequest(place=self.place, **more))
        finally:
            self.check()

    def again(self, **more: Any) -> RunReport:
        """``migrate`` once more."""
        return migrate(asked(self.source, self.database, self.home, **more))

    def verify(self) -> ParityReport:
        return parity.verify(
            parity.Request(
                source=inspect(self.source),
                target=parse_target(self.database),
                home=self.home,
                reveal=True,
            )
        )

    def prove(self) -> ParityReport:
        report = self.verify()
        assert report.parity, report
        self.check()
        return report

    def check(self) -> None:
        """Promise 1: rows of the source = rows of the target + rows in quarantine; and every
        row that was ever quarantined is in quarantine or in its history."""
        check_ledger(self.database)
        for table in self.plan.tables:
            arrived = self.one(f'SELECT count(*) FROM public."{table.target}"')
            aside = len(self.quarantine.rows(table.number))
            assert table.rows == arrived + aside, table.name
        known = self.one(
            "SELECT (SELECT count(*) FROM mudanza.quarantine)"
            " + (SELECT count(*) FROM mudanza.quarantine_past)"
        )
        assert known == sum(t.rows_quarantined for t in self.report.tables)

    def aside(self) -> list[tuple[str, str, str]]:
        """Table, key and reason of what is in quarantine."""
        return [(e.table, e.key, e.reason) for e in self.quarantine.entries()]

    def one(self, sql: str, *values: object) -> Any:
        row = self.connection.execute(sql.encode(), values or None).fetchone()
        assert row is not None
        return row[0]

    def all(self, sql: str) -> list[Any]:
        return self.connection.execute(sql.encode()).fetchall()

    def do(self, sql: str, *values: object) -> None:
        self.connection.execute(sql.encode(), values or None)


def choices(*rules: tuple[str, str, str, str]) -> Choices:
    tables: dict[str, dict[str, ColumnChoice]] = {}
    for table, column, kind, rule in rules:
        parsed = parse_type(kind)
        assert parsed is not None
        chosen = ColumnChoice(conversion=Conversion(parsed, rule))
        tables.setdefault(table, {})[column] = chosen
    return Choices(tables={name: TableChoice(columns=each) for name, each in tables.items()})


def migrated(
    home: Path, database: str, sql: str, rows: Mapping[str, Sequence[Sequence[Any]]], **more: Any
) -> Migrated:
    source = source_of(home / "s.db", sql, dict(rows))
    report = migrate(asked(source, database, home, **more))
    return Migrated(source, database, home, report, psycopg.connect(database, autocommit=True))
