"""Who runs the embedded server, and where that account can go."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from core.errors import ServerAccountMissing

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, kw_only=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The account to run PostgreSQL as; None for the invoking user's own.

    PostgreSQL refuses to run as root, so root lends it an account that exists.
    Raises ServerAccountMissing when root finds none.
    """
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ServerAccountMissing(tried=", ".join(CANDIDATES))


def own_name() -> str:
    """The invoking user's name, or the number of a user without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def blocked_at(path: Path, account: Account | None) -> Path | None:
    """The first step on the way to ``path`` that stops ``account``, or None.

    Every folder above the path must grant it passage (the x bit), and so must
    the path itself if it exists. What does not exist yet stops nobody: we make
    it. Access lists beyond the mode bits are not looked at.
    """
    if account is None:
        return None
    resolved = path.resolve()
    steps = [*reversed(resolved.parents), resolved]
    return next((s for s in steps if s.exists() and not _may_pass(s.stat(), account)), None)


def _may_pass(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
