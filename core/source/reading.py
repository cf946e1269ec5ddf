"""The one place where apsw's errors become ours.

Every read of a SQLite file, live or copied, runs inside :func:`reading`; so a
bad page or a lock reaches the caller as a ``Source*`` error that names the
file, and an error of apsw that does get through is a defect of Mudanza.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from core import errors

_SCHEMA_DAMAGED = re.compile(r"malformed database schema|unsupported file format")
# An object of the file asks for something that only its own application brings.
_SCHEMA_NEEDS = re.compile(
    r"(no such|unknown) (function|module|collation sequence)|unsafe use of|no query solution"
    r"|generated column loop"
)
_BUSY = (apsw.BusyError, apsw.LockedError, apsw.ProtocolError)
_UNREADABLE = (
    apsw.CantOpenError,
    apsw.IOError,
    apsw.PermissionsError,
    apsw.ReadOnlyError,
    apsw.AuthError,
    apsw.FullError,
    apsw.NoLFSError,
)
_DAMAGE_SEEN_BY_READS = (
    apsw.SQLITE_IOERR_SHORT_READ,
    apsw.SQLITE_IOERR_CORRUPTFS,
    apsw.SQLITE_IOERR_DATA,
)


@contextmanager
def reading(path: Path, *, busy_seconds: float = 0.0) -> Iterator[None]:
    """Turn what apsw raises while reading ``path`` into ``errors.Source*``.

    ``busy_seconds`` is how long a lock was waited for, told by SourceBusy. What
    has no counterpart (a mistake in our SQL, no memory) passes unchanged.
    """
    try:
        yield
    except apsw.Error as error:
        ours = translate(error, path, busy_seconds)
        if ours is None:
            raise
        raise ours from error


def translate(error: apsw.Error, path: Path, busy_seconds: float) -> errors.MudanzaError | None:
    """The error of ours that says what ``error`` means for a reader, None if there is none."""
    detail = str(error)
    match error:
        case apsw.CorruptError() | apsw.TooBigError():
            damaged = _SCHEMA_DAMAGED.search(detail) is not None
            kind = errors.SourceSchemaUnreadable if damaged else errors.SourceCorrupt
            return kind(path=path, detail=detail)
        case apsw.NotADBError():
            return errors.SourceNotSqlite(path=path)
        case apsw.SQLError():
            known = _SCHEMA_DAMAGED.search(detail) or _SCHEMA_NEEDS.search(detail)
            return errors.SourceSchemaUnreadable(path=path, detail=detail) if known else None
    if isinstance(error, _BUSY):
        return errors.SourceBusy(path=path, seconds=busy_seconds)
    return _refused_by_the_system(error, path, detail) if isinstance(error, _UNREADABLE) else None


def extended(error: apsw.Error) -> int:
    """SQLite's extended result code; 0 for an error that apsw raised by itself."""
    return int(getattr(error, "extendedresult", 0))


def _refused_by_the_system(error: apsw.Error, path: Path, detail: str) -> errors.MudanzaError:
    if extended(error) == apsw.SQLITE_READONLY_ROLLBACK:
        return errors.SourceHotJournal(path=path)
    if extended(error) in _DAMAGE_SEEN_BY_READS:
        return errors.SourceCorrupt(path=path, detail=detail)
    if not path.exists():
        return errors.SourceMissing(path=path)
    return errors.SourceUnreadable(path=path, detail=detail)
