"""What is the matter with one value, named by an id of the catalogue.

Assessment looks at the snapshot with these eyes, and the end of a run looks at the
quarantine with the same ones: so what was accepted is what was found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from core.assess.catalogue import CATALOGUE
from core.plan import ColumnPlan
from core.source.rows import InvalidText, SqliteValue
from core.values import documents, numeric, temporal, types
from core.values.declared import TEMPORAL, Declared, Kind, declared
from core.values.exact import converter, exact_in_double, shapes_of
from core.values.temporal import Shape
from core.values.types import Altered, Reject

_DOUBLE_EXACT = 2**53
_BIGINT_MAX = 2**63
_JULIAN_DAYS = (1_721_425.5, 5_373_484.5)  # years 1 to 9999
_LIKELY_JULIAN_DAYS = (2_400_000, 2_500_000)  # 1858 to 2132: noon, which SQLite made whole
# PostgreSQL takes these for moments; a strict grammar does not.
_MAGIC = frozenset(
    [
        "now",
        "today",
        "tomorrow",
        "yesterday",
        "epoch",
        "infinity",
        "-infinity",
        "+infinity",
        "allballs",
    ]
)
_DATE_LIKE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"(?:^|[T ])(\d{1,3}):\d\d", re.ASCII)
_BOOLEAN_WORDS = frozenset(word for pair in types.BOOLEAN_WORDS for word in pair)


class Fault(NamedTuple):
    """What is the matter: an id of the catalogue, whether the row is set aside for it, and
    whether the value arrives as another one."""

    id: str
    set_aside: bool
    altered: bool = False


class Eye:
    """Looks at the values of one column as it is planned."""

    def __init__(self, column: ColumnPlan, *, in_key: bool) -> None:
        self._convert = converter(column.conversion)
        self._declared = declared(column.declared)
        # What the first of its rules does not take is the matter, whatever others make of it.
        first = column.rule.partition("|")[0]
        self._planned = Declared(_KIND_OF_RULE[first.partition(":")[0]])
        self._shapes = shapes_of(column.type.name) if first == "iso" else ()
        self._not_null = column.not_null
        self._null = Fault("key.null" if in_key else "column.null", True)

    def fault(self, value: SqliteValue) -> Fault | None:
        """What is the matter with ``value``; None when nothing is."""
        if value is None:
            return self._null if self._not_null else None
        outcome = self._convert(value)
        if not isinstance(outcome, Reject | Altered):
            named = _named(self._declared, value, _NATURAL_SHAPES.get(self._declared.kind, ()))
            return None if named is None else Fault(named, False)
        named = _named(self._planned, value, self._shapes) or rejected_as(outcome.reason)
        is_altered = isinstance(outcome, Altered)
        return Fault(named, set_aside=not is_altered, altered=is_altered)


def rejected_as(reason: str) -> str:
    """The finding that speaks of rows set aside for ``reason``, when nothing more is known."""
    return next((e.id for e in CATALOGUE.values() if e.reject == reason), "table.row_too_wide")


_KIND_OF_RULE = {
    "integer": Kind.INTEGER,
    "real": Kind.REAL,
    "decimal": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "text": Kind.TEXT,
    "spelled": Kind.UNKNOWN,
    "bytes": Kind.BLOB,
    "iso": Kind.TIMESTAMP,
    "epoch": Kind.TIMESTAMP,
    "json": Kind.JSON,
    "uuid": Kind.UUID,
}
_NATURAL_SHAPES = {
    Kind.DATE: (Shape.DATE,),
    Kind.TIME: (Shape.TIME,),
    Kind.TIMESTAMP: (Shape.DATE, Shape.NAIVE, Shape.OFFSET),
    Kind.TIMESTAMPTZ: (Shape.DATE, Shape.NAIVE, Shape.OFFSET),
}


def _named(wanted: Declared, value: SqliteValue, shapes: tuple[Shape, ...]) -> str | None:
    """In what way ``value`` is not of the kind that is wanted; None if it is."""
    kind = wanted.kind
    if isinstance(value, InvalidText):
        return None if kind is Kind.BLOB else "text.invalid"
    if kind in TEMPORAL:
        return _moment(value, shapes)
    look = _LOOKS.get(kind)
    return None if look is None else look(wanted, value)


def _odd(value: SqliteValue, text: str) -> str | None:
    """What no number, boolean, moment or document can be: empty text, bytes, or ``text``."""
    if value == "":
        return "value.empty"
    if isinstance(value, bytes):
        return "value.bytes_in_typed"
    return text if isinstance(value, str) else None


def _integer(_: Declared, value: SqliteValue) -> str | None:
    if isinstance(value, float):
        whole = math.isinf(value) or abs(value) >= _BIGINT_MAX
        return "integer.beyond_bigint" if whole else "integer.fraction"
    return _odd(value, "integer.text")


def _real(_: Declared, value: SqliteValue) -> str | None:
    if isinstance(value, int):
        return None if exact_in_double(value) else "real.inexact_integer"
    return _odd(value, "number.text")


def _decimal(wanted: Declared, value: SqliteValue) -> str | None:
    if not isinstance(value, int | float):
        return _odd(value, "decimal.text")
    if isinstance(value, float) and not math.isfinite(value):
        return "decimal.infinite"
    if isinstance(value, float) and abs(value) > _DOUBLE_EXACT:
        return "decimal.rounded_in_source"
    if wanted.first is None:
        return None
    whole, scale = numeric.digits_of(Decimal(repr(value)))
    declared_scale = wanted.second or 0
    if scale > declared_scale:
        return "decimal.beyond_scale"
    return "decimal.beyond_precision" if whole > wanted.first - declared_scale else None


def _boolean(_: Declared, value: SqliteValue) -> str | None:
    if isinstance(value, str) and value in _BOOLEAN_WORDS:
        return "boolean.spelled"
    if isinstance(value, int) and value in (0, 1):
        return None
    return _odd(value, "boolean.other_value") or "boolean.other_value"


def _text(wanted: Declared, value: SqliteValue) -> str | None:
    if isinstance(value, str):
        if "\x00" in value:
            return "text.nul"
        too_long = wanted.first is not None and len(value) > wanted.first
        return "text.too_long" if too_long else None
    return "text.bytes" if isinstance(value, bytes) else "text.number"


def _untyped(_: Declared, value: SqliteValue) -> str | None:
    """A column that says nothing wants nothing; but texts must be texts."""
    if isinstance(value, bytes):
        return "text.bytes"
    return "text.nul" if isinstance(value, str) and "\x00" in value else None


def _blob(_: Declared, value: SqliteValue) -> str | None:
    if isinstance(value, str):
        return "bytes.text"
    return "bytes.number" if isinstance(value, int | float) else None


def _json(_: Declared, value: SqliteValue) -> str | None:
    text = documents.document_text(value)
    if text is None:
        return _odd(value, "json.invalid") or "json.invalid"
    standing = documents.standing(text)
    if standing is documents.Standing.JSONB:
        return None
    if standing is documents.Standing.NONE:
        return _odd(value, "json.invalid")
    return "json.duplicate_keys" if documents.repeats_keys(text) else "json.not_in_jsonb"


def _uuid(_: Declared, value: SqliteValue) -> str | None:
    if documents.uuid_form(value) is not None:
        return None
    return "value.empty" if value == "" else "uuid.invalid"


_LOOKS: Mapping[Kind, Callable[[Declared, SqliteValue], str | None]] = {
    Kind.INTEGER: _integer,
    Kind.REAL: _real,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.VARCHAR: _text,
    Kind.TEXT: _text,
    Kind.BLOB: _blob,
    Kind.JSON: _json,
    Kind.UUID: _uuid,
    Kind.UNKNOWN: _untyped,
}


# --- moments ---------------------------------------------------------------------------


def _moment(value: SqliteValue, shapes: tuple[Shape, ...]) -> str | None:
    if isinstance(value, int | float):
        low, high = _JULIAN_DAYS if isinstance(value, float) else _LIKELY_JULIAN_DAYS
        is_day = low <= value <= high
        return "moment.julian" if is_day else "moment.epoch"
    if not isinstance(value, str) or value == "":
        return _odd(value, "")
    parsed = temporal.parse(value)
    if parsed is not None:
        return None if parsed.shape in shapes else "moment.other_shape"
    return _unparsed(value)


def _unparsed(text: str) -> str:
    if text.strip().lower() in _MAGIC:
        return "moment.magic_word"
    clock = _CLOCK.search(text)
    if clock is not None and int(clock[1]) >= 24:
        return "moment.beyond_a_day"
    return "moment.impossible" if _DATE_LIKE.match(text) else "moment.unreadable"
