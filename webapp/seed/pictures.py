"""Pictures of things that nobody has seen: small PNGs, bands of two colours that meet."""

from __future__ import annotations

import colorsys
import struct
import zlib
from functools import cache

WIDTH, HEIGHT = 160, 120
KINDS = 24
"""How many different ones there are."""

MEDIA_TYPE = "image/png"


@cache
def picture(kind: int) -> bytes:
    """A whole PNG file; ``kind`` from 0 to KINDS - 1."""
    header = struct.pack(">2I5B", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    lines = b"".join(b"\0" + _line(kind, y) for y in range(HEIGHT))
    parts = (
        (b"IHDR", header),
        (b"PLTE", _palette(kind)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _palette(kind: int) -> bytes:
    hue = kind / KINDS
    pairs = [(hue, 0.30, 0.94), (hue, 0.45, 0.85), (hue + 0.1, 0.55, 0.75), (hue + 0.1, 0.6, 0.6)]
    return bytes(round(c * 255) for pair in pairs for c in colorsys.hsv_to_rgb(*pair))


def _line(kind: int, y: int) -> bytes:
    step = 12 + kind % 5 * 4
    return bytes(((x + y * (kind % 3)) // step + (x * x + y * y) // 6000) % 4 for x in range(WIDTH))


def _chunk(name: bytes, data: bytes) -> bytes:
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)
