"""What a column becomes when it is given an expression's value.

SQLite gives the value the column's affinity and stores whatever comes of it
(https://sqlite.org/datatype3.html section 3); the plan's conversion says what the target's
column makes of that. So a moment is assigned as the moment, 0 and 1 as false and true.
A value that the column's type cannot hold is an error there, loud, never another value.
"""

from __future__ import annotations

import apsw

from core.dialect.columns import Place
from core.dialect.moments import as_text
from core.dialect.terms import Kind, Term, Untranslatable, spelled
from core.schema.model import Affinity
from core.values import temporal, types
from core.values.canonical import literal
from core.values.defaults import default_value
from core.values.exact import converter, shapes_of
from core.values.types import Altered, Reject, TargetType

_NUMERIC = (Affinity.INTEGER, Affinity.NUMERIC, Affinity.REAL)
_DOUBLE_EXACT = 1 << 53
# What a moment is cut off at where a text writes no more of it.
_FINEST = (
    (".999999", "microseconds"),
    (".999", "milliseconds"),
    ("99:99:99", "second"),
    ("99:99", "minute"),
)


def assigned(term: Term, place: Place, *, is_stable: bool = False) -> str:
    """The SQL of ``term`` as a value of the column at ``place``, of the column's type.

    ``is_stable``: whether a function may stand in it that asks the session, though none of
    ours depends on its answer: not in an index or a generated column. Raises Untranslatable.
    """
    if term.kind is Kind.NULL:
        return "NULL"
    if term.is_rough:
        raise _misfit(term, place)
    if term.constant is not None:
        return _constant(term, place)
    if term.place is not None and _is_copied(term.place, place):
        return term.sql
    rule, _, words = place.conversion.rule.partition(":")
    match rule:
        case "integer":
            return _integer(term, place)
        case "real":
            return _real(term, place)
        case "decimal":
            return _decimal(term, place)
        case "boolean" if words == "0/1":
            return _boolean(term, place)
        case "text" | "spelled":
            return _text(term, place, is_stable=is_stable)
        case "bytes" if term.kind is Kind.BLOB:
            return term.sql
        case "iso":
            return _moment(term, place)
        case "epoch" if words == "s":
            return _seconds(term, place)
    raise _misfit(term, place)


def _misfit(term: Term, place: Place) -> Untranslatable:
    what = "a text" if term.kind is Kind.TEXT else term.kind
    return Untranslatable(f"{what} for {place.source}, {place.conversion.type.sql} here")


# --- constants and copies -----------------------------------------------------------------


def _constant(term: Term, place: Place) -> str:
    """A literal: SQLite says what it stores, the exact path what becomes of that."""
    try:
        stored = default_value(place.affinity.value, f"({term.sql})")
    except apsw.Error:
        raise _misfit(term, place) from None
    outcome = converter(place.conversion)(stored)
    if isinstance(outcome, Reject | Altered):
        raise _misfit(term, place)
    return literal(place.conversion.type, outcome)


def _is_copied(source: Place, place: Place) -> bool:
    """Whether what one column holds is, as it is, what the other makes of it."""
    if source.conversion.rule != place.conversion.rule:
        return False
    if not _holds(place.conversion.type, source.conversion.type):
        return False
    if place.conversion.rule == "iso":
        return True
    return source.affinity is place.affinity or place.affinity is Affinity.BLOB


def _holds(wide: TargetType, kind: TargetType) -> bool:
    """Whether a column of one type takes every value of the other, unchanged or loudly."""
    if wide == kind:
        return True
    if wide.name in types.TEXTS and kind.name in types.TEXTS:
        return True
    if wide.name != types.NUMERIC or kind.name != types.NUMERIC:
        return False
    if wide.precision is None:
        return True
    return kind.precision is not None and (kind.scale or 0) <= (wide.scale or 0)


# --- numbers and truths ----------------------------------------------------------------------


def _as_integer(term: Term, place: Place) -> Term | None:
    """The whole number that the column's affinity makes of the value, if it is one."""
    if term.digits and place.affinity in (Affinity.INTEGER, Affinity.NUMERIC):
        return Term(term.digits, Kind.INTEGER, most=None)
    if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
        return Term(f"({term.sql})::int", Kind.INTEGER, most=1)
    return term if term.kind is Kind.INTEGER else None


def _integer(term: Term, place: Place) -> str:
    whole = _as_integer(term, place)
    if whole is None or place.affinity in (Affinity.REAL, Affinity.TEXT):
        raise _misfit(term, place)
    return f"({whole.sql})::bigint"


def _real(term: Term, place: Place) -> str:
    whole = _as_integer(term, place)
    if place.affinity is Affinity.TEXT or (whole is None and term.kind is not Kind.NUMBER):
        raise _misfit(term, place)
    # Past that a REAL column rounds, and another keeps an INTEGER that no double holds.
    is_exact = whole is None or (whole.most is not None and whole.most <= _DOUBLE_EXACT)
    if not is_exact and place.affinity is not Affinity.REAL:
        raise _misfit(term, place)
    return f"({(whole or term).sql})::float8"


def _decimal(term: Term, place: Place) -> str:
    """Whole numbers alone: the digits of a REAL are asked of no server here."""
    whole = _as_integer(term, place)
    if whole is None or place.affinity is Affinity.TEXT:
        raise _misfit(term, place)
    if place.affinity is Affinity.REAL and (whole.most is None or whole.most > _DOUBLE_EXACT):
        raise _misfit(term, place)
    return f"({whole.sql})::numeric"


def _boolean(term: Term, place: Place) -> str:
    """PostgreSQL reads '0' and '1' as false and true, and takes no other number."""
    if place.affinity not in (Affinity.INTEGER, Affinity.NUMERIC, Affinity.BLOB):
        raise _misfit(term, place)
    if term.kind is Kind.BOOLEAN and not (term.place and spelled(term.place)):
        return term.sql
    if term.truth:
        return f"({term.truth})"
    if term.kind is Kind.INTEGER and term.most is not None and term.most <= 1:
        return f"({term.sql})::bigint::text::boolean"
    raise _misfit(term, place)


# --- texts -----------------------------------------------------------------------------------


def _text(term: Term, place: Place, *, is_stable: bool) -> str:
    if place.affinity is Affinity.TEXT:
        return as_text(term, is_stable=is_stable).sql
    is_spelled = place.conversion.rule == "spelled"
    if is_spelled and place.affinity is not Affinity.REAL and term.kind is Kind.INTEGER:
        return f"({term.sql})::bigint::text"
    # Any other affinity but this one makes a number of a text that looks like one.
    if term.kind is Kind.TEXT and (place.affinity is Affinity.BLOB or _is_no_number(term)):
        return term.sql
    raise _misfit(term, place)


def _is_no_number(term: Term) -> bool:
    return term.written is not None and any(sign in term.written.spelling[1:] for sign in "-:")


# --- moments ---------------------------------------------------------------------------------


def _moment(term: Term, place: Place) -> str:
    """The moment that a text writes, cut off where the text ends, in whatever spelling the
    column's rows have theirs: a moment has none."""
    kind = place.conversion.type.name
    if term.written is None:
        raise _misfit(term, place)
    spelling = term.written.spelling
    shape = temporal.parse(_example(spelling))
    if shape is None or shape.shape not in shapes_of(kind):
        raise _misfit(term, place)
    finest = next((unit for part, unit in _FINEST if part in spelling), "day")
    moment = f"date_trunc('{finest}', {term.written.sql})"
    if kind == types.TIMESTAMPTZ:
        return f"({moment} AT TIME ZONE 'UTC')"
    return f"({moment})::{kind}"


def _example(spelling: str) -> str:
    """A moment that is spelled so: no month has 99 days."""
    return spelling.replace("9999-99-99", "2000-01-01").replace("99", "00")


def _seconds(term: Term, place: Place) -> str:
    whole = _as_integer(term, place)
    if whole is None or place.affinity is Affinity.TEXT:
        raise _misfit(term, place)
    moment = f"to_timestamp({whole.sql})"
    if place.conversion.type.name == types.TIMESTAMPTZ:
        return moment
    if place.conversion.type.name == types.TIMESTAMP:
        return f"({moment} AT TIME ZONE 'UTC')"
    raise _misfit(term, place)
