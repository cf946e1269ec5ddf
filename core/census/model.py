"""What is really stored, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.source.rows import Row


@dataclass(frozen=True, kw_only=True)
class ColumnCensus:
    """Counts of one column's values by storage class and shape.

    ``texts`` includes ``texts_invalid`` (not valid in the source's encoding) and
    ``texts_nul`` (holding a NUL). ``integers_inexact`` cannot be doubles.
    ``whole_digits`` and ``scale``: decimal digits the numbers need before and
    after the point. ``chars_max`` counts characters, ``bytes_max`` bytes.
    ``shapes``: counts by temporal shape, JSON standing or UUID form, for columns
    whose declared type asks; ``spellings``: how moments are written; ``words``:
    the texts found in a column declared boolean.
    """

    nulls: int = 0
    integers: int = 0
    integers_inexact: int = 0
    integer_min: int | None = None
    integer_max: int | None = None
    zero_one: int = 0
    reals: int = 0
    reals_infinite: int = 0
    texts: int = 0
    texts_invalid: int = 0
    texts_nul: int = 0
    blobs: int = 0
    whole_digits: int = 0
    scale: int = 0
    chars_max: int = 0
    bytes_max: int = 0
    shapes: Mapping[str, int] = field(default_factory=dict)
    spellings: Mapping[str, int] = field(default_factory=dict)
    words: Mapping[str, int] = field(default_factory=dict)

    @property
    def values(self) -> int:
        """How many values are not NULL."""
        return self.integers + self.reals + self.texts + self.blobs

    @property
    def uuid_forms(self) -> Mapping[str, int]:
        """The shapes that are forms of a UUID: a style and a case, like ``hex-lower``."""
        return {shape: count for shape, count in self.shapes.items() if "-" in shape}

    @property
    def sound_texts(self) -> int:
        """Texts that PostgreSQL's text can hold."""
        return self.texts - self.texts_invalid - self.texts_nul


@dataclass(frozen=True, kw_only=True)
class TableCensus:
    """One table's rows and columns. ``unreadable``: generated columns whose
    expression this SQLite cannot compute, with SQLite's own words. ``cuts``: the keys
    after which the table may be cut into ranges of about equal size. ``left_out``: rows that
    a filter passes over; nothing else here speaks of them."""

    table: str
    rows: int
    columns: Mapping[str, ColumnCensus]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    cuts: tuple[Row, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Census:
    """All ordinary tables of one snapshot, by name."""

    tables: Mapping[str, TableCensus]


def merged(censuses: list[ColumnCensus]) -> ColumnCensus:
    """The census of several columns taken as one."""
    lows = [c.integer_min for c in censuses if c.integer_min is not None]
    highs = [c.integer_max for c in censuses if c.integer_max is not None]
    summed = {name: sum(getattr(c, name) for c in censuses) for name in _SUMMED}
    largest = {name: max(getattr(c, name) for c in censuses) for name in _LARGEST}
    return ColumnCensus(
        **summed,
        **largest,
        integer_min=min(lows, default=None),
        integer_max=max(highs, default=None),
        shapes=_added([c.shapes for c in censuses]),
        spellings=_added([c.spellings for c in censuses]),
        words=_added([c.words for c in censuses]),
    )


_SUMMED = (
    "nulls",
    "integers",
    "integers_inexact",
    "zero_one",
    "reals",
    "reals_infinite",
    "texts",
    "texts_invalid",
    "texts_nul",
    "blobs",
)
_LARGEST = ("whole_digits", "scale", "chars_max", "bytes_max")


def _added(counts: list[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return total
