"""A case's source built and carried over, and what PostgreSQL then holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import psycopg
from psycopg import sql

from core.plan import Fate as Carriage
from core.plan import parse_document
from core.server.connection import parse_target
from core.source.opening import SourceFile, inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import RunReport, Way
from core.transfer.quarantine import Quarantine
from core.verify.model import Level, ParityReport, QueryParity
from core.verify.parity import Request as VerifyRequest
from core.verify.parity import verify
from tests.cases.reading import EXHAUSTED, NULL, Aside, Case, Fate, Outcome, TableState, ViewState

Connection = psycopg.Connection[tuple[object, ...]]
# How values are printed must not depend on the machine.
_SETTINGS = "-c TimeZone=UTC -c DateStyle=ISO,YMD -c search_path=public"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A case after its run: what is there, and what verification says of it."""

    report: RunReport
    outcome: Outcome
    parity: ParityReport


def run_case(case: Case, folder: Path, database: str, way: Way = Way.AUTO) -> Ran:
    """Build the source in ``folder``, carry it into ``database``, verify it."""
    source = build_source(case.source, folder / "source.db")
    target = parse_target(database)
    choices = None if case.plan is None else parse_document(case.plan, "plan.toml")
    report = migrate(Request(source=source, target=target, home=folder, choices=choices, way=way))
    parity = verify(
        VerifyRequest(source=source, target=target, home=folder, level=Level.FULL, reveal=True)
    )
    return Ran(report=report, outcome=observe(report, database, parity), parity=parity)


def build_source(statements: str, path: Path) -> SourceFile:
    connection = apsw.Connection(str(path))
    connection.execute(statements)
    connection.close()
    return inspect(path)


def observe(report: RunReport, database: str, parity: ParityReport | None = None) -> Outcome:
    """What ``database`` and the ledger in it hold after the run, and what ``parity`` says of
    views."""
    proofs = {q.target: q for q in parity.queries} if parity else {}
    with psycopg.connect(database, autocommit=True, options=_SETTINGS) as connection:
        names = [name for (name,) in connection.execute(_TABLES)]
        return Outcome(
            exit_code=report.exit_code,
            tables={str(name): _table(connection, str(name)) for name in names},
            quarantined=tuple(sorted(_quarantined(Quarantine(connection, report.run)))),
            fates=tuple(
                sorted(
                    Fate(kind=o.kind, name=o.name, reason=o.reason)
                    for o in report.objects
                    if o.fate is not Carriage.CARRIED
                )
            ),
            next=dict(_next(connection)),
            views={
                str(name): _view(connection, str(name), proofs.get(str(name)))
                for (name,) in connection.execute(_VIEWS).fetchall()
            },
        )


_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY oid"
_VIEWS = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' ORDER BY relname"
_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
# NOT NULL is a constraint of its own from PostgreSQL 18 on.
_CONSTRAINTS = """
    SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype <> 'n' ORDER BY contype = 'f', oid"""
_INDEXES = """
    SELECT pg_get_indexdef(indexrelid) FROM pg_index i WHERE indrelid = %s::regclass
    AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = i.indrelid)
    ORDER BY indexrelid"""
_KEY = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_index, unnest(indkey) WITH ORDINALITY k (number, place)
    JOIN pg_attribute ON attnum = number
    WHERE indrelid = %s::regclass AND attrelid = indrelid AND indisprimary ORDER BY place"""
_IDENTITIES = """
    SELECT relname, attname, format('public.%I', relname) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attidentity <> '' ORDER BY 1"""


def _table(connection: Connection, name: str) -> TableState:
    shown = (_qualified(name).as_string(),)
    described = connection.execute(_COLUMNS, shown).fetchall()
    return TableState(
        columns={str(column): str(kind) for column, kind, _ in described},
        defaults={str(column): str(default) for column, _, default in described if default},
        keys=tuple(
            sorted(
                str(text)
                for query in (_CONSTRAINTS, _INDEXES)
                for (text,) in connection.execute(query, shown)
            )
        ),
        rows=_rows(connection, name, [str(column) for column, *_ in described]),
    )


def _view(connection: Connection, name: str, proof: QueryParity | None) -> ViewState:
    described = connection.execute(_COLUMNS, (_qualified(name).as_string(),)).fetchall()
    columns = {str(column): str(kind) for column, kind, _ in described}
    said = "" if proof is None else ": ".join(filter(None, (proof.outcome.value, proof.reason)))
    return ViewState(
        columns=columns, rows=tuple(sorted(_rows(connection, name, list(columns)))), proof=said
    )


def _qualified(name: str) -> sql.Identifier:
    # A table may be called pg_class.
    return sql.Identifier("public", name)


def _rows(connection: Connection, name: str, columns: list[str]) -> tuple[tuple[str, ...], ...]:
    key = connection.execute(_KEY, (_qualified(name).as_string(),)).fetchall()
    query = sql.SQL("SELECT {} FROM {} AS t").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns),
        _qualified(name),
    )
    if key:
        query += sql.SQL(" ORDER BY ") + sql.SQL(", ").join(
            _term(str(column), str(kind)) for column, kind in key
        )
    rows = tuple(tuple(map(_printed, row)) for row in connection.execute(query))
    return rows if key else tuple(sorted(rows))


def _term(column: str, kind: str) -> sql.Composable:
    collated = kind in ("text", "character varying")
    # Through the table: a bare name would mean the printed text.
    return sql.Identifier("t", column) + sql.SQL(' COLLATE "C"' if collated else "")


def _printed(value: object) -> str:
    assert value != NULL, "the sign for NULL is also a value"
    return NULL if value is None else str(value)


def _quarantined(quarantine: Quarantine) -> Iterator[Aside]:
    for entry in quarantine.entries():
        if not entry.cells:
            yield Aside(table=entry.table, key=entry.key, reason=entry.reason)
        assert not entry.cells or entry.reason in {cell.reason for cell in entry.cells}
        for cell in entry.cells:
            yield Aside(
                table=entry.table,
                key=entry.key,
                reason=cell.reason,
                column=cell.column,
                storage_class=cell.storage_class,
                raw=cell.raw,
            )


def _next(connection: Connection) -> Iterator[tuple[str, int | str]]:
    for table, column, shown in connection.execute(_IDENTITIES).fetchall():
        try:
            row = connection.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s))", (shown, column)
            ).fetchone()
            assert row is not None
            yield f"{table}.{column}", int(str(row[0]))
        except psycopg.errors.SequenceGeneratorLimitExceeded:
            yield f"{table}.{column}", EXHAUSTED
