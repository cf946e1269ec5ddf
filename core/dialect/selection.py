"""One SELECT on its way to PostgreSQL: FROM, WHERE, GROUP BY, outputs, HAVING."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    ResultColumnFlags,
    SelectStmtFlags,
)

from core.dialect.aggregates import is_aggregate
from core.dialect.arms import (
    Arm,
    Item,
    Output,
)
from core.dialect.expressions import Expressions
from core.dialect.grouping import Grouping, determined
from core.dialect.joins import Joined, demands
from core.dialect.ordering import ordinal
from core.dialect.outputs import require_distinct
from core.dialect.relations import Key
from core.dialect.scopes import Column, plain
from core.dialect.speech import Names, Speech
from core.dialect.terms import Kind, Term, Untranslatable
from core.dialect.trees import unwrapped, walk
from core.schema.names import fold

if TYPE_CHECKING:
    from core.dialect.queries import Queries


class Selection:
    """One SELECT on its way: FROM, WHERE, GROUP BY, outputs, HAVING."""

    def __init__(self, queries: Queries, node: Any, outer: Expressions | None) -> None:
        self._node = node
        self._joined = Joined(queries, node.from_clause, outer)
        self._scope = self._joined.scope
        windows = {fold(plain(w.window_name)): w.window_def for w in node.window_clause or []}
        names = Names(outputs=dict(self._aliases()), windows=windows)
        self._asks = Speech(queries, self._scope, outer, names=names)
        self._shows = Speech(queries, self._scope, outer, names=Names(windows=windows))

    def arm(self) -> Arm:
        """All of it but ORDER BY and LIMIT."""
        node, tail = self._node, ""
        if node.from_clause is not None:
            tail += f" FROM {self._joined.sql}"
        if node.where_clause is not None:
            tail += f" WHERE {self._asks.condition(node.where_clause)}"
        grouping = self._grouping() if self._gathers() else None
        asks, shows = self._asks, self._shows
        if grouping is not None:
            asks, shows = asks.of_groups(grouping), shows.of_groups(grouping)
        outputs = tuple(item.output(shows) for item in self._items())
        is_distinct = SelectStmtFlags.DISTINCT in node.flags
        if is_distinct:
            for output in outputs:
                require_distinct(output.term, "DISTINCT")
        if grouping is not None and node.groupby:
            tail += f" GROUP BY {self._grouped_by(grouping)}"
        if node.having is not None:
            tail += f" HAVING {asks.condition(node.having)}"
        return Arm(
            rows=(outputs,),
            tail=tail,
            is_distinct=is_distinct,
            keys=tuple(self._keys(grouping, outputs)),
            is_single=self._is_single(grouping),
            says=asks,
        )

    def _is_single(self, grouping: Grouping | None) -> bool:
        if grouping is not None:
            return not self._node.groupby and self._node.having is None
        return self._node.from_clause is None and self._node.where_clause is None

    # --- outputs

    def _aliases(self) -> Iterator[tuple[str, Any]]:
        for column in reversed(self._node.columns):
            if column.alias is not None:
                yield fold(plain(column.alias.source)), column.expr

    def _items(self) -> Iterator[Item]:
        """What stands between SELECT and FROM, ``*`` written out."""
        for column in self._node.columns:
            if ResultColumnFlags.STAR not in column.flags:
                yield Item(self._name(column), self._column(column.expr), node=column.expr)
                continue
            table = None if column.expr is None else column.expr.source
            for source, place in self._scope.starred(table):
                yield Item(place.source, source.column(place), place=(source, place))

    def _name(self, column: Any) -> str:
        """What SQLite calls an output column, '' where that is the text of its expression."""
        if column.alias is not None:
            return plain(column.alias.source)
        node = _uncollated(column.expr)
        found = isinstance(node, nodes.ColumnRef) and self._scope.find(node.column, node.table)
        return found.source if found else ""

    def _column(self, node: Any) -> Column | None:
        node = unwrapped(node)
        if not isinstance(node, nodes.ColumnRef):
            return None
        found = self._scope.located(node.column, node.table)
        return found[0].column(found[1]) if found else None

    # --- groups

    def _gathers(self) -> bool:
        node = self._node
        parts = [node.columns, node.having, node.orderby, node.window_clause]
        return bool(node.groupby) or any(is_aggregate(n) for part in parts for n in walk(part))

    def _grouping(self) -> Grouping:
        terms = [self._group_term(node) for node in self._node.groupby or []]
        columns = {term.sql: self._scope.column_of(term) for term in terms}
        known = frozenset(column for column in columns.values() if column is not None)
        found = known
        if self._joined.links is not None:
            where = demands(self._node.where_clause, self._scope)
            links = [*self._joined.links, where]
            found = determined(known, self._scope.sources, links)
        return Grouping(
            columns=known,
            expressions={term.sql: term for term in terms if columns[term.sql] is None},
            determined=found,
            sources=self._scope.sources,
            has_outermost=self._has_outermost(),
        )

    def _has_outermost(self) -> bool:
        parts = (self._node.columns, self._node.having, self._node.orderby)
        calls = (n for part in parts for n in walk(part) if is_aggregate(n))
        return any(fold(call.func_name) in ("min", "max") for call in calls)

    def _group_term(self, node: Any) -> Term:
        number = ordinal(node)
        items = list(self._items())
        if number is not None and not 1 <= number <= len(items):
            raise Untranslatable(f"GROUP BY {number}")
        term = self._asks.value(node) if number is None else items[number - 1].said(self._shows)
        if term.constant is not None or term.kind is Kind.NULL:
            raise Untranslatable("GROUP BY a constant")
        return require_distinct(term, "GROUP BY")

    def _grouped_by(self, grouping: Grouping) -> str:
        places = [
            place.sql
            for source in self._scope.sources
            for place in source.places
            if source.column(place) in grouping.columns
        ]
        return ", ".join([*places, *grouping.expressions])

    # --- keys

    def _keys(self, grouping: Grouping | None, outputs: Sequence[Output]) -> Iterator[Key]:
        shown = {o.column: fold(plain(o.name)) for o in outputs if o.column and o.name}
        if grouping is not None:
            if self._node.groupby and not grouping.expressions:
                yield from _key(grouping.columns, shown)
        elif self._joined.links is not None and self._scope.sources:
            yield from self._joined_keys(shown)

    def _joined_keys(self, shown: Mapping[Column, str]) -> Iterator[Key]:
        """Keys of the first table stay keys if no other one adds a second row to a row."""
        first, *others = self._scope.sources
        for key in first.relation.keys:
            columns = frozenset((first.number, name) for name in key.columns)
            found = determined(columns, self._scope.sources, self._joined.links or [])
            names = {n: {name for number, name in found if number == n} for n, _ in found}
            if all(
                any(own.columns <= names.get(other.number, set()) for own in other.relation.keys)
                for other in others
            ):
                yield from _key(columns, shown)


def _key(columns: frozenset[Column], shown: Mapping[Column, str]) -> Iterator[Key]:
    if columns and columns <= shown.keys():
        yield Key(columns=frozenset(shown[column] for column in columns))


def _uncollated(node: Any) -> Any:
    node = unwrapped(node)
    while isinstance(node, nodes.CollateExpr):
        node = unwrapped(node.expr)
    return node
