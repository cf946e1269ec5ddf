"""One SQLite expression, said in PostgreSQL.

What is said has the same outcome for every row that was carried. An expression is
refused as a whole if any part of it is: half a condition is another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    BinaryOp,
    FunctionCallFlags,
    IsOp,
    LikeKeyword,
    LiteralType,
    UnaryOp,
)

from core.dialect import arithmetic, functions, patterns
from core.dialect.casts import cast
from core.dialect.columns import Scope
from core.dialect.comparisons import compared
from core.dialect.moments import as_text, current
from core.dialect.terms import (
    NULL,
    Kind,
    Term,
    Untranslatable,
    bare,
    of_column,
    of_integer,
    of_number,
    of_text,
    spelled,
)
from core.dialect.volatility import Volatility
from core.schema.declarations import parsed
from core.schema.names import fold, unquoted

_SIGNS = {
    BinaryOp.LT: "<",
    BinaryOp.GT: ">",
    BinaryOp.LE: "<=",
    BinaryOp.GE: ">=",
    BinaryOp.EQ: "=",
    BinaryOp.EQ_DOUBLE: "=",
    BinaryOp.NE: "<>",
    BinaryOp.NE_ANGLE: "<>",
}
_LINKS = {BinaryOp.AND: "AND", BinaryOp.OR: "OR"}
_SUMS = {BinaryOp.PLUS: "+", BinaryOp.MINUS: "-", BinaryOp.STAR: "*"}
_SUMS |= {BinaryOp.SLASH: "/", BinaryOp.REM: "%"}
_NULLS = {IsOp.IS_NULL: "IS NULL", IsOp.NOT_NULL: "IS NOT NULL"}
_NULLS[IsOp.NOT_NULL_SPACED] = "IS NOT NULL"
_SAME = {IsOp.IS: "IS NOT DISTINCT FROM", IsOp.IS_NOT: "IS DISTINCT FROM"}
_SAME |= {IsOp.IS_NOT_DISTINCT: _SAME[IsOp.IS], IsOp.IS_DISTINCT: _SAME[IsOp.IS_NOT]}
_ROWIDS = {"rowid", "oid", "_rowid_"}
_TRUTHS = {"true": 1, "false": 0}
T = TypeVar("T")


class Expressions:
    """Says expressions over one scope. Nodes are ``syntaqlite``'s; their class says all
    there is. Every method raises Untranslatable, whose message names the part."""

    def __init__(self, scope: Scope, volatility: Volatility = Volatility.IMMUTABLE) -> None:
        """``volatility``: the most that what is said may have. A CHECK, an index and a
        generated column take nothing but IMMUTABLE, a view takes STABLE."""
        self.scope = scope
        self._volatility = volatility

    def require(self, volatility: Volatility, what: str) -> None:
        """Refuse ``what`` where nothing so volatile may stand."""
        if volatility > self._volatility:
            raise Untranslatable(f"{what}: not the same at all times")

    @property
    def is_proven(self) -> bool:
        """Whether what is said is compared later, on both sides, over the rows: then it may
        be said where only the last digits are in doubt."""
        return self._volatility is not Volatility.IMMUTABLE

    # --- true, false or NULL

    def condition(self, node: Any) -> str:
        """A node where SQLite asks only whether it is true."""
        match node:
            case nodes.ParenExpr():
                return self.condition(node.expr)
            case nodes.BinaryExpr() if node.op in _LINKS:
                sides = (self.condition(side) for side in (node.left, node.right))
                return f" {_LINKS[node.op]} ".join(f"({side})" for side in sides)
            case nodes.UnaryExpr() if node.op is UnaryOp.NOT:
                return f"NOT ({self.condition(node.operand)})"
            case nodes.BinaryExpr() if node.op in _SIGNS:
                return compared(self.value(node.left), _SIGNS[node.op], self.value(node.right))
            case nodes.IsExpr():
                return self._is(node)
            case nodes.InExpr():
                return self._in(node)
            case nodes.BetweenExpr():
                return self._between(node)
            case nodes.LikeExpr():
                return self._like(node)
            case nodes.ExistsExpr():
                return self.exists(node)
        return self._truth(self.value(node))

    def _truth(self, term: Term) -> str:
        if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
            return term.sql
        if term.truth:
            return term.truth
        if term.is_number:
            return f"{term.sql} <> 0"
        if term.kind is Kind.NULL:
            return "NULL::boolean"
        raise Untranslatable(f"{term.kind} as a condition")

    def _is(self, node: Any) -> str:
        left = self.value(node.left)
        if node.op in _NULLS:
            return f"{left.sql} {_NULLS[node.op]}"
        right = self.value(node.right)
        sign = _SAME[node.op]
        if right.kind is Kind.NULL:
            return f"{left.sql} IS {'NOT ' if 'NOT' not in sign else ''}NULL"
        if isinstance(node.right, nodes.ColumnRef) and right.place is None:
            raise Untranslatable("IS TRUE")  # or IS a text: the tree does not tell
        return compared(left, sign, right)

    def _in(self, node: Any) -> str:
        if not isinstance(node.source, list) or not node.source:
            return self.in_query(node)
        left = self.value(node.operand)
        # The list's own affinity and collation play no part.
        items = [bare(self.value(item)) for item in node.source]
        found = " OR ".join(f"({compared(left, '=', item)})" for item in items)
        return f"NOT ({found})" if node.negated else found

    def _between(self, node: Any) -> str:
        term = self.value(node.operand)
        low = compared(term, ">=", self.value(node.low))
        high = compared(term, "<=", self.value(node.high))
        return f"NOT (({low}) AND ({high}))" if node.negated else f"({low}) AND ({high})"

    def _like(self, node: Any) -> str:
        text, pattern = self.text(node.operand).sql, self._constant(node.pattern)
        if node.keyword is LikeKeyword.LIKE and node.escape is None:
            found = patterns.like(text, pattern)
        elif node.keyword is LikeKeyword.LIKE:
            found = patterns.like(text, pattern, self._constant(node.escape))
        elif node.keyword is LikeKeyword.GLOB:
            found = patterns.glob(text, pattern)
        else:
            raise Untranslatable(str(node.keyword.name))
        return f"NOT ({found})" if node.negated else found

    def _constant(self, node: Any) -> str:
        term = self.value(node)
        if not isinstance(term.constant, str) or term.kind is not Kind.TEXT:
            raise Untranslatable("a pattern that is not a text")
        return term.constant

    # --- what only a query can say

    def exists(self, node: Any) -> str:
        """EXISTS, where a query may stand."""
        raise Untranslatable(f"a query: {type(node).__name__}")

    def in_query(self, node: Any) -> str:
        """IN a query, where one may stand."""
        raise Untranslatable(f"IN a query: {type(node).__name__}")

    def subquery(self, node: Any) -> Term:
        """A query's only value, where a query may stand."""
        raise Untranslatable(f"a query: {type(node).__name__}")

    def special_call(self, node: Any) -> Term:
        """A function that stands only where rows are gathered: an aggregate, a window."""
        raise Untranslatable(f"{fold(node.func_name)}()")

    # --- values

    def value(self, node: Any) -> Term:
        """A node as a value."""
        match node:
            case nodes.ParenExpr():
                return self.value(node.expr)
            case nodes.Literal():
                return self._literal(node)
            case nodes.ColumnRef():
                return self.column(node)
            case nodes.UnaryExpr() if node.op in (UnaryOp.MINUS, UnaryOp.PLUS):
                return arithmetic.signed(self.value(node.operand), node.op is UnaryOp.MINUS)
            case nodes.BinaryExpr() if node.op in _SUMS:
                left, right = self.value(node.left), self.value(node.right)
                return arithmetic.combined(left, _SUMS[node.op], right, is_proven=self.is_proven)
            case nodes.BinaryExpr() if node.op is BinaryOp.CONCAT:
                sides = [self.spoken(side).sql for side in (node.left, node.right)]
                return Term(f"({' || '.join(sides)})", Kind.TEXT)
            case nodes.BinaryExpr() if node.op is BinaryOp.PTR2:
                return functions.arrow(self.value(node.left), self.value(node.right).constant)
            case nodes.CollateExpr():
                term = self.text(node.expr)
                collation = unquoted(node.collation).upper()
                return Term(term.sql, Kind.TEXT, term.affinity, collation, is_explicit=True)
            case nodes.CastExpr():
                return cast(self.value(node.expr), node.type_name)
            case nodes.CaseExpr():
                return self._case(node)
            case nodes.FunctionCall() | nodes.AggregateFunctionCall():
                return self._call(node)
            case nodes.SubqueryExpr():
                return self.subquery(node)
            case nodes.BinaryExpr() if node.op not in _LINKS | _SIGNS:
                raise Untranslatable(str(node.op.name))
            case nodes.UnaryExpr() if node.op is not UnaryOp.NOT:
                raise Untranslatable(str(node.op.name))
            case (
                nodes.BinaryExpr()
                | nodes.UnaryExpr()
                | nodes.IsExpr()
                | nodes.InExpr()
                | nodes.BetweenExpr()
                | nodes.LikeExpr()
                | nodes.ExistsExpr()
            ):
                truth = self.condition(node)
                return Term(f"({truth})::int", Kind.INTEGER, most=1, truth=truth)
        raise Untranslatable(type(node).__name__)

    def _literal(self, node: Any) -> Term:
        match node.literal_type:
            case LiteralType.NULL:
                return NULL
            case LiteralType.STRING:
                return of_text(node.source[1:-1].replace("''", "'"))
            case LiteralType.INTEGER | LiteralType.FLOAT | LiteralType.QNUMBER:
                return of_number(node.source)
            case LiteralType.CURRENT:
                self.require(Volatility.STABLE, node.source)
                return current(node.source)
        raise Untranslatable(node.source)

    def column(self, node: Any) -> Term:
        """A name: a column, a truth, or a text in double quotes."""
        place = self.scope.find(node.column, node.table)
        if place is not None:
            return of_column(place)
        unknown = node.table is not None or fold(node.column) in _ROWIDS
        if unknown or self.scope.lacks(node.column):
            raise Untranslatable(node.column)
        if fold(node.column) in _TRUTHS:
            return of_integer(_TRUTHS[fold(node.column)])
        # A name in double quotes that names no column is a text to SQLite.
        return of_text(node.column)

    def text(self, node: Any) -> Term:
        """A node whose value is a text on both sides."""
        term = self.value(node)
        if term.kind is not Kind.TEXT:
            raise Untranslatable(f"{term.kind} as a text")
        return _inward(term)

    def spoken(self, node: Any) -> Term:
        """A node's value as the text that SQLite makes of it."""
        return _inward(as_text(self.value(node), is_stable=self.is_proven))

    def _case(self, node: Any) -> Term:
        outcomes = [self.value(case.then_expr) for case in node.whens]
        outcomes.append(NULL if node.else_expr is None else self.value(node.else_expr))
        terms = functions.evened(outcomes, "CASE")
        cases = [
            f"WHEN {self._when(node, case)} THEN {term.sql}"
            for case, term in zip(node.whens, terms, strict=False)
        ]
        return functions.among(f"(CASE {' '.join(cases)} ELSE {terms[-1].sql} END)", terms)

    def _when(self, node: Any, case: Any) -> str:
        if node.operand is None:
            return self.condition(case.when_expr)
        return compared(self.value(node.operand), "=", self.value(case.when_expr))

    def _call(self, node: Any) -> Term:
        name, given = fold(node.func_name), node.args or []
        plain = not node.filter_clause and not node.over_clause
        bare_call = isinstance(node, nodes.FunctionCall) and node.flags == FunctionCallFlags(0)
        known: Callable[..., Term] | None = functions.known(name, len(given))
        if known is None or not plain or not bare_call:
            return self.special_call(node)
        return known(self, given)


def condition(expression: str, scope: Scope) -> str:
    """The expression as a PostgreSQL boolean over the target's columns, with the same
    outcome (true, false or NULL) for every row that was carried, and every function in it
    immutable. Raises Untranslatable."""
    return said(expression, lambda tree: Expressions(scope).condition(tree))


def value(expression: str, scope: Scope, volatility: Volatility = Volatility.IMMUTABLE) -> Term:
    """The expression as a value. Raises Untranslatable."""
    return said(expression, lambda tree: Expressions(scope, volatility).value(tree))


def said(expression: str, say: Callable[[Any], T]) -> T:
    """What ``say`` makes of the expression's tree."""
    try:
        tree = parsed(expression)
        if tree is None:
            raise Untranslatable("what is not one expression")
        return say(tree)
    except RecursionError:
        raise Untranslatable("an expression of too many levels") from None


def _inward(term: Term) -> Term:
    """A text within another expression: SQLite would hand COLLATE on to what is around it."""
    if term.is_explicit:
        raise Untranslatable("COLLATE within")
    return term
