"""The snapshot: a private page copy of the source, made by SQLite's backup API.

Never ``VACUUM INTO`` (it renumbers implicit rowids) and never a copy of the file
(it misses the WAL). Two copies of an unchanged source have one SHA-256, whether
or not the WAL was checkpointed in between and whichever SQLite made them: the
backup API starts the counters of the copy anew, and what is left of us we erase.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw

from core import errors
from core.source.header import VERSION_OFFSET
from core.source.opening import BUSY_SECONDS, SourceFile, open_source
from core.source.reading import extended, reading
from core.source.sidecars import sidecar

BUILTIN_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
Progress = Callable[[int, int], None]
STEP_BYTES = 4 << 20
PAUSE_SECONDS = 0.002
RESTARTS_BEFORE_ONE_GO = 3
_CACHE_KIB = 16 << 10
_WRITE_FAILED = (apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_TRUNCATE, apsw.SQLITE_IOERR_FSYNC)


@dataclass(frozen=True, kw_only=True)
class PageCopy:
    """A copy that is whole, but perhaps not on disk yet. ``bytes`` is its size, ``taken_at``
    aware UTC."""

    path: Path
    bytes: int
    source: SourceFile
    taken_at: datetime


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A page copy. ``bytes`` is its size, ``sha256`` in hexadecimal, ``taken_at`` aware UTC."""

    path: Path
    sha256: str
    bytes: int
    page_size: int
    source: SourceFile
    taken_at: datetime


def take_snapshot(
    source: SourceFile,
    into: Path,
    *,
    on_progress: Progress | None = None,
    busy_seconds: float = BUSY_SECONDS,
) -> Snapshot:
    """Copy the live ``source`` to the new file ``into`` and wait until it is on disk."""
    copied = copy_pages(source, into, on_progress=on_progress, busy_seconds=busy_seconds)
    try:
        return seal(copied)
    except BaseException:
        discard_snapshot(into)
        raise


def copy_pages(
    source: SourceFile,
    into: Path,
    *,
    on_progress: Progress | None = None,
    busy_seconds: float = BUSY_SECONDS,
) -> PageCopy:
    """Copy the live ``source`` to the new file ``into``: mode 0600, journal mode DELETE.

    ``on_progress`` is told the bytes copied so far and the bytes in all; the first
    may fall back when a writer made the copy begin again. Locks of writers are
    waited for at most ``busy_seconds`` in all. On any error no copy remains.

    Raises what :func:`~core.source.opening.open_source` raises, SnapshotDiskFull,
    and FileExistsError when ``into`` is there already.
    """
    into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(into, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with open_source(source, busy_seconds=busy_seconds) as live:
            _refuse_small_disk(live, source, into)
            _copy(live, source, into, on_progress or tell_nobody)
            taken_at = datetime.now(UTC)
        _settle(into, source)
    except BaseException:
        discard_snapshot(into)
        raise
    return PageCopy(path=into, bytes=into.stat().st_size, source=source, taken_at=taken_at)


def seal(copied: PageCopy) -> Snapshot:
    """The copy, once it is on disk and its digest is known; the one is made while the other
    is waited for."""
    with ThreadPoolExecutor(1, thread_name_prefix="sync") as pool:
        synced = pool.submit(_sync_to_disk, copied.path)
        sha256 = _sha256(copied.path)
        synced.result()
    _sync_to_disk(copied.path.parent)
    return Snapshot(
        path=copied.path,
        sha256=sha256,
        bytes=copied.bytes,
        page_size=copied.source.page_size,
        source=copied.source,
        taken_at=copied.taken_at,
    )


def discard_snapshot(path: Path) -> None:
    """Remove a snapshot and what a crash may have left beside it; fine if there is none."""
    for file in (path, *(sidecar(path, kind) for kind in ("journal", "wal", "shm"))):
        file.unlink(missing_ok=True)


def verify_snapshot(path: Path, sha256: str, *, run: str = "?") -> None:
    """Raise SnapshotLost unless the file at ``path`` is the one whose digest was recorded."""
    try:
        found = _sha256(path)
    except OSError as error:
        raise errors.SnapshotLost(run=run, path=path) from error
    if found != sha256:
        raise errors.SnapshotLost(run=run, path=path)


def open_snapshot(path: Path, *, run: str = "?") -> apsw.Connection:
    """A connection that reads the snapshot; the caller closes it. Raises SnapshotLost.

    Its pages are read, not mapped: mapped ones count as this process's memory, and one
    that a disk does not give would end the process by a signal instead of an error.
    The schema is not trusted: only built-in functions that cannot do harm run in
    generated columns, checks and views. Those of the source's application are not
    here either way, so nothing is lost by it.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.CantOpenError as error:
        raise errors.SnapshotLost(run=run, path=path) from error
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
    connection.limit(apsw.SQLITE_LIMIT_TRIGGER_DEPTH, 10)
    connection.execute(
        "PRAGMA query_only = ON; PRAGMA cell_size_check = ON;"
        f"PRAGMA mmap_size = 0; PRAGMA cache_size = -{_CACHE_KIB}"
    ).fetchall()  # a statement after one that returns a row waits to be fetched
    return connection


def accept_collations(connection: apsw.Connection) -> None:
    """Let tables be read whose keys compare by a collation of the application's own.

    The stand-in compares bytes; it must decide no order and no equality. So such a
    key is never paged by, and the integrity check, which compares, comes before.
    SQLite asks here for its own collations as well, in a UTF-16 database: those it
    goes on to make of its UTF-8 ones, if nobody answers.
    """

    def stand_in(needed: apsw.Connection, name: str) -> None:
        if name.upper() not in BUILTIN_COLLATIONS:
            needed.create_collation(name, lambda a, b: (a > b) - (a < b))

    connection.collation_needed(stand_in)


# --- copying -------------------------------------------------------------------


def _copy(live: apsw.Connection, source: SourceFile, into: Path, tell: Progress) -> None:
    """Copy all pages, so that the copy is one state of the source.

    Writers of a WAL are not disturbed by a reader: one read transaction will do.
    With a rollback journal a reader holds writers off, so pages are copied in
    steps with pauses between them. A write in a pause makes SQLite begin again;
    after some of that, one read transaction holds the writers off to the end.
    """
    with (
        _writing(into, source),
        _new_database(into) as copy,
        copy.backup("main", live, "main") as work,
    ):
        if source.journal_mode == "delete":
            _copy_in_steps(work, source.page_size, tell)
        if not work.done:
            with live:
                live.execute("SELECT count(*) FROM sqlite_schema").fetchall()
                while not work.done:
                    _step(work, source.page_size, tell)


def tell_nobody(_copied_bytes: int, _all_bytes: int) -> None:
    """The progress that nobody asked for."""


def _copy_in_steps(work: apsw.Backup, page_size: int, tell: Progress) -> None:
    restarts, copied = 0, 0
    while restarts <= RESTARTS_BEFORE_ONE_GO:
        before, copied = copied, _step(work, page_size, tell)
        if work.done:
            return
        restarts += copied <= before
        time.sleep(PAUSE_SECONDS)


def _step(work: apsw.Backup, page_size: int, tell: Progress) -> int:
    """Copy some pages; the bytes copied since the last beginning."""
    work.step(max(1, STEP_BYTES // page_size))
    copied = (work.page_count - work.remaining) * page_size
    tell(copied, work.page_count * page_size)
    return copied


@contextmanager
def _new_database(path: Path) -> Iterator[apsw.Connection]:
    """The copy while it is ours alone: no journal, no waiting for the disk."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").fetchall()
        yield connection
    finally:
        connection.close()


def _settle(copy: Path, source: SourceFile) -> None:
    """A copy of a WAL database says that it is one, and every reader would make sidecars."""
    with reading(source.path), _writing(copy, source):
        connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE").fetchall()
        finally:
            connection.close()
    _forget_library(copy)


def _forget_library(copy: Path) -> None:
    """The header names the version of the library that wrote last: here ours, not the source's.

    Nobody reads it, and with it the digest of one source would change with each apsw.
    """
    with copy.open("r+b") as file:
        file.seek(VERSION_OFFSET)
        file.write(bytes(4))


def _sync_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- room on the disk ----------------------------------------------------------


def _refuse_small_disk(live: apsw.Connection, source: SourceFile, into: Path) -> None:
    needed = int(live.pragma("page_count")) * source.page_size
    free = shutil.disk_usage(into.parent).free
    if needed > free:
        raise errors.SnapshotDiskFull(path=into, needed_bytes=needed, free_bytes=free)


@contextmanager
def _writing(copy: Path, source: SourceFile) -> Iterator[None]:
    """A write that fails is the copy's: the source is open for reading. Quotas count as full."""
    try:
        yield
    except (apsw.FullError, apsw.IOError) as error:
        if isinstance(error, apsw.IOError) and extended(error) not in _WRITE_FAILED:
            raise
        needed, free = source.bytes + source.wal_bytes, shutil.disk_usage(copy.parent).free
        raise errors.SnapshotDiskFull(path=copy, needed_bytes=needed, free_bytes=free) from error
