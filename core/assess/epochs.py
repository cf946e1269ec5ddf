"""Numbers in a column of dates: what they may count, and from when.

A proposal, never more: a person names the rule in the plan. The ranges are years 1973 to
2100 or so; they do not overlap, but for seconds since 1970 before 2001, which as seconds
since 2001 are of today: fractions tell those, since Apple's clock writes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.assess.looking import Look
from core.census import ColumnCensus
from core.plan import ColumnPlan, TablePlan
from core.plan.decide import misfits_allowed
from core.source.rows import SqliteValue, origin, quoted
from core.values import types
from core.values.declared import Kind
from core.values.exact import converter
from core.values.types import Conversion, Reject, TargetType

_RANGES = (
    ("epoch:julian", 2_400_000, 2_500_000),
    ("epoch:yyyymmdd", 19_000_101, 21_001_231),
    ("epoch:s", 1e8, 4.2e9),
    ("epoch:ms", 1e11, 4.2e12),
    ("epoch:us", 1e14, 4.2e15),
    ("epoch:webkit", 1.16e16, 1.6e16),
)
_UNIX_2001 = 978_307_200


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a column: the smallest and the largest but 0, and whether a real is
    among them that is not whole."""

    low: float
    high: float
    are_whole: bool


def epoch_of(
    kind: Kind, table: TablePlan, column: ColumnPlan, census: ColumnCensus, look: Look
) -> Conversion | None:
    """The conversion that makes moments of a column's numbers; None unless one unit fits
    all of them, and all but a few of the column's values."""
    numbers = _numbers(table, column.source, look)
    rule = None if numbers is None else _rule(numbers)
    if rule is None:
        return None
    for name in _types(kind, rule):
        conversion = Conversion(TargetType(name), rule)
        convert = converter(conversion)

        def fits(value: SqliteValue) -> bool:
            return value is not None and not isinstance(convert(value), Reject)  # noqa: B023

        fitting = look.count(table, column.source, fits)
        if census.values - fitting <= misfits_allowed(census):
            return conversion
    return None


def _types(kind: Kind, rule: str) -> tuple[str, ...]:
    if kind is Kind.TIMESTAMPTZ:
        return (types.TIMESTAMPTZ,)
    if kind is Kind.DATE or rule == "epoch:yyyymmdd":
        return (types.DATE, types.TIMESTAMP)
    return () if kind is Kind.TIME else (types.TIMESTAMP,)


def _numbers(table: TablePlan, column: str, look: Look) -> _Numbers | None:
    name = quoted(column)
    low, high, fractions = look.one(
        f"SELECT min({name}), max({name}), total(typeof({name}) = 'real'"
        f" AND {name} <> CAST({name} AS INTEGER)) FROM {origin(table.source)}"
        f" WHERE typeof({name}) IN ('integer', 'real') AND {name} <> 0"
    )
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return None
    return _Numbers(low, high, not fractions)


def _rule(numbers: _Numbers) -> str | None:
    for rule, low, high in _RANGES:
        if low <= numbers.low and numbers.high <= high:
            if rule == "epoch:s" and not numbers.are_whole and numbers.high < _UNIX_2001:
                return "epoch:apple"
            return rule
    return None
