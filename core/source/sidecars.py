"""The files that SQLite keeps beside a database: ``-journal``, ``-wal`` and ``-shm``.

``-shm`` is only ever looked at from outside (``stat``): opening and closing it
would drop the locks that a connection of this process holds there.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24


def sidecar(path: Path, kind: str) -> Path:
    """The path of the sidecar ``kind`` ('wal', 'shm' or 'journal') of the database at ``path``."""
    return path.with_name(f"{path.name}-{kind}")


@dataclass(frozen=True, kw_only=True)
class Sidecars:
    """Which WAL sidecars lie beside a database. ``wal_bytes`` is 0 for none."""

    wal: bool
    shm: bool
    wal_bytes: int

    @property
    def any(self) -> bool:
        """Whether one of them is there."""
        return self.wal or self.shm

    @property
    def both(self) -> bool:
        """Whether a reader finds all it needs and makes nothing."""
        return self.wal and self.shm


def look(path: Path) -> Sidecars:
    """The WAL sidecars of ``path`` as they are now."""
    wal, shm = _bytes(sidecar(path, "wal")), _bytes(sidecar(path, "shm"))
    return Sidecars(wal=wal is not None, shm=shm is not None, wal_bytes=wal or 0)


def _bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def pages_in_wal(path: Path) -> set[int]:
    """The numbers of the pages that the WAL beside ``path`` holds; empty for no WAL.

    Frames of an older generation (other salts) do not count
    (https://sqlite.org/fileformat2.html section 4.1)."""
    pages: set[int] = set()
    try:
        with sidecar(path, "wal").open("rb") as wal:
            head = wal.read(_WAL_HEADER_BYTES)
            if len(head) < _WAL_HEADER_BYTES:
                return pages
            (page_size,) = struct.unpack(">I", head[8:12])
            while len(frame := wal.read(_FRAME_HEADER_BYTES)) == _FRAME_HEADER_BYTES:
                if frame[8:16] != head[16:24]:
                    break
                pages.add(struct.unpack(">I", frame[:4])[0])
                wal.seek(page_size, os.SEEK_CUR)
    except FileNotFoundError:
        pass
    return pages


def foreign(made: Path, database: os.stat_result) -> os.stat_result | None:
    """The status of the sidecar ``made`` if the application of ``database`` could not write it.

    Its user is not known to us; the owner of the file stands for it, and the
    group too where the file is writable by its group. SQLite gives a sidecar the
    permissions of the database, so what everyone may write stays so.
    """
    if database.st_mode & stat.S_IWOTH:
        return None
    try:
        found = made.stat()
    except OSError:
        return None
    shared = bool(database.st_mode & stat.S_IWGRP)
    another_group = shared and found.st_gid != database.st_gid
    return found if found.st_uid != database.st_uid or another_group else None


def account(uid: int, gid: int) -> str:
    """``user:group`` by name where the system knows one, else by number."""
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    return f"{user}:{group}"
