"""Dates and times of a whole batch: which grammar each text is written in, and how
many mean a moment.

The answers are those of :func:`core.values.temporal.parse`, text by text. What makes
it quick: a spelling (every digit a 9) says already which shape a text has, if it is
one at all, and few spellings occur in a column. Within one spelling Arrow's own
parser says that all numbers lie where they should; where it refuses, our grammar is
asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from core.census.texts import Texts, ascii_table, count_true, counted
from core.values import temporal
from core.values.temporal import Shape

_SPELLED = ascii_table({"9": b"0123456789"})
# What Arrow reads itself. The rest of a text (more digits of a fraction, an offset) does
# not depend on what stands before it, and few of them occur.
_CLOCK = r"99:99(?::99(?:\.9{1,6})?)?"
_HEAD = re.compile(f"9999-99-99(?:[T ]{_CLOCK})?|{_CLOCK}")
_SOME_DAY, _NOTHING = pa.scalar("2000-01-01 "), pa.scalar("")
_YEAR_ONE = pa.scalar(-62_135_596_800_000_000, pa.timestamp("us"))


@dataclass(frozen=True)
class Spelled:
    """Texts with their spellings: ``places`` has for each text the place of its own."""

    texts: pa.Array
    spellings: list[str]
    places: pa.Array

    def counts(self) -> Iterator[tuple[str, int]]:
        """Each spelling and how many texts have it, the first met first."""
        for place, count in counted(self.places):
            yield self.spellings[place], count

    def shapes(self) -> Counter[str]:
        """How many texts mean a moment, by shape."""
        found: Counter[str] = Counter()
        for place, spelling in enumerate(self.spellings):
            form = _form(spelling)
            if form is not None:
                found[form.shape.value] += _count(self._of(place), form)
        return +found

    def _of(self, place: int) -> pa.Array:
        if len(self.spellings) == 1:
            return self.texts
        return self.texts.filter(pc.equal(self.places, place))


def spelled(texts: Texts) -> Spelled:
    """The texts, each with its spelling."""
    encoded = texts.mapped(_SPELLED).dictionary_encode()
    return Spelled(texts.array, encoded.dictionary.to_pylist(), encoded.indices)


@dataclass(frozen=True)
class _Form:
    """What one spelling says: a shape, and a moment so spelled, in two parts."""

    shape: Shape
    head: str
    tail: str


@lru_cache(maxsize=1_024)
def _form(spelling: str) -> _Form | None:
    """The form of all moments that are spelled so, None when none is."""
    matched = _HEAD.match(spelling)
    if matched is None:
        return None
    # Eleven is a month, a day, an hour, a minute and a second; nought is an offset, and
    # the only thing that may follow six digits of a fraction.
    head = matched[0].replace("9", "1")
    tail = spelling[len(head) :].replace("9", "0")
    moment = temporal.parse(head + tail)
    return None if moment is None else _Form(moment.shape, head, tail)


def _count(texts: pa.Array, form: _Form) -> int:
    """How many of the texts, all spelled as the form says, are moments."""
    if form.tail:
        texts = _with_sound_part(texts, len(form.head), None, before=form.head)
        texts = pc.utf8_slice_codeunits(texts, 0, len(form.head))
    count = _read(texts, form.shape)
    if count is None and form.shape is not Shape.TIME:
        # One day that does not exist is enough for Arrow to refuse all.
        count = _read(_with_sound_part(texts, 0, len("9999-99-99")), form.shape)
    return _asked(texts) if count is None else count


def _read(texts: pa.Array, shape: Shape) -> int | None:
    """How many heads are moments as Arrow reads them; None when it refuses one."""
    if shape is Shape.TIME:
        texts = pc.binary_join_element_wise(_SOME_DAY, texts, _NOTHING)
    try:
        stamps = texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    # Arrow has a year 0, we have not.
    return len(texts) - count_true(pc.less(stamps, _YEAR_ONE))


def _asked(texts: pa.Array) -> int:
    """How many heads are moments, by our own grammar."""
    return sum(count for text, count in counted(texts) if temporal.parse(text))


def _with_sound_part(
    texts: pa.Array, start: int, stop: int | None, *, before: str = ""
) -> pa.Array:
    """The texts whose part is sound: behind ``before`` it makes a moment."""
    parts = pc.utf8_slice_codeunits(texts, start, stop)
    known = pc.unique(parts).to_pylist()
    sound = [part for part in known if temporal.parse(before + part)]
    if len(sound) == len(known):
        return texts
    return texts.filter(pc.is_in(parts, pa.array(sound, pa.string())))
