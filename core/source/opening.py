"""Opening a SQLite database that belongs to somebody else, without leaving a trace.

:func:`inspect` looks from outside: no lock is taken and nothing is made.
:func:`open_source` then opens the live file for reading and finds what only
SQLite can know while it holds a lock: a writer, a hot journal, missing pages.

What an opening must not leave behind was measured with SQLite 3.54:

====================  ===========  ==================================================
what lies there       we open      because
====================  ===========  ==================================================
rollback journal      read only    nothing is made. A *hot* journal is refused:
                                   rolling it back would write to the source, and only
                                   its application may decide that.
WAL, -wal and -shm    read only    nothing is made; both stay, as a reader finds them.
WAL, neither of them  read/write,  a read-only connection makes both and leaves them;
                      query_only   a read/write one removes them when it closes, and
                                   with no frames the file itself stays as it was.
WAL, one of them      exclusive    the index lives in our memory, no -shm is made, no
                                   checkpoint is run at the end; -wal stays as it was.
====================  ===========  ==================================================

SQLite running as root gives the sidecars it makes to the owner of the database.
Anyone else makes them his own, and then the application cannot write: refused.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import unquote

import apsw

from core import errors
from core.source import sidecars
from core.source.header import (
    MAGIC,
    SMALLEST_PAGE,
    Header,
    first_bytes,
    looks_encrypted,
    parse_header,
)
from core.source.reading import reading

BUSY_SECONDS = 30.0
_POLL_SECONDS = 0.001
_URL = re.compile(r"sqlite(?:\+\w+)?://(?:/(?P<path>[^?]*))?(?:\?.*)?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A SQLite database file as :func:`inspect` found it.

    ``path`` is absolute and free of symbolic links. ``bytes`` is the size of the
    main file and ``wal_bytes`` that of its ``-wal`` (0 for none). ``owner`` and
    ``group`` are numeric ids. ``device`` and ``inode`` tell this file from
    another one that takes its place.
    """

    path: Path
    bytes: int
    wal_bytes: int
    device: int
    inode: int
    journal_mode: Literal["wal", "delete"]
    page_size: int
    owner: int
    group: int


def resolve(text: str) -> Path:
    """The path that ``text`` means: a path, or a URL as SQLAlchemy writes it.

    ``sqlite:///rel.db`` is relative, ``sqlite:////abs.db`` absolute; ``%20`` is a
    space; a query is dropped. ``file:`` and ``:memory:`` have no special meaning.
    Raises SourcePathEmpty.
    """
    url = _URL.fullmatch(text)
    name = unquote(url["path"] or "") if url else text
    if not name:
        raise errors.SourcePathEmpty
    return Path(name)


def inspect(path: Path) -> SourceFile:
    """Look at the file without opening a database connection.

    Raises the Source errors Missing, IsDirectory, NotRegularFile,
    Unreadable, EmptyFile, NotSqlite, Encrypted, ForeignWal, and Truncated for a
    file shorter than any database.
    """
    real, status = _regular_file(path)
    header = _header(real, status.st_size)
    beside = sidecars.look(real)
    source = SourceFile(
        path=real,
        bytes=status.st_size,
        wal_bytes=beside.wal_bytes,
        device=status.st_dev,
        inode=status.st_ino,
        journal_mode="wal" if header.wal else "delete",
        page_size=header.page_size,
        owner=status.st_uid,
        group=status.st_gid,
    )
    if _uses_wal(source, beside) and not beside.both:
        _refuse_stranger(source)
    return source


@contextmanager
def open_source(
    source: SourceFile, *, busy_seconds: float = BUSY_SECONDS
) -> Iterator[apsw.Connection]:
    """The live file, to be read; closed at the end, and then nothing of ours is left beside it.

    Locks are waited for at most ``busy_seconds`` in all. What the block
    raises from apsw is translated too. Raises the Source errors Busy, HotJournal,
    Truncated, Corrupt, SchemaUnreadable, ForeignWal, Unreadable, Missing.
    """
    with reading(source.path, busy_seconds=busy_seconds):
        beside = sidecars.look(source.path)
        connection = _connect(source, beside)
        try:
            connection.set_busy_handler(_patience(busy_seconds))
            _prepare(connection)
            _first_read(connection, source, beside)
            yield connection
        finally:
            connection.close()


# --- from outside --------------------------------------------------------------


def _regular_file(path: Path) -> tuple[Path, os.stat_result]:
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise errors.SourceMissing(path=path) from None
    except (OSError, RuntimeError, ValueError) as error:  # no access, a loop of links, a NUL
        raise errors.SourceUnreadable(path=path, detail=_reason(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise errors.SourceIsDirectory(path=path)
    if not stat.S_ISREG(status.st_mode):
        raise errors.SourceNotRegularFile(path=path, kind=_kind(status.st_mode))
    if not os.access(real, os.R_OK, effective_ids=True):
        raise errors.SourceUnreadable(path=path, detail=os.strerror(errno.EACCES))
    return real, status


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "FIFO"
    return "socket" if stat.S_ISSOCK(mode) else "device"


def _header(path: Path, file_bytes: int) -> Header:
    if file_bytes == 0:
        raise errors.SourceEmptyFile(path=path)
    try:
        with reading(path):
            first = first_bytes(path)
    except UnicodeEncodeError as error:  # a name that is not UTF-8, which SQLite's API cannot take
        raise errors.SourceUnreadable(path=path, detail=str(error)) from error
    header = parse_header(first)
    if header is not None:
        return header
    if first.startswith(MAGIC) and file_bytes < SMALLEST_PAGE:
        raise errors.SourceTruncated(
            path=path, expected_bytes=SMALLEST_PAGE, found_bytes=file_bytes
        )
    if not first.startswith(MAGIC) and looks_encrypted(first, file_bytes):
        raise errors.SourceEncrypted(path=path)
    raise errors.SourceNotSqlite(path=path)


def _uses_wal(source: SourceFile, beside: sidecars.Sidecars) -> bool:
    """SQLite reads a ``-wal`` that lies there, whatever the header says."""
    return source.journal_mode == "wal" or beside.wal


def _refuse_stranger(source: SourceFile) -> None:
    everyone_may_write = bool(_status(source).st_mode & stat.S_IWOTH)
    if os.geteuid() not in (0, source.owner) and not everyone_may_write:
        raise errors.SourceForeignWal(
            path=source.path,
            owner=sidecars.account(source.owner, source.group),
            user=sidecars.account(os.geteuid(), os.getegid()),
        )


# --- with a connection ---------------------------------------------------------


def _connect(source: SourceFile, beside: sidecars.Sidecars) -> apsw.Connection:
    name = str(source.path)
    if not _uses_wal(source, beside) or beside.both:
        return apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY)
    _refuse_stranger(source)
    connection = apsw.Connection(name, flags=apsw.SQLITE_OPEN_READWRITE)
    if connection.readonly("main"):  # then it could not clear away what it makes
        connection.close()
        read_only_disk = os.statvfs(name).f_flag & os.ST_RDONLY
        reason = os.strerror(errno.EROFS if read_only_disk else errno.EACCES)
        raise errors.SourceUnreadable(path=source.path, detail=reason)
    if beside.any:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _patience(seconds: float) -> Callable[[int], bool]:
    """Ask again every millisecond, for ``seconds`` in all.

    SQLite's own handler sleeps up to 100 ms between two tries. Between commits of
    a busy writer the file is free for less than that, so it meets one by luck.
    """
    waited = 0.0

    def ask_again(_tries: int) -> bool:
        nonlocal waited
        began = time.monotonic()
        time.sleep(_POLL_SECONDS)
        waited += time.monotonic() - began
        return waited < seconds

    return ask_again


def _prepare(connection: apsw.Connection) -> None:
    """Trust nothing that the file says: neither its cells nor its schema."""
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.execute("PRAGMA query_only = ON; PRAGMA cell_size_check = ON")


def _first_read(connection: apsw.Connection, source: SourceFile, beside: sidecars.Sidecars) -> None:
    """Take the read lock once, and look at everything that holds still only under it."""
    try:
        with connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            _refuse_replaced(source)
            _refuse_sidecars(source, beside)
            _refuse_missing_pages(connection, source)
    except apsw.CorruptError:
        _refuse_short_file(source)
        raise


def _status(source: SourceFile) -> os.stat_result:
    try:
        return source.path.stat()
    except FileNotFoundError:
        raise errors.SourceMissing(path=source.path) from None


def _refuse_replaced(source: SourceFile) -> None:
    now = _status(source)
    if (now.st_dev, now.st_ino) != (source.device, source.inode):
        raise errors.SourceUnreadable(path=source.path, detail=os.strerror(errno.ESTALE))


def _refuse_sidecars(source: SourceFile, beside: sidecars.Sidecars) -> None:
    """What SQLite has just made must be the application's to write.

    The rules above foretell it; this looks: root without the capability to give
    files away, or a primary group that the application is not in.
    """
    database = _status(source)
    made = [kind for kind, was in (("wal", beside.wal), ("shm", beside.shm)) if not was]
    for kind in made:
        found = sidecars.foreign(sidecars.sidecar(source.path, kind), database)
        if found is not None:
            raise errors.SourceForeignWal(
                path=source.path,
                owner=sidecars.account(source.owner, source.group),
                user=sidecars.account(found.st_uid, found.st_gid),
            )


def _refuse_missing_pages(connection: apsw.Connection, source: SourceFile) -> None:
    """SQLite reads what lies past the end of the file as zeros: the last page may be cut unseen.

    Under the read lock nobody writes to the main file, except a checkpoint of WAL
    frames, and pages that the WAL holds are not missing.
    """
    pages, found = int(connection.pragma("page_count")), _status(source).st_size
    if found < pages * source.page_size:
        lacking = range(found // source.page_size + 1, pages + 1)
        if not sidecars.pages_in_wal(source.path).issuperset(lacking):
            _truncated(source, pages * source.page_size, found)


def _refuse_short_file(source: SourceFile) -> None:
    """SQLite says that something is wrong; whether it is the length we can tell."""
    found = _status(source).st_size
    header = parse_header(first_bytes(source.path))
    if header and header.promised_bytes(found) > found:
        _truncated(source, header.promised_bytes(found), found)


def _truncated(source: SourceFile, expected: int, found: int) -> NoReturn:
    raise errors.SourceTruncated(path=source.path, expected_bytes=expected, found_bytes=found)
