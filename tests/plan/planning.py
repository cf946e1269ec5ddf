"""From SQL to a plan, without a file or a server."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from core.census import ColumnCensus, take_census
from core.census.tally import ColumnTally
from core.plan import NO_CHOICES, Choices, Plan, check_fit, make_plan
from core.plan.decide import Decision, decide
from core.schema import read_sqlite
from core.source.rows import SqliteValue
from core.values.declared import declared


def census_of(values: Sequence[SqliteValue], declared_type: str = "") -> ColumnCensus:
    """The census of a column of ``declared_type`` holding ``values``."""
    tally = ColumnTally(frozenset({declared(declared_type).kind}))
    tally.add(values)
    return tally.result()


def decided(declared_type: str, values: Sequence[SqliteValue], *, in_key: bool = False) -> Decision:
    """What becomes of a column by itself."""
    return decide(declared(declared_type), census_of(values, declared_type), in_key=in_key)


def planned(statements: str, choices: Choices = NO_CHOICES) -> Plan:
    """The plan of the database that ``statements`` make."""
    connection = apsw.Connection(":memory:")
    connection.execute(statements)
    found = read_sqlite(connection)
    check_fit(choices, found.database, "plan.toml")
    census = take_census(connection, found.database)
    return make_plan(found.database, census, choices=choices, notes=found.notes)
