"""What a table's columns have become, for whoever says an expression over them."""

from __future__ import annotations

from core.census import ColumnCensus, TableCensus
from core.dialect import Place, Places
from core.plan.model import SPELLINGS, ColumnPlan, TablePlan
from core.schema.model import Column, Table


def places(table: Table, plan: TablePlan, census: TableCensus) -> Places:
    """The columns of ``table`` that are carried, by name."""
    named = (column.name for column in table.columns)
    return Places(placed(table, plan, census), others=named, table=table.name)


def placed(table: Table, plan: TablePlan, census: TableCensus) -> tuple[Place, ...]:
    """The columns of ``table`` that are carried, in the source's order."""
    planned = {column.source: column for column in plan.columns}
    return tuple(
        place(column, planned[column.name], census.columns[column.name])
        for column in table.columns
        if column.name in planned
    )


def place(column: Column, plan: ColumnPlan, census: ColumnCensus) -> Place:
    """One column, as the plan made it and the census found it."""
    return Place(
        source=column.name,
        target=plan.target,
        conversion=plan.conversion,
        affinity=column.affinity,
        collation=column.collation or "BINARY",
        spelling="" if SPELLINGS in plan.spelling else plan.spelling,
        most=max(abs(census.integer_min or 0), abs(census.integer_max or 0)),
        is_finite=census.reals_infinite == 0,
    )
