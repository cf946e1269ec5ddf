"""Functions over many rows: aggregates and windows
(https://sqlite.org/lang_aggfunc.html, https://sqlite.org/windowfunctions.html).

Whole numbers are added exactly on both sides. Sums of REALs depend on the order of the rows,
and SQLite adds decimals as REALs: their last digits may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    AggregateFunctionCallFlags,
    FrameBoundType,
    FrameExclude,
    FrameType,
    FunctionCallFlags,
)

from core.dialect.functions import evened
from core.dialect.ordering import sorted_by
from core.dialect.outputs import require_distinct
from core.dialect.relations import Doubt
from core.dialect.terms import COLLATIONS, Kind, Term, Untranslatable, bare, of_text, spelled
from core.schema.names import fold

if TYPE_CHECKING:
    from core.dialect.speech import Speech

_MANY_ROWS = 1 << 40


def is_aggregate(node: Any) -> bool:
    """Whether a call gathers the rows of a group into one value."""
    if isinstance(node, nodes.AggregateFunctionCall):
        return node.over_clause is None
    if not isinstance(node, nodes.FunctionCall) or node.over_clause is not None:
        return False
    name, given = fold(node.func_name), node.args or []
    return name in AGGREGATES and (name not in ("min", "max") or len(given) == 1)


def gathered(says: Speech, inner: Speech, node: Any) -> Term:
    """A call over many rows. ``inner`` says what it gathers: the columns of each row, where
    ``says`` speaks of whole groups. Raises Untranslatable."""
    name = fold(node.func_name)
    if node.over_clause is None:
        if name not in AGGREGATES:
            raise Untranslatable(f"{name}()")
        return _aggregate(inner, node, name)
    window = _window(says, node.over_clause)
    if name in WINDOWS:
        if node.filter_clause is not None:
            raise Untranslatable(f"{name}() with FILTER")
        term = WINDOWS[name](says, node.args or [])
        if name not in _RANKS:
            says.notes.doubts.add(Doubt.ORDER)
    elif name in AGGREGATES:
        term = _aggregate(says, node, name)
        if not _has_peers(says, node.over_clause):
            says.notes.doubts.add(Doubt.ORDER)
    else:
        raise Untranslatable(f"{name}() OVER")
    return replace(term, sql=term.sql.replace(_OVER, f" OVER ({window})"))


# --- aggregates -------------------------------------------------------------------------

_OVER = "\x00"
"""Where FILTER and OVER belong, behind the call itself; no SQL of ours has NUL."""


def _aggregate(says: Speech, node: Any, name: str) -> Term:
    term = AGGREGATES[name](says, node)
    filtered = ""
    if node.filter_clause is not None:
        filtered = f" FILTER (WHERE {says.condition(node.filter_clause)})"
    over = _OVER if node.over_clause is not None else ""
    return replace(term, sql=term.sql.replace(_OVER, filtered + over))


def _is_distinct(node: Any) -> bool:
    distinct = (FunctionCallFlags.DISTINCT, AggregateFunctionCallFlags.DISTINCT)
    return any(type(node.flags) is type(flag) and flag in node.flags for flag in distinct)


def _argument(says: Speech, node: Any, most: int = 1) -> Term:
    """The first of an aggregate's arguments. Raises Untranslatable."""
    given = node.args or []
    if not 1 <= len(given) <= most or getattr(node, "orderby", None):
        raise Untranslatable(f"{fold(node.func_name)}() of such arguments")
    before = says.outer_uses
    term = says.value(given[0])
    if says.outer_uses != before:
        raise Untranslatable("an aggregate of an outer query's column")
    return require_distinct(term, "DISTINCT") if _is_distinct(node) else term


def _distinct(node: Any) -> str:
    return "DISTINCT " if _is_distinct(node) else ""


def _number(says: Speech, node: Any) -> Term:
    term = _argument(says, node)
    if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
        return Term(f"({term.sql})::int", Kind.INTEGER, most=1)
    if not term.is_number:
        raise Untranslatable(f"{fold(node.func_name)}() of {term.kind}")
    return term


def _count(says: Speech, node: Any) -> Term:
    if not node.args:
        return Term(f"count(*){_OVER}", Kind.INTEGER, most=_MANY_ROWS)
    given = says.value(node.args[0])
    collation = COLLATIONS.get(given.collation or "", "{}") if given.kind is Kind.TEXT else "{}"
    if _is_distinct(node) and collation != "{}":
        sql = collation.format(given.sql)
    else:
        sql = _argument(says, node).sql
    return Term(f"count({_distinct(node)}{sql}){_OVER}", Kind.INTEGER, most=_MANY_ROWS)


def _sum(says: Speech, node: Any) -> Term:
    term = _number(says, node)
    sql = f"sum({_distinct(node)}{term.sql}){_OVER}"
    if term.kind is Kind.INTEGER:
        return Term(sql, Kind.INTEGER)
    return Term(sql, Kind.NUMBER, is_rough=True, is_decimal=term.is_decimal)


def _total(says: Speech, node: Any) -> Term:
    term = _number(says, node)
    sql = f"coalesce(sum({_distinct(node)}{term.sql}){_OVER}, 0)::float8"
    return Term(sql, Kind.NUMBER, is_rough=term.kind is not Kind.INTEGER)


def _average(says: Speech, node: Any) -> Term:
    """SQLite divides the exact sum of INTEGERs, as a REAL, by their number."""
    term, distinct = _number(says, node), _distinct(node)
    total = f"(sum({distinct}{term.sql}){_OVER})::float8"
    sql = f"({total} / nullif(count({distinct}{term.sql}){_OVER}, 0))"
    return Term(sql, Kind.NUMBER, is_rough=term.kind is not Kind.INTEGER)


def _outermost(word: str) -> Callable[[Speech, Any], Term]:
    def outermost(says: Speech, node: Any) -> Term:
        term = _argument(says, node)
        if term.kind is Kind.BOOLEAN or term.is_number:
            number = _number(says, node)
            return replace(bare(number), sql=f"{word}({number.sql}){_OVER}", constant=None)
        if term.kind is Kind.TEXT and (term.collation or "BINARY") == "BINARY":
            return Term(f'{word}({term.sql} COLLATE "C"){_OVER}', Kind.TEXT)
        if term.kind is Kind.MOMENT and term.place and term.place.spelling:
            return replace(term, sql=f"{word}({term.sql}){_OVER}", affinity=None)
        raise Untranslatable(f"{word}() of {term.kind}")

    return outermost


def _joined(says: Speech, node: Any) -> Term:
    """Texts one behind the other, in the order in which rows come, or in that of ORDER BY."""
    given = node.args or []
    order = [
        sorted_by(says.value(term.expr), term) for term in getattr(node, "orderby", None) or []
    ]
    if not 1 <= len(given) <= 2 or (order and _is_distinct(node)):
        raise Untranslatable(f"{fold(node.func_name)}() of such arguments")
    separator = says.value(given[1]).constant if len(given) > 1 else ","
    if not isinstance(separator, str):
        raise Untranslatable("a separator that is no constant text")
    says.notes.doubts.add(Doubt.ORDER)
    text = says.spoken(given[0])
    if _is_distinct(node):
        require_distinct(says.value(given[0]), "DISTINCT")
    sorting = f" ORDER BY {', '.join(filter(None, order))}" if any(order) else ""
    sql = f"string_agg({_distinct(node)}{text.sql}, {of_text(separator).sql}{sorting}){_OVER}"
    return Term(sql, Kind.TEXT)


AGGREGATES: Mapping[str, Callable[[Speech, Any], Term]] = MappingProxyType(
    {
        "count": _count,
        "sum": _sum,
        "total": _total,
        "avg": _average,
        "min": _outermost("min"),
        "max": _outermost("max"),
        "group_concat": _joined,
        "string_agg": _joined,
    }
)


# --- windows ----------------------------------------------------------------------------

_RANKS = ("rank", "dense_rank", "percent_rank", "cume_dist")


def _numbered(word: str, kind: Kind) -> Callable[[Speech, Sequence[Any]], Term]:
    def number(_: Speech, given: Sequence[Any]) -> Term:
        if given:
            raise Untranslatable(f"{word}() of arguments")
        return Term(f"{word}(){_OVER}", kind, most=_MANY_ROWS)

    return number


def _ntile(says: Speech, given: Sequence[Any]) -> Term:
    return Term(f"ntile({_whole(says, given[0])}){_OVER}", Kind.INTEGER, most=_MANY_ROWS)


def _whole(says: Speech, node: Any) -> int:
    constant = says.value(node).constant
    if not isinstance(constant, int) or not 0 <= constant < 1 << 31:
        raise Untranslatable("a window function of a number that is no constant")
    return constant


def _neighbour(word: str) -> Callable[[Speech, Sequence[Any]], Term]:
    def neighbour(says: Speech, given: Sequence[Any]) -> Term:
        if not 1 <= len(given) <= 3:
            raise Untranslatable(f"{word}() of such arguments")
        term = says.value(given[0])
        distance = _whole(says, given[1]) if len(given) > 1 else 1
        other = ""
        if len(given) > 2:
            term, default = evened([term, says.value(given[2])], f"{word}()")
            other = f", {default.sql}"
        return _of_row(term, f"{word}({_typed(term)}, {distance}{other}){_OVER}")

    return neighbour


def _edge(word: str) -> Callable[[Speech, Sequence[Any]], Term]:
    def edge(says: Speech, given: Sequence[Any]) -> Term:
        term = says.value(given[0])
        place = f", {_whole(says, given[1])}" if word == "nth_value" else ""
        return _of_row(term, f"{word}({_typed(term)}{place}){_OVER}")

    return edge


def _typed(term: Term) -> str:
    return f"{term.sql}::text" if isinstance(term.constant, str) else term.sql


def _of_row(term: Term, sql: str) -> Term:
    """The value that another row has."""
    return replace(term, sql=sql, affinity=None, collation=None, is_explicit=False, constant=None)


WINDOWS: Mapping[str, Callable[[Speech, Sequence[Any]], Term]] = MappingProxyType(
    {
        "row_number": _numbered("row_number", Kind.INTEGER),
        "rank": _numbered("rank", Kind.INTEGER),
        "dense_rank": _numbered("dense_rank", Kind.INTEGER),
        "percent_rank": _numbered("percent_rank", Kind.NUMBER),
        "cume_dist": _numbered("cume_dist", Kind.NUMBER),
        "ntile": _ntile,
        "lag": _neighbour("lag"),
        "lead": _neighbour("lead"),
        "first_value": _edge("first_value"),
        "last_value": _edge("last_value"),
        "nth_value": _edge("nth_value"),
    }
)

_BOUNDS = {
    FrameBoundType.UNBOUNDED_PRECEDING: "UNBOUNDED PRECEDING",
    FrameBoundType.EXPR_PRECEDING: "PRECEDING",
    FrameBoundType.CURRENT_ROW: "CURRENT ROW",
    FrameBoundType.EXPR_FOLLOWING: "FOLLOWING",
    FrameBoundType.UNBOUNDED_FOLLOWING: "UNBOUNDED FOLLOWING",
}
_EXCLUDED = {
    FrameExclude.NONE: "",
    FrameExclude.NO_OTHERS: " EXCLUDE NO OTHERS",
    FrameExclude.CURRENT_ROW: " EXCLUDE CURRENT ROW",
    FrameExclude.GROUP: " EXCLUDE GROUP",
    FrameExclude.TIES: " EXCLUDE TIES",
}


def _window(says: Speech, node: Any) -> str:
    """What stands between the parentheses of OVER; a window's name is replaced by the window."""
    node = says.window(node)
    if node.base_window_name:
        raise Untranslatable("a window made of another one")
    parts = [require_distinct(says.value(term), "PARTITION BY") for term in node.partition_by or []]
    partition = [term.sql for term in parts if term.constant is None]
    order = [sorted_by(says.value(term.expr), term) for term in node.orderby or []]
    said = f"PARTITION BY {', '.join(partition)}" if partition else ""
    said += f" ORDER BY {', '.join(filter(None, order))}" if any(order) else ""
    return (said + _frame(says, node)).strip()


def _frame(says: Speech, node: Any) -> str:
    frame = node.frame
    if frame is None or frame.frame_type is FrameType.NONE:
        return ""
    if frame.frame_type is FrameType.GROUPS and not node.orderby:
        raise Untranslatable("GROUPS without ORDER BY")
    ends = [_bound(says, frame, end) for end in (frame.start_bound, frame.end_bound) if end]
    between = f"BETWEEN {ends[0]} AND {ends[1]}" if len(ends) == 2 else ends[0]
    return f" {frame.frame_type.name} {between}{_EXCLUDED[frame.exclude]}"


def _bound(says: Speech, frame: Any, end: Any) -> str:
    word = _BOUNDS[end.bound_type]
    if end.expr is None:
        return word
    if frame.frame_type is FrameType.RANGE:
        raise Untranslatable("RANGE by a distance")
    return f"{_whole(says, end.expr)} {word}"


def _has_peers(says: Speech, node: Any) -> bool:
    """Whether the frame ends with whole groups of equal rows: then their order plays no part."""
    frame = says.window(node).frame
    return frame is None or frame.frame_type in (FrameType.NONE, FrameType.RANGE, FrameType.GROUPS)
