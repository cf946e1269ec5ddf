"""Counting what one column holds, a batch of values at a time.

Batches arrive as columns, so that the common case (all of one storage class) is
counted by C code; only the columns whose declared type asks for it are looked
at value by value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from core.census.model import ColumnCensus
from core.source.rows import InvalidText, SqliteValue
from core.values import documents, numeric, temporal, types
from core.values.declared import TEMPORAL, Kind
from core.values.exact import exact_in_double

DOUBLE_EXACT = 2**53
_SPELLINGS_MAX = 12
_BOOLEANS = frozenset(word for pair in types.BOOLEAN_WORDS for word in pair)


class ColumnTally:
    """Adds up one column; :meth:`result` is its census so far.

    ``wanted`` are the kinds whose shapes are worth looking for in the values.
    """

    def __init__(self, wanted: frozenset[Kind]) -> None:
        self._wanted = wanted
        self._counts: Counter[str] = Counter()
        self._shapes: Counter[str] = Counter()
        self._spellings: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        self._integers: tuple[int, int] | None = None
        self._whole_digits = self._scale = self._chars = self._bytes = 0

    def add(self, values: Sequence[SqliteValue]) -> None:
        """Count one batch."""
        classes = Counter(map(type, values))
        self._counts["nulls"] += classes.pop(type(None), 0)
        for kind in classes:
            same = values if len(classes) == 1 and classes[kind] == len(values) else None
            self._add_class(kind, [v for v in values if type(v) is kind] if same is None else same)

    def result(self) -> ColumnCensus:
        """The census of everything added."""
        low, high = self._integers or (None, None)
        return ColumnCensus(
            **self._counts,
            integer_min=low,
            integer_max=high,
            whole_digits=self._whole_digits,
            scale=self._scale,
            chars_max=self._chars,
            bytes_max=self._bytes,
            shapes=dict(self._shapes),
            spellings=dict(self._spellings),
            words=dict(self._words),
        )

    def _add_class(self, kind: type, values: Sequence[SqliteValue]) -> None:
        if kind is int:
            self._add_integers([v for v in values if isinstance(v, int)])
        elif kind is float:
            self._add_reals([v for v in values if isinstance(v, float)])
        elif kind is str:
            self._add_texts([v for v in values if isinstance(v, str)])
        elif kind is bytes:
            self._add_blobs([v for v in values if isinstance(v, bytes)])
        else:
            raws = [v.raw for v in values if isinstance(v, InvalidText)]
            self._counts["texts"] += len(raws)
            self._counts["texts_invalid"] += len(raws)
            self._bytes = max(self._bytes, *map(len, raws))

    def _add_integers(self, values: Sequence[int]) -> None:
        low, high = min(values), max(values)
        self._add_range(low, high, len(values))
        if low < -DOUBLE_EXACT or high > DOUBLE_EXACT:
            self._counts["integers_inexact"] += sum(not exact_in_double(v) for v in values)
        if Kind.BOOLEAN in self._wanted:
            self._counts["zero_one"] += sum(v in (0, 1) for v in values)

    def _add_range(self, low: int, high: int, count: int) -> None:
        self._counts["integers"] += count
        if self._integers:
            self._integers = min(low, self._integers[0]), max(high, self._integers[1])
        else:
            self._integers = low, high
        if Kind.JSON in self._wanted:
            self._shapes["jsonb"] += count
        if largest := max(abs(low), abs(high)):
            self._whole_digits = max(self._whole_digits, len(str(largest)))

    def _add_reals(self, values: Sequence[float]) -> None:
        self._counts["reals"] += len(values)
        self._counts["reals_infinite"] += sum(map(math.isinf, values))
        if Kind.DECIMAL in self._wanted:
            self._add_digits(set(values))
        if Kind.JSON in self._wanted:
            self._shapes["jsonb"] += sum(map(math.isfinite, values))

    def _add_digits(self, values: Iterable[float]) -> None:
        for value in values:
            if math.isfinite(value):
                whole, scale = numeric.digits_of(Decimal(repr(value)))
                self._whole_digits = max(self._whole_digits, whole)
                self._scale = max(self._scale, scale)

    def _add_texts(self, values: Sequence[str]) -> None:
        self._counts["texts"] += len(values)
        self._chars = max(self._chars, *map(len, values))
        self._bytes = max(self._bytes, self._chars)
        if "\x00" in "".join(values):
            self._counts["texts_nul"] += sum("\x00" in v for v in values)
        if self._wanted & TEMPORAL:
            self._add_moments(values)
        if Kind.BOOLEAN in self._wanted:
            self._keep_words(Counter(values).items())
        if Kind.JSON in self._wanted:
            self._shapes.update(documents.standing(v).value for v in values)
        if Kind.UUID in self._wanted:
            self._add_uuids(values)

    def _add_moments(self, values: Sequence[str]) -> None:
        moments = map(temporal.parse, values)
        self._shapes.update(m.shape.value for m in moments if m is not None)
        self._keep_spellings(Counter(map(temporal.spelling, values)).items())

    def _keep_spellings(self, counts: Iterable[tuple[str, int]]) -> None:
        for spelling, count in counts:
            if spelling in self._spellings or len(self._spellings) < _SPELLINGS_MAX:
                self._spellings[spelling] += count

    def _keep_words(self, counts: Iterable[tuple[str, int]]) -> None:
        for word, count in counts:
            if word in _BOOLEANS or word in self._words or len(self._words) < _SPELLINGS_MAX:
                self._words[word] += count

    def _add_uuids(self, values: Iterable[SqliteValue]) -> None:
        forms = (documents.uuid_form(v) for v in values)
        self._shapes.update(f"{f.style}-{f.case}" for f in forms if f is not None)

    def _add_blobs(self, values: Sequence[bytes]) -> None:
        self._counts["blobs"] += len(values)
        self._bytes = max(self._bytes, *map(len, values))
        if Kind.UUID in self._wanted:
            self._add_uuids(values)
