"""What a query's columns become: one type each, whatever its expressions are made of.

A view's columns keep their types whatever PostgreSQL would infer: each expression is cast
to the type by which its values are carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.dialect.columns import Place
from core.dialect.terms import Kind, Term, Untranslatable, spelled
from core.schema.model import Affinity
from core.values import types
from core.values.types import Conversion, TargetType

_EXACT_IN_DOUBLE = 1 << 53
_BINARY = ("", "BINARY")


def _to(name: str, rule: str) -> Conversion:
    return Conversion(TargetType(name), rule)


_CONVERSIONS = {
    frozenset({Kind.INTEGER}): _to(types.BIGINT, "integer"),
    frozenset({Kind.BOOLEAN, Kind.INTEGER}): _to(types.BIGINT, "integer"),
    frozenset({Kind.BOOLEAN}): _to(types.BOOLEAN, "boolean:0/1"),
    frozenset({Kind.NUMBER}): _to(types.DOUBLE, "real"),
    frozenset({Kind.TEXT}): _to(types.TEXT, "text"),
    frozenset({Kind.BLOB}): _to(types.BYTEA, "bytes"),
    frozenset[Kind](): _to(types.TEXT, "text"),
}
_DECIMAL = _to(types.NUMERIC, "decimal")


def column_of(terms: Sequence[Term]) -> Place:
    """The column that holds the values of these terms, which lie above one another: those of
    a compound, or one alone. It has no names yet. Raises Untranslatable."""
    told = [term for term in terms if term.kind is not Kind.NULL]
    same_affinity = len({term.affinity for term in terms}) == 1
    spellings = {term.place.spelling if term.place else "" for term in told}
    sizes = [term.most for term in told]
    return Place(
        source="",
        target="",
        conversion=_conversion(told),
        affinity=(terms[0].affinity if same_affinity else None) or Affinity.BLOB,
        collation=_collation(terms),
        spelling=spellings.pop() if len(spellings) == 1 else "",
        most=None if None in sizes else max(filter(None, sizes), default=0),
        is_finite=all(term.place.is_finite for term in told if term.place),
        is_rough=any(term.is_rough for term in told),
    )


def _collation(terms: Sequence[Term]) -> str:
    """The first one's, as SQLite has it; several are refused by giving none of them."""
    found = {term.collation or "BINARY" for term in terms if term.kind is not Kind.NULL}
    return found.pop() if len(found) == 1 else "BINARY" if not found else "several"


def _conversion(told: Sequence[Term]) -> Conversion:
    own = {term.place.conversion if term.place else None for term in told}
    if len(own) == 1 and (only := next(iter(own))) is not None:
        return only
    kinds = frozenset(term.kind for term in told)
    if Kind.BOOLEAN in kinds and any(term.place and spelled(term.place) for term in told):
        raise Untranslatable("a boolean in words beside another value")
    if Kind.NUMBER in kinds and kinds <= {Kind.NUMBER, Kind.INTEGER}:
        return _number(told)
    if kinds not in _CONVERSIONS:
        raise Untranslatable(f"a column of several kinds: {', '.join(sorted(kinds))}")
    return _CONVERSIONS[kinds]


def _number(told: Sequence[Term]) -> Conversion:
    """REALs, or decimals, with INTEGERs among them that are the same as REALs."""
    if all(term.is_decimal for term in told if term.kind is Kind.NUMBER):
        return _DECIMAL
    if any(term.is_decimal for term in told):
        raise Untranslatable("a column of REALs and decimals")
    for term in told:
        if term.kind is Kind.INTEGER and not _is_small(term.most):
            raise Untranslatable("a column of REALs and INTEGERs")
    return _CONVERSIONS[frozenset({Kind.NUMBER})]


def _is_small(most: int | None) -> bool:
    return most is not None and most <= _EXACT_IN_DOUBLE


def cast_to(term: Term, column: Place) -> str:
    """The term as a value of the column."""
    kind = column.conversion.type
    if term.place and term.place.conversion.type == kind and term.constant is None:
        return term.sql
    is_counted = term.kind is Kind.BOOLEAN and kind.name != types.BOOLEAN
    sql = f"({term.sql})::int" if is_counted else term.sql
    said = f"CAST({sql} AS {kind.sql})"
    # What compares by "C" within would hand that on to whoever reads the column.
    return f'{said} COLLATE "default"' if kind.name in types.TEXTS and _has_c(term) else said


def _has_c(term: Term) -> bool:
    return 'COLLATE "C"' in term.sql


# --- which values are one ---------------------------------------------------------------


def require_distinct(term: Term, what: str) -> Term:
    """The term, if the target holds those of its values for equal that SQLite does.
    Raises Untranslatable."""
    if term.is_rough:
        raise Untranslatable(f"{what} of a number whose last digits may differ")
    if term.kind is Kind.TEXT and (term.collation or "") not in _BINARY:
        raise Untranslatable(f"{what} by collation {term.collation}")
    if term.kind is Kind.MOMENT and not (term.place and term.place.spelling):
        raise Untranslatable(f"{what} of moments that are written in several ways")
    if term.kind is Kind.OTHER and not _is_one_uuid(term.place):
        raise Untranslatable(f"{what} of {term.place.conversion.type.name if term.place else ''}")
    return term


def _is_one_uuid(place: Place | None) -> bool:
    return (
        place is not None
        and place.conversion.rule == "uuid"
        and bool(place.spelling)
        and "/" not in place.spelling
    )


def named(column: Place, source: str, target: str) -> Place:
    """The column under its names."""
    return replace(column, source=source, target=target)
