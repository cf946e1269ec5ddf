"""Numbers whose last digits may differ: sums of REALs, and what SQLite makes of decimals.

They count as equal if they agree to twelve significant digits. Rounded to so many, two
close numbers mostly are one; where a boundary lies between them, the rows are laid side
by side.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from decimal import Context

from core.plan import ViewColumn
from core.transfer.convert import split_tuple
from core.values import numeric, types
from core.values.canonical import Canonical

DIGITS = 12
_CONTEXT = Context(prec=DIGITS)
_TOLERANCE = 1.5 * 10.0 ** (1 - DIGITS)
"""One unit of the last digit: what lies between two numbers on both sides of a boundary."""
_DOUBLE = struct.Struct("!d")


def forms(columns: Sequence[ViewColumn]) -> Mapping[int, Canonical]:
    """What makes the values of these columns one where they count as equal: nought without a
    sign, rough numbers rounded."""
    made: dict[int, Canonical] = {}
    for place, column in enumerate(columns):
        if column.type.name == types.DOUBLE:
            made[place] = _rounded_double if column.is_rough else _unsigned
        elif column.is_rough and column.type.name == types.NUMERIC:
            made[place] = _rounded_numeric
    return made


def _unsigned(wire: bytes) -> bytes:
    return _DOUBLE.pack(_DOUBLE.unpack(wire)[0] + 0.0)


def _rounded_double(wire: bytes) -> bytes:
    return _DOUBLE.pack(float(f"{_DOUBLE.unpack(wire)[0]:.{DIGITS}g}") + 0.0)


def _rounded_numeric(wire: bytes) -> bytes:
    number = numeric.decode(wire)
    return numeric.encode(_CONTEXT.plus(number), None) if number.is_finite() else wire


class RoughRows:
    """Rows, some columns of which hold rough numbers; all others must be the same."""

    def __init__(self, columns: Sequence[ViewColumn]) -> None:
        self._rough = [i for i, column in enumerate(columns) if column.is_rough]
        self._doubles = {i for i in self._rough if columns[i].type.name == types.DOUBLE}
        self.exact = [i for i, column in enumerate(columns) if not column.is_rough]

    def left(self, ours: list[bytes], theirs: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        """The rows without a counterpart, of rows that are the same in all other columns."""
        mine, other = sorted(ours, key=self._numbers), sorted(theirs, key=self._numbers)
        pairs = [] if len(mine) != len(other) else list(zip(mine, other, strict=True))
        apart = [pair for pair in pairs if not self._are_close(*pair)]
        if not pairs:
            return ours, theirs
        return [pair[0] for pair in apart], [pair[1] for pair in apart]

    def _are_close(self, mine: bytes, other: bytes) -> bool:
        return all(
            ours == theirs
            or (ours[0] and theirs[0] and math.isclose(ours[1], theirs[1], rel_tol=_TOLERANCE))
            for ours, theirs in zip(self._numbers(mine), self._numbers(other), strict=True)
        )

    def _numbers(self, row: bytes) -> list[tuple[bool, float]]:
        """The rough numbers of a row; NULL is none, and sorts first."""
        fields, _ = split_tuple(row)
        return [self._number(place, fields[place]) for place in self._rough]

    def _number(self, place: int, wire: bytes | None) -> tuple[bool, float]:
        if wire is None:
            return False, 0.0
        if place in self._doubles:
            return True, _DOUBLE.unpack(wire)[0]
        return True, float(numeric.decode(wire))
