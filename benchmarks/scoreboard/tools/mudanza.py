"""Mudanza: the command as people run it, without a plan, and its own JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scoreboard.comparer import Listed, Listing
from benchmarks.scoreboard.tools.address import Address
from benchmarks.scoreboard.tools.process import KILLED, Ended, run
from benchmarks.scoreboard.tools.tool import Told

COMMAND = "mudanza migrate --json SOURCE --target URL"
LIMIT = 120.0
_PROGRAM = (sys.executable, "-m", "core.cli.main")


def carry(source: Path, target: Address, folder: Path) -> Told:
    """Migrate, then ask for what was set aside and, where columns were renamed, for the plan."""
    where = [str(source), "--target", target.plain]
    ended = _asked(["migrate", "--json", *where], target, folder)
    said = _document(ended)
    if ended.code == KILLED or "tables" not in said:
        error = said.get("error", {}).get("id", "no document")
        return Told(
            listing=Listing(exit_code=ended.code, refused=error if ended.code > 0 else ""),
            seconds=ended.seconds,
            note=f"refused: {error}" if ended.code > 0 else "killed: no end",
        )
    objects = tuple(_objects(said["objects"]))
    listing = Listing(
        exit_code=ended.code,
        objects=objects,
        rejected=_rejected(said, where, target, folder),
        tables={t["name"]: t["target"] for t in said["tables"]},
        columns=_columns(objects, where, target, folder),
    )
    return Told(listing=listing, seconds=ended.seconds)


def _asked(words: list[str], target: Address, folder: Path) -> Ended:
    environment = {
        "PGPASSWORD": target.password,
        "MUDANZA_HOME": str(folder),
        "MUDANZA_LANG": "en",
        "MUDANZA_FAIL": "",
    }
    return run([*_PROGRAM, *words], environment, LIMIT)


def _document(ended: Ended) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(ended.out)
    except ValueError:
        return {}
    return found


def _objects(said: dict[str, Any]) -> Iterator[Listed]:
    for fate in ("rewritten", "not_carried"):
        for each in said[fate]:
            yield Listed(
                kind=each["kind"],
                name=each["name"],
                table=each["table"],
                reason=each["reason"],
                rewritten=fate == "rewritten",
            )


def _rejected(
    said: dict[str, Any], where: list[str], target: Address, folder: Path
) -> dict[str, tuple[str, ...]]:
    if not any(t["rows_quarantined"] for t in said["tables"]):
        return {}
    listed = _asked(["quarantine", "list", "--json", "--limit", "1000000", *where], target, folder)
    found: dict[str, tuple[str, ...]] = {}
    for row in _document(listed).get("quarantine", ()):
        found[row["table"]] = (*found.get(row["table"], ()), row["key"])
    return found


def _columns(
    objects: tuple[Listed, ...], where: list[str], target: Address, folder: Path
) -> dict[tuple[str, str], str]:
    if not any(o.kind == "column" and o.reason == "renamed" for o in objects):
        return {}
    plan = _document(_asked(["plan", "--json", where[0]], target, folder))
    return {
        (table["name"], column["name"]): column["target"]
        for table in plan.get("tables", ())
        for column in table["columns"]
    }
