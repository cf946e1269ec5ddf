"""The type of every column: the census decides, a person may decide otherwise,
and columns tied by foreign keys are decided together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.census import Census, ColumnCensus, merged
from core.plan.choices import Choices
from core.plan.decide import Decision, decide, fits, suits
from core.schema.model import Column, Database, Table
from core.schema.names import fold
from core.schema.reading import ColumnRef, joined_columns
from core.values import types
from core.values.declared import Declared, declared
from core.values.types import Conversion, Purity

_DOUBLE_EXACT = 2**53

Decisions = Mapping[ColumnRef, Decision]


def decide_columns(database: Database, census: Census, choices: Choices) -> Decisions:
    """A decision for each column that the census could read."""
    columns = _Columns(database, census)
    decisions = {ref: columns.alone(ref) for ref in columns.refs}
    for group in joined_columns(database):
        decisions.update(columns.together(group & columns.refs, decisions))
    for ref in columns.refs:
        chosen = choices.column(*ref).conversion
        if chosen is not None and chosen != decisions[ref].conversion:
            own = columns.census(ref)
            misfits = misfits_of(chosen, own)
            decisions[ref] = Decision(chosen, misfits=misfits, chosen=True)
    return decisions


def purity(census: ColumnCensus) -> Purity:
    """What the values of a column are, taken together."""
    counts = {
        Purity.INTEGER: census.integers,
        Purity.REAL: census.reals,
        Purity.TEXT: census.texts,
        Purity.BLOB: census.blobs,
    }
    found = [kind for kind, count in counts.items() if count]
    if len(found) <= 1:
        return found[0] if found else Purity.EMPTY
    low, high = census.integer_min or 0, census.integer_max or 0
    exact = low >= -_DOUBLE_EXACT and high <= _DOUBLE_EXACT
    return Purity.NUMBER if exact and found == [Purity.INTEGER, Purity.REAL] else Purity.MIXED


def misfits_of(conversion: Conversion, census: ColumnCensus) -> int:
    """How many of the column's values the conversion's first rule does not take, as far as
    the census can tell: it does not look at each number as a moment."""
    first = conversion.first
    return 0 if first.rule.startswith("epoch:") else census.values - fits(first, census)


def is_pure(conversion: Conversion, census: ColumnCensus) -> bool:
    """Whether the census proves that the conversion takes every value of the column."""
    kind, low, high = conversion.type, census.integer_min or 0, census.integer_max or 0
    if kind.name in types.INTEGERS:
        largest = 1 << types.INTEGERS[kind.name] - 1
        within = -largest <= low and high < largest
    else:
        # How long a number is once spelled, the census does not say.
        numbers = conversion.rule == "spelled" and bool(census.integers or census.reals)
        within = kind.length is None or (census.chars_max <= kind.length and not numbers)
    return within and not misfits_of(conversion, census)


class _Columns:
    """Columns of a database, looked up by (table, column)."""

    def __init__(self, database: Database, census: Census) -> None:
        self._census = census
        self._tables = {t.name: t for t in database.tables if t.is_copied}
        self._keyed = {ref for t in self._tables.values() for ref in _keyed(t)}
        self._parents = _parents(database)
        self.refs = frozenset(
            (name, column) for name, counted in census.tables.items() for column in counted.columns
        )

    def census(self, ref: ColumnRef) -> ColumnCensus:
        return self._census.tables[ref[0]].columns[ref[1]]

    def alone(self, ref: ColumnRef) -> Decision:
        """The decision of a column by itself."""
        return self._decide(ref, self.census(ref))

    def together(
        self, group: frozenset[ColumnRef], alone: Mapping[ColumnRef, Decision]
    ) -> dict[ColumnRef, Decision]:
        """The decisions of a group tied by foreign keys, led by the key referred to.

        A rowid stays what it is, whatever refers to it. A member whose values do
        not suit the common type keeps its own; its foreign key is then listed as
        not carried.
        """
        kinds = {alone[ref].conversion.type.name for ref in group}
        if len({alone[ref].conversion for ref in group}) <= 1 or kinds <= set(types.TEXTS):
            return {}
        leader = min(group, key=self._rank)
        joint = self._decide(leader, merged([self.census(ref) for ref in sorted(group)]))
        if self._is_rowid(leader) or not suits(joint.conversion, self.census(leader)):
            joint = alone[leader]
        return {ref: self._joined(ref, joint) for ref in group if self._follows(ref, joint)}

    def _follows(self, ref: ColumnRef, joint: Decision) -> bool:
        return suits(joint.conversion, self.census(ref))

    def _joined(self, ref: ColumnRef, joint: Decision) -> Decision:
        own = self.census(ref)
        return replace(joint, misfits=own.values - fits(joint.conversion, own))

    def _rank(self, ref: ColumnRef) -> tuple[bool, bool, ColumnRef]:
        return (ref not in self._parents, not self._is_rowid(ref), ref)

    def _is_rowid(self, ref: ColumnRef) -> bool:
        return self._tables[ref[0]].rowid_alias == ref[1]

    def _decide(self, ref: ColumnRef, census: ColumnCensus) -> Decision:
        column = self._column(ref)
        return decide(
            self._declared(ref), census, affinity=column.affinity, in_key=ref in self._keyed
        )

    def _column(self, ref: ColumnRef) -> Column:
        return self._tables[ref[0]].column(ref[1])

    def _declared(self, ref: ColumnRef) -> Declared:
        table = self._tables[ref[0]]
        return declared(self._column(ref).declared_type, strict=table.strict)


def _keyed(table: Table) -> set[ColumnRef]:
    """Columns of a table that are part of a key, an index or a foreign key."""
    names = set(table.primary_key)
    names |= {term.column for index in table.indexes for term in index.terms if term.column}
    names |= {column for key in table.foreign_keys for column in key.columns}
    return {(table.name, table.column(name).name) for name in names}


def _parents(database: Database) -> set[ColumnRef]:
    known = {fold(t.name): t for t in database.tables}
    return {
        (parent.name, parent.column(column).name)
        for table in database.tables
        for key in table.foreign_keys
        if (parent := known.get(fold(key.parent))) is not None
        for column in key.parent_columns
        if any(fold(c.name) == fold(column) for c in parent.columns)
    }
