"""From a declared type to SQLite's column affinity."""

from __future__ import annotations

from core.schema.model import Affinity
from core.schema.names import fold

# The order decides: "CHARINT" is INTEGER, "BLOB REAL" is BLOB.
_RULES = (
    (("int",), Affinity.INTEGER),
    (("char", "clob", "text"), Affinity.TEXT),
    (("blob",), Affinity.BLOB),
    (("real", "floa", "doub"), Affinity.REAL),
)


def affinity(declared_type: str, *, strict: bool = False) -> Affinity:
    """The affinity of ``declared_type``, by https://sqlite.org/datatype3.html section 3.1.

    In a STRICT table ANY converts nothing, elsewhere it is a NUMERIC like any
    unknown word (https://sqlite.org/stricttables.html section 3).
    """
    declared = fold(declared_type)
    if not declared or (strict and declared == "any"):
        return Affinity.BLOB
    for words, result in _RULES:
        if any(word in declared for word in words):
            return result
    return Affinity.NUMERIC
