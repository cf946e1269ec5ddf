"""CAST: to text, to whole numbers, to numbers (https://sqlite.org/lang_expr.html section 6)."""

from __future__ import annotations

from dataclasses import replace

from core.dialect.moments import as_text
from core.dialect.terms import Kind, Term, Untranslatable, spelled
from core.schema.affinity import affinity
from core.schema.model import Affinity

_MOST = (1 << 63) - 1
_LEAST = -(1 << 63)
# The whole number that a text begins with; SQLite skips these blanks before it.
_BEGINNING = r"'^[ \t\n\v\f\r]*([+-]?[0-9]+)'"


def cast(term: Term, type_name: str) -> Term:
    """``CAST(term AS type_name)``. Raises Untranslatable."""
    if term.is_explicit:
        raise Untranslatable("COLLATE within")
    wanted = affinity(type_name)
    if wanted is Affinity.TEXT:
        return replace(as_text(term), affinity=Affinity.TEXT)
    if wanted is Affinity.INTEGER:
        return replace(_whole(term), affinity=Affinity.INTEGER)
    if wanted is Affinity.NUMERIC and term.kind is Kind.INTEGER:
        return Term(term.sql, term.kind, affinity=wanted, most=term.most)
    if wanted is Affinity.REAL and term.is_number:
        sql = f"{term.sql}::float8"
        return Term(sql, Kind.NUMBER, affinity=wanted, is_rough=term.is_rough)
    raise Untranslatable(f"CAST {term.kind} AS {type_name}")


def _whole(term: Term) -> Term:
    if term.kind is Kind.INTEGER:
        return Term(term.sql, Kind.INTEGER, most=term.most)
    if term.digits:
        return Term(term.digits, Kind.INTEGER, most=term.most)
    if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
        return Term(f"({term.sql})::int", Kind.INTEGER, most=1)
    if term.kind is Kind.NUMBER and not term.is_rough:
        return Term(_clamped(f"trunc({term.sql}::numeric)", term.sql), Kind.INTEGER, most=_MOST)
    if term.kind is Kind.TEXT:
        found = f"coalesce(substring({term.sql} from {_BEGINNING}), '0')::numeric"
        return Term(_clamped(found, term.sql), Kind.INTEGER, most=_MOST)
    raise Untranslatable(f"CAST {term.kind} AS INTEGER")


def _clamped(number: str, given: str) -> str:
    """SQLite stops at the ends of 64 bits; NULL stays NULL."""
    bounded = f"least(greatest({number}, {_LEAST}), {_MOST})::bigint"
    return f"(CASE WHEN {given} IS NOT NULL THEN {bounded} END)"
