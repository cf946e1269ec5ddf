"""UUIDs of a whole batch: how many are written in each form.

The answers are those of :func:`core.values.documents.uuid_form`, value by value.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from core.census.texts import Texts, ascii_table, count_true
from core.values.documents import uuid_form

_STYLED = ascii_table({"f": b"0123456789abcdefABCDEF"})
_CASED = ascii_table({"a": b"abcdef", "A": b"ABCDEF"})
_DASHED = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# As scalars: Arrow takes a quarter of a millisecond to make one of a Python value.
_TEMPLATES = tuple(map(pa.scalar, (_DASHED, "f" * 32, "{" + _DASHED + "}")))
_LENGTH = pa.scalar(16)


def text_forms(texts: Texts) -> Counter[str]:
    """How many texts have each style and case, like ``hex-lower``."""
    found: Counter[str] = Counter()
    styled = texts.mapped(_STYLED)
    for template in _TEMPLATES:
        form = uuid_form(template.as_py())
        assert form is not None
        fitting = texts.array.filter(pc.equal(styled, template))
        for case, count in _cases(fitting).items():
            found[f"{form.style}-{case}"] += count
    return found


def blob_forms(blobs: pa.Array) -> Counter[str]:
    """How many blobs are a UUID: any 16 bytes are."""
    form = uuid_form(bytes(16))
    assert form is not None
    fitting = count_true(pc.equal(pc.binary_length(blobs), _LENGTH))
    return Counter({f"{form.style}-{form.case}": fitting} if fitting else {})


def _cases(array: pa.Array) -> Counter[str]:
    """How many of these UUIDs have letters of which case."""
    texts = Texts.of(array) if len(array) else None
    if texts is None:
        return Counter()
    cased = texts.mapped(_CASED)
    lower, upper = (pc.match_substring(cased, letter) for letter in "aA")
    counts = {
        "lower": pc.and_not(lower, upper),
        "upper": pc.and_not(upper, lower),
        "mixed": pc.and_(lower, upper),
        "none": pc.invert(pc.or_(lower, upper)),
    }
    return +Counter({case: count_true(mask) for case, mask in counts.items()})
