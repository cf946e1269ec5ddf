"""Numbers of a whole batch: which of them doubles or decimals hold, and how.

The answers are those of :func:`core.values.exact.exact_in_double` and
:func:`core.values.numeric.digits_of`, value by value.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from core.census.texts import count_true

# Each decimal of so many digits has a double of its own, so that one which names a
# double is its shortest spelling.
_DIGITS = pa.scalar(10.0**15)
# As long as a power of ten is a double itself.
_POWERS = tuple(pa.scalar(10.0**power) for power in range(23))
_HALF, _NOUGHT, _TOO_LARGE = pa.scalar(0.5), pa.scalar(0.0), pa.scalar(2.0**63)


def inexact(integers: pa.Array) -> int:
    """How many of the integers no double holds."""
    doubles = integers.cast(pa.float64(), safe=False)
    # Rounded up, the largest become a double that is no 64-bit integer any more.
    fitting = pc.if_else(pc.less(doubles, _TOO_LARGE), doubles, _NOUGHT)
    return count_true(pc.not_equal(fitting.cast(pa.int64(), safe=False), integers))


def scale_of(reals: pa.Array) -> tuple[int, pa.Array]:
    """Digits after the point that the finite ``reals`` need, and those not looked at.

    A real needs at most k digits when n / 10**k is it, for an n of at most 15 digits:
    n and 10**k are doubles, and a division of doubles is rounded correctly.
    """
    scale, undecided = 0, [reals[:0]]
    for power, shift in enumerate(_POWERS):
        whole = pc.floor(pc.add(pc.multiply(reals, shift), _HALF))
        short = pc.less(pc.abs(whole), _DIGITS)
        undecided.append(reals.filter(pc.invert(short)))
        found = pc.and_(short, pc.equal(pc.divide(whole, shift), reals))
        scale = power if count_true(found) else scale
        reals = reals.filter(pc.and_not(short, found))
        if not len(reals):
            break
    return scale, pa.concat_arrays([*undecided, reals])
