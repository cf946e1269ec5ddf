"""What a person changed in the plan of a run whose rows are in: which columns, and how
far the rows that are there already bear it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.errors import PlanDoesNotFit
from core.plan.choices import Choices
from core.plan.model import Build, BuildKind, ColumnPlan, Fate, ObjectFate, Plan, TablePlan
from core.source.rows import SqliteValue, quoted
from core.values import temporal, types
from core.values.exact import converter, known
from core.values.types import Conversion, Purity, Reject, TargetType


@dataclass(frozen=True, kw_only=True)
class Change:
    """A column of a table that is to be carried otherwise from now on."""

    table: TablePlan
    column: ColumnPlan
    conversion: Conversion

    @property
    def name(self) -> str:
        """The column, by the names of the source."""
        return f"{self.table.name}.{self.column.source}"

    @property
    def is_retyped(self) -> bool:
        """Whether the target's column gets another type."""
        return self.conversion.type != self.column.type

    @property
    def extends(self) -> bool:
        """Whether every value that had a place keeps it, by the rules alone."""
        was, now = self.column.rule, self.conversion.rule
        return not self.is_retyped and extends(was, now)


def changes(plan: Plan, choices: Choices, path: str) -> tuple[Change, ...]:
    """What the document at ``path`` says otherwise than ``plan``, column by column.

    Raises PlanDoesNotFit where it says more than that: other names, tables carried or
    left out, columns that are not there, NULL for a column that cannot have it.
    """
    tables = {table.name: table for table in plan.tables}
    for name, choice in choices.tables.items():
        if choice.carried != (name in tables):
            raise PlanDoesNotFit(path=path, detail=f"table {name!r}: carry")
        if name in tables and choice.where not in (None, "", tables[name].source.where):
            raise PlanDoesNotFit(path=path, detail=f"table {name!r}: where")
        if name in tables and choice.target not in (None, tables[name].target):
            raise PlanDoesNotFit(path=path, detail=f"table {name!r}: target")
    found = tuple(each for table in plan.tables for each in _of_table(table, choices, path))
    amended_plan = amended(plan, found)
    require_nullable(amended_plan, path)
    return found


def _of_table(table: TablePlan, choices: Choices, path: str) -> Iterator[Change]:
    columns = {column.source: column for column in table.columns}
    for name, choice in choices.table(table.name).columns.items():
        column = columns.get(name)
        if column is None:
            raise PlanDoesNotFit(path=path, detail=f"column {table.name!r}.{name!r}")
        if choice.target not in (None, column.target):
            raise PlanDoesNotFit(path=path, detail=f"column {table.name!r}.{name!r}: target")
        if choice.conversion not in (None, column.conversion):
            assert choice.conversion is not None
            yield Change(table=table, column=column, conversion=choice.conversion)


def amended(plan: Plan, changed: tuple[Change, ...]) -> Plan:
    """The plan with the changes in it."""
    by_name = {change.name: change for change in changed}
    tables = tuple(
        replace(t, columns=tuple(_amended(t, c, by_name) for c in t.columns)) for t in plan.tables
    )
    chosen = {change.name: _fate(change) for change in changed}
    kept = tuple(o for o in plan.objects if not (_says_type(o) and o.name in chosen))
    return replace(plan, tables=tables, objects=(*kept, *chosen.values()))


def _amended(table: TablePlan, column: ColumnPlan, by_name: dict[str, Change]) -> ColumnPlan:
    change = by_name.get(f"{table.name}.{column.source}")
    if change is None:
        return column
    default = column.default
    if change.is_retyped and default is not None:
        default = f"({default})::{change.conversion.type.sql}"
    return replace(
        column,
        type=change.conversion.type,
        rule=change.conversion.rule,
        default=default,
        # Nobody has counted anew.
        spelling="",
        purity=Purity.MIXED,
    )


def _says_type(item: ObjectFate) -> bool:
    return item.kind == "column" and "type" in item.facts


def _fate(change: Change) -> ObjectFate:
    now = change.conversion
    return ObjectFate(
        kind="column",
        name=change.name,
        table=change.table.name,
        fate=Fate.REWRITTEN,
        reason="type_chosen",
        facts={
            "declared": change.column.declared,
            "type": now.type.sql,
            "rule": now.rule,
        },
    )


# --- rules ------------------------------------------------------------------------------

# Rules that take all that another one takes, and make the same of it.
_WIDER = {("text", "spelled"), ("bytes", "bytes:spelled")}


def extends(was: str, now: str) -> bool:
    """Whether what the rule ``was`` takes becomes the same by the rule ``now``."""
    first, _, _ = now.partition("|")
    return now == was or now.startswith(f"{was}|") or (was, first) in _WIDER


def require_nullable(plan: Plan, path: str) -> None:
    """Refuse rules that make NULL of values where NULL has a meaning of its own: in keys,
    uniques, foreign keys and checks, or where it is forbidden. Raises PlanDoesNotFit."""
    for table in plan.tables:
        for column in table.columns:
            ends_in_null = column.conversion.steps[-1].rule == types.TO_NULL
            if ends_in_null and not may_be_null(plan, table, column):
                detail = f"{table.name}.{column.source}: rule = {column.rule!r}"
                raise PlanDoesNotFit(path=path, detail=detail)


def may_be_null(plan: Plan, table: TablePlan, column: ColumnPlan) -> bool:
    """Whether a misfit of the column may arrive as NULL."""
    if column.not_null or column.source in table.primary_key:
        return False
    return not any(_binds(build, table, column) for build in plan.builds)


def _binds(build: Build, table: TablePlan, column: ColumnPlan) -> bool:
    """Whether the build forbids something by the column's values, as its SQL names it."""
    if table.name not in (build.table, build.parent) or build.kind is BuildKind.SEQUENCE:
        return False
    return (build.kind is not BuildKind.INDEX) and quoted(column.target) in build.sql


def remedies(
    plan: Plan, table: TablePlan, column: ColumnPlan, value: SqliteValue
) -> list[Conversion]:
    """The rules and types under which the column would take ``value``, its other values
    keeping their places; those that change least come first."""
    further = [Conversion(column.type, f"{column.rule}|{rule}") for rule in _FURTHER]
    others = [Conversion(TargetType(kind), rule) for kind, rule in _casts_from(column)]
    if not may_be_null(plan, table, column):
        further = [each for each in further if each.steps[-1].rule != types.TO_NULL]
    return [each for each in (*further, *others) if _takes(each, value, table.source.encoding)]


# What may stand after another rule, in the order in which it is proposed.
_FURTHER = (
    "integer",
    "real",
    "decimal",
    "spelled",
    "boolean:0/1",
    *(f"boolean:{false}/{true}" for false, true in types.BOOLEAN_WORDS),
    *temporal.EPOCHS,
    "bytes:spelled",
    types.LATIN_1,
    types.REPLACE,
    types.TO_NULL,
)


def _takes(conversion: Conversion, value: SqliteValue, encoding: str) -> bool:
    if not known(conversion):
        return False
    return not isinstance(converter(conversion, encoding)(value), Reject)


# --- types ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cast:
    """How a column of the target gets another type: the expression, ``{c}`` for the column
    and ``{t}`` for the type, and a condition that is true of values that would change."""

    using: str
    changes: str = "false"


_LONGER = "char_length({c}) > {length}"
_ROUNDED = "{c}::{t} <> {c}"

# By type and rule, before and after. What is not here changes a value, or its spelling, or
# nobody has proven that it does not.
_CASTS: dict[tuple[str, str, str, str], Cast] = {
    (types.BIGINT, "integer", types.NUMERIC, "decimal"): Cast("{c}::{t}"),
    (types.BIGINT, "integer", types.DOUBLE, "real"): Cast("{c}::{t}", "{c}::{t}::bigint <> {c}"),
    (types.BIGINT, "integer", types.TEXT, "spelled"): Cast("{c}::{t}"),
    (types.NUMERIC, "decimal", types.NUMERIC, "decimal"): Cast("{c}::{t}", _ROUNDED),
    (types.VARCHAR, "text", types.TEXT, "text"): Cast("{c}::{t}"),
    (types.VARCHAR, "text", types.TEXT, "spelled"): Cast("{c}::{t}"),
    (types.VARCHAR, "text", types.VARCHAR, "text"): Cast("{c}::{t}", _LONGER),
    (types.TEXT, "text", types.VARCHAR, "text"): Cast("{c}::{t}", _LONGER),
    (types.TEXT, "text", types.BYTEA, "bytes"): Cast("convert_to({c}, 'UTF8')"),
    (types.TEXT, "text", types.BYTEA, "bytes:spelled"): Cast("convert_to({c}, 'UTF8')"),
    (types.TEXT, "spelled", types.BYTEA, "bytes:spelled"): Cast("convert_to({c}, 'UTF8')"),
    (types.VARCHAR, "text", types.BYTEA, "bytes"): Cast("convert_to({c}, 'UTF8')"),
    (types.DATE, "iso", types.TIMESTAMP, "iso"): Cast("{c}::{t}"),
}


def cast(change: Change) -> Cast | None:
    """How the rows that are there get the column's new type, each value the same; None
    where no way is known."""
    was, now = change.column.conversion, change.conversion
    found = _CASTS.get((was.type.name, was.rule, now.type.name, now.first.rule))
    if found is None:
        return None
    words = {
        "c": quoted(change.column.target),
        "t": now.type.sql,
        "length": now.type.length or types.VARCHAR_LENGTH_MAX,
    }
    return Cast(found.using.format(**words), found.changes.format(**words))


def _casts_from(column: ColumnPlan) -> Iterator[tuple[str, str]]:
    for before, rule, after, becomes in _CASTS:
        same = after == column.type.name and column.type == TargetType(after)
        if (before, rule) == (column.type.name, column.rule) and not same:
            yield after, becomes
