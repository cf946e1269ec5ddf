"""SELECT, said in PostgreSQL by a printer of our own, whole or not at all.

Every column gets a name and a type of its own, ``*`` is written out, and names are resolved
as SQLite does it (https://sqlite.org/lang_select.html): what is said does not depend on how
PostgreSQL would have understood the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    CompoundOp,
)

from core.dialect.arms import (
    OPERATORS,
    Arm,
    Said,
    above_one_another,
    called,
    numbered,
    outputs_of,
    place_of,
    require_all_distinct,
    sorted_around,
    targets,
    unsorted,
)
from core.dialect.columns import Place
from core.dialect.expressions import Expressions
from core.dialect.joins import NAME_BYTES_MAX
from core.dialect.moments import CLOCK
from core.dialect.ordering import limited, ordinal, sorted_by
from core.dialect.outputs import column_of
from core.dialect.relations import Doubt, Known, Notes, Relation
from core.dialect.scopes import FromScope, plain
from core.dialect.selection import Selection
from core.dialect.speech import Speech
from core.dialect.terms import Untranslatable, of_column
from core.dialect.trees import walk
from core.schema.declarations import parsed_statement
from core.schema.names import fold
from core.source.rows import quoted

_CHANCE = "gen_random_uuid"


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
                return unsorted(self.arm(node, outer))
        raise Untranslatable(type(node).__name__)

    # --- one SELECT

    def _select(self, node: Any, outer: Expressions | None) -> Said:
        arm = self.arm(node, outer)
        assert arm.says is not None
        said = unsorted(arm)
        limit = self._limit(node.limit_clause, arm)
        if arm.is_distinct and node.orderby:
            return sorted_around(said, self._by_output(node.orderby, arm), limit)
        wanted = [] if arm.is_single else node.orderby or []  # nothing sorts one row
        terms = [self._order_term(term, arm) for term in wanted]
        order = ", ".join(filter(None, terms))
        sorting = f" ORDER BY {order}" if order else ""
        return replace(said, sql=f"{said.sql}{sorting}{limit}", is_limited=bool(limit))

    def _limit(self, clause: Any, arm: Arm) -> str:
        limit = limited(clause)
        if limit and not arm.is_single:
            self.notes.doubts.add(Doubt.LIMIT)
        return limit

    def _order_term(self, node: Any, arm: Arm) -> str | None:
        assert arm.says is not None
        number = ordinal(node.expr)
        term = arm.says.output(node.expr) if number is None else numbered(arm, number).term
        return sorted_by(term, node)

    def _by_output(self, terms: Sequence[Any], arm: Arm) -> list[tuple[int, Any]]:
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

    def arm(self, node: Any, outer: Expressions | None) -> Arm:
        """A SELECT or VALUES, without ORDER BY and LIMIT. Raises Untranslatable."""
        if isinstance(node, nodes.ValuesClause):
            says = Speech(self, FromScope(()), outer)
            rows = [[says.value(value) for value in row] for row in node.rows]
            return Arm(rows=tuple(tuple(outputs_of(row)) for row in rows), is_single=len(rows) == 1)
        if not isinstance(node, nodes.SelectStmt):
            raise Untranslatable(type(node).__name__)
        return Selection(self, node, outer).arm()

    # --- several

    def _compound(self, node: Any, outer: Expressions | None) -> Said:
        arms, operators = self._arms(node, outer)
        said = above_one_another(arms, operators)
        terms = [(place_of(term.expr, arms), term) for term in node.orderby or []]
        limit = limited(node.limit_clause)
        if limit:
            self.notes.doubts.add(Doubt.LIMIT)
        return sorted_around(said, terms, limit) if terms or limit else said

    def _arms(self, node: Any, outer: Expressions | None) -> tuple[list[Arm], list[CompoundOp]]:
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
            defined.append(f"{quoted(name)} ({targets(relation.places)}) AS ({sql})")
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
        first = above_one_another(arms, operators)
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
            require_all_distinct(columns, "UNION")
        made = again.sql(first.places)
        return relation, f"({first.sql}) {OPERATORS[select.op]} ({made})"


def _renamed(places: tuple[Place, ...], cte: Any) -> tuple[Place, ...]:
    """The columns under the names that WITH gives them."""
    if not cte.columns:
        return places
    if len(cte.columns) != len(places):
        raise Untranslatable("a query of other columns than WITH names")
    return called(places, [plain(column.column) for column in cte.columns])


def _speaks_of(name: str, select: Any) -> bool:
    """Whether the last arm of a compound reads what it defines."""
    if not isinstance(select, nodes.CompoundSelect):
        return False
    tables = walk(getattr(select.right, "from_clause", None))
    return any(
        isinstance(n, nodes.TableRef) and fold(plain(n.table_name)) == fold(name) for n in tables
    )
