"""Expressions within a query: of its rows, or of its groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from syntaqlite import nodes  # type: ignore[import-untyped]

from core.dialect.aggregates import gathered
from core.dialect.columns import Place
from core.dialect.comparisons import compared
from core.dialect.expressions import Expressions
from core.dialect.grouping import Grouping
from core.dialect.outputs import require_distinct
from core.dialect.relations import Doubt, Notes
from core.dialect.scopes import FromScope, Source, plain
from core.dialect.terms import Kind, Term, Untranslatable, of_column, spelled
from core.dialect.volatility import Volatility
from core.schema.names import fold

if TYPE_CHECKING:
    from core.dialect.arms import Said
    from core.dialect.queries import Queries

_COMPARED = (Kind.INTEGER, Kind.NUMBER, Kind.TEXT, Kind.BLOB, Kind.BOOLEAN, Kind.MOMENT)


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a query's expressions may name beside columns, by folded names: output columns
    with their expressions, and windows."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    windows: Mapping[str, Any] = field(default_factory=dict)


class Speech(Expressions):
    """Says the expressions of one query. ``outer``: those of the query around it;
    ``outer_uses``: how often a column of it was named."""

    def __init__(
        self,
        queries: Queries,
        scope: FromScope,
        outer: Expressions | None,
        *,
        names: Names | None = None,
        grouping: Grouping | None = None,
        of_rows: Speech | None = None,
    ) -> None:
        super().__init__(scope, Volatility.VOLATILE)
        self._queries = queries
        self._from = scope
        self._outer = outer
        self._names = names or Names()
        self._grouping = grouping
        self._of_rows = of_rows or self
        self.outer_uses = 0

    @property
    def notes(self) -> Notes:
        """What is found on the way."""
        return self._queries.notes

    def of_groups(self, grouping: Grouping) -> Speech:
        """The same of whole groups: aggregates still gather the rows of each."""
        return self._made(self._names, grouping, self)

    def _made(self, names: Names, grouping: Grouping | None, of_rows: Speech | None) -> Speech:
        return Speech(
            self._queries,
            self._from,
            self._outer,
            names=names,
            grouping=grouping,
            of_rows=of_rows,
        )

    # --- names

    def column(self, node: Any) -> Term:
        """A column of FROM, else an output column's name, else a column of the query around."""
        name, table = node.column, node.table
        if found := self._from.located(name, table):
            return self.of_place(*found)
        if table is None and fold(plain(name)) in self._names.outputs:
            return self._unaliased().value(self._names.outputs[fold(plain(name))])
        if table is None and self._from.lacks(name):
            raise Untranslatable(name)
        if self._outer is None or (table is not None and self._from.knows(table)):
            return super().column(node)
        term = self._outer.column(node)
        self.outer_uses += term.place is not None
        return term

    def output(self, node: Any) -> Term:
        """A term of ORDER BY: there an output column's name comes before one of FROM."""
        if isinstance(node, nodes.ColumnRef) and node.table is None:
            said = self._names.outputs.get(fold(plain(node.column)))
            if said is not None:
                return self._unaliased().value(said)
        return self.value(node)

    def of_place(self, source: Source, place: Place) -> Term:
        """A column of FROM."""
        if self._grouping is None:
            return of_column(place)
        return self._grouping.of(source, place, self.notes)

    def window(self, node: Any) -> Any:
        """The window that a name stands for, or the node itself."""
        if not node.ref_window_name:
            return node
        found = self._names.windows.get(fold(plain(node.ref_window_name)))
        if found is None:
            raise Untranslatable(f"window {node.ref_window_name}")
        return found

    def _unaliased(self) -> Speech:
        of_rows = None if self._of_rows is self else self._of_rows
        return self._made(replace(self._names, outputs={}), self._grouping, of_rows)

    # --- values

    def value(self, node: Any) -> Term:
        """A node as a value; what a query groups by is said as it was there."""
        if self._grouping is not None and self._grouping.expressions:
            try:
                term = self._grouping.expressions.get(self._of_rows.value(node).sql)
            except Untranslatable:
                term = None
            if term is not None:
                return term
        return super().value(node)

    def special_call(self, node: Any) -> Term:
        """An aggregate or a window function."""
        if self._grouping is None and getattr(node, "over_clause", None) is None:
            return super().special_call(node)
        return gathered(self, self._of_rows, node)

    # --- queries within

    def exists(self, node: Any) -> str:
        """EXISTS (SELECT …)."""
        return f"EXISTS ({self._within(node.select).sql})"

    def subquery(self, node: Any) -> Term:
        """A query's first value; a value from a query has no collation to SQLite."""
        said = self._within(node.select)
        term = of_column(_only(said))
        if said.is_single:
            return replace(term, sql=f"({said.sql})", collation=None)
        self.notes.doubts.add(Doubt.LIMIT)
        inner = f"SELECT * FROM ({said.sql}) AS q" if said.is_limited else said.sql
        return replace(term, sql=f"({inner} LIMIT 1)", collation=None)

    def in_query(self, node: Any) -> str:
        """IN (SELECT …)."""
        if node.bare_source or not node.source or isinstance(node.source, list):
            raise Untranslatable("IN something else than a query or a list")
        left, said = self.value(node.operand), self._within(node.source)
        right = of_column(_only(said))
        if left.kind is Kind.BOOLEAN and right.kind is Kind.INTEGER:
            if left.place and spelled(left.place):
                raise Untranslatable("a boolean in words IN a query")
            left = Term(f"({left.sql})::int", Kind.INTEGER, most=1)
        if left.kind is not right.kind or left.kind not in _COMPARED:
            raise Untranslatable(f"{left.kind} IN a query of {right.kind}")
        require_distinct(replace(right, collation=None), "IN")
        require_distinct(left, "IN")
        compared(left, "=", right)
        return f"{left.sql} {'NOT IN' if node.negated else 'IN'} ({said.sql})"

    def _within(self, select: Any) -> Said:
        return self._queries.said(select, self)


def _only(said: Said) -> Place:
    if len(said.places) != 1:
        raise Untranslatable("a query of several columns as a value")
    return said.places[0]
