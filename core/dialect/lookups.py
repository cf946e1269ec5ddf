"""Expressions that look things up: EXISTS, IN and one value of a single other table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import BinaryOp, ResultColumnFlags, SelectStmtFlags  # type: ignore[import-untyped]

from core.dialect.comparisons import compared
from core.dialect.expressions import Expressions
from core.dialect.subjects import ROWIDS, Row, Rows, World, subject_of
from core.dialect.terms import Kind, Term, Untranslatable
from core.dialect.volatility import Volatility
from core.schema.names import fold, unquoted

_MOST_ROWS = 1 << 48
_EQUAL = (BinaryOp.EQ, BinaryOp.EQ_DOUBLE)


class Lookups(Expressions):
    """Expressions over some rows that may ask tables of the ``world`` by the way.
    ``asked``: the tables that were."""

    def __init__(self, world: World, rows: Sequence[Row], asked: set[str] | None = None) -> None:
        """``rows``: what may be named, the innermost first."""
        self.rows = Rows(rows)
        super().__init__(self.rows, Volatility.VOLATILE)
        self.world = world
        self.asked = set() if asked is None else asked

    def within(self, row: Row) -> Lookups:
        """The same, with one more row that comes first."""
        return Lookups(self.world, [row, *self.rows.rows], self.asked)

    # --- names

    def column(self, node: Any) -> Term:
        """A name; only what is of this database can be meant."""
        if node.schema is not None:
            raise Untranslatable(f"{node.schema}.{node.table}")
        return super().column(node)

    def condition(self, node: Any) -> str:
        """A condition; a row may be found again by a rowid that the target does not have."""
        if isinstance(node, nodes.BinaryExpr) and node.op in _EQUAL:
            rows = [self._keyless(side) for side in (node.left, node.right)]
            if rows[0] is not None and rows[1] is not None:
                return _same_row(rows[0], rows[1])
        return super().condition(node)

    def _keyless(self, node: Any) -> Row | None:
        """The row whose rowid the node names, where that is no column of the target."""
        if not isinstance(node, nodes.ColumnRef) or fold(node.column) not in ROWIDS:
            return None
        row = self.rows.named(node.table)
        return row if row is not None and row.subject.place(node.column) is None else None

    def when(self, node: Any, case: Any) -> str:
        """One WHEN of a CASE, as a condition."""
        return self._when(node, case)

    # --- queries

    def exists(self, node: Any) -> str:
        """EXISTS over one table."""
        inner, said = self._from(node.select)
        for column in node.select.columns:
            inner.plain(column)
        return f"EXISTS (SELECT 1 {said})"

    def plain(self, column: Any) -> None:
        """Refuse a column that makes one row of many, or none of none."""
        is_all = ResultColumnFlags.STAR in column.flags
        if not is_all and not isinstance(column.expr, nodes.ColumnRef | nodes.Literal):
            raise Untranslatable("a query of more than columns")

    def in_query(self, node: Any) -> str:
        """IN the values of one column of one table."""
        if not isinstance(node.source, nodes.SelectStmt) or len(node.source.columns) != 1:
            raise Untranslatable("IN a query of several parts")
        if node.source.limit_clause is not None:
            raise Untranslatable("IN a query with a LIMIT")
        inner, said = self._from(node.source)
        inner.plain(node.source.columns[0])
        left, right = self.value(node.operand), inner.value(node.source.columns[0].expr)
        if compared(left, "=", right) != f"{left.sql} = {right.sql}":
            raise Untranslatable("IN a query that compares in its own way")
        sign = "NOT IN" if node.negated else "IN"
        return f"{left.sql} {sign} (SELECT {right.sql} {said})"

    def subquery(self, node: Any) -> Term:
        """One value: of a row that a key finds, or gathered from all."""
        if not isinstance(node.select, nodes.SelectStmt) or len(node.select.columns or ()) != 1:
            raise Untranslatable("a query of several parts")
        inner, said = self._from(node.select)
        expression = node.select.columns[0].expr
        if isinstance(expression, nodes.FunctionCall | nodes.AggregateFunctionCall):
            gathered = inner.gathered(expression)
            return replace(gathered, sql=f"(SELECT {gathered.sql} {said})")
        if expression is None or not inner.finds_one(node.select.where_clause, expression):
            raise Untranslatable("one value of a query that may find several")
        term = inner.value(expression)
        if term.kind not in (Kind.INTEGER, Kind.NUMBER, Kind.TEXT):
            raise Untranslatable(f"{term.kind} from a query")
        sql = f"(SELECT {term.sql} {said} LIMIT 1)"
        # Its column's affinity is its own, its collation is not.
        return replace(term, sql=sql, place=None, collation=None, constant=None)

    def gathered(self, node: Any) -> Term:
        """count(*), or the largest or smallest INTEGER."""
        name, arguments = fold(node.func_name), node.args or []
        plain = not node.filter_clause and not node.over_clause
        if name == "count" and not arguments and plain:
            return Term("count(*)", Kind.INTEGER, most=_MOST_ROWS)
        if name in ("max", "min") and len(arguments) == 1 and plain:
            term = self.value(arguments[0])
            if term.kind is Kind.INTEGER:
                return Term(f"{name}({term.sql})", Kind.INTEGER, most=term.most)
        raise Untranslatable(f"{name}() in a query")

    def finds_one(self, where: Any, wanted: Any) -> bool:
        """Whether the innermost row's key, or the very column that is wanted, is told to
        equal something: then all that is found has one value."""
        row = self.rows.rows[0]
        told = {fold(name) for name in self._told(where, row)}
        if isinstance(wanted, nodes.ColumnRef):
            place = row.find(wanted.column, wanted.table)
            if place is not None and fold(place.source) in told:
                return True
        return any({fold(name) for name in key} <= told for key in row.subject.keys)

    def _told(self, where: Any, row: Row) -> list[str]:
        match where:
            case nodes.ParenExpr():
                return self._told(where.expr, row)
            case nodes.BinaryExpr() if where.op is BinaryOp.AND:
                return [*self._told(where.left, row), *self._told(where.right, row)]
            case nodes.BinaryExpr() if where.op in _EQUAL:
                sides = [(where.left, where.right), (where.right, where.left)]
                told = [self._own(side, row) for side, other in sides if self._is_bytes(other)]
                return [name for name in told if name] if "" in told else []
        return []

    def _is_bytes(self, node: Any) -> bool:
        """Whether what is compared with the node is not compared by a collation of its own."""
        return self.value(node).collation in (None, "BINARY")

    def _own(self, node: Any, row: Row) -> str:
        """The innermost row's column that the node names, '' for anything else."""
        if not isinstance(node, nodes.ColumnRef):
            return ""
        place = row.find(node.column, node.table)
        return "" if place is None or place.collation != "BINARY" else place.source

    def _from(self, select: Any) -> tuple[Lookups, str]:
        """What may be said within a query of one table, and its FROM and WHERE."""
        row = self.row_of(select)
        if row is None:
            raise Untranslatable("a query of no table")
        self.asked.add(row.subject.name)
        inner = self.within(row)
        where = "" if select.where_clause is None else inner.condition(select.where_clause)
        said = f"FROM {row.subject.target} AS {row.alias}"
        return inner, f"{said} WHERE {where}" if where else said

    def row_of(self, select: Any) -> Row | None:
        """The rows of a simple query's only table, None for one of no table."""
        if not isinstance(select, nodes.SelectStmt) or not _is_simple(select):
            raise Untranslatable("a query of several parts")
        table = select.from_clause
        if table is None:
            return None
        if not isinstance(table, nodes.TableRef) or table.args or table.schema is not None:
            raise Untranslatable("a query of several tables")
        subject = subject_of(self.world, table.table_name)
        called = unquoted(table.table_name if table.alias is None else table.alias.source)
        depth = sum(row.is_bare for row in self.rows.rows)
        return Row(subject=subject, called=called, alias=f"t{depth or ''}")


def _is_simple(select: Any) -> bool:
    parts = (select.groupby, select.having, select.orderby, select.window_clause)
    one = select.limit_clause is None or _is_plain_limit(select.limit_clause)
    flags = select.flags in (SelectStmtFlags(0), SelectStmtFlags.ALL, SelectStmtFlags.DISTINCT)
    return one and flags and not any(parts)


def _is_plain_limit(clause: Any) -> bool:
    """LIMIT 1, which says nothing where only one row or none is asked for."""
    limit = clause.limit
    return clause.offset is None and isinstance(limit, nodes.Literal) and limit.source == "1"


def _same_row(one: Row, other: Row) -> str:
    """A row of a table is the trigger's own row, which a key finds."""
    own, looked_up = (one, other) if one.found_as else (other, one)
    if own.subject != looked_up.subject or not own.found_as or not looked_up.is_bare:
        raise Untranslatable("a rowid that the target does not have")
    if not own.subject.keys:
        raise Untranslatable("a rowid, and no key to find the row by")
    places = [own.subject.place(name) for name in own.subject.keys[0]]
    columns = [place.sql for place in places if place is not None]
    return " AND ".join(f"{looked_up.alias}.{name} = {own.found_as}.{name}" for name in columns)
