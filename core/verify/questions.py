"""One query asked of both sides, and their answers compared row by row.

Whatever the target computes for itself is proven so: the source is asked in its own words,
the target in its own, and the answers are compared as multisets, each value by the rule
that carries it. Memory does not grow with them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import apsw
import psycopg

from core.plan import ColumnPlan, TablePlan, ViewColumn
from core.server.connection import Connection
from core.source.rows import KeyKind, Row, RowKey, TableSource, answers
from core.transfer.convert import TableConverter
from core.values.storage import storage_class
from core.verify.closeness import RoughRows, forms
from core.verify.model import Difference, DifferenceKind, Proof, QueryParity
from core.verify.rows import compare_rows
from core.verify.sides import Comparable, Encoding, messages

SECONDS = 60.0
"""How long one side may take over one question."""
_STEPS = 100_000
"""So many steps of SQLite's machine pass between two looks at the clock: some milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A query in SQLite's words and one in PostgreSQL's, whose columns are the same.
    ``columns``: how each value that the source answers with is carried; ``encoding``: the
    source's."""

    kind: str
    name: str
    target: str
    source_sql: str
    target_sql: str
    columns: tuple[ViewColumn, ...]
    encoding: str = "UTF-8"


def compare_answers(
    question: Question,
    source: apsw.Connection,
    target: Connection,
    *,
    samples: int,
    seconds: float = SECONDS,
) -> QueryParity:
    """Ask both sides. The target's connection is in a transaction, which goes on.

    An answer that a side does not give within ``seconds``, or that the source refuses,
    leaves the question unproven; one that the target refuses is a difference.
    """
    is_rough = any(column.is_rough for column in question.columns)
    parity = QueryParity(
        kind=question.kind,
        name=question.name,
        target=question.target,
        outcome=Proof.EQUAL,
        is_rough=is_rough,
    )
    table, rough = _as_table(question), RoughRows(question.columns)
    encoding = Encoding(table, forms(question.columns), rough.exact if is_rough else None)
    ours = _Ours(source, question, table, encoding, seconds)
    theirs = _Theirs(target, question, encoding)
    try:
        with _limited(target, seconds):
            count, found = compare_rows(
                table, ours, theirs, samples=samples, close=rough if is_rough else None
            )
    except apsw.InterruptError:
        return _unproven(parity, "slow", seconds=f"{seconds:g}")
    except apsw.Error as refused:
        return _unproven(parity, "source_refused", detail=str(refused))
    except psycopg.errors.QueryCanceled:
        return _unproven(parity, "slow", seconds=f"{seconds:g}")
    except psycopg.Error as refused:
        if target.broken:
            raise
        # Its message may hold a value.
        state = refused.sqlstate or type(refused).__name__
        problem = Difference(kind=DifferenceKind.SHAPE, key=f"SQLSTATE {state}")
        return replace(parity, outcome=Proof.DIFFERS, differences=1, samples=(problem,))
    count += len(ours.problems)
    return replace(
        parity,
        outcome=Proof.DIFFERS if count else Proof.EQUAL,
        rows_source=ours.rows,
        rows_target=theirs.rows,
        differences=count,
        samples=tuple([*ours.problems, *found][:samples]),
        values=theirs.rows * len(question.columns),
    )


def _unproven(parity: QueryParity, reason: str, **facts: str) -> QueryParity:
    return replace(parity, outcome=Proof.UNPROVEN, reason=reason, facts=facts)


def _as_table(question: Question) -> TablePlan:
    """The answer as a table without a key."""
    columns = question.columns
    names = tuple(column.source for column in columns)
    key = RowKey(kind=KeyKind.POSITION)
    return TablePlan(
        number=0,
        source=TableSource(table=question.name, columns=names, key=key, encoding=question.encoding),
        target=question.target,
        columns=tuple(
            ColumnPlan(
                source=column.source,
                target=column.target,
                declared="",
                type=column.type,
                rule=column.rule,
            )
            for column in columns
        ),
        rows=0,
    )


class _Ours:
    """The source's answer. After a pass, ``rows`` counts it, and ``problems`` holds the rows
    with a value that the target could not hold."""

    def __init__(
        self,
        connection: apsw.Connection,
        question: Question,
        table: TablePlan,
        encoding: Encoding,
        seconds: float,
    ) -> None:
        self._connection = connection
        self._question = question
        self._converter = TableConverter(table)
        self._encoding = encoding
        self._seconds = seconds
        self.rows = 0
        self.problems: list[Difference] = []

    def __iter__(self) -> Iterator[Comparable]:
        self.rows, self.problems = 0, []
        with self._clock():
            for row in self._asked():
                self.rows += 1
                fields = self._converter.fields(row)
                if isinstance(fields, tuple):
                    found = storage_class(row[self._place(fields[0].column)])
                    self._problem(fields[0].column, f"{found}, {fields[0].reason}")
                else:
                    yield self._encoding.of_fields(fields)

    def _asked(self) -> Iterator[Row]:
        asked = self._question
        return answers(self._connection, asked.source_sql, len(asked.columns), asked.encoding)

    def _place(self, column: str) -> int:
        return [c.source for c in self._question.columns].index(column)

    def _problem(self, column: str, detail: str) -> None:
        kind = DifferenceKind.SHAPE
        self.problems.append(Difference(kind=kind, key=f"{self.rows}: {detail}", column=column))

    @contextmanager
    def _clock(self) -> Iterator[None]:
        end = time.monotonic() + self._seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None)


class _Theirs:
    """The target's answer; ``rows`` counts it after a pass."""

    def __init__(self, connection: Connection, question: Question, encoding: Encoding) -> None:
        self._connection = connection
        self._copy = f"COPY ({question.target_sql}) TO STDOUT (FORMAT BINARY)"
        self._encoding = encoding
        self.rows = 0

    def __iter__(self) -> Iterator[Comparable]:
        self.rows = 0
        for message in messages(self._connection, self._copy):
            self.rows += 1
            yield self._encoding.of_message(message)


@contextmanager
def _limited(connection: Connection, seconds: float) -> Iterator[None]:
    """A part of the transaction that undoes its settings, and an error of its own."""
    milliseconds = str(int(seconds * 1000))
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))
        yield
