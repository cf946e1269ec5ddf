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
        offsets = _offsets(array)
        data = array.buffers()[2]
        octets = b"" if data is None else data[_first(array) :][: offsets[-1].as_py()].to_pybytes()
        if not octets.isascii():
            try:
                array.validate(full=True)
            except pa.ArrowInvalid:
                return None
        return cls(array, octets, offsets)

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


def _offsets(array: pa.Array) -> pa.Array:
    """Where each text begins, counted from the first one: an array may be a slice."""
    buffers = [None, array.buffers()[1]]
    offsets = pa.Array.from_buffers(pa.int32(), len(array) + 1, buffers, offset=array.offset)
    return pc.subtract(offsets, offsets[0]) if array.offset or offsets[0].as_py() else offsets


def _first(array: pa.Array) -> int:
    buffers = [None, array.buffers()[1]]
    first: int = pa.Array.from_buffers(pa.int32(), 1, buffers, offset=array.offset)[0].as_py()
    return first
