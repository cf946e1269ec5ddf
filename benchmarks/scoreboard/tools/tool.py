"""What every tool is to the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.scoreboard.comparer import Listing
from benchmarks.scoreboard.tools.address import Address


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a tool did and said. ``note``: one line for the board, '' for nothing special."""

    listing: Listing
    seconds: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool: ``carry`` brings a SQLite file into an empty database, with a folder of its
    own to work in. ``command`` is what a person would type."""

    name: str
    version: str
    command: str
    carry: Callable[[Path, Address, Path], Told]
