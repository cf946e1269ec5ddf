"""SQLite as a place: safe opening of a file that others own, and the snapshot of it.

Knows files, locks, pages and apsw's errors; refuses to know what a schema means or
where rows go. The live file is touched with apsw only, and only for reading.
"""

from core.source.integrity import check_integrity
from core.source.opening import SourceFile, inspect, open_source, resolve
from core.source.snapshot import (
    Snapshot,
    accept_collations,
    discard_snapshot,
    open_snapshot,
    take_snapshot,
    verify_snapshot,
)

__all__ = [
    "Snapshot",
    "SourceFile",
    "accept_collations",
    "check_integrity",
    "discard_snapshot",
    "inspect",
    "open_snapshot",
    "open_source",
    "resolve",
    "take_snapshot",
    "verify_snapshot",
]
