"""The first bytes of a SQLite file (https://sqlite.org/fileformat2.html section 1.3)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import apsw

MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
VERSION_OFFSET = 96
SMALLEST_PAGE = 512
_FIRST_BYTES = 4096
_PAGE_SIZES = frozenset(512 << shift for shift in range(8))

# Formats that are as dense as an encrypted page but say who they are.
_DENSE_FORMATS = (
    b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"7z\xbc\xaf", b"BZh", b"Rar!",
    b"\x89PNG", b"\xff\xd8\xff", b"%PDF", b"OggS", b"ID3", b"RIFF", b"\x04\x22\x4d\x18",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the header says. ``pages`` is None when the count is not to be trusted:
    a writer older than SQLite 3.7.0 changed the file and left the count as it was."""

    page_size: int
    wal: bool
    pages: int | None

    def promised_bytes(self, file_bytes: int) -> int:
        """How long the file should be, given that it is ``file_bytes`` long.

        Without a trusted count only whole pages can be asked for."""
        pages = self.pages if self.pages is not None else -(-file_bytes // self.page_size)
        return pages * self.page_size


def first_bytes(path: Path) -> bytes:
    """The beginning of the file, at most one page of it.

    Read through SQLite's own file layer. A plain ``open`` and ``close`` would drop
    every lock that a connection of this process holds on the file: POSIX says so,
    and SQLite warns of it (https://sqlite.org/howtocorrupt.html section 2.2).
    Raises apsw.CantOpenError, apsw.IOError.
    """
    flags = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY
    file = apsw.VFSFile("", str(path), [flags, 0])
    try:
        return file.xRead(min(file.xFileSize(), _FIRST_BYTES), 0)
    finally:
        file.xClose()


def parse_header(first: bytes) -> Header | None:
    """The header, None if these are not the first bytes of a SQLite database."""
    if len(first) < HEADER_BYTES or not first.startswith(MAGIC):
        return None
    page_size = int.from_bytes(first[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    if page_size not in _PAGE_SIZES:
        return None
    pages = int.from_bytes(first[28:32], "big")
    counted = first[24:28] == first[92:96] and pages > 0
    return Header(page_size=page_size, wal=first[19] == 2, pages=pages if counted else None)


def looks_encrypted(first: bytes, file_bytes: int) -> bool:
    """Whether this may be an encrypted database: whole pages of what looks like noise.

    Noise is judged by Shannon entropy. n uniform random bytes fall short of 8 bits
    per byte by about 255 / (2 n ln 2) (Miller and Madow, 1955); text, tables and
    machine code fall short by more than a whole bit.
    """
    if file_bytes < SMALLEST_PAGE or file_bytes % SMALLEST_PAGE or first.startswith(_DENSE_FORMATS):
        return False
    shortfall = 255 / (2 * len(first) * math.log(2))
    return _entropy_bits(first) > 8 - 2 * shortfall - 0.05


def _entropy_bits(data: bytes) -> float:
    counts = Counter(data).values()
    return -sum(n / len(data) * math.log2(n / len(data)) for n in counts)
