"""Read one table of a SQLite database: columns, rowid, indexes, foreign keys."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

import apsw

from core.schema.affinity import affinity
from core.schema.catalogue import Catalogue, Stored
from core.schema.comments import TABLE, read_comments
from core.schema.declarations import (
    DeclaredForeignKey,
    DeclaredKey,
    TableDeclaration,
    bare,
    is_literal,
    read_index_declaration,
    read_module,
    read_table_declaration,
)
from core.schema.model import (
    Column,
    Default,
    ForeignKey,
    Generated,
    Index,
    IndexTerm,
    Table,
    TableKind,
)
from core.schema.names import fold
from core.schema.notes import NoteReason
from core.schema.searches import read_search

_GENERATED = {2: Generated.VIRTUAL, 3: Generated.STORED}
_ORIGINS = {"c": "index", "u": "unique", "pk": "primary"}
_KEY_KINDS = {"unique": "UNIQUE", "primary": "PRIMARY KEY"}
_OWN_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
_ROWID_NAMES = ("rowid", "_rowid_", "oid")
_EXPRESSION = -2

_NOTHING_DECLARED = TableDeclaration(
    columns=(), generation=(), checks=(), keys=(), foreign_keys=(), conflict_clauses=()
)


def read_table(catalogue: Catalogue, stored: Stored) -> Table:
    """The table that ``stored`` speaks of; a virtual one without its columns, unless it is a
    search that keeps rows of its own.

    Raises apsw.Error when SQLite refuses to answer, UnicodeDecodeError when a
    column's name is not text.
    """
    listed = catalogue.listed[stored.name]
    if listed.kind is None or listed.kind is TableKind.VIRTUAL:
        return _virtual_table(catalogue, stored)
    rows = catalogue.rows(
        'SELECT CAST(name AS BLOB), CAST(type AS BLOB), "notnull", CAST(dflt_value AS BLOB),'
        " pk, hidden FROM pragma_table_xinfo(?, 'main') ORDER BY cid",
        stored.name,
    )
    names = [catalogue.text(row[0]) for row in rows]
    declared = _declaration(catalogue, stored, names)
    columns = tuple(_column(catalogue, row) for row in rows)
    key = sorted((row[4], name) for name, row in zip(names, rows, strict=True) if row[4])
    table = Table(
        name=stored.name,
        columns=columns,
        kind=listed.kind,
        without_rowid=listed.without_rowid,
        strict=listed.strict,
        primary_key=tuple(name for _, name in key),
        foreign_keys=_foreign_keys(catalogue, stored, declared),
        checks=declared.checks,
        sql=stored.sql,
        primary_key_name=next((k.name for k in declared.keys if k.kind == "PRIMARY KEY"), None),
        conflict_clauses=declared.conflict_clauses,
    )
    table = _with_column_facts(catalogue.connection, table, dict(declared.generation))
    table = replace(table, indexes=_indexes(catalogue, table, declared.keys))
    return _with_rowid(catalogue.connection, _with_comments(table, stored))


def _with_comments(table: Table, stored: Stored) -> Table:
    said = read_comments(stored.sql, len(table.columns)) if stored.intact else {}
    columns = tuple(
        replace(column, comment=said.get(place, "")) for place, column in enumerate(table.columns)
    )
    return replace(table, columns=columns, comment=said.get(TABLE, ""))


def _virtual_table(catalogue: Catalogue, stored: Stored) -> Table:
    table = Table(
        name=stored.name,
        columns=(),
        kind=TableKind.VIRTUAL,
        sql=stored.sql,
        module=read_module(stored.sql),
    )
    try:
        catalogue.rows("SELECT count(*) FROM pragma_table_xinfo(?, 'main')", stored.name)
    except apsw.Error as error:
        catalogue.note("table", stored.name, NoteReason.MODULE_MISSING, str(error))
        return table
    return read_search(catalogue, table)


def _declaration(catalogue: Catalogue, stored: Stored, names: list[str]) -> TableDeclaration:
    if not stored.intact:
        return _NOTHING_DECLARED  # its note is written
    declared = read_table_declaration(stored.sql, names)
    if declared is None:
        catalogue.note("table", stored.name, NoteReason.SQL_UNPARSED)
    return declared or _NOTHING_DECLARED


# --- columns -------------------------------------------------------------------


def _column(catalogue: Catalogue, row: tuple[Any, ...]) -> Column:
    name, declared_type, not_null, default, _, hidden = row
    return Column(
        name=catalogue.text(name),
        declared_type=catalogue.lenient(declared_type),
        not_null=bool(not_null),
        default=None if default is None else _default(catalogue.lenient(default)),
        generated=_GENERATED.get(hidden),
    )


def _default(expression: str) -> Default:
    return Default(expression=bare(expression), literal=is_literal(expression))


def _with_column_facts(
    connection: apsw.Connection, table: Table, generation: dict[str, str]
) -> Table:
    """Add to each column what table_xinfo does not say."""
    columns = tuple(
        replace(
            column,
            affinity=affinity(column.declared_type, strict=table.strict),
            collation=_collation(connection.column_metadata("main", table.name, column.name)[1]),
            generation_expression=generation.get(column.name),
        )
        for column in table.columns
    )
    return replace(table, columns=columns)


def _collation(name: str) -> str | None:
    """SQLite's own collations in capitals, BINARY as None; others as declared."""
    known = next((own for own in _OWN_COLLATIONS if fold(own) == fold(name)), name)
    return None if known == "BINARY" else known


def _with_rowid(connection: apsw.Connection, table: Table) -> Table:
    """Say which column is the rowid, and by which name the rowid can be selected.

    A primary key is the rowid exactly when SQLite made no index for it, which
    settles INT, INTEGER PRIMARY KEY DESC and every other spelling
    (https://sqlite.org/lang_createtable.html section 5).
    """
    if table.without_rowid:
        return table
    indexed = any(index.origin == "primary" for index in table.indexes)
    alias = table.primary_key[0] if table.primary_key and not indexed else None
    taken = {fold(column.name) for column in table.columns}
    free = [name for name in _ROWID_NAMES if name not in taken]
    table = replace(table, rowid_alias=alias, rowid_name=free[0] if free else alias)
    if alias is None:
        return table
    return replace(
        table,
        autoincrement=bool(connection.column_metadata("main", table.name, alias)[4]),
        # A NULL given to the rowid becomes the next number: the column never holds one.
        columns=tuple(replace(c, not_null=c.not_null or c.name == alias) for c in table.columns),
    )


# --- indexes -------------------------------------------------------------------


def _indexes(
    catalogue: Catalogue, table: Table, keys: tuple[DeclaredKey, ...]
) -> tuple[Index, ...]:
    """The table's indexes; SQLite lists the last made first."""
    rows = catalogue.rows(
        "SELECT CAST(name AS BLOB), \"unique\", origin FROM pragma_index_list(?, 'main')"
        " ORDER BY seq DESC",
        table.name,
    )
    found = []
    for raw_name, unique, origin in rows:
        try:
            name = catalogue.text(raw_name)
        except UnicodeDecodeError:
            continue  # its row in sqlite_schema has left the note
        index = Index(
            name=name, table=table.name, unique=bool(unique), origin=_ORIGINS[origin], terms=()
        )
        index = _with_terms(catalogue, index)
        found.append(replace(index, constraint=_constraint_name(index, table, keys)))
    return tuple(found)


def _with_terms(catalogue: Catalogue, index: Index) -> Index:
    rows = catalogue.rows(
        'SELECT cid, CAST(name AS BLOB), CAST(coll AS BLOB), "desc"'
        " FROM pragma_index_xinfo(?, 'main') WHERE key = 1 ORDER BY seqno",
        index.name,
    )
    stored = catalogue.index_sql.get(index.name)
    declared = read_index_declaration(stored.sql, len(rows)) if stored else None
    if stored and declared is None:
        catalogue.note("index", index.name, NoteReason.SQL_UNPARSED)
    texts = declared.terms if declared else (None,) * len(rows)
    return replace(
        index,
        terms=tuple(_term(catalogue, row, text) for row, text in zip(rows, texts, strict=True)),
        where=declared.where if declared else None,
        sql=stored.sql if stored else None,
    )


def _term(catalogue: Catalogue, row: tuple[Any, ...], text: str | None) -> IndexTerm:
    cid, name, collation, descending = row
    return IndexTerm(
        column=None if cid == _EXPRESSION else catalogue.text(name),
        expression=text if cid == _EXPRESSION else None,
        collation=_collation(catalogue.lenient(collation)),
        descending=bool(descending),
    )


def _constraint_name(index: Index, table: Table, keys: tuple[DeclaredKey, ...]) -> str | None:
    """What CONSTRAINT called the key that ``index`` keeps.

    SQLite makes one index for several constraints that ask for the same, so the
    two are matched by what they order by, not by counting.
    """
    kind = _KEY_KINDS.get(index.origin)
    ordered = [(fold(term.column or ""), fold(term.collation or "")) for term in index.terms]
    for key in keys:
        if key.kind == kind and key.name and ordered == [_key_term(table, *t) for t in key.terms]:
            return key.name
    return None


def _key_term(table: Table, column: str, collation: str | None) -> tuple[str, str]:
    effective = _collation(collation) if collation else table.column(column).collation
    return fold(column), fold(effective or "")


# --- foreign keys --------------------------------------------------------------


def _foreign_keys(
    catalogue: Catalogue, stored: Stored, declared: TableDeclaration
) -> tuple[ForeignKey, ...]:
    """The table's foreign keys as written; SQLite numbers them from the last to the first."""
    rows = catalogue.rows(
        'SELECT id, CAST("table" AS BLOB), CAST("from" AS BLOB), CAST("to" AS BLOB),'
        " on_update, on_delete FROM pragma_foreign_key_list(?, 'main') ORDER BY id DESC, seq",
        stored.name,
    )
    keys = [list(group) for _, group in groupby(rows, key=lambda row: row[0])]
    written = declared.foreign_keys
    if len(written) != len(keys):
        if declared is not _NOTHING_DECLARED:
            catalogue.note("table", stored.name, NoteReason.SQL_UNPARSED, "foreign keys")
        written = (DeclaredForeignKey(name=None),) * len(keys)
    return tuple(_foreign_key(catalogue, *pair) for pair in zip(keys, written, strict=True))


def _foreign_key(
    catalogue: Catalogue, rows: list[tuple[Any, ...]], written: DeclaredForeignKey
) -> ForeignKey:
    _, parent, _, _, on_update, on_delete = rows[0]
    return ForeignKey(
        name=written.name,
        columns=tuple(catalogue.text(row[2]) for row in rows),
        parent=catalogue.text(parent),
        parent_columns=tuple(catalogue.text(row[3]) for row in rows if row[3] is not None),
        on_update=on_update,
        on_delete=on_delete,
        deferrable=written.deferrable,
        initially_deferred=written.initially_deferred,
    )
