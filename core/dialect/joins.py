"""FROM: tables, views, queries and how they are joined.

SQLite joins from left to right, the comma like JOIN (https://sqlite.org/lang_select.html
section 2.1); to PostgreSQL the comma comes last, so it is said as CROSS JOIN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import BinaryOp, JoinType  # type: ignore[import-untyped]

from core.dialect.columns import Place
from core.dialect.comparisons import compared
from core.dialect.expressions import Expressions
from core.dialect.grouping import Link
from core.dialect.relations import Relation
from core.dialect.scopes import Column, FromScope, Source, plain
from core.dialect.speech import Speech
from core.dialect.terms import Kind, Term, Untranslatable, of_column
from core.dialect.trees import QUERIES, conjuncts, unwrapped, walk
from core.schema.names import fold
from core.source.rows import quoted

if TYPE_CHECKING:
    from core.dialect.queries import Queries

NAME_BYTES_MAX = 63
_LEFT = (JoinType.LEFT, JoinType.NATURAL_LEFT)
_TURNED = (JoinType.RIGHT, JoinType.FULL, JoinType.NATURAL_RIGHT, JoinType.NATURAL_FULL)
_WORDS = {JoinType.LEFT: "LEFT ", JoinType.RIGHT: "RIGHT ", JoinType.FULL: "FULL "}
_EQUAL = (BinaryOp.EQ, BinaryOp.EQ_DOUBLE)
_NOWHERE: Column = (-1, "")
"""A column that is never determined: what a query within may speak of."""


class Joined:
    """The FROM clause of a query: ``scope``, how it is said (``sql``), and ``links``, what its
    conditions demand; None where an outer join leaves it unclear."""

    def __init__(self, queries: Queries, node: Any, outer: Expressions | None) -> None:
        self._queries = queries
        self._outer = outer
        self._sources: list[Source] = []
        self._spans: dict[int, tuple[int, int]] = {}
        self._using: dict[int, list[tuple[Place, Place]]] = {}
        self.links: list[Link] | None = []
        if node is not None:
            self._gather(node)
        self._require_names()
        self.scope = FromScope(self._sources)
        self.sql = "" if node is None else self._said(node)

    # --- the sources, from left to right

    def _gather(self, node: Any) -> None:
        first = len(self._sources)
        match node:
            case nodes.TableRef():
                self._add(_alias(node) or plain(node.table_name), self._table(node))
            case nodes.SubqueryTableSource():
                self._add(_alias(node) or f"q{first + 1}", self._query(node))
            case nodes.ParenTableSource() if node.alias is None:
                self._gather(node.source)
            case nodes.JoinClause():
                self._gather(node.left)
                middle = len(self._sources)
                self._gather(node.right)
                self._using[id(node)] = self._merged(node, first, middle)
            case _:
                raise Untranslatable(f"FROM {type(node).__name__}")
        self._spans[id(node)] = (first, len(self._sources) - 1)

    def _add(self, alias: str, relation: Relation) -> None:
        self._sources.append(Source(number=len(self._sources), alias=alias, relation=relation))

    def _table(self, node: Any) -> Relation:
        if node.has_parens or node.args:
            raise Untranslatable(f"{node.table_name}(), a function in FROM")
        if node.schema is not None and fold(node.schema) != "main":
            raise Untranslatable(f"{node.schema}.{node.table_name}")
        return self._queries.relation(plain(node.table_name))

    def _query(self, node: Any) -> Relation:
        said = self._queries.said(node.select, self._outer)
        return Relation(name="", sql=f"({said.sql})", places=said.places, keys=said.keys)

    def _require_names(self) -> None:
        aliases = [source.alias for source in self._sources]
        if len(set(map(fold, aliases))) < len(aliases):
            raise Untranslatable("a table twice under one name")
        if any(len(alias.encode()) > NAME_BYTES_MAX or not alias for alias in aliases):
            raise Untranslatable("a table under a long name, or none")

    # --- USING and NATURAL

    def _merged(self, node: Any, first: int, middle: int) -> list[tuple[Place, Place]]:
        """The columns that the join makes one, and their names left to the left side."""
        is_natural = node.join_type >= JoinType.NATURAL_INNER
        if not is_natural and not node.using_columns:
            return []
        right = self._sources[middle:]
        if len(right) != 1 or node.join_type in _TURNED:
            raise Untranslatable("USING or NATURAL of an unusual join")
        left = self._sources[first:middle]
        pairs: list[tuple[Place, Place]] = []
        for name in self._common(node, left, right[0], is_natural=is_natural):
            ours = next((place for s in left if (place := s.find(name))), None)
            theirs = right[0].find(name)
            if ours is None or theirs is None:
                raise Untranslatable(f"USING ({name})")
            pairs.append((ours, theirs))
        names = frozenset(fold(plain(theirs.source)) for _, theirs in pairs)
        self._sources[middle] = Source(
            number=middle, alias=right[0].alias, relation=right[0].relation, merged=names
        )
        return pairs

    def _common(
        self, node: Any, left: list[Source], right: Source, *, is_natural: bool
    ) -> Iterator[str]:
        if not is_natural:
            yield from (column.column for column in node.using_columns)
            return
        if any(not p.source for s in (*left, right) for p in s.relation.places):
            raise Untranslatable("NATURAL JOIN of columns without names")
        for place in right.places:
            if any(source.find(place.source) for source in left):
                yield place.source

    # --- how it is said

    def _said(self, node: Any) -> str:
        match node:
            case nodes.ParenTableSource():
                inner = self._said(node.source)
                return inner if not isinstance(node.source, nodes.JoinClause) else f"({inner})"
            case nodes.JoinClause():
                return self._join(node)
        source = self._sources[self._spans[id(node)][0]]
        return f"{source.relation.sql} AS {quoted(source.alias)}"

    def _join(self, node: Any) -> str:
        left, right = self._said(node.left), self._said(node.right)
        says = Speech(self._queries, self.scope.within(*self._spans[id(node)]), self._outer)
        conditions = [
            compared(of_column(ours), "=", of_column(theirs))
            for ours, theirs in self._using[id(node)]
        ]
        if node.on_expr is not None:
            conditions.append(says.condition(node.on_expr))
        self._link(node)
        word = _WORDS.get(_plain_type(node.join_type), "")
        if not conditions and not word:
            return f"{left} CROSS JOIN {right}"
        on = " AND ".join(f"({c})" for c in conditions) if len(conditions) > 1 else ""
        return f"{left} {word}JOIN {right} ON {on or (conditions or ['true'])[0]}"

    def _link(self, node: Any) -> None:
        """Keep what the join demands. Raises Untranslatable for a FULL JOIN that the server
        cannot carry out."""
        if node.join_type is JoinType.FULL:
            _require_equalities(node.on_expr)
        first, last = self._spans[id(node.right)]
        if node.join_type in _TURNED or (node.join_type in _LEFT and first != last):
            self.links = None
        if self.links is None:
            return
        pairs = [
            (self._column(ours), self._column(theirs)) for ours, theirs in self._using[id(node)]
        ]
        link = demands(node.on_expr, self.scope, first if node.join_type in _LEFT else None)
        merged = ((theirs, ours) for ours, theirs in pairs)
        self.links.append(
            Link(
                equal=(*link.equal, *merged),
                named=link.named | {column for pair in pairs for column in pair},
                outer=link.outer,
            )
        )

    def _column(self, place: Place) -> Column:
        found = self.scope.column_of(of_column(place))
        return found or _NOWHERE


def demands(condition: Any, scope: FromScope, outer: int | None = None) -> Link:
    """What a condition demands of the columns in ``scope``, one conjunct after the other."""
    equal: list[tuple[Column, Column | None]] = []
    named: set[Column] = set()
    for part in conjuncts(condition):
        for node in walk(part):
            if isinstance(node, nodes.ColumnRef):
                named |= {column for column, _ in _located(node, scope)}
            elif isinstance(node, QUERIES):
                named.add(_NOWHERE)
        if isinstance(part, nodes.BinaryExpr) and part.op in _EQUAL:
            equal += _equated(unwrapped(part.left), unwrapped(part.right), scope)
            equal += _equated(unwrapped(part.right), unwrapped(part.left), scope)
    return Link(equal=tuple(equal), named=frozenset(named), outer=outer)


def _equated(left: Any, right: Any, scope: FromScope) -> Iterator[tuple[Column, Column | None]]:
    """That one column equals another one or a constant, whose values are then the same."""
    for column, term in _located(left, scope):
        if isinstance(right, nodes.Literal):
            yield column, None
        for other, their in _located(right, scope):
            if term.kind is their.kind is not Kind.OTHER and _is_exact(term) and _is_exact(their):
                yield column, other


def _is_exact(term: Term) -> bool:
    return term.kind is not Kind.TEXT or (term.collation or "BINARY") == "BINARY"


def _located(node: Any, scope: FromScope) -> Iterator[tuple[Column, Term]]:
    if isinstance(node, nodes.ColumnRef) and (found := scope.located(node.column, node.table)):
        yield found[0].column(found[1]), of_column(found[1])


def _require_equalities(condition: Any) -> None:
    for part in conjuncts(condition):
        sides = (part.left, part.right) if isinstance(part, nodes.BinaryExpr) else ()
        equal = bool(sides) and part.op in _EQUAL
        if not equal or not all(isinstance(unwrapped(s), nodes.ColumnRef) for s in sides):
            raise Untranslatable("FULL JOIN on anything but equal columns")


def _plain_type(kind: Any) -> Any:
    return JoinType.LEFT if kind is JoinType.NATURAL_LEFT else kind


def _alias(node: Any) -> str:
    return plain(node.alias.source) if node.alias is not None else ""
