"""The judge: what of a SQLite database is in a PostgreSQL one, by content and by object.

It imports nothing of what it judges, and reads both sides with their own drivers. What
counts as equal is written down in :mod:`.meaning`; what each object must do to count as
carried in :mod:`.objects`. What a tool says of itself comes in as a :class:`.listing.Listing`.
"""

from benchmarks.scoreboard.comparer.judge import judge
from benchmarks.scoreboard.comparer.listing import Listed, Listing
from benchmarks.scoreboard.comparer.verdict import Defect, Fate, Verdict

__all__ = ["Defect", "Fate", "Listed", "Listing", "Verdict", "judge"]
