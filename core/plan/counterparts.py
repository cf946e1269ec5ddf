"""Which table, column and type of a schema that stands takes which rows of the source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from core.census import ColumnCensus
from core.plan.choices import Choices
from core.plan.decide import BOOLEAN_PAIRS, fits
from core.schema.found import FoundColumn, FoundSchema, FoundTable
from core.schema.model import Database, Table, TableKind
from core.schema.names import fold
from core.schema.reading import ColumnRef
from core.values import types
from core.values.declared import Kind
from core.values.types import Conversion, TargetType

VERSION_TABLES: Mapping[str, tuple[str, ...]] = {
    "alembic_version": ("version_num",),
    "django_migrations": ("app", "name"),
    "schema_migrations": ("version",),
    "flyway_schema_history": ("version",),
}
"""Tables in which an application's own migrations write down how far they are, and the
columns that say so: compared, never copied."""


# --- what belongs together -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Counterparts:
    """Which table and column of the target takes the rows of which in the source. What
    is not there has no counterpart."""

    tables: Mapping[str, FoundTable]
    columns: Mapping[ColumnRef, FoundColumn]


def counterparts(database: Database, found: FoundSchema, choices: Choices) -> Counterparts:
    """By the names that the plan gives: as they are written, else without ASCII case."""
    tables: dict[str, FoundTable] = {}
    for table in database.tables:
        choice = choices.table(table.name)
        if table.kind is TableKind.ORDINARY and choice.carried and not is_version_table(table.name):
            free = [t for t in found.tables if t not in tables.values()]
            if (there := _called(choice.target or table.name, free)) is not None:
                tables[table.name] = there
    columns: dict[ColumnRef, FoundColumn] = {}
    for table in database.tables:
        if table.name in tables:
            columns |= _column_counterparts(table, tables[table.name], choices)
    return Counterparts(tables=tables, columns=columns)


def _column_counterparts(
    table: Table, there: FoundTable, choices: Choices
) -> dict[ColumnRef, FoundColumn]:
    made: dict[ColumnRef, FoundColumn] = {}
    for column in table.columns:
        wanted = choices.column(table.name, column.name).target or column.name
        free = [c for c in there.columns if c not in made.values()]
        if (one := _called(wanted, free)) is not None:
            made[table.name, column.name] = one
    return made


Named = TypeVar("Named", FoundTable, FoundColumn)


def is_version_table(name: str) -> bool:
    """Whether an application's migrations keep their state in a table of that name."""
    return fold(name) in VERSION_TABLES


def _called(name: str, things: list[Named]) -> Named | None:
    same = [t for t in things if t.name == name]
    same = same or [t for t in things if fold(t.name) == fold(name)]
    return same[0] if len(same) == 1 else None


def kinds_wanted(pairs: Counterparts) -> Mapping[ColumnRef, Kind]:
    """What the census is to look for in columns because of the type that awaits them."""
    found = {ref: target_type(column) for ref, column in pairs.columns.items()}
    return {ref: _KINDS[kind.name] for ref, kind in found.items() if kind and kind.name in _KINDS}


_KINDS = {
    types.BOOLEAN: Kind.BOOLEAN,
    types.DATE: Kind.DATE,
    types.TIME: Kind.TIME,
    types.TIMESTAMP: Kind.TIMESTAMP,
    types.TIMESTAMPTZ: Kind.TIMESTAMPTZ,
    types.JSON: Kind.JSON,
    types.JSONB: Kind.JSON,
    types.UUID: Kind.UUID,
}


# --- types ---------------------------------------------------------------------------------


def target_type(column: FoundColumn) -> TargetType | None:
    """The type as this house knows it; None for one that it cannot write."""
    if column.is_enum:
        return TargetType(types.ENUM, given=column.type, labels=column.labels)
    match = _STORED.fullmatch(column.stored)
    name = _SPELLED.get(f"{match[1]} {match[3]}") if match is not None else None
    if match is None or name is None:
        return None
    kind = _sized(name, [int(n) for n in (match[2] or "").split(",") if n])
    if kind is None:
        return None
    shown = column.type if column.type != column.stored or _is_printed_otherwise(kind) else ""
    return replace(kind, given=shown)


_STORED = re.compile(r"([^(]*?)(?:\(([-\d,]+)\))?((?: with(?:out)? time zone)?)")
_SPELLED = {
    f"{name} ": name
    for name in (
        *types.INTEGERS,
        *(types.REAL, types.DOUBLE, types.NUMERIC, types.BOOLEAN, types.TEXT, types.BYTEA),
        *(types.DATE, types.JSON, types.JSONB, types.UUID),
    )
} | {
    "character varying ": types.VARCHAR,
    "character ": types.CHAR,
    "citext ": types.TEXT,
    "time  without time zone": types.TIME,
    "timestamp  without time zone": types.TIMESTAMP,
    "timestamp  with time zone": types.TIMESTAMPTZ,
}


def _sized(name: str, numbers: list[int]) -> TargetType | None:
    if not numbers:
        return TargetType(name)
    if name in (types.VARCHAR, types.CHAR):
        return TargetType(name, length=numbers[0])
    if name == types.NUMERIC:
        precision, scale = (*numbers, 0)[:2]
        fits_here = 0 <= scale <= precision
        return TargetType(name, precision=precision, scale=scale) if fits_here else None
    return TargetType(name, scale=numbers[0])


def _is_printed_otherwise(kind: TargetType) -> bool:
    return kind.scale is not None and kind.precision is None


def conversion(kind: TargetType, census: ColumnCensus, zone: str) -> Conversion:
    """The rule that takes most of the values, the plainest of several."""
    return max((Conversion(kind, r) for r in _rules(kind, zone)), key=lambda c: fits(c, census))


def _rules(kind: TargetType, zone: str) -> tuple[str, ...]:
    if kind.name in types.INTEGERS:
        return ("integer",)
    if kind.name == types.TIMESTAMPTZ and zone:
        return ("iso", f"zone:{zone}")
    return _RULES[kind.name]


_RULES: Mapping[str, tuple[str, ...]] = {
    types.REAL: ("real",),
    types.DOUBLE: ("real",),
    types.NUMERIC: ("decimal",),
    types.BOOLEAN: tuple(f"boolean:{false}/{true}" for false, true in BOOLEAN_PAIRS),
    types.TEXT: ("text", "spelled"),
    types.VARCHAR: ("text", "spelled"),
    types.CHAR: ("text",),
    types.ENUM: ("label",),
    types.BYTEA: ("bytes",),
    types.DATE: ("iso",),
    types.TIME: ("iso",),
    types.TIMESTAMP: ("iso",),
    types.TIMESTAMPTZ: ("iso",),
    types.JSON: ("json",),
    types.JSONB: ("json",),
    types.UUID: ("uuid",),
}
