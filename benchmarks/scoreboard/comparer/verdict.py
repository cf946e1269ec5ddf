"""What the judge finds, as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What became of an object."""

    CARRIED = "carried"
    REWRITTEN = "rewritten"
    LISTED = "listed"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Defect:
    """Something that is not as it should be: where, and what. It holds no values."""

    table: str
    what: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """An object of the source and what became of it."""

    kind: str
    table: str
    name: str
    fate: Fate
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of one table, or of many: each row of the source counts in exactly one of
    ``carried`` to ``listed``; ``appeared`` are in the target alone."""

    source: int = 0
    carried: int = 0
    damaged: int = 0
    lost: int = 0
    rejected: int = 0
    listed: int = 0
    appeared: int = 0

    def __add__(self, other: Rows) -> Rows:
        pairs = {name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        return Rows(**pairs)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One database in one target. ``exit_code`` is what the tool ended with."""

    rows: Rows
    items: tuple[Item, ...]
    defects: tuple[Defect, ...]
    exit_code: int
    listed_anything: bool = field(default=False)

    @property
    def objects(self) -> Counter[Fate]:
        """How many objects met each fate."""
        return Counter(item.fate for item in self.items)

    @property
    def is_whole(self) -> bool:
        """Whether everything arrived."""
        rows, objects = self.rows, self.objects
        bad = rows.damaged + rows.lost + rows.rejected + rows.listed + rows.appeared
        return not bad + objects[Fate.LISTED] + objects[Fate.DAMAGED] + objects[Fate.MISSING]

    @property
    def is_silent(self) -> bool:
        """Whether something is wrong that the tool did not say."""
        rows, objects = self.rows, self.objects
        bad = rows.damaged + rows.lost + rows.appeared
        return bool(bad + objects[Fate.DAMAGED] + objects[Fate.MISSING])

    @property
    def is_honest(self) -> bool:
        """Whether the exit code says what happened: 0 when everything arrived; another one
        when not, or when the tool itself lists what it changed."""
        if self.exit_code == 0:
            return self.is_whole
        return not self.is_whole or self.listed_anything
