"""ORDER BY and LIMIT: the order in which SQLite gives rows.

NULL comes first to SQLite, last to PostgreSQL; texts are in the order of their bytes.
"""

from __future__ import annotations

from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    LiteralType,
    NullsOrder,
    SortOrder,
    UnaryOp,
)

from core.dialect.terms import COLLATIONS, Kind, Term, Untranslatable

_SORTED = (Kind.INTEGER, Kind.NUMBER, Kind.BLOB, Kind.BOOLEAN)
_UNBOUNDED = -1


def sorted_by(term: Term, node: Any) -> str | None:
    """One term of ORDER BY; None for a constant, which sorts nothing. Raises Untranslatable."""
    if term.kind is Kind.NULL or term.constant is not None:
        return None
    descends = node.sort_order is SortOrder.DESC
    first = not descends if node.nulls_order is NullsOrder.NONE else _is_first(node)
    direction = " DESC" if descends else ""
    return f"{_comparable(term)}{direction} NULLS {'FIRST' if first else 'LAST'}"


def _is_first(node: Any) -> bool:
    return bool(node.nulls_order is NullsOrder.FIRST)


def _comparable(term: Term) -> str:
    if term.kind in _SORTED or (term.kind is Kind.MOMENT and term.place and term.place.spelling):
        return term.sql
    if term.kind is not Kind.TEXT:
        raise Untranslatable(f"ORDER BY {term.kind}")
    collation = term.collation or "BINARY"
    if collation != "BINARY" and collation not in COLLATIONS:
        raise Untranslatable(f"ORDER BY with collation {collation}")
    return f'{COLLATIONS.get(collation, "{}").format(term.sql)} COLLATE "C"'


def ordinal(node: Any) -> int | None:
    """The number of the output column that a term of ORDER BY or GROUP BY stands for."""
    if isinstance(node, nodes.Literal) and node.literal_type is LiteralType.INTEGER:
        return int(node.source)
    return None


def limited(clause: Any) -> str:
    """LIMIT and OFFSET, '' where they leave every row. Raises Untranslatable."""
    if clause is None:
        return ""
    most = _constant(clause.limit)
    skipped = 0 if clause.offset is None else max(_constant(clause.offset), 0)
    limit = f" LIMIT {most}" if most > _UNBOUNDED else ""
    return limit + (f" OFFSET {skipped}" if skipped else "")


def _constant(node: Any) -> int:
    match node:
        case nodes.ParenExpr():
            return _constant(node.expr)
        case nodes.UnaryExpr() if node.op is UnaryOp.MINUS:
            return -_constant(node.operand)
        case nodes.Literal() if node.literal_type is LiteralType.INTEGER:
            return int(node.source)
    raise Untranslatable("a LIMIT that is no constant")
