"""Values as the arrays in which ADBC hands them over, and what both counters find in them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from core.census.columns import ColumnCounter
from core.census.model import ColumnCensus
from core.census.tally import ColumnTally
from core.source.rows import InvalidText, SqliteValue
from core.values.declared import Kind

_TYPES = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    InvalidText: pa.string(),
    bytes: pa.binary(),
}


def array_of(values: Sequence[SqliteValue], *, sliced: bool = False) -> pa.Array:
    """Values of one storage class; ``sliced``: a part of a longer array."""
    kind = next((_TYPES[type(v)] for v in values if v is not None), pa.int64())
    if kind != pa.string():
        array = pa.array(values, kind)
    else:
        array = pa.array([_octets(v) for v in values], pa.binary()).view(pa.string())
    if sliced:
        filler = pa.array([None, {pa.int64(): 7, pa.float64(): 0.5}.get(kind, "é")], kind)
        array = pa.concat_arrays([filler, array, filler])[2:-2]
    return array


def _octets(value: SqliteValue) -> bytes | None:
    if isinstance(value, InvalidText):
        return value.raw
    return value.encode() if isinstance(value, str) else None


def counted_exactly(batches: Sequence[Sequence[SqliteValue]], kinds: frozenset[Kind]) -> ColumnCensus:  # fmt: skip
    """What the exact tally finds."""
    tally = ColumnTally(kinds)
    for batch in batches:
        tally.add(batch)
    return tally.result()


def counted_at_once(
    batches: Sequence[Sequence[SqliteValue]], kinds: frozenset[Kind], *, sliced: bool = False
) -> ColumnCensus:
    """What the counter of arrays finds in batches of one storage class and INTEGERs."""
    counter = ColumnCounter(kinds)
    for batch in batches:
        counter.add_array(*arrays_of(batch, sliced=sliced))
    return counter.result()


def arrays_of(
    values: Sequence[SqliteValue], *, sliced: bool = False
) -> tuple[pa.Array, pa.Array | None]:
    """The two arrays of values of one storage class among which INTEGERs may stand."""
    classes = {type(v) for v in values if v is not None}
    if int not in classes or len(classes) == 1:
        return array_of(values, sliced=sliced), None
    integers = pa.array([v if type(v) is int else None for v in values], pa.int64())
    # ADBC reads an INTEGER among REALs as the nearest double.
    others = [v if type(v) is not int else float(v) if float in classes else None for v in values]
    return array_of(others, sliced=sliced), integers


def same(one: ColumnCensus, other: ColumnCensus) -> None:
    """Field by field, and whatever has an order in the same order."""
    assert one == other
    assert list(one.spellings) == list(other.spellings)
    assert list(one.words) == list(other.words)
    assert {type(shape) for shape in one.shapes} <= {str}
