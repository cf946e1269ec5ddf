"""Counting what one column holds, a batch of Arrow's columns at a time.

The same census as value by value, at the speed of C: :class:`ColumnTally` says what
is counted, this says how many of a whole array at once.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from core.census import decimals, documents, moments, uuids
from core.census.tally import DOUBLE_EXACT, ColumnTally
from core.census.texts import Texts, count_true, counted
from core.source.rows import InvalidText, SqliteValue
from core.values.declared import TEMPORAL, Kind


class ColumnCounter(ColumnTally):
    """A tally that takes arrays as well as values, in any order of batches."""

    def add_array(self, array: pa.Array, integers: pa.Array | None = None) -> None:
        """Count one batch, read by ADBC from a database in UTF-8.

        ``array`` holds values of one storage class besides NULL, as its type says:
        int64, double, string or binary. Whoever calls has made sure of that. Where
        INTEGERs stand among values of one other class, ``integers`` has them at
        their places (int64, NULL elsewhere), and what ``array`` has there is not read:
        ``CASE typeof(c) WHEN 'integer' THEN c END``.
        """
        if integers is not None and integers.null_count < len(integers):
            self._add_values(integers.drop_null())
            array = array.filter(integers.is_null())
        self._counts["nulls"] += array.null_count
        values = array.drop_null()
        if len(values):
            self._add_values(values)

    def _add_values(self, values: pa.Array) -> None:
        if values.type == pa.int64():
            self._count_integers(values)
        elif values.type == pa.float64():
            self._count_reals(values)
        elif values.type == pa.string():
            self._count_texts(values)
        elif values.type == pa.binary():
            self._count_blobs(values)
        else:
            raise TypeError(f"ADBC reads no column of SQLite as {values.type}")

    def _count_integers(self, values: pa.Array) -> None:
        low, high = pc.min_max(values).as_py().values()
        self._add_range(low, high, len(values))
        if low < -DOUBLE_EXACT or high > DOUBLE_EXACT:
            self._counts["integers_inexact"] += decimals.inexact(values)
        if Kind.BOOLEAN in self._wanted:
            self._counts["zero_one"] += count_true(pc.is_in(values, _ZERO_ONE))

    def _count_reals(self, values: pa.Array) -> None:
        finite = values.filter(pc.is_finite(values))
        self._counts["reals"] += len(values)
        self._counts["reals_infinite"] += len(values) - len(finite)
        if Kind.DECIMAL in self._wanted and len(finite):
            self._count_digits(finite)
        if Kind.JSON in self._wanted:
            self._shapes["jsonb"] += len(finite)

    def _count_digits(self, finite: pa.Array) -> None:
        scale, undecided = decimals.scale_of(finite)
        self._scale = max(self._scale, scale)
        # The larger the number, the more digits stand before its point.
        self._add_digits({pc.max(pc.abs(finite)).as_py(), *undecided.to_pylist()})

    def _count_texts(self, values: pa.Array) -> None:
        texts = Texts.of(values)
        if texts is None:
            self.add(_exact_values(values))
            return
        self._counts["texts"] += len(values)
        self._counts["texts_nul"] += texts.with_nul
        self._chars = max(self._chars, texts.chars_max)
        self._bytes = max(self._bytes, self._chars)
        self._count_shapes(texts)

    def _count_shapes(self, texts: Texts) -> None:
        if self._wanted & TEMPORAL:
            spelled = moments.spelled(texts)
            self._shapes.update(spelled.shapes())
            self._keep_spellings(spelled.counts())
        if Kind.BOOLEAN in self._wanted:
            self._keep_words(counted(texts.array))
        if Kind.JSON in self._wanted:
            self._shapes.update(documents.standings(texts.array))
        if Kind.UUID in self._wanted:
            self._shapes.update(uuids.text_forms(texts))

    def _count_blobs(self, values: pa.Array) -> None:
        self._counts["blobs"] += len(values)
        self._bytes = max(self._bytes, pc.max(pc.binary_length(values)).as_py())
        if Kind.UUID in self._wanted:
            self._shapes.update(uuids.blob_forms(values))


_ZERO_ONE = pa.array([0, 1])


def _exact_values(texts: pa.Array) -> list[SqliteValue]:
    """The texts one by one, those that are not valid as what they are."""
    return [_text(raw) for raw in texts.cast(pa.binary()).to_pylist()]


def _text(raw: bytes) -> SqliteValue:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return InvalidText(raw)
