"""The statements that bring a target's schema back to its plan.

Made of what the server itself printed of the planned objects, every name with its schema:
they mean the same in any session.
"""

from __future__ import annotations

import re

from core.plan.ddl import qualified
from core.schema.model import Check, Column, ForeignKey, Generated, Index, Table, View
from core.source.rows import quoted


def create_table(schema: str, table: Table) -> str:
    """The bare table, without keys."""
    columns = ", ".join(column_clause(schema, column) for column in table.columns)
    return f"CREATE TABLE {qualified(schema, table.name)} ({columns})"


def add_column(schema: str, table: str, column: Column) -> str:
    """The column once more."""
    return alter(schema, table, f"ADD COLUMN {column_clause(schema, column)}")


def column_clause(schema: str, column: Column) -> str:
    """The column as CREATE TABLE and ADD COLUMN take it."""
    parts = [quoted(column.name), _typed(column)]
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generation_expression})")
        parts.append("STORED" if column.generated is Generated.STORED else "VIRTUAL")
    elif column.identity:
        parts.append(_identity(schema, column))
    elif column.default is not None:
        parts.append(f"DEFAULT {column.default.expression}")
    if column.not_null:
        parts.append("NOT NULL")
    return " ".join(parts)


def _typed(column: Column) -> str:
    collated = "" if column.collation is None else f" COLLATE {quoted(column.collation)}"
    return column.declared_type + collated


def _identity(schema: str, column: Column) -> str:
    manner = "ALWAYS" if column.always else "BY DEFAULT"
    name = f" (SEQUENCE NAME {qualified(schema, column.sequence)})" if column.sequence else ""
    return f"GENERATED {manner} AS IDENTITY{name}"


# --- columns --------------------------------------------------------------------


def retype(schema: str, table: str, wanted: Column, found: Column) -> str:
    """The column's type, and the default that goes with it, in one statement: a default
    need not convert as the values do."""
    name = quoted(wanted.name)
    collated = f" COLLATE {quoted(wanted.collation or 'default')}"
    kind = wanted.declared_type + (collated if wanted.collation != found.collation else "")
    # The values of a generated column come from its expression.
    using = "" if wanted.generated else f" USING {_converted(wanted, found)}"
    actions = [f"ALTER COLUMN {name} TYPE {kind}{using}"]
    if found.default is not None:
        actions.insert(0, f"ALTER COLUMN {name} DROP DEFAULT")
    if wanted.default is not None:
        actions.append(f"ALTER COLUMN {name} SET DEFAULT {wanted.default.expression}")
    return alter(schema, table, ", ".join(actions))


_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_STRINGS = ("text", "character varying", "character")
_ZONED, _NAIVE = "timestamp with time zone", "timestamp without time zone"


def _converted(wanted: Column, found: Column) -> str:
    """The values as the wanted type has them, whatever the session is set to."""
    name, kind = quoted(wanted.name), wanted.declared_type
    match _plain(found.declared_type), _plain(kind):
        case (was, "boolean") if was in _NUMBERS:
            return f"({name} <> 0)"
        case ("boolean", becomes) if becomes in _NUMBERS:
            return f"{name}::integer::{kind}"
        case (was, "bytea") if was in _STRINGS:
            return f"convert_to({name}, 'UTF8')"
        case ("bytea", becomes) if becomes in _STRINGS:
            return f"convert_from({name}, 'UTF8')::{kind}"
        case (_, _) as both if set(both) == {_ZONED, _NAIVE}:
            return f"{name} AT TIME ZONE 'UTC'"
        case (was, becomes) if was in _NUMBERS and becomes in _NUMBERS:
            return f"{name}::{kind}"
    return f"{name}::text::{kind}"  # every type reads what it writes


def _plain(kind: str) -> str:
    """A type without its width or precision."""
    return re.sub(r"\(.*?\)", "", kind)


def set_default(schema: str, table: str, wanted: Column) -> str:
    """The column's default, or none."""
    said = "DROP DEFAULT" if wanted.default is None else f"SET DEFAULT {wanted.default.expression}"
    return alter_column(schema, table, wanted, said)


def set_not_null(schema: str, table: str, wanted: Column) -> str:
    """Whether the column takes NULL."""
    return alter_column(schema, table, wanted, f"{'SET' if wanted.not_null else 'DROP'} NOT NULL")


def set_identity(schema: str, table: str, wanted: Column, found: Column) -> tuple[str, ...]:
    """Whether and how the server numbers the column."""
    if not wanted.identity:
        return (alter_column(schema, table, wanted, "DROP IDENTITY"),)
    if found.identity:
        manner = "ALWAYS" if wanted.always else "BY DEFAULT"
        return (alter_column(schema, table, wanted, f"SET GENERATED {manner}"),)
    before = []
    if found.default is not None:
        before.append(alter_column(schema, table, wanted, "DROP DEFAULT"))
    if found.sequence is not None:  # of a serial column: its name may be the one to give
        before.append(f"DROP SEQUENCE {qualified(schema, found.sequence)}")
    added = alter_column(schema, table, wanted, f"ADD {_identity(schema, wanted)}")
    return (*before, added)


def alter_column(schema: str, table: str, column: Column, action: str) -> str:
    """One action on a column."""
    return alter(schema, table, f"ALTER COLUMN {quoted(column.name)} {action}")


def setval(schema: str, table: str, column: str, needed: int) -> str:
    """The column's sequence past ``needed`` and past all rows."""
    name = qualified(schema, table)
    sequence = f"pg_get_serial_sequence({string(name)}, {string(column)})"
    return f"SELECT setval({sequence}, greatest({needed}, max({quoted(column)}))) FROM {name}"


# --- keys, indexes, views -----------------------------------------------------------


def create_index(schema: str, index: Index) -> str:
    """An index, or the constraint that it serves."""
    if index.constraint is not None:
        return add_constraint(schema, index.table, index.constraint, index.definition)
    unique = "UNIQUE " if index.unique else ""
    place = qualified(schema, index.table)
    return f"CREATE {unique}INDEX {quoted(index.name)} ON {place} USING {index.definition}"


def drop_index(schema: str, index: Index) -> str:
    """An index, or the constraint that it serves."""
    if index.constraint is not None:
        return drop_constraint(schema, index.table, index.constraint)
    return f"DROP INDEX IF EXISTS {qualified(schema, index.name)}"


def create_constraint(schema: str, table: str, made: Check | ForeignKey) -> str:
    """A check or a foreign key; its rows are looked at if they were to be."""
    unproven = "" if made.validated else " NOT VALID"
    return add_constraint(schema, table, made.name or "", made.definition + unproven)


def add_constraint(schema: str, table: str, name: str, definition: str) -> str:
    """A constraint by its name and its definition."""
    return alter(schema, table, f"ADD CONSTRAINT {quoted(name)} {definition}")


def drop_constraint(schema: str, table: str, name: str) -> str:
    """A constraint by its name."""
    return alter(schema, table, f"DROP CONSTRAINT IF EXISTS {quoted(name)}")


def create_view(schema: str, view: View) -> str:
    """A view, or a materialized one."""
    return f"CREATE {_view_kind(view)} {qualified(schema, view.name)} AS {view.sql.rstrip(';')}"


def drop_view(schema: str, view: View) -> str:
    """A view, or a materialized one."""
    return f"DROP {_view_kind(view)} IF EXISTS {qualified(schema, view.name)}"


def _view_kind(view: View) -> str:
    return "MATERIALIZED VIEW" if view.materialized else "VIEW"


# --- words shared by all ------------------------------------------------------------


def alter(schema: str, table: str, action: str) -> str:
    """One action on a table."""
    return f"ALTER TABLE {qualified(schema, table)} {action}"


def comment_on(schema: str, table: str, column: str, comment: str) -> str:
    """A table's comment, or a column's when one is named."""
    place = qualified(schema, table)
    what = f"COLUMN {place}.{quoted(column)}" if column else f"TABLE {place}"
    return f"COMMENT ON {what} IS {string(comment)}"


def string(value: str) -> str:
    """A string literal, whatever ``standard_conforming_strings`` says."""
    doubled = value.replace("'", "''")
    if "\\" not in value:
        return f"'{doubled}'"
    escaped = doubled.replace("\\", "\\\\")
    return f" E'{escaped}'"
