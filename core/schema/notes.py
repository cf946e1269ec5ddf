"""What could not be read of a schema, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NoteReason(StrEnum):
    """Why something in the schema could not be read, or not wholly."""

    #: The name is not text in the database's encoding: nothing can address the object.
    NAME_NOT_TEXT = "name_not_text"
    #: The SQL is not text in the database's encoding: it was read with replacement signs.
    SQL_NOT_TEXT = "sql_not_text"
    #: The SQL was not understood: what only the text tells is missing.
    SQL_UNPARSED = "sql_unparsed"
    #: SQLite itself cannot load the object.
    OBJECT_MALFORMED = "object_malformed"
    #: SQLite refused a question about the object.
    OBJECT_UNREADABLE = "object_unreadable"
    #: The table that the index belongs to was not read; the detail names it.
    TABLE_UNREAD = "table_unread"
    #: The module of a virtual table is not at hand, or refuses to connect.
    MODULE_MISSING = "module_missing"
    #: The view's SELECT does not compile.
    VIEW_BROKEN = "view_broken"


@dataclass(frozen=True, kw_only=True)
class SchemaNote:
    """One thing that could not be read. ``kind`` is table, index, view or trigger."""

    kind: str
    object: str
    reason_id: NoteReason
    detail: str = ""
