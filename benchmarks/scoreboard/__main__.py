"""``make scoreboard``: every database through every tool, judged, and written down.

``python -m benchmarks.scoreboard --sections cases,unseen --tools mudanza --out FILE``
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from benchmarks.process import REPOSITORY
from benchmarks.scoreboard import board, report, roster
from benchmarks.scoreboard.tools.tools import installed

FOLDER = REPOSITORY / ".bench" / "scoreboard"
PAGE = REPOSITORY / "docs" / "scoreboard.md"


def main() -> int:
    """Exit 1 when Mudanza damaged or lost something, or an exit code was not honest."""
    asked = _asked()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    tools = installed(frozenset(asked.tools.split(",")))
    databases = list(roster.databases(FOLDER, frozenset(asked.sections.split(","))))
    done = board.play(databases, tools, FOLDER, at_once=asked.at_once)
    asked.out.write_text(report.page(done), encoding="utf-8")
    (FOLDER / "defects.json").write_text(report.defects(done), encoding="utf-8")
    print(f"written: {asked.out.name}; every defect by name: {FOLDER.name}/defects.json")
    return 0 if all(entry.is_clean("Mudanza") for entry in done.entries) else 1


def _asked() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="make scoreboard", description=__doc__)
    words.add_argument("--sections", default=",".join(roster.SECTIONS), help="comma between them")
    words.add_argument("--tools", default="mudanza,pgloader")
    words.add_argument("--at-once", type=int, default=2, help="databases at one time")
    words.add_argument("--out", type=Path, default=PAGE)
    return words.parse_args()


if __name__ == "__main__":
    sys.exit(main())
