"""A batch of texts as one piece of bytes.

What can be asked of all bytes together is answered by one pass of C code over
them, without a Python object for each text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Texts:
    """Texts that are all valid UTF-8, none of them NULL: ``array`` has them as Arrow's
    strings, ``octets`` their bytes end to end, ``offsets`` where each begins there."""

    array: pa.Array
    octets: bytes
    offsets: pa.Array

    @classmethod
    def of(cls, array: pa.Array) -> Self | None:
        """The texts of a string array without NULLs; None when a byte is not valid UTF-8."""
        bounds = _bounds(array)
        first, end = bounds[0], bounds[-1].as_py()
        data = array.buffers()[2] or pa.py_buffer(b"")
        octets = data[first.as_py() : end].to_pybytes()
        if not octets.isascii():
            try:
                array.validate(full=True)
            except pa.ArrowInvalid:
                return None
        # An array may be a slice of a longer one.
        whole = array.offset == 0 and first.as_py() == 0
        return cls(array, octets, bounds if whole else pc.subtract(bounds, first))

    @property
    def chars_max(self) -> int:
        """The length of the longest, in characters; there must be one."""
        length = pc.binary_length if self.octets.isascii() else pc.utf8_length
        longest: int = pc.max(length(self.array)).as_py()
        return longest

    @property
    def with_nul(self) -> int:
        """How many hold a NUL."""
        return count_true(pc.match_substring(self.array, "\x00")) if 0 in self.octets else 0

    def mapped(self, table: bytes) -> pa.Array:
        """The texts with each byte replaced by what ``table`` has at its place.

        The table must leave the bytes of other than ASCII as they are.
        """
        data = pa.py_buffer(self.octets.translate(table))
        buffers = [None, self.offsets.buffers()[1], data]
        return pa.Array.from_buffers(pa.string(), len(self.array), buffers)


def count_true(mask: pa.Array) -> int:
    """How many of ``mask`` are true."""
    return pc.sum(mask).as_py() or 0


def counted(array: pa.Array) -> Iterator[tuple[Any, int]]:
    """Each value and how often it occurs, the first met first."""
    counts = pc.value_counts(array)
    return zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)


def ascii_table(alike: dict[str, bytes]) -> bytes:
    """A table for :meth:`Texts.mapped`: the character that stands for each of some bytes."""
    table = bytearray(range(256))
    for character, octets in alike.items():
        for octet in octets:
            table[octet] = ord(character)
    return bytes(table)


def _bounds(array: pa.Array) -> pa.Array:
    """Where in its data each text begins, and where the last one ends."""
    buffers = [None, array.buffers()[1]]
    return pa.Array.from_buffers(pa.int32(), len(array) + 1, buffers, offset=array.offset)
