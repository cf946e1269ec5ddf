"""A plan: everything a run will do, as frozen values.

Made from a schema and a census, changed by a person through its TOML, executed
by :mod:`core.transfer`, and the yardstick of :mod:`core.verify`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from core.plan.choices import Acceptance
from core.source.rows import TableSource
from core.values.types import TIMESTAMPTZ, Conversion, Purity, TargetType

SPELLINGS = " | "
"""What stands between the ways in which a source writes its moments."""


class Fate(StrEnum):
    """What becomes of a schema object."""

    CARRIED = "carried"
    REWRITTEN = "rewritten"
    NOT_CARRIED = "not_carried"


@dataclass(frozen=True, kw_only=True)
class ObjectFate:
    """One schema object of the source and its fate.

    ``reason`` is an id of the catalogue (``fate.<reason>``) with its ``facts``, ''
    when carried as it was. ``counts``: the exit code speaks of it.
    """

    kind: str
    name: str
    table: str
    fate: Fate
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    counts: bool = False
    original: str = ""


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """One column: its name and declared type in the source, its name, type and rule
    in the target. ``sequence`` names what feeds an identity, '' for other columns.
    ``default`` is a SQL literal. ``spelling`` tells how the source
    writes its moments or booleans ('' when it says nothing). ``saw`` is the
    census in a few words, for the reader of the plan. ``purity``: what the census
    found it to hold, MIXED where a value will not fit; ``bytes_max``: how
    long its longest value may be; ``comment``: what people wrote beside it."""

    source: str
    target: str
    declared: str
    type: TargetType
    rule: str
    not_null: bool = False
    sequence: str = ""
    default: str | None = None
    spelling: str = ""
    saw: str = ""
    misfits: int = 0
    purity: Purity = Purity.MIXED
    bytes_max: int = 0
    comment: str = ""

    @property
    def conversion(self) -> Conversion:
        """How the column's values are carried."""
        return Conversion(self.type, self.rule)

    @property
    def injective(self) -> bool:
        """Whether values that SQLite holds apart always stay apart: by their conversion,
        or because the census saw them all written in one way."""
        if self.rule == "uuid" and self.spelling:
            forms = [form.partition("-") for form in self.spelling.split("/")]
            cases = {case for _, _, case in forms} - {"none"}
            return len({style for style, _, _ in forms}) == 1 and len(cases) <= 1
        if self.rule == "iso" and self.type.name != TIMESTAMPTZ:
            return bool(self.spelling) and SPELLINGS not in self.spelling
        return self.conversion.injective

    @property
    def identity(self) -> bool:
        """Whether the server numbers new rows by it."""
        return bool(self.sequence)


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """One table that is carried. ``number`` is its place in the plan and its name
    in the ledger. ``primary_key`` has source names, () without one.
    ``last_sequence``: the highest key number ever handed out. ``rows``: those to be carried;
    ``left_out``: those that the source's filter passes over; ``comment``: what people wrote
    of it."""

    number: int
    source: TableSource
    target: str
    columns: tuple[ColumnPlan, ...]
    rows: int
    primary_key: tuple[str, ...] = ()
    last_sequence: int | None = None
    comment: str = ""
    left_out: int = 0

    @property
    def name(self) -> str:
        """The table's name in the source."""
        return self.source.table

    def column(self, source: str) -> ColumnPlan:
        """The plan of the column called ``source`` in the source."""
        return next(c for c in self.columns if c.source == source)


@dataclass(frozen=True, kw_only=True)
class ViewColumn:
    """One column of a view: its name in the source, its name, type and rule in the target.
    ``is_rough``: a number whose last digits may be others than SQLite's."""

    source: str
    target: str
    type: TargetType
    rule: str
    is_rough: bool = False


@dataclass(frozen=True, kw_only=True)
class ViewPlan:
    """A view that is carried, if the server takes it. ``tables``: the source tables whose rows
    it reads, through other views as well; ``doubts``: why it may have other rows the next
    time it is asked, on either side."""

    name: str
    target: str
    columns: tuple[ViewColumn, ...]
    tables: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class BuildKind(StrEnum):
    """What is built after the rows are in, in this order."""

    GENERATED = "generated"
    PRIMARY_KEY = "primary_key"
    UNIQUE = "unique"
    INDEX = "index"
    SEARCH = "search"
    EXCLUSION = "exclusion"
    CHECK = "check"
    FOREIGN_KEY = "foreign_key"
    SEQUENCE = "sequence"
    VIEW = "view"
    TRIGGER = "trigger"


@dataclass(frozen=True, kw_only=True)
class Build:
    """A constraint, index, sequence or view to make on the target once the rows are there.

    ``fate`` is what is recorded when it succeeds; ``sql`` is '' for a key that is there.
    ``terms``: the source columns of a key or index (None for an expression), each with the
    collation that it keeps by an expression ('' when it compares them as they are).
    ``validate``: for a check or a foreign key, the statement that proves its rows;
    ``parent``: the source table that it refers to; ``where``: the condition of a partial
    index. ``differs``: of a generated column, the query that finds a row whose value its rule
    does not compute; ``sql_from_18``: what is executed instead of ``sql`` from PostgreSQL 18
    on; ``reads``: the source tables and views that a view is made of, whose own builds come
    before it. A view's ``table`` is itself; ``function``: what a trigger calls, made by a
    first statement in ``sql``. Of what was there before the rows and is put up
    again: ``drop`` took it down, ``definition`` is the server's own text of it, and ``asks``
    the question, asked with an empty ``search_path``, that it must answer again.
    """

    kind: BuildKind
    name: str
    table: str
    sql: str
    fate: ObjectFate
    terms: tuple[tuple[str | None, str], ...] = ()
    validate: str = ""
    parent: str = ""
    where: str = ""
    function: str = ""
    reads: tuple[str, ...] = ()
    differs: str = ""
    sql_from_18: str = ""
    drop: str = ""
    definition: str = ""
    asks: str = ""

    def statement(self, server_version: int) -> str:
        """What makes it on a server of that version, as libpq counts them: 180001."""
        return self.sql_from_18 if self.sql_from_18 and server_version >= 180_000 else self.sql

    @property
    def is_unique(self) -> bool:
        """Whether it allows no two equal rows."""
        return self.kind in (BuildKind.PRIMARY_KEY, BuildKind.UNIQUE)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that it makes unique, compared as they are: a foreign key may
        refer to them."""
        plain = self.is_unique and not self.collated and not self.where
        columns = tuple(column for column, _ in self.terms if column is not None)
        return columns if plain and len(columns) == len(self.terms) else ()

    @property
    def collated(self) -> tuple[str, ...]:
        """The columns whose own collation it keeps."""
        return tuple(column for column, kept in self.terms if column is not None and kept)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole plan. ``objects`` have their fate already; ``builds`` get theirs
    when they are made. ``fold``: names that nobody chose are lowered.
    ``adopted``: the tables are the application's own; they are never made nor dropped.
    ``zone``: of which its naive moments are, '' for none. ``accepted`` and ``suppressed``
    are what a person said of findings."""

    schema: str
    encoding: str
    tables: tuple[TablePlan, ...]
    builds: tuple[Build, ...]
    objects: tuple[ObjectFate, ...]
    fold: bool = False
    adopted: bool = False
    zone: str = ""
    accepted: tuple[Acceptance, ...] = ()
    suppressed: tuple[Acceptance, ...] = ()
    views: tuple[ViewPlan, ...] = ()

    def table(self, source: str) -> TablePlan:
        """The plan of the table called ``source``."""
        return next(t for t in self.tables if t.name == source)

    @property
    def targets(self) -> dict[str, str]:
        """What each table and view of the source is called in the target."""
        tables = {table.name: table.target for table in self.tables}
        return tables | {view.name: view.target for view in self.views}
