"""The same table or column under another name, and how a column says what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.schema.model import Column, Table
from core.source.rows import quoted


def other_table_names(wanted: Iterable[Table], found: Iterable[Table]) -> dict[str, str]:
    """Missing tables, each with the one extra table that has exactly its columns."""
    return _only_matches(
        {table.name: tuple((c.name, *_shape(c)) for c in table.columns) for table in wanted},
        {table.name: tuple((c.name, *_shape(c)) for c in table.columns) for table in found},
    )


def other_column_names(wanted: Table, found: Table) -> dict[str, str]:
    """Missing columns, each with the extra column like it that stands in its place."""
    return _only_matches(
        {c.name: (place, *_shape(c)) for place, c in enumerate(wanted.columns)},
        {c.name: (place, *_shape(c)) for place, c in enumerate(found.columns)},
    )


def _only_matches(wanted: Mapping[str, object], found: Mapping[str, object]) -> dict[str, str]:
    """From a wanted name to the found one of the same shape, where there is no choice."""
    missing = {name: shape for name, shape in wanted.items() if name not in found}
    extra = {name: shape for name, shape in found.items() if name not in wanted}
    alike = {name: [n for n in extra if extra[n] == shape] for name, shape in missing.items()}
    alone = [name for name, shape in missing.items() if list(missing.values()).count(shape) == 1]
    return {name: alike[name][0] for name in alone if len(alike[name]) == 1}


def _shape(column: Column) -> tuple[object, ...]:
    said = type_of(column), nullability(column), default_of(column)
    return *said, numbering(column), generation(column)


def type_of(column: Column) -> str:
    """The type, with the collation that is not the type's own."""
    collated = "" if column.collation is None else f" COLLATE {quoted(column.collation)}"
    return column.declared_type + collated


def nullability(column: Column) -> str:
    """Whether it takes NULL."""
    return "NOT NULL" if column.not_null else "NULL"


def default_of(column: Column) -> str:
    """The default's expression, '' for none."""
    return "" if column.default is None else column.default.expression


def numbering(column: Column) -> str:
    """How the server numbers it, '' if it does not."""
    if not column.identity:
        return ""
    return f"GENERATED {'ALWAYS' if column.always else 'BY DEFAULT'} AS IDENTITY"


def generation(column: Column) -> str:
    """How it is computed, '' if it is not."""
    if column.generated is None:
        return ""
    return f"({column.generation_expression}) {column.generated.value.upper()}"
