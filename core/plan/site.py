"""Where a table's objects are built, and the words that all of them need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.census import TableCensus
from core.plan.ddl import listed, qualified
from core.plan.model import Build, Fate, ObjectFate, TablePlan
from core.plan.names import Names
from core.schema.model import Table
from core.schema.names import fold


@dataclass(frozen=True)
class Site:
    """Where a table's objects are built: its schema, its plan, the other tables'
    plans by folded source name, the names already given, and what the table holds."""

    schema: str
    table: Table
    plan: TablePlan
    others: Mapping[str, TablePlan]
    names: Names
    census: TableCensus

    @property
    def target(self) -> str:
        """The target's table, qualified and quoted."""
        return qualified(self.schema, self.plan.target)

    def columns(self, names: tuple[str, ...]) -> str:
        """What the columns of these source names are called in the target, quoted."""
        return columns_of(self.plan, names)

    def fate(
        self, kind: str, name: str, *, collated: bool = False, original: str = ""
    ) -> ObjectFate:
        """The fate of an object that is carried; ``collated``: by an expression that keeps
        a collation."""
        return ObjectFate(
            kind=kind,
            name=name,
            table=self.plan.name,
            fate=Fate.REWRITTEN if collated else Fate.CARRIED,
            reason="index_collation" if collated else "",
            original=original,
        )


Built = Build | ObjectFate


def columns_of(plan: TablePlan, names: tuple[str, ...]) -> str:
    """What a table's columns of these source names are called in the target, quoted."""
    folded = {fold(c.source): c.target for c in plan.columns}
    return listed(folded[fold(name)] for name in names)


def said_anew(fate: ObjectFate, original: str, said: str) -> ObjectFate:
    """The fate of an object whose expression is said in these words."""
    if _squeezed(said) == _squeezed(original):
        return fate
    return replace(fate, fate=Fate.REWRITTEN, reason="said_anew", facts={"sql": said})


def _squeezed(sql: str) -> str:
    """Without what only divides or quotes."""
    return re.sub(r'[\s"()`\[\]]', "", sql).replace("==", "=").lower()
