"""What a person chose: the part of a plan that comes from its TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.values.types import Conversion


@dataclass(frozen=True, kw_only=True)
class ColumnChoice:
    """A person's word on one column; None leaves it to the census."""

    target: str | None = None
    conversion: Conversion | None = None


@dataclass(frozen=True, kw_only=True)
class TableChoice:
    """A person's word on one table; ``carry`` is None where nothing was said. ``where``: a
    SQLite expression that its rows must fulfil to be carried, '' for all of them."""

    carry: bool | None = None
    target: str | None = None
    where: str = ""
    columns: Mapping[str, ColumnChoice] = field(default_factory=dict)

    @property
    def carried(self) -> bool:
        """Whether the table is to be carried."""
        return self.carry is not False


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A person's word that a finding is known and may stay, or may stay unsaid: the id of
    the finding, the object that it is about ('' for every one, when it may stay unsaid),
    and why."""

    finding: str
    object: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A person's word on a whole plan, by source names. ``fold``: names that nobody
    chose are lowered. ``adopt``: into the application's own tables; ``zone``: of which
    naive moments are there, '' for none. ``accepted``: findings that no longer count;
    ``suppressed``: findings that reports leave out."""

    tables: Mapping[str, TableChoice] = field(default_factory=dict)
    fold: bool = False
    adopt: bool = False
    zone: str = ""
    accepted: tuple[Acceptance, ...] = ()
    suppressed: tuple[Acceptance, ...] = ()

    def table(self, name: str) -> TableChoice:
        """The choice for one table; the default where nothing was said."""
        return self.tables.get(name, TableChoice())

    @property
    def filters(self) -> Mapping[str, str]:
        """The filters of the tables that have one and are to be carried."""
        return {name: t.where for name, t in self.tables.items() if t.where and t.carried}

    def column(self, table: str, name: str) -> ColumnChoice:
        """The choice for one column."""
        return self.table(table).columns.get(name, ColumnChoice())


NO_CHOICES = Choices()


def overlaid(base: Choices, over: Choices) -> Choices:
    """``base`` with everything that ``over`` says laid over it."""
    if over.fold and not base.fold:
        base = _without_own_names(base)
    tables = dict(base.tables)
    for name, choice in over.tables.items():
        below = base.table(name)
        columns = dict(below.columns)
        for column, said in choice.columns.items():
            under = base.column(name, column)
            columns[column] = ColumnChoice(
                target=said.target or under.target,
                conversion=said.conversion or under.conversion,
            )
        tables[name] = TableChoice(
            carry=below.carry if choice.carry is None else choice.carry,
            target=choice.target or below.target,
            where=choice.where or below.where,
            columns=columns,
        )
    return Choices(
        tables=tables,
        fold=base.fold or over.fold,
        adopt=base.adopt or over.adopt,
        zone=over.zone or base.zone,
        accepted=_added(base.accepted, over.accepted),
        suppressed=_added(base.suppressed, over.suppressed),
    )


def _added(base: tuple[Acceptance, ...], over: tuple[Acceptance, ...]) -> tuple[Acceptance, ...]:
    return (*base, *(a for a in over if a not in base))


def _without_own_names(choices: Choices) -> Choices:
    """A plan that was written down names every table and column; a name that is the
    source's own was not chosen, and may be folded."""
    return replace(
        choices,
        tables={
            name: replace(
                table,
                target=_other(name, table.target),
                columns={
                    column: replace(said, target=_other(column, said.target))
                    for column, said in table.columns.items()
                },
            )
            for name, table in choices.tables.items()
        },
    )


def _other(own: str, target: str | None) -> str | None:
    return None if target == own else target
