"""Whole arrays are counted as value by value: nothing differs, in any batch, for any kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.source.rows import SqliteValue
from core.values.declared import Kind
from tests.census import near
from tests.census.arrays import counted_at_once, counted_exactly, same
from tests.property import generating as g
from tests.property.profiles import profile

Batches = list[list[SqliteValue]]
ALL = frozenset(Kind)


def batches(*columns: st.SearchStrategy[SqliteValue]) -> st.SearchStrategy[Batches]:
    """A few batches of what one of the columns holds, NULLs among it."""
    return st.sampled_from(columns).flatmap(_batches)


def _batches(values: st.SearchStrategy[SqliteValue]) -> st.SearchStrategy[Batches]:
    some = st.one_of(values, values, values, st.none())
    long = st.lists(some, min_size=15, max_size=30)
    return st.lists(st.one_of(long, long, st.lists(some, max_size=3)), max_size=3)


def check(found: Batches, kinds: frozenset[Kind], *, sliced: bool = False) -> None:
    same(counted_at_once(found, kinds, sliced=sliced), counted_exactly(found, kinds))


MOMENTS = st.just(frozenset({Kind.TIMESTAMP}))
KINDS = st.one_of(st.sampled_from(Kind).map(lambda kind: frozenset({kind})), st.just(ALL))
CLASSES = {
    "integers": (batches(near.INTEGERS, st.integers(0, 2)), KINDS),
    "reals": (batches(*near.REAL_COLUMNS, near.REALS), KINDS),
    "numbers": (batches(st.one_of(near.INTEGERS, near.REALS)), KINDS),
    "moments": (batches(*near.MOMENT_COLUMNS, near.MOMENTS), MOMENTS),
    "documents": (batches(near.DOCUMENTS), st.just(frozenset({Kind.JSON}))),
    "uuids": (batches(*near.UUID_COLUMNS), st.just(frozenset({Kind.UUID}))),
    "words": (batches(g.WORDS, g.TEXTS), st.just(frozenset({Kind.BOOLEAN}))),
    "texts": (batches(near.TEXTS), KINDS),
    "invalid texts": (batches(st.one_of(near.TEXTS, near.TEXTS, near.INVALID)), KINDS),
    "texts and integers": (batches(st.one_of(near.TEXTS, near.INTEGERS)), KINDS),
    "blobs": (batches(near.BLOBS), KINDS),
}


@pytest.mark.parametrize("name", CLASSES)
def test_arrays_are_counted_as_value_by_value(name: str) -> None:
    check_many(name, profile(40))


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", CLASSES)
def test_arrays_are_counted_as_value_by_value_for_long(name: str) -> None:
    check_many(name, profile(4_000, soak=True))


def check_many(name: str, examples: settings) -> None:
    columns, kinds = CLASSES[name]
    each = given(columns, kinds, st.booleans())(lambda c, k, s: check(c, k, sliced=s))
    examples(each)()
