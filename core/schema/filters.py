"""Which rows of a table are carried: one SQLite expression over the row, and nothing else.

It is put into every statement that reads the table: by the census, by each chunk, by each
resume, by verification. So it must be a single expression, ask nothing but the row itself,
and answer the same whenever and wherever it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import apsw

from core.errors import (
    FilterAsksElsewhere,
    FilterFails,
    FilterNotExpression,
    FilterUnknownColumn,
    FilterUnsteady,
)
from core.schema.declarations import Node, expression_nodes
from core.schema.model import Table
from core.schema.names import fold, unquoted
from core.schema.reading import table_source
from core.source.rows import count_rows

_ROWIDS = frozenset({"rowid", "oid", "_rowid_"})
_TRUTHS = frozenset({"true", "false"})
_ELSEWHERE = ("SubqueryExpr", "ExistsExpr", "SelectStmt", "TableRef", "Variable", "RaiseExpr")
_CLOCKS = frozenset({"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"})
# What these make of a moment depends on the day, or on the machine.
_MOVING = frozenset({"now", "localtime", "utc"})
# SQLITE_DETERMINISTIC; an aggregate SQLite refuses by itself.
_UNSTEADY = "SELECT DISTINCT name FROM pragma_function_list WHERE type = 's' AND NOT flags & 0x800"


def check_filter(connection: apsw.Connection, table: Table, expression: str) -> None:
    """Refuse a filter that is not one steady expression over the row of ``table``, or that
    SQLite cannot answer for one of its rows. Raises FilterRefused."""
    facts = {"table": table.name, "filter": expression}
    nodes = expression_nodes(expression)
    if not nodes:
        raise FilterNotExpression(**facts)
    if any(node["type"] in _ELSEWHERE for node in nodes):
        raise FilterAsksElsewhere(**facts)
    for node in nodes:
        if name := _unknown_column(node, table):
            raise FilterUnknownColumn(**facts, column=name)
    unsteady = {str(name) for (name,) in connection.execute(_UNSTEADY)}
    for node in nodes:
        if name := _unsteady(node, unsteady):
            raise FilterUnsteady(**facts, name=name)
    try:
        # SQLite knows what functions there are, and whether one refuses a value.
        count_rows(connection, table_source(table, "UTF-8", (), where=expression))
    except (apsw.SQLError, apsw.MismatchError) as refused:
        raise FilterFails(**facts, detail=str(refused)) from refused


def _unknown_column(node: Node, table: Table) -> str:
    """The name that no column of the table has, '' if the node names none such."""
    if node["type"] != "ColumnRef":
        return ""
    written: str = node["column"]
    if node["table"] is not None:
        return f"{node['table']}.{written}"
    known = {fold(column.name) for column in table.columns} | _TRUTHS
    known |= frozenset() if table.without_rowid else _ROWIDS
    # The tree has taken the quotes off, and left those inside doubled.
    return "" if {fold(written), fold(written.replace('""', '"'))} & known else written


def _unsteady(node: Node, functions: Collection[str]) -> str:
    """The word by which the answer depends on when or where it is asked, '' if none does."""
    if node["type"] == "Literal":
        return str(node["source"]) if node["literal_type"] == "CURRENT" else ""
    if node["type"] != "FunctionCall":
        return ""
    name = fold(unquoted(node["func_name"]))
    return name if name in functions or (name in _CLOCKS and _moves(name, node)) else ""


def _moves(name: str, node: Node) -> bool:
    """Whether a function of time looks at the clock, or at where the machine stands."""
    words = list(_arguments(node))
    return len(words) < 1 + (name == "strftime") or not _MOVING.isdisjoint(words)


def _arguments(node: Node) -> Iterator[Any]:
    """The arguments that are written out, lowered; None for each of the others."""
    for argument in (node["args"] or {"children": ()})["children"]:
        written = argument["type"] == "Literal" and argument["literal_type"] == "STRING"
        yield fold(unquoted(argument["source"])).strip() if written else None
