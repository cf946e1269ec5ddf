"""What a person chose: the part of a plan that comes from its TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.values.types import Conversion


@dataclass(frozen=True, kw_only=True)
class ColumnChoice:
    """A person's word on one column; None leaves it to the census."""

    target: str | None = None
    conversion: Conversion | None = None


@dataclass(frozen=True, kw_only=True)
class TableChoice:
    """A person's word on one table."""

    carry: bool = True
    target: str | None = None
    columns: Mapping[str, ColumnChoice] = field(default_factory=dict)


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
    """A person's word on a whole plan, by source names. ``accepted``: findings that no
    longer count; ``suppressed``: findings that reports leave out."""

    tables: Mapping[str, TableChoice] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    suppressed: tuple[Acceptance, ...] = ()

    def table(self, name: str) -> TableChoice:
        """The choice for one table; the default where nothing was said."""
        return self.tables.get(name, TableChoice())

    def column(self, table: str, name: str) -> ColumnChoice:
        """The choice for one column."""
        return self.table(table).columns.get(name, ColumnChoice())


NO_CHOICES = Choices()


def overlaid(base: Choices, over: Choices) -> Choices:
    """``base`` with everything that ``over`` says laid over it."""
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
            carry=choice.carry, target=choice.target or below.target, columns=columns
        )
    return Choices(
        tables=tables,
        accepted=_added(base.accepted, over.accepted),
        suppressed=_added(base.suppressed, over.suppressed),
    )


def _added(base: tuple[Acceptance, ...], over: tuple[Acceptance, ...]) -> tuple[Acceptance, ...]:
    return (*base, *(a for a in over if a not in base))
