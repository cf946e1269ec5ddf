"""What this machine has for Mudanza, and what it lacks."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
from rich.markup import escape

from core import __version__
from core.cli.speaking import out, tell
from core.errors import MudanzaError
from core.server.binaries import Binaries, discover
from core.server.embedded import embedded_cluster
from core.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """Versions, PostgreSQL binaries in the order they are preferred, the embedded
    server's folder and whether it runs, and sentences about what is missing."""

    home: Path
    binaries: tuple[Binaries, ...]
    server_folder: Path | None
    server_running: bool
    missing: tuple[str, ...]


def examine(settings: Settings) -> Checkup:
    """Look, and start nothing."""
    binaries: tuple[Binaries, ...] = ()
    missing: list[str] = []
    folder: Path | None = None
    running = False
    try:
        binaries = discover(settings.pg_bindir)
        cluster = embedded_cluster(settings)
        folder, running = cluster.folder, cluster.is_running()
    except MudanzaError as refused:
        said = tell(refused.sentence_id, **refused.facts)
        missing.append(f"{said} {tell(refused.remedy_id, **refused.facts)}")
    if not _writable(settings.home):
        missing.append(str(settings.home))
    return Checkup(
        home=settings.home,
        binaries=binaries,
        server_folder=folder,
        server_running=running,
        missing=tuple(missing),
    )


def _writable(folder: Path) -> bool:
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    return os.access(existing, os.W_OK)


def document(report: Checkup) -> dict[str, Any]:
    """The checkup for programs."""
    return {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "apsw": apsw.apsw_version(),
        "home": str(report.home),
        "postgres": [
            {"version": b.version, "origin": b.origin, "folder": str(b.folder)}
            for b in report.binaries
        ],
        "server": {
            "folder": str(report.server_folder) if report.server_folder else None,
            "running": report.server_running,
        },
        "missing": list(report.missing),
    }


def show(report: Checkup) -> None:
    """The checkup for people."""
    _line("Mudanza", __version__)
    _line(tell("doctor.python"), platform.python_version())
    _line(tell("doctor.sqlite"), apsw.sqlite_lib_version())
    _line(tell("doctor.home"), str(report.home))
    for place, binaries in enumerate(report.binaries):
        use = tell("doctor.also" if place else "doctor.in_use")
        origin = tell(f"doctor.origin.{binaries.origin}")
        _line(tell("doctor.postgres"), f"{binaries.version} ({origin}, {use}) {binaries.folder}")
    if report.server_folder is not None:
        state = "doctor.running" if report.server_running else "doctor.stopped"
        _line(tell("doctor.server"), tell(state, folder=report.server_folder))
    for what in report.missing:
        out.print(f"[bold red]✗[/] {escape(tell('doctor.missing', what=what))}", highlight=False)


def _line(name: str, value: str) -> None:
    out.print(f"[green]✓[/] [bold]{escape(name)}[/] {escape(value)}", highlight=False)
