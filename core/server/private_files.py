"""Files that not everybody may read: beside an embedded server, and with values of rows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.server.account import Account


def write_private(path: Path, text: str, *, encoding: str = "ascii") -> None:
    """Write the file whole or not at all, mode 0600. Raises OSError."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
            file.write(text)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


@contextmanager
def lent(secret: Path, account: Account | None) -> Iterator[Path]:
    """A copy of ``secret`` that only the account can read, for as long as the block lasts."""
    with tempfile.NamedTemporaryFile(dir=secret.parent, prefix=".lent-") as copy:
        copy.write(secret.read_bytes())
        copy.flush()
        if account:
            os.fchown(copy.fileno(), account.uid, account.gid)
        yield Path(copy.name).resolve()


def make_log(path: Path, account: Account | None) -> None:
    """Make the file unless it is there, mode 0600, for the account to append to."""
    handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        if account:
            os.fchown(handle, account.uid, account.gid)
    finally:
        os.close(handle)


def text_after(path: Path, mark: int) -> str:
    """What was written to the file past its first ``mark`` bytes."""
    with path.open("rb") as file:
        file.seek(mark)
        return file.read().decode(errors="replace")
