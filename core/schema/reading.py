"""How the rows of a table are read, and which columns belong together."""

from __future__ import annotations

from collections.abc import Iterable

from core.schema.model import Database, ForeignKey, Table
from core.schema.names import fold
from core.source.rows import KeyKind, RowKey, TableSource
from core.source.snapshot import BUILTIN_COLLATIONS

ColumnRef = tuple[str, str]


def row_key(table: Table) -> RowKey:
    """What addresses a row of ``table``: its rowid, else its primary key.

    The rowid is preferred even where a primary key is declared: outside WITHOUT
    ROWID tables SQLite lets primary keys be NULL, and a snapshot's rowids stand still.
    """
    if table.without_rowid and not _compares_its_own_way(table):
        return RowKey(kind=KeyKind.COLUMNS, columns=table.primary_key)
    if table.rowid_name is not None:
        return RowKey(kind=KeyKind.ROWID, columns=(table.rowid_name,))
    return RowKey(kind=KeyKind.POSITION)


def _compares_its_own_way(table: Table) -> bool:
    """Whether the key's order is known to the source's application alone."""
    terms = (t for i in table.indexes if i.origin == "primary" for t in i.terms)
    return any((t.collation or "BINARY").upper() not in BUILTIN_COLLATIONS for t in terms)


def table_source(
    table: Table, encoding: str, columns: Iterable[str], *, where: str = ""
) -> TableSource:
    """``table`` as the row reader needs it, limited to ``columns`` and to the rows of
    which ``where``, a SQLite expression, is true."""
    named = tuple(columns)
    alias = table.rowid_alias if table.rowid_alias in named else None
    return TableSource(
        table=table.name,
        columns=named,
        key=row_key(table),
        encoding=encoding,
        alias=alias or "",
        where=where,
    )


def joined_columns(database: Database) -> tuple[frozenset[ColumnRef], ...]:
    """Groups of columns that foreign keys tie together, as (table, column) pairs.

    A group holds at least two columns; columns of missing parents are left out.
    """
    groups: dict[ColumnRef, set[ColumnRef]] = {}
    for table in database.tables:
        for key in table.foreign_keys:
            for child, parent in _pairs(database, table, key):
                _tie(groups, child, parent)
    distinct = {frozenset(group) for group in groups.values()}
    return tuple(sorted(distinct, key=sorted))


def find_table(database: Database, name: str) -> Table | None:
    """The table called ``name`` without ASCII case, or None."""
    folded = fold(name)
    return next((t for t in database.tables if fold(t.name) == folded), None)


def _pairs(
    database: Database, table: Table, key: ForeignKey
) -> Iterable[tuple[ColumnRef, ColumnRef]]:
    parent = find_table(database, key.parent)
    if parent is None or len(key.columns) != len(key.parent_columns):
        return
    known = {fold(c.name): c.name for c in parent.columns}
    for child, column in zip(key.columns, key.parent_columns, strict=True):
        if fold(column) in known:
            yield (table.name, table.column(child).name), (parent.name, known[fold(column)])


def _tie(groups: dict[ColumnRef, set[ColumnRef]], one: ColumnRef, other: ColumnRef) -> None:
    group = groups.get(one, {one}) | groups.get(other, {other})
    for member in group:
        groups[member] = group
