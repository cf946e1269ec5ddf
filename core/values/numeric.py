"""Decimals in PostgreSQL's binary form.

The form (``numeric_send`` in the server's source): four 16-bit numbers (count of
base-10000 digits, weight of the first, sign, display scale), then the digits.
"""

from __future__ import annotations

import struct
from decimal import Decimal

_HEAD = struct.Struct("!hhHh")
_POSITIVE, _NEGATIVE = 0x0000, 0x4000
_INFINITY, _MINUS_INFINITY = 0xD000, 0xF000
_SCALE_MAX = 16_383


def encode(value: Decimal, scale: int | None = None) -> bytes:
    """The wire form of ``value``; ``scale`` is the display scale of numeric(p,s)."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return _HEAD.pack(0, 0, _MINUS_INFINITY if sign else _INFINITY, 0)
    coefficient = int("".join(map(str, digits)))
    fraction = max(0, -exponent)
    coefficient *= 10 ** max(0, exponent)
    padding = -fraction % 4
    groups = _groups(coefficient * 10**padding)
    weight = len(groups) - (fraction + padding) // 4 - 1
    while groups and groups[-1] == 0:
        groups.pop()
    if not groups:
        weight, sign = 0, 0
    head = _HEAD.pack(
        len(groups), weight, _NEGATIVE if sign else _POSITIVE, fraction if scale is None else scale
    )
    return head + struct.pack(f"!{len(groups)}H", *groups)


def decode(wire: bytes) -> Decimal:
    """The decimal of a wire form, with its display scale, or what it needs without one."""
    count, weight, sign, scale = _HEAD.unpack_from(wire)
    if sign in (_INFINITY, _MINUS_INFINITY):
        return Decimal("Infinity" if sign == _INFINITY else "-Infinity")
    groups = struct.unpack_from(f"!{count}H", wire, _HEAD.size)
    coefficient = 0
    for group in groups:
        coefficient = coefficient * 10_000 + group
    exponent = 4 * (weight - count + 1)
    digits = Decimal((sign == _NEGATIVE, tuple(map(int, str(coefficient))), exponent))
    return _at_scale(digits, max(scale, digits_of(digits)[1]))


def without_scale(wire: bytes) -> bytes:
    """The wire form with its display scale zeroed: equal for equal values."""
    return wire[:6] + b"\x00\x00" + wire[8:]


def digits_of(value: Decimal) -> tuple[int, int]:
    """Digits before the point and after it that ``value`` needs (finite values)."""
    if value == 0:
        return 0, 0
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    written = "".join(map(str, digits)).lstrip("0")
    significant = written.rstrip("0")
    exponent += len(written) - len(significant)
    return max(0, len(significant) + exponent), max(0, -exponent)


def fits_scale(value: Decimal) -> bool:
    """Whether PostgreSQL can display ``value`` in full."""
    return not value.is_finite() or digits_of(value)[1] <= _SCALE_MAX


def _groups(coefficient: int) -> list[int]:
    text = str(coefficient)
    text = text.zfill(-(-len(text) // 4) * 4)
    groups = [int(text[i : i + 4]) for i in range(0, len(text), 4)]
    while groups and groups[0] == 0:
        groups.pop(0)
    return groups


def _at_scale(value: Decimal, scale: int) -> Decimal:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    coefficient = int("".join(map(str, digits)))
    shift = exponent + scale
    coefficient = coefficient * 10**shift if shift >= 0 else coefficient // 10**-shift
    return Decimal((sign, tuple(map(int, str(coefficient))), -scale))
