"""The arms of a query: SELECTs without ORDER BY and LIMIT, and how they become one query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syntaqlite import nodes  # type: ignore[import-untyped]
from syntaqlite.enums import (  # type: ignore[import-untyped]
    CompoundOp,
)

from core.dialect.columns import Place
from core.dialect.joins import NAME_BYTES_MAX
from core.dialect.ordering import ordinal, sorted_by
from core.dialect.outputs import cast_to, column_of, named, require_distinct
from core.dialect.relations import Key
from core.dialect.scopes import Column, Source, plain
from core.dialect.speech import Speech
from core.dialect.terms import Term, Untranslatable, of_column
from core.dialect.trees import unwrapped
from core.schema.names import fold
from core.source.rows import quoted

OPERATORS = {
    CompoundOp.UNION: "UNION",
    CompoundOp.UNION_ALL: "UNION ALL",
    CompoundOp.INTERSECT: "INTERSECT",
    CompoundOp.EXCEPT: "EXCEPT",
}
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
class Output:
    """One column of a SELECT: SQLite's name of it, its value, and which column of FROM it is."""

    name: str
    term: Term
    column: Column | None = None


@dataclass(frozen=True)
class Item:
    """An output column before it is said: an expression, or a column that ``*`` stands for."""

    name: str
    column: Column | None
    node: Any = None
    place: tuple[Source, Place] | None = None

    def said(self, says: Speech) -> Term:
        """Its value."""
        return says.value(self.node) if self.place is None else says.of_place(*self.place)

    def output(self, says: Speech) -> Output:
        """The output column."""
        return Output(name=self.name, term=self.said(says), column=self.column)


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A SELECT without ORDER BY and LIMIT. ``rows``: the outputs, several of VALUES;
    ``tail``: what follows them; ``says``: speaks of its rows or groups."""

    rows: tuple[tuple[Output, ...], ...]
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

    def _select(self, row: Sequence[Output], columns: Sequence[Place]) -> str:
        shown = (
            f"{cast_to(output.term, column)} AS {quoted(column.target)}"
            for output, column in zip(row, columns, strict=True)
        )
        return f"SELECT {'DISTINCT ' if self.is_distinct else ''}{', '.join(shown)}{self.tail}"


# --- from arms to a query -----------------------------------------------------------------


def outputs_of(terms: Sequence[Term]) -> Iterator[Output]:
    """The outputs of a row of VALUES, named as SQLite names them."""
    for number, term in enumerate(terms, start=1):
        yield Output(name=f"column{number}", term=term)


def unsorted(arm: Arm) -> Said:
    """A query of one arm."""
    return replace(above_one_another([arm], []), keys=arm.keys, is_single=arm.is_single)


def above_one_another(arms: Sequence[Arm], operators: Sequence[CompoundOp]) -> Said:
    """The arms as one query, whose columns have one type each."""
    if len({len(arm.rows[0]) for arm in arms}) > 1:
        raise Untranslatable("a compound of different numbers of columns")
    columns = [
        column_of([term for terms in above for term in terms])
        for above in zip(*(arm.columns() for arm in arms), strict=True)
    ]
    places = called(columns, [output.name for output in arms[0].rows[0]])
    sql = arms[0].sql(places)
    for number, (operator, arm) in enumerate(zip(operators, arms[1:], strict=True)):
        # To SQLite all operators bind alike, to PostgreSQL INTERSECT comes first.
        before = f"({sql})" if number and operator is CompoundOp.INTERSECT else sql
        sql = f"{before} {OPERATORS[operator]} {_arm_sql(arm, places)}"
        if operator is not CompoundOp.UNION_ALL:
            require_all_distinct(places, OPERATORS[operator])
    return Said(sql=sql, places=places)


def _arm_sql(arm: Arm, places: Sequence[Place]) -> str:
    return arm.sql(places) if len(arm.rows) == 1 else f"({arm.sql(places)})"


def require_all_distinct(columns: Sequence[Place], what: str) -> None:
    """Refuse to tell rows apart by a column that PostgreSQL compares otherwise. Raises Untranslatable."""
    for column in columns:
        require_distinct(of_column(column), what)


def called(columns: Sequence[Place], names: Sequence[str]) -> tuple[Place, ...]:
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


def numbered(arm: Arm, number: int) -> Output:
    """The output that ORDER BY names by its number. Raises Untranslatable."""
    if not 1 <= number <= len(arm.rows[0]):
        raise Untranslatable(f"ORDER BY {number}")
    return arm.rows[0][number - 1]


def place_of(node: Any, arms: Sequence[Arm]) -> int:
    """Which column of a compound a term of ORDER BY is: by number, or by a name in an arm."""
    number = ordinal(node)
    if number is not None:
        numbered(arms[0], number)
        return number
    node = unwrapped(node)
    if isinstance(node, nodes.ColumnRef) and node.table is None:
        for arm in arms:
            names = [fold(output.name) for output in arm.rows[0]]
            if fold(plain(node.column)) in names:
                return names.index(fold(plain(node.column))) + 1
    raise Untranslatable("ORDER BY an expression over a compound")


def sorted_around(said: Said, terms: Sequence[tuple[int, Any]], limit: str) -> Said:
    """The query within another one that sorts it."""
    columns = [replace(place, prefix=f"{_WRAPPED}.") for place in said.places]
    order = [sorted_by(of_column(columns[number - 1]), node) for number, node in terms]
    sorting = f" ORDER BY {', '.join(filter(None, order))}" if any(order) else ""
    shown = ", ".join(column.sql for column in columns)
    sql = f"SELECT {shown} FROM ({said.sql}) AS {_WRAPPED}{sorting}{limit}"
    return replace(said, sql=sql, is_limited=bool(limit))


def targets(places: Sequence[Place]) -> str:
    """The columns' names in the target."""
    return ", ".join(quoted(place.target) for place in places)
