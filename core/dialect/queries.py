"""SELECT, said in PostgreSQL by a printer of our own, whole or not at all.

Every column gets a name and a type of its own, ``*`` is written out, and names are resolved
as SQLite does it (https://sqlite.org/lang_select.html): what is said does not depend on how
PostgreSQL would have understood the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    CompoundOp,
    ResultColumnFlags,
    SelectStmtFlags,
)

from core.dialect.aggregates import is_aggregate
from core.dialect.columns import Place
from core.dialect.expressions import Expressions
from core.dialect.grouping import Grouping, determined
from core.dialect.joins import NAME_BYTES_MAX, Joined, demands
from core.dialect.moments import CLOCK
from core.dialect.ordering import limited, ordinal, sorted_by
from core.dialect.outputs import cast_to, column_of, named, require_distinct
from core.dialect.relations import Doubt, Key, Known, Notes, Relation
from core.dialect.scopes import Column, FromScope, Source, plain
from core.dialect.speech import Names, Speech
from core.dialect.terms import Kind, Term, Untranslatable, of_column
from core.dialect.trees import unwrapped, walk
from core.schema.declarations import parsed_statement
from core.schema.names import fold
from core.source.rows import quoted

_OPERATORS = {
    CompoundOp.UNION: "UNION",
    CompoundOp.UNION_ALL: "UNION ALL",
    CompoundOp.INTERSECT: "INTERSECT",
    CompoundOp.EXCEPT: "EXCEPT",
}
_CHANCE = "gen_random_uuid"
_WRAPPED = "q"


@dataclass(frozen=True, kw_only=True)
class Said:
    """A query in PostgreSQL's words. ``places``: its columns under the names that it gives
    them, the source name '' where SQLite's is not known; ``is_single``: it always has one
    row; ``is_limited``: it ends with LIMIT."""

    sql: str
    places: tuple[Place, ...]
    keys: tuple[Key, ...] = ()
    is_single: bool = False
    is_limited: bool = False


@dataclass(frozen=True, kw_only=True)
class SaidView:
    """A view's query; ``reads``: what it names, ``doubts``: why its rows may differ from one
    time to the next."""

    said: Said
    reads: tuple[str, ...]
    doubts: tuple[Doubt, ...]


def said_view(sql: str, known: Known) -> SaidView:
    """The query of a CREATE VIEW. Raises Untranslatable."""
    try:
        tree = parsed_statement(sql)
        if not isinstance(tree, nodes.CreateViewStmt):
            raise Untranslatable("what is no CREATE VIEW")
        notes = Notes()
        said = Queries(known, notes).said(tree.select)
    except RecursionError:
        raise Untranslatable("a query of too many levels") from None
    if CLOCK in said.sql:
        notes.doubts.add(Doubt.CLOCK)
    if _CHANCE in said.sql:
        notes.doubts.add(Doubt.RANDOM)
    return SaidView(said=said, reads=tuple(sorted(notes.read)), doubts=tuple(sorted(notes.doubts)))


@dataclass(frozen=True, kw_only=True)
class _Output:
    """One column of a SELECT: SQLite's name of it, its value, and which column of FROM it is."""

    name: str
    term: Term
    column: Column | None = None


@dataclass(frozen=True)
class _Item:
    """An output column before it is said: an expression, or a column that ``*`` stands for."""

    name: str
    column: Column | None
    node: Any = None
    place: tuple[Source, Place] | None = None

    def said(self, says: Speech) -> Term:
        """Its value."""
        return says.value(self.node) if self.place is None else says.of_place(*self.place)

    def output(self, says: Speech) -> _Output:
        """The output column."""
        return _Output(name=self.name, term=self.said(says), column=self.column)


@dataclass(frozen=True, kw_only=True)
class _Arm:
    """A SELECT without ORDER BY and LIMIT. ``rows``: the outputs, several of VALUES;
    ``tail``: what follows them; ``says``: speaks of its rows or groups."""

    rows: tuple[tuple[_Output, ...], ...]
    tail: str = ""
    is_distinct: bool = False
    keys: tuple[Key, ...] = ()
    is_single: bool = False
    says: Speech | None = None

    def columns(self) -> list[list[Term]]:
        """The terms of each column."""
        return [[output.term for output in column] for column in zip(*self.rows, strict=True)]

    def sql(self, columns: Sequence[Place]) -> str:
        """The SELECT, its columns under the names and of the types of ``columns``."""
        return " UNION ALL ".join(self._select(row, columns) for row in self.rows)

    def _select(self, row: Sequence[_Output], columns: Sequence[Place]) -> str:
        shown = (
            f"{cast_to(output.term, column)} AS {quoted(column.target)}"
            for output, column in zip(row, columns, strict=True)
        )
        return f"SELECT {'DISTINCT ' if self.is_distinct else ''}{', '.join(shown)}{self.tail}"


class Queries:
    """Says queries whose FROM may name ``known`` relations."""

    def __init__(self, known: Known, notes: Notes) -> None:
        self._known = known
        self.notes = notes

    def relation(self, name: str) -> Relation:
        """What ``name`` stands for. Raises Untranslatable."""
        found = self._known(fold(name))
        if not isinstance(found, Relation):
            raise Untranslatable(found or f"{name}, which is no table that is carried")
        if found.name:
            self.notes.read.add(found.name)
        return found

    def said(self, node: Any, outer: Expressions | None = None) -> Said:
        """A query. ``outer``: the expressions around it. Raises Untranslatable."""
        match node:
            case nodes.WithClause():
                return self._with(node, outer)
            case nodes.SelectStmt():
                return self._select(node, outer)
            case nodes.CompoundSelect():
                return self._compound(node, outer)
            case nodes.ValuesClause():
                return _unsorted(self.arm(node, outer))
        raise Untranslatable(type(node).__name__)

    # --- one SELECT

    def _select(self, node: Any, outer: Expressions | None) -> Said:
        arm = self.arm(node, outer)
        assert arm.says is not None
        said = _unsorted(arm)
        limit = self._limit(node.limit_clause, arm)
        if arm.is_distinct and node.orderby:
            return _sorted_around(said, self._by_output(node.orderby, arm), limit)
        wanted = [] if arm.is_single else node.orderby or []  # nothing sorts one row
        terms = [self._order_term(term, arm) for term in wanted]
        order = ", ".join(filter(None, terms))
        sorting = f" ORDER BY {order}" if order else ""
        return replace(said, sql=f"{said.sql}{sorting}{limit}", is_limited=bool(limit))

    def _limit(self, clause: Any, arm: _Arm) -> str:
        limit = limited(clause)
        if limit and not arm.is_single:
            self.notes.doubts.add(Doubt.LIMIT)
        return limit

    def _order_term(self, node: Any, arm: _Arm) -> str | None:
        assert arm.says is not None
        number = ordinal(node.expr)
        term = arm.says.output(node.expr) if number is None else _numbered(arm, number).term
        return sorted_by(term, node)

    def _by_output(self, terms: Sequence[Any], arm: _Arm) -> list[tuple[int, Any]]:
        """Which output each term of ORDER BY is: of a query whose rows are made distinct, only
        those can sort it."""
        assert arm.says is not None
        found: list[tuple[int, Any]] = []
        shown = [output.term.sql for output in arm.rows[0]]
        for node in terms:
            number = ordinal(node.expr)
            if number is None:
                sql = arm.says.output(node.expr).sql
                if sql not in shown:
                    raise Untranslatable("ORDER BY what DISTINCT does not show")
                number = shown.index(sql) + 1
            found.append((number, node))
        return found

    def arm(self, node: Any, outer: Expressions | None) -> _Arm:
        """A SELECT or VALUES, without ORDER BY and LIMIT. Raises Untranslatable."""
        if isinstance(node, nodes.ValuesClause):
            says = Speech(self, FromScope(()), outer)
            rows = [[says.value(value) for value in row] for row in node.rows]
            return _Arm(rows=tuple(tuple(_values(row)) for row in rows), is_single=len(rows) == 1)
        if not isinstance(node, nodes.SelectStmt):
            raise Untranslatable(type(node).__name__)
        return _Selection(self, node, outer).arm()

    # --- several

    def _compound(self, node: Any, outer: Expressions | None) -> Said:
        arms, operators = self._arms(node, outer)
        said = _above_one_another(arms, operators)
        terms = [(_place_of(term.expr, arms), term) for term in node.orderby or []]
        limit = limited(node.limit_clause)
        if limit:
            self.notes.doubts.add(Doubt.LIMIT)
        return _sorted_around(said, terms, limit) if terms or limit else said

    def _arms(self, node: Any, outer: Expressions | None) -> tuple[list[_Arm], list[CompoundOp]]:
        if not isinstance(node, nodes.CompoundSelect):
            return [self.arm(node, outer)], []
        arms, operators = self._arms(node.left, outer)
        return [*arms, self.arm(node.right, outer)], [*operators, node.op]

    # --- WITH

    def _with(self, node: Any, outer: Expressions | None) -> Said:
        own: dict[str, Relation | str] = {
            fold(plain(cte.cte_name)): f"{cte.cte_name}, a query within itself" for cte in node.ctes
        }
        inner = self._knowing(own)
        defined: list[str] = []
        for cte in node.ctes:
            name = plain(cte.cte_name)
            if len(name.encode()) > NAME_BYTES_MAX:
                raise Untranslatable("a query of a long name")
            relation, sql = inner.defined(name, cte, outer)
            defined.append(f"{quoted(name)} ({_targets(relation.places)}) AS ({sql})")
            own[fold(name)] = relation
        said = inner.said(node.select, outer)
        word = "WITH RECURSIVE" if node.recursive else "WITH"
        return replace(said, sql=f"{word} {', '.join(defined)} {said.sql}")

    def _knowing(self, own: Mapping[str, Relation | str]) -> Queries:
        """The same where these names come before all others."""
        known = self._known
        return Queries(lambda name: own.get(name) or known(name), self.notes)

    def defined(self, name: str, cte: Any, outer: Expressions | None) -> tuple[Relation, str]:
        """A query of WITH, and how it is said. Raises Untranslatable."""
        if _speaks_of(name, cte.select):
            return self._recursive(name, cte, outer)
        said = self.said(cte.select, outer)
        places = _renamed(said.places, cte)
        keys = said.keys if places == said.places else ()
        return Relation(name="", sql=quoted(name), places=places, keys=keys), said.sql

    def _recursive(self, name: str, cte: Any, outer: Expressions | None) -> tuple[Relation, str]:
        """A query that goes on from its own rows: first those without it, then the rest."""
        select = cte.select
        if select.op not in (CompoundOp.UNION, CompoundOp.UNION_ALL) or select.orderby:
            raise Untranslatable("a recursive query of an unusual form")
        if select.limit_clause is not None:
            raise Untranslatable("a recursive query with LIMIT")
        arms, operators = self._arms(select.left, outer)
        first = _above_one_another(arms, operators)
        # Whatever the first rows tell of sizes and spellings, the next ones may be others.
        places = tuple(
            replace(place, most=None, spelling="") for place in _renamed(first.places, cte)
        )
        relation = Relation(name="", sql=quoted(name), places=places)
        again = self._knowing({fold(name): relation}).arm(select.right, outer)
        columns = [
            column_of([of_column(place), *terms])
            for place, terms in zip(first.places, again.columns(), strict=True)
        ]
        if [c.conversion for c in columns] != [p.conversion for p in first.places]:
            raise Untranslatable("a recursive query whose columns become others")
        if select.op is CompoundOp.UNION:
            _require_all_distinct(columns, "UNION")
        made = again.sql(first.places)
        return relation, f"({first.sql}) {_OPERATORS[select.op]} ({made})"


class _Selection:
    """One SELECT on its way: FROM, WHERE, GROUP BY, outputs, HAVING."""

    def __init__(self, queries: Queries, node: Any, outer: Expressions | None) -> None:
        self._node = node
        self._joined = Joined(queries, node.from_clause, outer)
        self._scope = self._joined.scope
        windows = {fold(plain(w.window_name)): w.window_def for w in node.window_clause or []}
        names = Names(outputs=dict(self._aliases()), windows=windows)
        self._asks = Speech(queries, self._scope, outer, names=names)
        self._shows = Speech(queries, self._scope, outer, names=Names(windows=windows))

    def arm(self) -> _Arm:
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
        return _Arm(
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

    def _items(self) -> Iterator[_Item]:
        """What stands between SELECT and FROM, ``*`` written out."""
        for column in self._node.columns:
            if ResultColumnFlags.STAR not in column.flags:
                yield _Item(self._name(column), self._column(column.expr), node=column.expr)
                continue
            table = None if column.expr is None else column.expr.source
            for source, place in self._scope.starred(table):
                yield _Item(place.source, source.column(place), place=(source, place))

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

    def _keys(self, grouping: Grouping | None, outputs: Sequence[_Output]) -> Iterator[Key]:
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


# --- from arms to queries -----------------------------------------------------------------


def _values(terms: Sequence[Term]) -> Iterator[_Output]:
    for number, term in enumerate(terms, start=1):
        yield _Output(name=f"column{number}", term=term)


def _unsorted(arm: _Arm) -> Said:
    return replace(_above_one_another([arm], []), keys=arm.keys, is_single=arm.is_single)


def _above_one_another(arms: Sequence[_Arm], operators: Sequence[CompoundOp]) -> Said:
    """The arms as one query, whose columns have one type each."""
    if len({len(arm.rows[0]) for arm in arms}) > 1:
        raise Untranslatable("a compound of different numbers of columns")
    columns = [
        column_of([term for terms in above for term in terms])
        for above in zip(*(arm.columns() for arm in arms), strict=True)
    ]
    places = _called(columns, [output.name for output in arms[0].rows[0]])
    sql = arms[0].sql(places)
    for number, (operator, arm) in enumerate(zip(operators, arms[1:], strict=True)):
        # To SQLite all operators bind alike, to PostgreSQL INTERSECT comes first.
        before = f"({sql})" if number and operator is CompoundOp.INTERSECT else sql
        sql = f"{before} {_OPERATORS[operator]} {_arm_sql(arm, places)}"
        if operator is not CompoundOp.UNION_ALL:
            _require_all_distinct(places, _OPERATORS[operator])
    return Said(sql=sql, places=places)


def _arm_sql(arm: _Arm, places: Sequence[Place]) -> str:
    return arm.sql(places) if len(arm.rows) == 1 else f"({arm.sql(places)})"


def _require_all_distinct(columns: Sequence[Place], what: str) -> None:
    for column in columns:
        require_distinct(of_column(column), what)


def _called(columns: Sequence[Place], names: Sequence[str]) -> tuple[Place, ...]:
    """The columns under their names; two of one name are told apart as SQLite does."""
    places: list[Place] = []
    for number, (column, name) in enumerate(zip(columns, names, strict=True), start=1):
        seen = sum(fold(earlier) == fold(name) for earlier in names[: number - 1])
        source = f"{name}:{seen}" if name and seen else name
        taken = [place.target for place in places]
        fits = source and len(source.encode()) <= NAME_BYTES_MAX and source not in taken
        places.append(named(column, source, source if fits else _free(number, [*taken, *names])))
    return tuple(places)


def _free(number: int, taken: Sequence[str]) -> str:
    name = f"c{number}"
    while name in taken:
        name += "_"
    return name


def _numbered(arm: _Arm, number: int) -> _Output:
    if not 1 <= number <= len(arm.rows[0]):
        raise Untranslatable(f"ORDER BY {number}")
    return arm.rows[0][number - 1]


def _place_of(node: Any, arms: Sequence[_Arm]) -> int:
    """Which column of a compound a term of ORDER BY is: by number, or by a name in an arm."""
    number = ordinal(node)
    if number is not None:
        _numbered(arms[0], number)
        return number
    node = unwrapped(node)
    if isinstance(node, nodes.ColumnRef) and node.table is None:
        for arm in arms:
            names = [fold(output.name) for output in arm.rows[0]]
            if fold(plain(node.column)) in names:
                return names.index(fold(plain(node.column))) + 1
    raise Untranslatable("ORDER BY an expression over a compound")


def _sorted_around(said: Said, terms: Sequence[tuple[int, Any]], limit: str) -> Said:
    """The query within another one that sorts it."""
    columns = [replace(place, prefix=f"{_WRAPPED}.") for place in said.places]
    order = [sorted_by(of_column(columns[number - 1]), node) for number, node in terms]
    sorting = f" ORDER BY {', '.join(filter(None, order))}" if any(order) else ""
    shown = ", ".join(column.sql for column in columns)
    sql = f"SELECT {shown} FROM ({said.sql}) AS {_WRAPPED}{sorting}{limit}"
    return replace(said, sql=sql, is_limited=bool(limit))


def _targets(places: Sequence[Place]) -> str:
    return ", ".join(quoted(place.target) for place in places)


def _renamed(places: tuple[Place, ...], cte: Any) -> tuple[Place, ...]:
    """The columns under the names that WITH gives them."""
    if not cte.columns:
        return places
    if len(cte.columns) != len(places):
        raise Untranslatable("a query of other columns than WITH names")
    return _called(places, [plain(column.column) for column in cte.columns])


def _speaks_of(name: str, select: Any) -> bool:
    """Whether the last arm of a compound reads what it defines."""
    if not isinstance(select, nodes.CompoundSelect):
        return False
    tables = walk(getattr(select.right, "from_clause", None))
    return any(
        isinstance(n, nodes.TableRef) and fold(plain(n.table_name)) == fold(name) for n in tables
    )
