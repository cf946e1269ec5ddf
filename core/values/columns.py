"""The Arrow path: what a whole column becomes, where nothing can go wrong.

The exact path (:mod:`core.values.exact`) says what each value becomes; this one
gives the same answers for many values at once, or none at all: whatever it cannot
be sure of raises :class:`~core.source.batches.Unsure`, and the rows go the exact
path. Arrow rounds, wraps and casts silently in places; each guard here says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from core.source.batches import Unsure
from core.values import temporal, types
from core.values.jsonb import jsonb_texts
from core.values.types import Conversion, Purity

Convert = Callable[[pa.Array], pa.Array]

# A decimal of so many digits is the shortest spelling of the double nearest to it.
_DECIMAL_LIMIT = 10**15
_DECIMAL_SCALE_MAX = 18  # 10^18 is the last power of ten that an int64 holds
_DECIMAL_DIGITS_MAX = 38
# PostgreSQL's bounds of a timestamp, in microseconds since 1970 as Arrow counts.
_MICROS_MIN = temporal.TIMESTAMP_MIN - temporal.UNIX_EPOCH
_MICROS_MAX = temporal.TIMESTAMP_MAX - temporal.UNIX_EPOCH


@dataclass(frozen=True)
class ColumnWay:
    """How a column goes the Arrow path: the Arrow type that it arrives at, and the
    function that brings it there. The function raises Unsure."""

    type: pa.DataType
    convert: Convert

    def __call__(self, read: pa.Array) -> pa.Array:
        """The column as it is to be encoded."""
        if read.null_count == len(read):  # ADBC calls such a column int64
            return pa.nulls(len(read), self.type)
        try:
            return self.convert(read)
        except (pa.ArrowException, ValueError, OverflowError) as refused:
            raise Unsure(str(refused)) from refused


def column_way(conversion: Conversion, purity: Purity) -> ColumnWay | None:
    """The way of a column converted so, None when it has none.

    ``purity``: which storage classes the census found in it.
    """
    # What only a further rule takes is refused here: its rows go the exact path.
    conversion = conversion.first
    rule = conversion.rule.partition(":")[0]
    makers = _MAKERS.get(rule, {})
    maker = makers.get(purity)
    if purity is Purity.EMPTY and makers:
        maker = next(iter(makers.values()))
    return maker(conversion) if maker is not None else None


def proof_way(conversion: Conversion, purity: Purity) -> ColumnWay | None:
    """:func:`column_way` as far as the server hands values back as they were sent. A jsonb
    it prints anew: so the source's texts become what it prints."""
    way = column_way(conversion, purity)
    if way is None or conversion.type.name != types.JSONB:
        return way
    return ColumnWay(way.type, lambda read: jsonb_texts(way(read)))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Unsure(what)


def _require_type(array: pa.Array, wanted: pa.DataType) -> None:
    _require(array.type == wanted, f"{array.type} where the census saw {wanted}")


# --- numbers ---------------------------------------------------------------------------


def _integer(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.int64())
        return read

    return ColumnWay(pa.int64(), convert)


def _real(_: Conversion) -> ColumnWay:
    return ColumnWay(pa.float64(), _as_doubles)


def _as_doubles(read: pa.Array) -> pa.Array:
    if pa.types.is_int64(read.type):
        return pc.cast(read, pa.float64())  # refuses integers beyond 2^53
    _require_type(read, pa.float64())
    return read


def _decimal(conversion: Conversion) -> ColumnWay | None:
    kind = conversion.type
    scale = kind.scale or 0
    if kind.precision is None or kind.precision > _DECIMAL_DIGITS_MAX or scale > _DECIMAL_SCALE_MAX:
        return None
    wanted, units = pa.decimal128(kind.precision, scale), _units(scale)
    return ColumnWay(wanted, lambda read: _as_decimal(units(read), wanted))


def _whole(conversion: Conversion) -> ColumnWay | None:
    """Integers as decimals: also where the type sets no scale, for theirs is 0."""
    if conversion.type.precision is not None:
        return _decimal(conversion)
    wanted = pa.decimal128(_DECIMAL_DIGITS_MAX, 0)

    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.int64())
        return _as_decimal(read, wanted)

    return ColumnWay(wanted, convert)


def _units(scale: int) -> Convert:
    """Makes int64 of values times 10^scale. Arrow's own cast to decimal rounds what does
    not fit the scale, even when it is asked to be safe: so each value must come back."""
    # Arrow takes a quarter of a millisecond to make a scalar of a Python number.
    whole, factor = pa.scalar(10**scale, pa.int64()), pa.scalar(float(10**scale))

    def convert(read: pa.Array) -> pa.Array:
        if pa.types.is_int64(read.type):
            return pc.multiply_checked(read, whole)
        _require_type(read, pa.float64())
        units = pc.cast(pc.round(pc.multiply(read, factor)), pa.int64())
        back = pc.divide(pc.cast(units, pa.float64()), factor)
        _require(bool(pc.all(pc.equal(back, read)).as_py()), "more digits than the scale")
        _require_within(units, _DECIMAL_LIMIT - 1)
        return units

    return convert


def _as_decimal(units: pa.Array, wanted: pa.DataType) -> pa.Array:
    _require_within(units, 10**wanted.precision - 1)
    digits = pc.cast(units, pa.decimal128(19, 0))
    # The same 128 bits, with the point at another place.
    return pa.Array.from_buffers(wanted, len(digits), digits.buffers(), digits.null_count)


def _require_within(units: pa.Array, largest: int) -> None:
    _require_between(units, -largest, largest)


def _require_between(numbers: pa.Array, low: int, high: int) -> None:
    edges = pc.min_max(numbers).as_py()
    _require(low <= edges["min"] and edges["max"] <= high, "out of range")


def _boolean(conversion: Conversion) -> ColumnWay:
    false, true = conversion.rule.removeprefix("boolean:").split("/")
    both, yes = pa.array([false, true, None], pa.string()), pa.scalar(true)

    def words(read: pa.Array) -> pa.Array:
        _require_type(read, pa.string())
        _require(bool(pc.all(pc.is_in(read, both)).as_py()), "another word")
        return pc.equal(read, yes)

    return ColumnWay(pa.bool_(), words)


def _zero_one(conversion: Conversion) -> ColumnWay | None:
    if conversion.rule != "boolean:0/1":
        return None

    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.int64())
        _require_between(read, 0, 1)  # the cast takes every number but 0 for true
        return pc.cast(read, pa.bool_())

    return ColumnWay(pa.bool_(), convert)


def _epoch(conversion: Conversion) -> ColumnWay | None:
    unit = {"epoch:s": 1_000_000, "epoch:ms": 1_000, "epoch:us": 1}.get(conversion.rule)
    if unit is None or conversion.type.name == types.DATE:
        return None
    factor = pa.scalar(unit, pa.int64())

    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.int64())
        micros = pc.multiply_checked(read, factor)
        _require_between(micros, _MICROS_MIN, _MICROS_MAX)
        return pc.cast(micros, pa.timestamp("us"))

    return ColumnWay(pa.timestamp("us"), convert)


# --- texts and bytes ---------------------------------------------------------------------


def _text(conversion: Conversion) -> ColumnWay:
    limit = conversion.type.length

    def convert(read: pa.Array) -> pa.Array:
        length = _sound(read)
        if limit is not None:  # the server cuts what is too long if it is only spaces
            _require(pc.max(length(read)).as_py() <= limit, "too long")
        return read

    return ColumnWay(pa.string(), convert)


def _sound(read: pa.Array) -> Convert:
    """See that texts are valid UTF-8, as which ADBC hands on whatever there is, and hold no
    NUL, which PostgreSQL does not take; what counts their characters."""
    _require_type(read, pa.string())
    data = read.buffers()[2]  # all texts, end to end
    octets = b"" if data is None else data.to_pybytes()
    _require(0 not in octets, "NUL in a text")
    length: Convert = pc.binary_length
    if not octets.isascii():
        read.validate(full=True)
        length = pc.utf8_length
    return length


def _spelled_integers(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.int64())
        return pc.cast(read, pa.string())

    return ColumnWay(pa.string(), convert)


def _bytes(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.binary())
        return read

    return ColumnWay(pa.binary(), convert)


def _text_bytes(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.string())
        return pc.cast(read, pa.binary())

    return ColumnWay(pa.binary(), convert)


def _json(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _sound(read)
        return read

    return ColumnWay(pa.string(), convert)


def _uuid_text(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.string())
        written = read.drop_null()
        digits = "".join(written.to_pylist()).translate(_UUID_MARKS)
        octets = bytes.fromhex(digits)  # passes over blanks, of which the length would tell
        _require(len(digits) == 32 * len(written), "not a UUID")
        return _scattered(octets, read)

    return ColumnWay(pa.binary(16), convert)


_UUID_MARKS = str.maketrans("", "", "-{}")


def _uuid_bytes(_: Conversion) -> ColumnWay:
    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.binary())
        edges = pc.min_max(pc.binary_length(read)).as_py()
        _require(edges == {"min": 16, "max": 16}, "not 16 bytes")
        return _scattered(b"".join(read.drop_null().to_pylist()), read)

    return ColumnWay(pa.binary(16), convert)


def _scattered(octets: bytes, read: pa.Array) -> pa.Array:
    """16 bytes per value of ``read``, NULL where it is."""
    count = len(octets) // 16
    whole = pa.Array.from_buffers(pa.binary(16), count, [None, pa.py_buffer(octets)])
    if not read.null_count:
        return whole
    places = pc.subtract(pc.cumulative_sum(pc.cast(read.is_valid(), pa.int64())), _ONE)
    return whole.take(pc.if_else(read.is_valid(), places, _NO_PLACE))


_ONE, _NO_PLACE = pa.scalar(1, pa.int64()), pa.scalar(None, pa.int64())


# --- moments -----------------------------------------------------------------------------

_MOMENTS = {
    types.DATE: pa.date32(),
    types.TIME: pa.time64("us"),
    types.TIMESTAMP: pa.timestamp("us"),
    types.TIMESTAMPTZ: pa.timestamp("us", "UTC"),
}


_SOME_DAY, _BLANK = pa.scalar("1970-01-01"), pa.scalar(" ")


def _iso(conversion: Conversion) -> ColumnWay:
    """The census has parsed each of these texts by the grammar: what Arrow takes of them
    it understands alike, and the rest it refuses."""
    wanted = _MOMENTS[conversion.type.name]

    def convert(read: pa.Array) -> pa.Array:
        _require_type(read, pa.string())
        if wanted != pa.time64("us"):
            return pc.cast(read, wanted)
        # Texts become times only as part of a moment.
        moments = pc.binary_join_element_wise(_SOME_DAY, read, _BLANK)
        return pc.cast(pc.cast(moments, pa.timestamp("us")), wanted)

    return ColumnWay(wanted, convert)


_Maker = Callable[[Conversion], ColumnWay | None]

_MAKERS: dict[str, dict[Purity, _Maker]] = {
    "integer": {Purity.INTEGER: _integer},
    "real": {Purity.REAL: _real, Purity.INTEGER: _real, Purity.NUMBER: _real},
    "decimal": {Purity.INTEGER: _whole, Purity.REAL: _decimal, Purity.NUMBER: _decimal},
    "boolean": {Purity.INTEGER: _zero_one, Purity.TEXT: _boolean},
    "text": {Purity.TEXT: _text},
    "spelled": {Purity.TEXT: _text, Purity.INTEGER: _spelled_integers},
    "bytes": {Purity.BLOB: _bytes, Purity.TEXT: _text_bytes},
    "iso": {Purity.TEXT: _iso},
    "epoch": {Purity.INTEGER: _epoch},
    "json": {Purity.TEXT: _json},
    "uuid": {Purity.TEXT: _uuid_text, Purity.BLOB: _uuid_bytes},
}
