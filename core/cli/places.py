"""Which source and which target a command means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from core.cli.speaking import SETTINGS, tell
from core.errors import WrongUsage
from core.server.connection import SCHEMES, Target, parse_target
from core.server.embedded import Cluster, embedded_cluster
from core.source import SourceFile, inspect, resolve

_NAME_BYTES_MAX = 63


@dataclass(frozen=True, kw_only=True)
class Place:
    """A target, and the embedded server it lives in, if it does."""

    target: Target
    cluster: Cluster | None = None
    database: str = ""


def source_file(text: str) -> SourceFile:
    """The source a command names. Raises the SourceRefused errors, and WrongUsage for
    the address of a server, which may hold a password."""
    if text.startswith(SCHEMES):
        raise WrongUsage(detail=tell("usage.target_as_source"))
    return inspect(resolve(text))


def target_place(address: str | None, source: SourceFile | None, *, create: bool) -> Place:
    """The target a command names; without an address the embedded server's database
    that is named after the source file."""
    if address is not None:
        return Place(target=parse_target(address))
    return embedded_place(database_name(source.path) if source else "postgres", create=create)


def embedded_place(database: str, *, create: bool) -> Place:
    """A database of the embedded server, which is started if it does not run."""
    cluster = embedded_cluster(SETTINGS)
    cluster.start()
    if create:
        cluster.ensure_database(database)
    return Place(target=parse_target(cluster.url(database)), cluster=cluster, database=database)


def database_name(path: Path) -> str:
    """A database name made of a file's name: what is plain in it, in lower case."""
    plain = re.sub(r"[^a-z0-9_]+", "_", path.stem.lower()).strip("_") or "source"
    return plain.encode()[:_NAME_BYTES_MAX].decode(errors="ignore")
