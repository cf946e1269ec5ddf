"""Both sides and what the tool said, with the names that lead from one side to the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmarks.scoreboard.comparer import source, target
from benchmarks.scoreboard.comparer.listing import Listing
from benchmarks.scoreboard.comparer.verdict import Fate, Item


@dataclass(frozen=True, kw_only=True)
class Sides:
    """What is compared. ``relations`` are the target's tables and views by name."""

    source: source.Source
    target: target.Target
    listing: Listing
    relations: dict[str, target.Relation]

    def relation(self, table: str) -> target.Relation | None:
        """The table or view that a source's name has become: the recorded name, else the
        same, else the same in lower case or as 63 bytes hold it."""
        recorded = self.listing.tables.get(table)
        name = _found(recorded or table, self.relations)
        return None if name is None else self.relations[name]

    def column(self, table: str, name: str) -> target.Column | None:
        """The column that a source's column has become."""
        relation = self.relation(table)
        if relation is None:
            return None
        recorded = self.listing.columns.get((table, name))
        found = _found(recorded or name, {c.name: c for c in relation.columns})
        return None if found is None else relation.column(found)

    def column_name(self, table: str, name: str) -> str:
        """Its name in the target; '' where it is not."""
        found = self.column(table, name)
        return "" if found is None else found.name

    def settled(
        self,
        kind: str,
        table: str,
        name: str,
        wrong: str,
        *,
        kinds: tuple[str, ...] = (),
        names: tuple[str, ...] = (),
        part: bool = False,
    ) -> Item:
        """An object's fate. ``wrong``: why it does not count as carried, '' when it does;
        what the tool says of it stands under one of ``kinds`` and ``names``."""
        said = self.listing.says((kind, *kinds), table, name, *names, part=part)
        if not wrong:
            fate = Fate.REWRITTEN if said and said.rewritten else Fate.CARRIED
        elif self.listing.refused or self.listing.failed or (said and not said.rewritten):
            fate = Fate.LISTED
        elif self.listing.says_of_table(table):
            fate, wrong = Fate.LISTED, "left behind with its table"
        else:
            # What is said to be rewritten has to be there all the same.
            fate = Fate.DAMAGED if said else Fate.MISSING
        return Item(kind=kind, table=table, name=name, fate=fate, why=wrong)


def _found(
    name: str, among: dict[str, object] | dict[str, target.Relation] | dict[str, target.Column]
) -> str | None:
    cut = name.encode()[:63].decode(errors="ignore")
    for each in (name, name.lower(), cut, cut.lower()):
        if each in among:
            return each
    folded = {_folded(each): each for each in among}
    return folded.get(_folded(name))


def _folded(name: str) -> str:
    return re.sub(r"\W", "_", name.lower())
