"""What a column's default becomes: a constant as what SQLite would store, an expression
as the same in PostgreSQL's words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import apsw

from core.dialect import NOWHERE, Place, Untranslatable, Volatility, value
from core.dialect.assignments import assigned
from core.schema.model import Column
from core.values.canonical import literal
from core.values.defaults import default_value, is_constant
from core.values.exact import converter
from core.values.types import Altered, Reject


@dataclass(frozen=True, kw_only=True)
class PlannedDefault:
    """``sql`` is of the target column's type, None when the default is not carried: then
    ``reason`` is an id of the catalogue and ``detail`` names the part. ``is_said``: it is
    an expression, said anew."""

    sql: str | None = None
    is_said: bool = False
    reason: str = ""
    detail: str = ""


def planned_default(column: Column, place: Place) -> PlannedDefault | None:
    """The default of ``column``, which has become ``place``; None when it has none."""
    if column.default is None or column.generated is not None:
        return None
    expression = column.default.expression
    if column.default.literal:
        return _stored(column.declared_type, expression, place)
    if is_constant(column.declared_type, expression):
        return _stored(column.declared_type, f"({expression})", place)
    try:
        # No row is there to differ in its last digits.
        term = replace(value(expression, NOWHERE, Volatility.VOLATILE), is_rough=False)
        return PlannedDefault(sql=assigned(term, place, is_stable=True), is_said=True)
    except Untranslatable as refused:
        return PlannedDefault(reason="default_expression", detail=str(refused))


def _stored(declared_type: str, expression: str, place: Place) -> PlannedDefault:
    """SQLite says what a constant stores, the exact path what becomes of that."""
    try:
        outcome = converter(place.conversion)(default_value(declared_type, expression))
    except apsw.Error:
        return PlannedDefault(reason="default_misfit")
    if isinstance(outcome, Reject | Altered):
        return PlannedDefault(reason="default_misfit")
    return PlannedDefault(sql=literal(place.conversion.type, outcome))
