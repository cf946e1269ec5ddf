"""Handing over to psql."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from psycopg import conninfo

from core.cli.places import Place
from core.cli.speaking import SETTINGS
from core.errors import ServerBinariesMissing
from core.server.binaries import discover


def open_psql(place: Place, arguments: Sequence[str]) -> NoReturn:
    """Become psql, connected to ``place``.

    The password goes by the environment: a command line can be read by others.
    """
    words = {k: str(v) for k, v in conninfo.conninfo_to_dict(place.target.conninfo).items()}
    environment = dict(os.environ)
    if password := words.pop("password", None):
        environment["PGPASSWORD"] = password
    address = conninfo.make_conninfo(**words)
    program = _psql()
    os.execve(program, [str(program), address, *arguments], environment)  # noqa: S606  # no shell


def _psql() -> Path:
    for binaries in discover(SETTINGS.pg_bindir):
        if binaries.tool("psql").exists():
            return binaries.tool("psql")
    found = shutil.which("psql")
    if found is None:
        raise ServerBinariesMissing(searched="psql")
    return Path(found)
