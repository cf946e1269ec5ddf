"""What a database looks like, as frozen values.

One vocabulary for both engines: the SQLite reader and the PostgreSQL reader
both return a :class:`Database`. Values know nothing of connections.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from core.schema.names import fold


def _definition() -> str:
    """A field for what an object does as PostgreSQL's own printer says it, without its
    name; '' elsewhere. It says again what the other fields say: two that are equal in
    those are equal."""
    said: str = field(default="", compare=False)
    return said


class Affinity(StrEnum):
    """SQLite's column affinity (https://sqlite.org/datatype3.html section 3.1)."""

    INTEGER = "integer"
    REAL = "real"
    NUMERIC = "numeric"
    TEXT = "text"
    BLOB = "blob"


class TableKind(StrEnum):
    """What sort of table, as SQLite counts it."""

    ORDINARY = "table"
    VIRTUAL = "virtual"
    SHADOW = "shadow"


class Generated(StrEnum):
    """How a generated column keeps its value."""

    VIRTUAL = "virtual"
    STORED = "stored"


@dataclass(frozen=True, kw_only=True)
class Default:
    """A column's default. ``literal`` is true for a constant without function calls."""

    expression: str
    literal: bool


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column. ``declared_type`` is the text as declared, '' for none; in
    PostgreSQL it is ``format_type``. ``collation`` is None for the engine's own.
    ``comment``: what people wrote beside it, '' for nothing.

    PostgreSQL's alone: ``always``, of an identity that takes no number from others;
    ``sequence``, the name of the sequence that belongs to it."""

    name: str
    declared_type: str
    affinity: Affinity = Affinity.BLOB
    not_null: bool = False
    default: Default | None = None
    collation: str | None = None
    generated: Generated | None = None
    generation_expression: str | None = None
    identity: bool = False
    comment: str = ""
    always: bool = False
    sequence: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class IndexTerm:
    """One term of an index or key: a column, or an expression (then ``column`` is None)."""

    column: str | None
    expression: str | None = None
    collation: str | None = None
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index. ``origin`` says who asked for it: 'index' (CREATE INDEX),
    'unique' (a UNIQUE constraint) or 'primary' (a PRIMARY KEY). ``constraint`` is
    the name that a CONSTRAINT clause gave, for the latter two. ``valid``: PostgreSQL
    may use it, as it may not when its building was cut short."""

    name: str
    table: str
    unique: bool
    origin: str
    terms: tuple[IndexTerm, ...]
    where: str | None = None
    sql: str | None = None
    constraint: str | None = None
    valid: bool = True
    definition: str = _definition()


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """A foreign key. ``parent_columns`` is what the declaration means: an empty
    declaration refers to the parent's primary key and is filled in by the
    reader; it stays empty when the parent has none (or does not exist).
    Actions are upper case: NO ACTION, RESTRICT, CASCADE, SET NULL, SET DEFAULT."""

    name: str | None
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    definition: str = _definition()


@dataclass(frozen=True, kw_only=True)
class Check:
    """A CHECK constraint; ``column`` is set when it was written on a column."""

    name: str | None
    expression: str
    column: str | None = None
    validated: bool = True
    definition: str = _definition()


@dataclass(frozen=True, kw_only=True)
class ConflictClause:
    """ON CONFLICT written on a constraint, which PostgreSQL has no word for.

    ``constraint`` is NOT NULL, UNIQUE, PRIMARY KEY or CHECK; ``action`` is ROLLBACK,
    ABORT, FAIL, IGNORE or REPLACE (https://sqlite.org/lang_conflict.html).
    """

    constraint: str
    columns: tuple[str, ...]
    action: str


@dataclass(frozen=True, kw_only=True)
class Search:
    """What makes a virtual table a full-text search (FTS3, FTS4, FTS5).

    ``content``: the table whose rows it finds, '' for none (it keeps words alone), None when
    it keeps rows of its own. ``columns``: those whose words are found. ``tokenizer``: the
    name of what divides them. ``key``: what the table calls its rowid.
    """

    content: str | None
    columns: tuple[str, ...]
    tokenizer: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table.

    ``primary_key``: column names in key order, () for none. ``rowid_alias``: the
    INTEGER PRIMARY KEY column that *is* the rowid. ``rowid_name``: a name by
    which the rowid can be selected, None when it has none (WITHOUT ROWID, or all
    three spellings are taken by columns). ``sql``: the CREATE text as stored.
    ``module``: of a virtual table; ``search``: of one that finds words.
    ``primary_key_name``: what a CONSTRAINT clause called the key. ``conflict_clauses``: the ON CONFLICT that its constraints carry.
    ``comment``: what people wrote of it, '' for nothing. ``unlogged``: PostgreSQL empties
    it after a crash.
    """

    name: str
    columns: tuple[Column, ...]
    kind: TableKind = TableKind.ORDINARY
    without_rowid: bool = False
    strict: bool = False
    primary_key: tuple[str, ...] = ()
    rowid_alias: str | None = None
    rowid_name: str | None = None
    autoincrement: bool = False
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    sql: str = ""
    module: str | None = None
    primary_key_name: str | None = None
    conflict_clauses: tuple[ConflictClause, ...] = ()
    comment: str = ""
    unlogged: bool = False
    search: Search | None = None

    @property
    def is_copied(self) -> bool:
        """Whether it is copied row by row: an ordinary table, or a search with rows of its
        own, whose columns were read."""
        own = self.search is not None and self.search.content is None and bool(self.columns)
        return self.kind is TableKind.ORDINARY or own

    def column(self, name: str) -> Column:
        """The column called ``name``: so spelled, else equal without ASCII case."""
        return _called(name, self.columns)


@dataclass(frozen=True, kw_only=True)
class View:
    """A view and its SQL as stored; ``columns``: what the engine calls its columns, () for a
    view that it cannot read. PostgreSQL's alone: ``materialized``, it holds rows; ``uses``,
    the tables and views of its own schema that it reads."""

    name: str
    sql: str
    columns: tuple[str, ...] = ()
    materialized: bool = False
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A trigger, the table it belongs to, and its SQL as stored. ``enabled``: it fires. In
    PostgreSQL also the ``function`` that it calls."""

    name: str
    table: str
    sql: str
    function: str = ""
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of PostgreSQL: its name, the types that it takes, and its SQL as printed."""

    name: str
    arguments: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """The high-water mark of a generated key: the last number handed out."""

    table: str
    last: int


@dataclass(frozen=True, kw_only=True)
class Database:
    """A whole schema. ``encoding`` is SQLite's: UTF-8, UTF-16le or UTF-16be."""

    tables: tuple[Table, ...]
    views: tuple[View, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    functions: tuple[Function, ...] = ()
    encoding: str = "UTF-8"
    user_version: int = 0
    application_id: int = 0

    def table(self, name: str) -> Table:
        """The table called ``name``: so spelled, else equal without ASCII case."""
        return _called(name, self.tables)


Named = TypeVar("Named", Column, Table)


def _called(name: str, things: tuple[Named, ...]) -> Named:
    """PostgreSQL may hold "A" beside "a", SQLite may not; KeyError when there is none."""
    same = [t for t in things if t.name == name] or [
        t for t in things if fold(t.name) == fold(name)
    ]
    if not same:
        raise KeyError(name)
    return same[0]
