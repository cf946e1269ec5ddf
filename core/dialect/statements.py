"""The statements of a trigger's body: UPDATE, DELETE, INSERT, and SELECT that raises.

Each says a statement of PL/pgSQL without its semicolon, or raises Untranslatable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    ConflictAction,
    RaiseType,
    UpsertAction,
)

from core.dialect.assignments import assigned
from core.dialect.columns import Place
from core.dialect.lookups import Lookups
from core.dialect.subjects import Row, Subject, World, subject_of
from core.dialect.terms import Kind, Term, Untranslatable, of_text
from core.schema.names import unquoted
from core.source.rows import quoted
from core.values import types

_STOPS = (ConflictAction.DEFAULT, ConflictAction.ABORT)
_ERROR = "integrity_constraint_violation"
"""What SQLite's drivers tell of a RAISE as well: a constraint that was broken."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """Where statements stand: what they may name, the trigger's own rows, and what says
    RAISE(IGNORE), '' where nothing does."""

    world: World
    rows: tuple[Row, ...]
    ignore: str = ""

    def lookups(self, *within: Row) -> Lookups:
        """Expressions over these rows and the trigger's own."""
        return Lookups(self.world, [*within, *self.rows])


def said_statement(body: Body, node: Any) -> str:
    """One statement of the body."""
    match node:
        case nodes.UpdateStmt():
            return _update(body, node)
        case nodes.DeleteStmt():
            return _delete(body, node)
        case nodes.InsertStmt():
            return _insert(body, node)
        case nodes.SelectStmt():
            return _raising(body, node)
    raise Untranslatable(f"a statement: {type(node).__name__}")


def _table(body: Body, node: Any) -> Subject:
    """The table that a statement writes to."""
    if node.with_ctes or node.returning or node.table.schema is not None:
        raise Untranslatable("a statement of several parts")
    subject = subject_of(body.world, node.table.table_name)
    if subject.is_view:
        raise Untranslatable(f"a change to {subject.name}, a view")
    if subject.decides:
        raise Untranslatable(f"a change to {subject.name}, whose constraints say ON CONFLICT")
    return subject


def _named(node: Any, subject: Subject) -> Row:
    """The rows of the table that a statement changes."""
    if node.orderby or node.limit_clause or node.table.alias is not None:
        raise Untranslatable("a statement of several parts")
    return Row(subject=subject, called=unquoted(node.table.table_name), alias="t")


def _where(says: Lookups, condition: Any) -> str:
    return "" if condition is None else f" WHERE {says.condition(condition)}"


# --- UPDATE and DELETE ------------------------------------------------------------------------


def _update(body: Body, node: Any) -> str:
    subject = _table(body, node)
    if node.conflict_action not in _STOPS or node.from_clause is not None:
        raise Untranslatable("UPDATE OR, or UPDATE FROM")
    says = body.lookups(_named(node, subject))
    sets = _sets(says, subject, node.setlist)
    if subject.name in says.asked and not says.finds_one(node.where_clause, None):
        raise Untranslatable(f"UPDATE of {subject.name} by what it becomes row by row")
    return f"UPDATE {subject.target} AS t SET {sets}{_where(says, node.where_clause)}"


def _sets(says: Lookups, subject: Subject, clauses: Sequence[Any]) -> str:
    places: list[Place] = []
    said: list[str] = []
    for clause in clauses:
        if clause.column is None:
            raise Untranslatable("SET of several columns at once")
        place = _written(subject, unquoted(clause.column))
        if place in places:
            raise Untranslatable(f"SET of {place.source} twice")
        places.append(place)
        said.append(f"{quoted(place.target)} = {_given(says, clause.value, place)}")
    return ", ".join(said)


def _written(subject: Subject, name: str) -> Place:
    """The column that a statement writes to; SQLite would compute others anew."""
    if subject.stale:
        raise Untranslatable(f"a change to {subject.name}, whose columns are generated")
    place = subject.place(name)
    if place is None or place.source in subject.generated:
        raise Untranslatable(f"a change to {subject.name}.{name}")
    return place


def _given(says: Lookups, node: Any, place: Place) -> str:
    return assigned(says.value(node), place, is_stable=True)


def _delete(body: Body, node: Any) -> str:
    subject = _table(body, node)
    says = body.lookups(_named(node, subject))
    return f"DELETE FROM {subject.target} AS t{_where(says, node.where_clause)}"


# --- INSERT -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Source:
    """What is inserted: rows of nodes, all said by the same ``says``; of a SELECT its FROM
    and its conditions. ``is_one``: whether it is one row at most."""

    rows: Sequence[Sequence[Any]]
    says: Lookups
    origin: str = ""
    conditions: tuple[str, ...] = ()
    is_one: bool = True


def _insert(body: Body, node: Any) -> str:
    subject = _table(body, node)
    ignores = node.conflict_action is ConflictAction.IGNORE
    if not ignores and node.conflict_action not in _STOPS:
        raise Untranslatable(f"INSERT OR {node.conflict_action.name}")
    if node.table.alias is not None or len(node.upsert or ()) > (not ignores):
        raise Untranslatable("a statement of several parts")
    source = _source(body, node.source)
    places = _columns(subject, node.columns)
    if any(len(row) != len(places) for row in source.rows):
        raise Untranslatable(f"an INSERT of other columns than {subject.name} has")
    given = {p: n for n, p in enumerate(places) if not _is_numbered(subject, p, n, source)}
    _require_filled(subject, given)
    rows = [
        [_numbered(subject, p, row[n], source.says) for p, n in given.items()]
        for row in source.rows
    ]
    if ignores:
        source = replace(source, conditions=(*source.conditions, *_whole(subject, given, rows)))
        tail = " ON CONFLICT DO NOTHING"
    else:
        tail = "".join(f" {_upsert(body, subject, clause, source)}" for clause in node.upsert or ())
    columns = ", ".join(quoted(place.target) for place in given)
    return f"INSERT INTO {subject.target} AS t ({columns}) {_said_rows(source, rows)}{tail}"


def _source(body: Body, node: Any) -> _Source:
    if isinstance(node, nodes.ValuesClause):
        return _Source(node.rows, body.lookups(), is_one=len(node.rows) == 1)
    row = body.lookups().row_of(node)
    if node.limit_clause is not None or node.flags or any(c.expr is None for c in node.columns):
        raise Untranslatable("a query of several parts")
    says = body.lookups() if row is None else body.lookups(row)
    origin = "" if row is None else f" FROM {row.subject.target} AS {row.alias}"
    where = node.where_clause
    conditions = () if where is None else (says.condition(where),)
    return _Source([[c.expr for c in node.columns]], says, origin, conditions, row is None)


def _said_rows(source: _Source, rows: list[list[str]]) -> str:
    listed = [", ".join(row) for row in rows]
    if not source.origin and not source.conditions:
        return "VALUES " + ", ".join(f"({row})" for row in listed)
    if len(rows) > 1:
        raise Untranslatable("INSERT OR IGNORE of several rows")
    conditions = " AND ".join(f"({condition})" for condition in source.conditions)
    return f"SELECT {listed[0]}{source.origin}{f' WHERE {conditions}' if conditions else ''}"


def _columns(subject: Subject, named: Sequence[Any] | None) -> list[Place]:
    """The columns that are given, by name or all of them."""
    if named is None:
        if subject.others:
            raise Untranslatable(f"an INSERT of all columns of {subject.name}")
        return [p for p in subject.places if p.source not in subject.generated]
    places = [_written(subject, node.column) for node in named]
    if len(set(places)) < len(places):
        raise Untranslatable("an INSERT of one column twice")
    return places


def _is_numbered(subject: Subject, place: Place, at: int, source: _Source) -> bool:
    """Whether the column is the rowid and left to be numbered, by NULL in every row."""
    if place.source != subject.rowid:
        return False
    return all(source.says.value(row[at]).kind is Kind.NULL for row in source.rows)


def _numbered(subject: Subject, place: Place, node: Any, says: Lookups) -> str:
    """What a column is given; a rowid that is NULL is the next number."""
    said = _given(says, node, place)
    if place.source != subject.rowid or _is_present(says, says.value(node)):
        return said
    if place.conversion.type.name != types.BIGINT:
        raise Untranslatable(f"a rowid that may be NULL, for {subject.name}")
    sequence = f"{of_text(subject.target).sql}, {of_text(place.target).sql}"
    return f"coalesce({said}, nextval(pg_get_serial_sequence({sequence})))"


def _is_present(says: Lookups, term: Term) -> bool:
    """Whether the value is certain to be no NULL."""
    if term.constant is not None:
        return True
    return term.place is not None and says.rows.is_required(term.place)


def _require_filled(subject: Subject, given: Iterable[Place]) -> None:
    """Refuse to leave a column to a default or a rule that the target does not have."""
    left_out = subject.unfilled - {place.source for place in given} | subject.stale
    if left_out:
        raise Untranslatable(f"an INSERT that leaves out {subject.name}.{min(left_out)}")
    if not given:
        raise Untranslatable(f"an INSERT of nothing but a number into {subject.name}")


def _whole(subject: Subject, given: Mapping[Place, int], rows: list[list[str]]) -> Iterator[str]:
    """The conditions under which no NULL stands where none may: OR IGNORE passes over such
    rows, ON CONFLICT does not."""
    names = {place.source for place in given} | {subject.rowid}
    if not subject.ignores or subject.required - names:
        raise Untranslatable(f"INSERT OR IGNORE into {subject.name}")
    for place, *said in zip(given, *rows, strict=True):
        if place.source in subject.required - {subject.rowid}:
            yield from (f"{sql} IS NOT NULL" for sql in said)


def _upsert(body: Body, subject: Subject, clause: Any, source: _Source) -> str:
    """ON CONFLICT, of a key that the target compares as the source does."""
    key = [term.expr for term in clause.columns or ()]
    if clause.target_where is not None or not all(isinstance(k, nodes.ColumnRef) for k in key):
        raise Untranslatable("ON CONFLICT of what is no key")
    places = [subject.place(node.column) for node in key]
    named = sorted(place.source for place in places if place is not None)
    if (key or clause.action is UpsertAction.UPDATE) and not any(
        sorted(columns) == named for columns in subject.upserts
    ):
        raise Untranslatable("ON CONFLICT of what is no key")
    target = f" ({', '.join(quoted(place.target) for place in places if place)})" if key else ""
    if clause.action is UpsertAction.NOTHING:
        if not key and not subject.ignores:
            raise Untranslatable(f"ON CONFLICT of {subject.name}")
        return f"ON CONFLICT{target} DO NOTHING"
    if not source.is_one:
        raise Untranslatable("ON CONFLICT DO UPDATE of several rows")
    own = Row(subject=subject, called=subject.name, alias="t")
    new = Row(subject=subject, called="excluded", alias="excluded", is_bare=False)
    says = body.lookups(own, new)
    sets = _sets(says, subject, clause.setlist)
    return f"ON CONFLICT{target} DO UPDATE SET {sets}{_where(says, clause.update_where)}"


# --- RAISE ------------------------------------------------------------------------------------


def _raising(body: Body, node: Any) -> str:
    """SELECT RAISE(...) WHERE, and SELECT CASE WHEN ... THEN RAISE(...) END."""
    row = body.lookups().row_of(node)
    if len(node.columns) != 1 or node.flags:
        raise Untranslatable("a SELECT that changes nothing")
    says = body.lookups() if row is None else body.lookups(row)
    match node.columns[0].expr:
        case nodes.RaiseExpr() as raised:
            said = f"{_raise(body, says, raised)};"
        case nodes.CaseExpr() as case if row is None:
            said = _cases(body, says, case)
        case _:
            raise Untranslatable("a SELECT that changes nothing")
    where = "" if node.where_clause is None else says.condition(node.where_clause)
    if row is not None:
        where = (
            f"EXISTS (SELECT 1 FROM {row.subject.target} AS t{f' WHERE {where}' if where else ''})"
        )
    return f"IF {where} THEN\n    {said}\n  END IF" if where else said.removesuffix(";")


def _cases(body: Body, says: Lookups, node: Any) -> str:
    word, said = "IF", ""
    for case in node.whens:
        outcome = _outcome(body, says, case.then_expr)
        said += f"{word} {says.when(node, case)} THEN {outcome}; "
        word = "ELSIF"
    if node.else_expr is not None:
        said += f"ELSE {_outcome(body, says, node.else_expr)}; "
    return f"{said}END IF;"


def _outcome(body: Body, says: Lookups, node: Any) -> str:
    match node:
        case nodes.RaiseExpr():
            return _raise(body, says, node)
        case nodes.Literal():
            return "NULL"  # PL/pgSQL's statement that does nothing
    raise Untranslatable("a SELECT that changes nothing")


def _raise(body: Body, says: Lookups, node: Any) -> str:
    if node.raise_type is RaiseType.IGNORE:
        if not body.ignore:
            raise Untranslatable("RAISE(IGNORE) after the row is there")
        return body.ignore
    message = says.spoken(node.error_message).sql
    return f"RAISE EXCEPTION USING MESSAGE = {message}, ERRCODE = '{_ERROR}'"
