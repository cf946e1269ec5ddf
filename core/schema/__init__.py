"""What a database looks like: frozen values, read from SQLite and from PostgreSQL."""

from core.schema.affinity import affinity
from core.schema.model import (
    Affinity,
    Check,
    Column,
    ConflictClause,
    Database,
    Default,
    ForeignKey,
    Function,
    Generated,
    Index,
    IndexTerm,
    Search,
    Sequence,
    Table,
    TableKind,
    Trigger,
    View,
)
from core.schema.names import fold, unquoted
from core.schema.notes import NoteReason, SchemaNote
from core.schema.postgres import read_postgres
from core.schema.sqlite import Reading, read_sqlite

__all__ = [
    "Affinity",
    "Check",
    "Column",
    "ConflictClause",
    "Database",
    "Default",
    "ForeignKey",
    "Function",
    "Generated",
    "Index",
    "IndexTerm",
    "NoteReason",
    "Reading",
    "SchemaNote",
    "Search",
    "Sequence",
    "Table",
    "TableKind",
    "Trigger",
    "View",
    "affinity",
    "fold",
    "read_postgres",
    "read_sqlite",
    "unquoted",
]
