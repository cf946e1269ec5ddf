"""One scan of a snapshot: what is really stored.

Knows how values look; refuses to know what should become of them (that is the
plan) or where they go.
"""

from core.census.model import Census, ColumnCensus, TableCensus, merged
from core.census.scan import RANGE_ROWS, take_census

__all__ = ["RANGE_ROWS", "Census", "ColumnCensus", "TableCensus", "merged", "take_census"]
