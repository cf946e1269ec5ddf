"""Walking the grammar's trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import BinaryOp  # type: ignore[import-untyped]

QUERIES = (nodes.SelectStmt, nodes.CompoundSelect, nodes.WithClause, nodes.ValuesClause)


def walk(node: Any) -> Iterator[Any]:
    """The nodes of an expression from the outside in; of a query within only its own."""
    if isinstance(node, list):
        for item in node:
            yield from walk(item)
    elif (slots := getattr(type(node), "__slots__", None)) is not None:
        yield node
        if not isinstance(node, QUERIES):
            for slot in (slots,) if isinstance(slots, str) else slots:
                yield from walk(getattr(node, slot))


def conjuncts(node: Any) -> Iterator[Any]:
    """What AND links, without the parentheses around it."""
    node = unwrapped(node)
    if isinstance(node, nodes.BinaryExpr) and node.op is BinaryOp.AND:
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    elif node is not None:
        yield node


def unwrapped(node: Any) -> Any:
    """The node without parentheses."""
    while isinstance(node, nodes.ParenExpr):
        node = node.expr
    return node
