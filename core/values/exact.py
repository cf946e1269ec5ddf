"""The exact path: what each SQLite value becomes, one value at a time.

This is the specification. A converter takes a SQLite value and returns the bytes
of PostgreSQL's binary format, None for NULL, or a :class:`Reject`. It never
raises, never rounds, never guesses; faster paths must agree with it value by
value. Where a person's plan says so, a value that would be rejected becomes
:class:`Altered`: another one, or NULL, and whoever carries it must say so.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from decimal import Decimal

from core.source.rows import CODECS, InvalidText, SqliteValue
from core.values import documents, numeric, temporal, types
from core.values.storage import raw_bytes, spelled
from core.values.temporal import Shape
from core.values.types import Altered, Conversion, Reject, TargetType

Outcome = bytes | Reject | Altered | None
Converter = Callable[[SqliteValue], Outcome]

_BIGINT = struct.Struct("!q")
_DOUBLE = struct.Struct("!d")
_DATE = struct.Struct("!i")


def converter(conversion: Conversion, encoding: str = "UTF-8") -> Converter:
    """The function that carries one value over, for a column converted so, of a
    database in ``encoding``, as SQLite names it.

    Raises ValueError when the type has no such rule: a plan is checked with
    :func:`known` before.
    """
    first, *others = conversion.steps
    convert = _single(first)
    if not others:
        return convert
    return _in_turn(convert, [_other(step, encoding) for step in others])


def _single(conversion: Conversion) -> Converter:
    maker = _makers().get((conversion.type.name, conversion.rule.partition(":")[0]))
    if maker is None:
        raise ValueError(f"{conversion.type.sql} has no rule {conversion.rule}")
    return maker(conversion)


def known(conversion: Conversion) -> bool:
    """Whether the type has such a rule."""
    first, *others = conversion.steps
    ends = [step.rule for step in conversion.steps[:-1]]
    return (
        _single_known(first)
        and types.TO_NULL not in ends
        and len(set(conversion.steps)) == len(conversion.steps)
        and all(_other_known(step) for step in others)
    )


def _other_known(step: Conversion) -> bool:
    if step.rule in (types.LATIN_1, types.REPLACE):
        return step.type.name in types.TEXTS
    return step.rule == types.TO_NULL or _single_known(step)


def _single_known(conversion: Conversion) -> bool:
    rule, _, detail = conversion.rule.partition(":")
    if (conversion.type.name, rule) not in _makers():
        return False
    if rule == "epoch":
        return conversion.rule in temporal.EPOCHS
    if rule == "boolean":
        spellings = detail.split("/")
        return len(spellings) == 2 and spellings[0] != spellings[1]
    return detail == "" or conversion.rule == "bytes:spelled"


def exact_in_double(value: int) -> bool:
    """Whether a double precision holds ``value`` without change."""
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _makers() -> dict[tuple[str, str], Callable[[Conversion], Converter]]:
    return {
        (types.BIGINT, "integer"): _integer,
        (types.DOUBLE, "real"): _real,
        (types.NUMERIC, "decimal"): _decimal,
        (types.BOOLEAN, "boolean"): _boolean,
        (types.TEXT, "text"): _text,
        (types.VARCHAR, "text"): _text,
        (types.TEXT, "spelled"): _spelled,
        (types.BYTEA, "bytes"): _bytes,
        (types.DATE, "iso"): _iso,
        (types.TIME, "iso"): _iso,
        (types.TIMESTAMP, "iso"): _iso,
        (types.TIMESTAMPTZ, "iso"): _iso,
        (types.DATE, "epoch"): _epoch,
        (types.TIMESTAMP, "epoch"): _epoch,
        (types.TIMESTAMPTZ, "epoch"): _epoch,
        (types.JSON, "json"): _json,
        (types.JSONB, "json"): _json,
        (types.UUID, "uuid"): _uuid,
    }


# --- one rule after the other -----------------------------------------------------------

_Other = Callable[[SqliteValue, Reject], Outcome]
"""A further rule: it is told why the first took no such value."""


def _in_turn(first: Converter, others: list[_Other]) -> Converter:
    def convert(value: SqliteValue) -> Outcome:
        outcome = first(value)
        if type(outcome) is not Reject:
            return outcome
        for other in others:
            second = other(value, outcome)
            if type(second) is not Reject:
                return second
        return outcome

    return convert


def _other(step: Conversion, encoding: str) -> _Other:
    if step.rule == types.TO_NULL:
        return lambda _, refused: Altered(None, refused.reason)
    if step.rule == types.REPLACE:
        return _altering(step, lambda value: _replaced(value, CODECS[encoding]))
    if step.rule == types.LATIN_1:
        return _altering(step, _latin_1 if encoding == "UTF-8" else lambda value: value)
    convert = _single(step)
    return lambda value, _: convert(value)


def _altering(step: Conversion, alter: Callable[[SqliteValue], SqliteValue]) -> _Other:
    """The text that ``alter`` makes of a value, if the type takes it."""
    as_text = _text(step)

    def convert(value: SqliteValue, refused: Reject) -> Outcome:
        wire = as_text(alter(value))
        return Altered(wire, refused.reason) if isinstance(wire, bytes) else refused

    return convert


NUL_SIGN = "\N{SYMBOL FOR NULL}"
"""What stands for a NUL character: a sign of its own, so that its place is kept."""


def _replaced(value: SqliteValue, codec: str) -> SqliteValue:
    if isinstance(value, InvalidText):
        value = value.raw.decode(codec, errors="replace")
    return value.replace("\x00", NUL_SIGN) if isinstance(value, str) else value


def _latin_1(value: SqliteValue) -> SqliteValue:
    return value.raw.decode("latin-1") if isinstance(value, InvalidText) else value


# --- the rules ----------------------------------------------------------------------------


def _integer(conversion: Conversion) -> Converter:
    refused = Reject("not_an_integer", conversion.rule)

    def convert(value: SqliteValue) -> Outcome:
        if type(value) is int:
            return _BIGINT.pack(value)
        return None if value is None else refused

    return convert


def _real(conversion: Conversion) -> Converter:
    refused = Reject("not_a_real", conversion.rule)
    inexact = Reject("integer_beyond_double", conversion.rule)

    def convert(value: SqliteValue) -> Outcome:
        if type(value) is float:
            return _DOUBLE.pack(value)
        if type(value) is int:
            return _DOUBLE.pack(float(value)) if exact_in_double(value) else inexact
        return None if value is None else refused

    return convert


def _decimal(conversion: Conversion) -> Converter:
    kind = conversion.type
    refused = Reject("not_a_number", conversion.rule)
    too_wide = Reject("beyond_precision", conversion.rule)

    def convert(value: SqliteValue) -> Outcome:
        if type(value) is not int and type(value) is not float:
            return None if value is None else refused
        number = Decimal(repr(value))
        if not _fits(number, kind):
            return too_wide
        return numeric.encode(number, None if kind.precision is None else kind.scale)

    return convert


def _fits(number: Decimal, kind: TargetType) -> bool:
    if kind.precision is None:
        return numeric.fits_scale(number)
    if not number.is_finite():
        return False
    whole, fraction = numeric.digits_of(number)
    scale = kind.scale or 0
    return fraction <= scale and whole <= kind.precision - scale


def _boolean(conversion: Conversion) -> Converter:
    refused = Reject("not_a_boolean", conversion.rule)
    false, true = conversion.rule.removeprefix("boolean:").split("/")
    meanings: dict[SqliteValue, bytes] = {false: b"\x00", true: b"\x01"}
    if (false, true) == ("0", "1"):
        meanings = {0: b"\x00", 1: b"\x01"}

    def convert(value: SqliteValue) -> Outcome:
        if value is None:
            return None
        # A real 1.0 equals the key 1 in a dict but is another storage class.
        return refused if type(value) is float else meanings.get(value, refused)

    return convert


def _text(conversion: Conversion) -> Converter:
    refused = Reject("not_text", conversion.rule)
    invalid, nul, long = (
        Reject(r, conversion.rule) for r in ("invalid_text", "nul_in_text", "text_too_long")
    )
    limit = conversion.type.length

    def convert(value: SqliteValue) -> Outcome:
        if type(value) is str:
            if "\x00" in value:
                return nul
            return long if limit is not None and len(value) > limit else value.encode()
        if value is None:
            return None
        return invalid if isinstance(value, InvalidText) else refused

    return convert


def _spelled(conversion: Conversion) -> Converter:
    as_text = _text(conversion)

    def convert(value: SqliteValue) -> Outcome:
        if isinstance(value, int | float):
            return spelled(value).encode()
        return as_text(value)

    return convert


def _bytes(conversion: Conversion) -> Converter:
    refused = Reject("not_bytes", conversion.rule)
    numbers_too = conversion.rule == "bytes:spelled"

    def convert(value: SqliteValue) -> Outcome:
        if value is None:
            return None
        if isinstance(value, int | float) and not numbers_too:
            return refused
        return raw_bytes(value)

    return convert


_SHAPES = {
    types.DATE: (Shape.DATE,),
    types.TIME: (Shape.TIME,),
    types.TIMESTAMP: (Shape.NAIVE, Shape.DATE),
    types.TIMESTAMPTZ: (Shape.OFFSET,),
}


def shapes_of(type_name: str) -> tuple[Shape, ...]:
    """The shapes of text that a temporal type takes."""
    return _SHAPES[type_name]


def _iso(conversion: Conversion) -> Converter:
    refused = Reject("not_a_moment", conversion.rule)
    shapes = shapes_of(conversion.type.name)
    is_date = conversion.type.name == types.DATE

    def convert(value: SqliteValue) -> Outcome:
        if type(value) is not str:
            return None if value is None else refused
        moment = temporal.parse(value)
        if moment is None or moment.shape not in shapes:
            return refused
        return _DATE.pack(moment.micros // temporal.DAY) if is_date else _BIGINT.pack(moment.micros)

    return convert


def _epoch(conversion: Conversion) -> Converter:
    refused = Reject("not_a_moment", conversion.rule)
    is_date = conversion.type.name == types.DATE

    def convert(value: SqliteValue) -> Outcome:
        if type(value) is not int and type(value) is not float:
            return None if value is None else refused
        micros = temporal.from_number(value, conversion.rule)
        if micros is None or (is_date and micros % temporal.DAY):
            return refused
        return _DATE.pack(micros // temporal.DAY) if is_date else _BIGINT.pack(micros)

    return convert


def _json(conversion: Conversion) -> Converter:
    refused = Reject("not_json", conversion.rule)
    binary = conversion.type.name == types.JSONB

    def convert(value: SqliteValue) -> Outcome:
        text = documents.document_text(value)
        if text is None:
            return None if value is None else refused
        standing = documents.standing(text)
        if binary:
            return b"\x01" + text.encode() if standing is documents.Standing.JSONB else refused
        return refused if standing is documents.Standing.NONE else text.encode()

    return convert


def _uuid(conversion: Conversion) -> Converter:
    refused = Reject("not_a_uuid", conversion.rule)

    def convert(value: SqliteValue) -> Outcome:
        if value is None:
            return None
        form = documents.uuid_form(value)
        return refused if form is None else form.octets

    return convert
