"""Which source and which target a command means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from core.cli.speaking import SETTINGS, tell
from core.errors import RunUnknown, WrongUsage
from core.server.connection import SCHEMES, Target, connect, parse_target, translated
from core.server.embedded import Cluster, embedded_cluster
from core.source import SourceFile, inspect, resolve
from core.transfer.ledger import Ledger
from core.transfer.model import Run, Way

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


def chosen_way() -> Way:
    """The path that the environment chose for rows. Raises WrongUsage."""
    try:
        return Way(SETTINGS.path)
    except ValueError:
        detail = f"MUDANZA_PATH={SETTINGS.path} ({', '.join(Way)})"
        raise WrongUsage(detail=detail) from None


@contextmanager
def ledger_of(source: str | None, address: str | None) -> Iterator[tuple[Ledger, Target]]:
    """The ledger of the target that a command names, or that its source's name stands for."""
    if source is None and address is None:
        raise WrongUsage(detail=tell("usage.source_or_target"))
    file = source_file(source) if source is not None else None
    target = target_place(address, file, create=False).target
    with connect(target, autocommit=True) as connection, translated(target):
        ledger = Ledger(connection)
        ledger.require(target.shown)
        yield ledger, target


def run_of(ledger: Ledger, target: Target, run: UUID | None, schema: str) -> Run:
    """The run that a command names, or the one that counts for a schema. Raises RunUnknown."""
    chosen = ledger.run(run) if run else ledger.live_run(schema)
    if chosen is None:
        raise RunUnknown(run=schema, target=target.shown)
    return chosen


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
