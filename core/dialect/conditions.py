"""Conditions of CHECKs and partial indexes: one SQLite expression, said in PostgreSQL.

What is said depends on nothing but the row, and every function in it is immutable. An
expression is refused as a whole if any part of it is: half a condition is another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    BinaryOp,
    FunctionCallFlags,
    IsOp,
    LikeKeyword,
    LiteralType,
    UnaryOp,
)

from core.dialect.columns import Places
from core.dialect.terms import (
    NULL,
    Kind,
    Term,
    Untranslatable,
    compared,
    of_column,
    of_integer,
    of_number,
    of_text,
    spelled,
)
from core.schema.declarations import parsed
from core.schema.model import Affinity
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
_NULLS = {IsOp.IS_NULL: "IS NULL", IsOp.NOT_NULL: "IS NOT NULL"}
_NULLS[IsOp.NOT_NULL_SPACED] = "IS NOT NULL"
_SAME = {IsOp.IS: "IS NOT DISTINCT FROM", IsOp.IS_NOT: "IS DISTINCT FROM"}
_SAME |= {IsOp.IS_NOT_DISTINCT: _SAME[IsOp.IS], IsOp.IS_DISTINCT: _SAME[IsOp.IS_NOT]}
_ROWIDS = {"rowid", "oid", "_rowid_"}
_LONGEST = 1 << 30
_TRUTHS = {"true": 1, "false": 0}


def condition(expression: str, places: Places) -> str:
    """The expression as a PostgreSQL boolean over the target's columns, with the same
    outcome (true, false or NULL) for every row that was carried. Raises Untranslatable."""
    try:
        tree = parsed(expression)
        if tree is None:
            raise Untranslatable("what is not one expression")
        return _Translator(places).condition(tree)
    except RecursionError:
        raise Untranslatable("an expression of too many levels") from None


class _Translator:
    """One expression. Nodes are ``syntaqlite``'s; their class says all there is."""

    def __init__(self, places: Places) -> None:
        self._places = places

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
        return self._truth(self.value(node))

    def _truth(self, term: Term) -> str:
        if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
            return term.sql
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
            raise Untranslatable("IN a query")
        left = self.value(node.operand)
        # The list's own affinity and collation play no part.
        items = [_bare(self.value(item)) for item in node.source]
        found = " OR ".join(f"({compared(left, '=', item)})" for item in items)
        return f"NOT ({found})" if node.negated else found

    def _between(self, node: Any) -> str:
        term = self.value(node.operand)
        low = compared(term, ">=", self.value(node.low))
        high = compared(term, "<=", self.value(node.high))
        return f"NOT (({low}) AND ({high}))" if node.negated else f"({low}) AND ({high})"

    def _like(self, node: Any) -> str:
        term, pattern = self._text(node.operand), self.value(node.pattern)
        if not isinstance(pattern.constant, str) or pattern.kind is not Kind.TEXT:
            raise Untranslatable("a pattern that is not a text")
        if node.keyword is LikeKeyword.LIKE and node.escape is None:
            wanted = of_text(_ascii_lower(pattern.constant)).sql
            found = f"lower({term.sql} COLLATE \"C\") LIKE {wanted} ESCAPE ''"
        elif node.keyword is LikeKeyword.GLOB:
            found = f'{term.sql} COLLATE "C" ~ {of_text(_regular(pattern.constant)).sql}'
        else:
            raise Untranslatable(str(node.keyword.name))
        return f"NOT ({found})" if node.negated else found

    # --- values

    def value(self, node: Any) -> Term:
        """A node as a value."""
        match node:
            case nodes.ParenExpr():
                return self.value(node.expr)
            case nodes.Literal():
                return _literal(node)
            case nodes.ColumnRef():
                return self._column(node)
            case nodes.UnaryExpr() if node.op in (UnaryOp.MINUS, UnaryOp.PLUS):
                return self._signed(node)
            case nodes.BinaryExpr() if node.op in _SUMS:
                return self._sum(node)
            case nodes.BinaryExpr() if node.op is BinaryOp.CONCAT:
                sides = [self._text(side).sql for side in (node.left, node.right)]
                return Term(f"({' || '.join(sides)})", Kind.TEXT)
            case nodes.CollateExpr():
                term = self._text(node.expr)
                collation = unquoted(node.collation).upper()
                return Term(term.sql, Kind.TEXT, term.affinity, collation, is_explicit=True)
            case nodes.FunctionCall():
                return self._call(node)
            case nodes.BinaryExpr() if node.op not in _LINKS | _SIGNS:
                raise Untranslatable(str(node.op.name))
            case nodes.BinaryExpr() | nodes.IsExpr() | nodes.InExpr() | nodes.BetweenExpr():
                return Term(f"({self.condition(node)})::int", Kind.INTEGER, most=1)
        raise Untranslatable(type(node).__name__)

    def _column(self, node: Any) -> Term:
        place = self._places.find(node.column)
        if place is not None:
            return of_column(place)
        unknown = node.table is not None or fold(node.column) in _ROWIDS
        if unknown or self._places.lacks(node.column):
            raise Untranslatable(node.column)
        if fold(node.column) in _TRUTHS:
            return of_integer(_TRUTHS[fold(node.column)])
        # A name in double quotes that names no column is a text to SQLite.
        return of_text(node.column)

    def _signed(self, node: Any) -> Term:
        term = self.value(node.operand)
        if not term.is_number:
            raise Untranslatable("a sign before what is no number")
        if node.op is UnaryOp.PLUS:
            return _bare(term)
        constant = -term.constant if isinstance(term.constant, int | float) else None
        if constant is None:
            return Term(f"(-({_wide(term)}))", term.kind, most=term.most)
        return Term(f"({constant!r})", term.kind, constant=constant, most=term.most)

    def _sum(self, node: Any) -> Term:
        terms = [self.value(side) for side in (node.left, node.right)]
        if not all(term.is_number and _is_binary(term) for term in terms):
            raise Untranslatable("a sum of what SQLite adds otherwise")
        if len({term.kind for term in terms}) > 1 or terms[0].kind is not Kind.INTEGER:
            raise Untranslatable("a sum of REALs")
        most = _reach(node.op, *(term.most for term in terms))
        return Term(f"({f' {_SUMS[node.op]} '.join(map(_wide, terms))})", Kind.INTEGER, most=most)

    def _text(self, node: Any) -> Term:
        term = self.value(node)
        if term.kind is not Kind.TEXT or (term.place and term.affinity is not Affinity.TEXT):
            raise Untranslatable(f"{term.kind} as a text")
        if term.is_explicit:
            raise Untranslatable("COLLATE within")  # SQLite hands it on to what is around it
        return term

    def _call(self, node: Any) -> Term:
        name, given = fold(node.func_name), node.args or []
        plain = not node.filter_clause and not node.over_clause
        if name not in _CALLS or not plain or node.flags != FunctionCallFlags(0):
            raise Untranslatable(f"{name}()")
        return _CALLS[name](self, given)

    # --- functions

    def length(self, given: Sequence[Any]) -> Term:
        """Characters of a text."""
        return Term(f"length({self._text(*_of(1, given)).sql})", Kind.INTEGER, most=_LONGEST)

    def lower(self, given: Sequence[Any]) -> Term:
        """SQLite's own knows ASCII alone."""
        return Term(f'lower({self._text(*_of(1, given)).sql} COLLATE "C")', Kind.TEXT)

    def upper(self, given: Sequence[Any]) -> Term:
        """SQLite's own knows ASCII alone."""
        return Term(f'upper({self._text(*_of(1, given)).sql} COLLATE "C")', Kind.TEXT)

    def trim(self, given: Sequence[Any]) -> Term:
        """Spaces at both ends."""
        return Term(f"btrim({self._text(*_of(1, given)).sql}, ' ')", Kind.TEXT)

    def coalesce(self, given: Sequence[Any]) -> Term:
        """Values of one kind."""
        terms = [self.value(argument) for argument in given]
        if any(term.is_explicit for term in terms):
            raise Untranslatable("COLLATE within")
        kinds = {term.kind for term in terms}
        if not terms[1:] or len(kinds) > 1 or not kinds <= {Kind.INTEGER, Kind.TEXT}:
            raise Untranslatable("coalesce() of several kinds")
        known = [term.most for term in terms if term.most is not None]
        most = max(known) if len(known) == len(terms) else None
        return Term(f"coalesce({', '.join(term.sql for term in terms)})", kinds.pop(), most=most)

    def json_valid(self, given: Sequence[Any]) -> Term:
        """Of a column of documents: PostgreSQL takes no other."""
        term = self.value(*_of(1, given))
        if term.place is None or not term.place.conversion.type.name.startswith("json"):
            raise Untranslatable("json_valid() of what is no document")
        return Term(f"({term.sql} IS NOT NULL OR NULL)", Kind.BOOLEAN)

    def typeof(self, given: Sequence[Any]) -> Term:
        """Of a column whose values all have one storage class."""
        term = self.value(*_of(1, given))
        classes = {Kind.INTEGER: "integer", Kind.TEXT: "text"}
        if term.place is None or term.kind not in classes:
            raise Untranslatable("typeof() of a column of several classes")
        case = f"CASE WHEN {term.sql} IS NULL THEN 'null' ELSE '{classes[term.kind]}' END"
        return Term(f"({case})", Kind.TEXT)


_CALLS: dict[str, Callable[[_Translator, Sequence[Any]], Term]] = {
    "length": _Translator.length,
    "lower": _Translator.lower,
    "upper": _Translator.upper,
    "trim": _Translator.trim,
    "coalesce": _Translator.coalesce,
    "ifnull": _Translator.coalesce,
    "json_valid": _Translator.json_valid,
    "typeof": _Translator.typeof,
}


def _of(count: int, given: Sequence[Any]) -> Sequence[Any]:
    if len(given) != count:
        raise Untranslatable("another number of arguments")
    return given


def _literal(node: Any) -> Term:
    match node.literal_type:
        case LiteralType.NULL:
            return NULL
        case LiteralType.STRING:
            return of_text(node.source[1:-1].replace("''", "'"))
        case LiteralType.INTEGER | LiteralType.FLOAT | LiteralType.QNUMBER:
            return of_number(node.source)
    raise Untranslatable(node.source)


def _bare(term: Term) -> Term:
    """The term without what SQLite knows of a column alone: affinity and collation."""
    return Term(term.sql, term.kind, constant=term.constant, most=term.most)


def _reach(op: BinaryOp, left: int | None, right: int | None) -> int:
    """How large the outcome is at most. Past 64 bits SQLite goes on with a rounded REAL."""
    if left is None or right is None:
        raise Untranslatable("a sum of unknown size")
    most = left * right if op is BinaryOp.STAR else left + right
    if most >= 1 << 63:
        raise Untranslatable("a sum past 64 bits")
    return most


def _is_binary(term: Term) -> bool:
    """Whether the target holds what SQLite would add: a decimal is another number."""
    return term.place is None or term.place.conversion.type.name != "numeric"


def _wide(term: Term) -> str:
    """No row that was carried goes past 64 bits; one of tomorrow must not be an error."""
    return f"{term.sql}::numeric" if term.kind is Kind.INTEGER else term.sql


def _ascii_lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


_GLOB = re.compile(
    r"\*|\?|\[(\^?)((?:[A-Za-z0-9 _.:]-[A-Za-z0-9]|[A-Za-z0-9 _.:@/-])+)\]|[^\[]", re.DOTALL
)


def _regular(pattern: str) -> str:
    """A GLOB as a regular expression of the whole text."""
    parts: list[str] = []
    place = 0
    while place < len(pattern):
        found = _GLOB.match(pattern, place)
        if found is None:
            raise Untranslatable("a GLOB with unusual brackets")
        parts.append(_part(found))
        place = found.end()
    return f"^{''.join(parts)}$"


def _part(found: re.Match[str]) -> str:
    match found[0]:
        case "*":
            return ".*"
        case "?":
            return "."
    if found[2] is not None:
        return f"[{found[1]}{found[2]}]"
    return re.sub(r"[^A-Za-z0-9 ]", lambda c: "\\" + c[0] if c[0].isascii() else c[0], found[0])
