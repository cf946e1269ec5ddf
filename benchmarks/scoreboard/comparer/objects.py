"""Objects: what each of the source's must be or do in the target to count as carried.

==============  ========================================================================
table           there under its name, as a table
not_null        the column refuses NULL
primary_key     a primary key of the same columns
unique          a unique key of the same columns; of text compared by NOCASE, a row that
                differs in case alone is refused
index           the same columns in order, direction and number of expressions; a
                condition if the source has one, true for as many rows
foreign_key     the same columns, parent, actions and deferral; validated, or listed
check           true, false and unknown on the same made-up rows as the source's
default         an INSERT that leaves the column out stores an equal value; clocks may
                differ by five minutes, random values must be of one class and length
collation       NOCASE and RTRIM: two spellings that it calls equal are equal to the
                column's own collation or to an index on it
generated       a generated column (its values are compared with the rows)
sequence        hands out a number past every key and past sqlite_sequence
view            there, and gives the same rows as SQLite's, computed reals to 12 digits (one of 100,000 rows or
                more: its columns alone)
trigger         a trigger of that name on the table (what it does is not proven)
virtual_table   a table or view of that name (its rows are compared as rows); of a full-text
                table that only finds another table's rows: an index of their words there, and
                a trigger that only fills it is needless then
==============  ========================================================================

An object that is not carried is *listed* when the tool names it, *missing* when not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator

import apsw
import psycopg

from benchmarks.scoreboard.comparer import probes, source, target
from benchmarks.scoreboard.comparer.meaning import arrived, wanted
from benchmarks.scoreboard.comparer.sides import Sides
from benchmarks.scoreboard.comparer.source import Table, quoted
from benchmarks.scoreboard.comparer.target import Relation
from benchmarks.scoreboard.comparer.verdict import Item

_NO_TABLE = "its table is not there"


def of_table(sides: Sides, table: Table) -> Iterator[Item]:
    """A table and all that belongs to it."""
    relation = sides.relation(table.name)
    if table.content:
        wrong = "" if _is_searched(sides, table.content) else "not there"
        yield sides.settled("virtual_table", table.name, table.name, wrong)
        return
    if table.virtual:
        yield sides.settled(
            "virtual_table", table.name, table.name, "" if relation else "not there"
        )
        return
    if relation is not None and relation.kind not in "rp":
        relation = None
    yield sides.settled("table", table.name, table.name, "" if relation else "not there")
    yield from _columns(sides, table, relation)
    yield from _keys(sides, table, relation)
    for reference in table.references:
        yield _reference(sides, table, relation, reference)
    yield from _checks(sides, table, relation)
    if table.alias:
        yield _sequence(sides, table, relation)


# --- columns ------------------------------------------------------------------------------


def _columns(sides: Sides, table: Table, relation: Relation | None) -> Iterator[Item]:
    defaults = probes.defaults(sides, table, relation) if relation else {}
    for column in table.columns:
        name = f"{table.name}.{column.name}"
        found = sides.column(table.name, column.name) if relation else None
        if column.generated:
            wrong = "" if found and found.generated else "no rule"
            yield sides.settled("generated", table.name, name, wrong)
        if column.not_null and not column.generated:
            wrong = "" if found and found.not_null else "takes NULL"
            yield sides.settled("not_null", table.name, name, wrong, kinds=("column",))
        if column.default is not None and column.default.upper() != "NULL":
            wrong = defaults.get(column.name, _NO_TABLE)
            yield sides.settled("default", table.name, name, wrong)
        if column.collation in ("NOCASE", "RTRIM") and (found is None or found.kind == "text"):
            wrong = (
                probes.collation(sides, relation, found, column.collation)
                if relation and found
                else _NO_TABLE
            )
            yield sides.settled("collation", table.name, name, wrong)


# --- keys and indexes --------------------------------------------------------------------------


def _keys(sides: Sides, table: Table, relation: Relation | None) -> Iterator[Item]:
    if table.key:
        columns = _named(sides, table, table.key)
        primary = next((i for i in relation.indexes if i.primary), None) if relation else None
        is_there = primary is not None and {c for c, _ in primary.terms} == set(columns)
        shown = f"{table.name} ({', '.join(table.key)})"
        wrong = "" if is_there else "no primary key" if relation else _NO_TABLE
        yield sides.settled("primary_key", table.name, shown, wrong, names=("key",), part=True)
    for index in table.indexes:
        if index.origin != "pk":
            yield _index(sides, table, relation, index)


def _index(sides: Sides, table: Table, relation: Relation | None, index: source.Index) -> Item:
    kind = "unique" if index.unique else "index"
    columns = "_".join(c or "expression" for c, _, _ in index.terms)
    shown = index.name if index.origin == "c" else f"{table.name}_{columns}_key"
    wrong = _NO_TABLE if relation is None else _index_wrong(sides, table, relation, index)
    names = (f"_{columns}_",) if index.origin == "u" else ()
    return sides.settled(kind, table.name, shown, wrong, kinds=("unique", "index"), names=names, part=index.origin == "u")  # fmt: skip


def _index_wrong(sides: Sides, table: Table, relation: Relation, index: source.Index) -> str:
    """Why no index of the target does what this one does; '' when one does."""
    alike = [each for each in relation.indexes if _has_terms(sides, table, index, each)]
    if not alike:
        return "no such index"
    if index.unique and not any(each.unique for each in alike):
        return "not unique"
    alike = [each for each in alike if each.unique or not index.unique]
    if index.partial:
        alike = [each for each in alike if each.predicate]
        return "" if alike and _same_part(sides, table, index, alike) else "another condition"
    if all(each.predicate for each in alike):
        return "only a part of the rows"
    if index.unique and any(coll == "NOCASE" for c, _, coll in index.terms if c):
        return probes.nocase_unique(sides, table, relation, index)
    return ""


def _has_terms(sides: Sides, table: Table, index: source.Index, found: target.Index) -> bool:
    """Whether both have the same columns and directions. A column that is compared in its
    own way may be an expression there."""
    if len(index.terms) != len(found.terms):
        return False
    for (name, down, collation), (column, found_down) in zip(index.terms, found.terms, strict=True):
        if down != found_down and index.origin == "c":
            return False
        if name is None and column is not None:
            return False
        if name is not None and column != sides.column_name(table.name, name):
            by_expression = column is None and collation != "BINARY"
            own = sides.column_name(table.name, name)
            if not by_expression or not any(probes.speaks_of(e, own) for e in found.expressions):
                return False
    return True


def _same_part(sides: Sides, table: Table, index: source.Index, alike: list[target.Index]) -> bool:
    """Whether a condition of the target is true for as many rows as the source's is."""
    where = probes.condition_of(index.sql)
    try:
        here = sides.source.one(f"SELECT count(*) FROM main.{quoted(table.name)} WHERE {where}")
    except apsw.Error:
        return True  # the source itself cannot say
    relation = sides.relation(table.name)
    assert relation is not None
    counts = [probes.count_where(sides, relation.name, each.predicate or "true") for each in alike]
    return here in counts


def _named(sides: Sides, table: Table, columns: tuple[str, ...]) -> list[str]:
    return [sides.column_name(table.name, name) for name in columns]


# --- references, checks, sequences ------------------------------------------------------------


def _reference(
    sides: Sides, table: Table, relation: Relation | None, reference: source.Reference
) -> Item:
    columns = "_".join(reference.columns)
    shown = f"{table.name}_{columns}_fkey"
    wrong = _NO_TABLE if relation is None else _reference_wrong(sides, table, relation, reference)
    # A key with a name of its own is listed by that name alone.
    names = tuple(_constraint_names(table.sql))
    said = sides.listing.says(("foreign_key",), table.name, shown, *names)
    if wrong == "not validated" and said and said.rewritten:
        wrong = ""
    return sides.settled("foreign_key", table.name, shown, wrong, names=names)


def _constraint_names(sql: str) -> Iterator[str]:
    words = probes.words(sql)
    for place, word in enumerate(words[:-1]):
        if word.upper() == "CONSTRAINT":
            yield words[place + 1]


def _reference_wrong(
    sides: Sides, table: Table, relation: Relation, reference: source.Reference
) -> str:
    own = tuple(_named(sides, table, reference.columns))
    parent = sides.relation(reference.parent)
    for found in relation.references:
        if found.columns != own or parent is None or found.parent != parent.name:
            continue
        to = tuple(sides.column_name(reference.parent, name) for name in reference.to)
        if to and found.to != to:
            continue
        if (found.on_update, found.on_delete) != (reference.on_update, reference.on_delete):
            return "other actions"
        if (found.deferrable, found.deferred) != (reference.deferrable, reference.deferred):
            return "other deferral"
        return "" if found.valid else "not validated"
    return "no such foreign key"


def _checks(sides: Sides, table: Table, relation: Relation | None) -> Iterator[Item]:
    if not table.checks:
        return
    verdicts = (
        probes.checks(sides, table, relation) if relation else [_NO_TABLE] * len(table.checks)
    )
    for check, wrong in zip(table.checks, verdicts, strict=True):
        shown = check.name or f"{table.name}: {check.expression}"
        yield sides.settled("check", table.name, shown, wrong)


def _sequence(sides: Sides, table: Table, relation: Relation | None) -> Item:
    assert table.alias is not None
    name = f"{table.name}.{table.alias}"
    if relation is None:
        return sides.settled("sequence", table.name, name, _NO_TABLE)
    column = sides.column_name(table.name, table.alias)
    found = sides.target.next_number(relation.name, column) if column else None
    highest = sides.source.one(f"SELECT max({quoted(table.alias)}) FROM main.{quoted(table.name)}")
    used = max(int(highest or 0), table.sequence or 0)
    if found is None:
        wrong = "gives no numbers"
    else:
        following, exhausted = found
        wrong = "" if following > used or exhausted else "hands out numbers again"
    return sides.settled("sequence", table.name, name, wrong)


# --- views and triggers ------------------------------------------------------------------------


def of_database(
    sides: Sides, others: tuple[source.Other, ...], tables: tuple[Table, ...]
) -> Iterator[Item]:
    """Views and triggers."""
    for other in others:
        if other.kind == "view":
            yield _view(sides, other)
        elif _only_fills(other, tables) and _is_searched(sides, other.table):
            yield sides.settled("trigger", other.table, other.name, "")
        else:
            relation = sides.relation(other.table)
            named = {t.lower() for t in relation.triggers} if relation else set()
            wrong = "" if any(other.name.lower() in t for t in named) else "no such trigger"
            yield sides.settled("trigger", other.table, other.name, wrong)


def _is_searched(sides: Sides, table: str) -> bool:
    """Whether an index on the table holds the words of its texts."""
    relation = sides.relation(table)
    found = () if relation is None else relation.indexes
    return any("to_tsvector" in said for index in found for said in index.expressions)


def _only_fills(trigger: source.Other, tables: tuple[Table, ...]) -> bool:
    """Whether it does nothing but tell a full-text table of the row that changed: an index
    needs no telling."""
    full_text = {t.name.lower() for t in tables if t.content.lower() == trigger.table.lower()}
    body = trigger.sql.lower().partition("begin")[2]
    told = re.findall(
        r"(?:insert\s+into|delete\s+from|update)\s+[\"'`\[]?([\w ]+?)[\"'`\]]?\s*(?:\(|where|set|values|select|;)",
        body,
    )
    return bool(told) and set(told) <= full_text


def _view(sides: Sides, view: source.Other) -> Item:
    relation = sides.relation(view.name)
    if relation is None or relation.kind not in "vm":
        return sides.settled("view", view.name, view.name, "no such view")
    if view.broken:
        return sides.settled("view", view.name, view.name, "SQLite itself cannot run it")
    try:
        wrong = "" if _same_rows(sides, view, relation) else "gives other rows"
    except (apsw.Error, psycopg.Error) as refused:
        wrong = f"cannot be run: {type(refused).__name__}"
    return sides.settled("view", view.name, view.name, wrong)


def _same_rows(sides: Sides, view: source.Other, relation: Relation) -> bool:
    names, rows = sides.source.view(view.name)
    columns = list(relation.columns)
    if len(names) != len(columns):
        return False
    if len(rows) >= source.MOST:
        return True
    kinds = [column.kind for column in columns]
    here = Counter(
        tuple(_rounded(wanted(v, k), k) for v, k in zip(row, kinds, strict=True)) for row in rows
    )
    there = Counter(
        tuple(_rounded(arrived(v, k), k) for v, k in zip(row, kinds, strict=True))
        for row in sides.target.rows(relation.name, columns)
    )
    return here == there


def _rounded(meaning: Hashable, kind: str) -> Hashable:
    """What the order of a sum may change is no difference."""
    return probes.twelve_digits(meaning) if kind in ("double", "numeric") else meaning
