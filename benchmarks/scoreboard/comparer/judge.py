"""The whole judgement of one database."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw

from benchmarks.scoreboard.comparer import objects, rows
from benchmarks.scoreboard.comparer.listing import Listing
from benchmarks.scoreboard.comparer.sides import Sides
from benchmarks.scoreboard.comparer.source import Other, Source, quoted
from benchmarks.scoreboard.comparer.target import Target
from benchmarks.scoreboard.comparer.verdict import Defect, Fate, Item, Rows, Verdict


def judge(path: Path, address: str, listing: Listing, folder: Path) -> Verdict:
    """What of the SQLite file at ``path`` is in the database at ``address``, given what the
    tool said. Works on a copy of the file in ``folder``, which it changes and removes."""
    copied = _copied(path, folder)
    source, target = Source(copied), Target(address)
    try:
        sides = Sides(source=source, target=target, listing=listing, relations=target.relations())
        return _judged(sides)
    finally:
        target.close()
        source.close()
        for file in folder.glob(f"{copied.name}*"):
            file.unlink()


def _copied(path: Path, folder: Path) -> Path:
    copied = folder / f"judged-{path.name}"
    for kind in ("", "-wal"):
        if Path(f"{path}{kind}").exists():
            shutil.copyfile(f"{path}{kind}", f"{copied}{kind}")
    return copied


def _judged(sides: Sides) -> Verdict:
    others = sides.source.others()
    tables = sides.source.tables()
    _drop_triggers(sides, others)
    compared = [(table, rows.compare(sides, table)) for table in tables if not table.content]
    for table, found in compared:
        if not table.virtual:
            rows.remove(sides, table, found.aside)
    items: list[Item] = [item for table in tables for item in objects.of_table(sides, table)]
    items += objects.of_database(sides, others, tables)
    defects = [defect for _, found in compared for defect in found.defects]
    defects += [
        Defect(table=item.table, what=f"{item.fate}: {item.kind} {item.name}", detail=item.why)
        for item in items
        if item.fate in (Fate.DAMAGED, Fate.MISSING)
    ]
    defects += _unread(sides)
    return Verdict(
        rows=sum((found.rows for _, found in compared), Rows()),
        items=tuple(items),
        defects=tuple(defects),
        exit_code=sides.listing.exit_code,
        listed_anything=bool(sides.listing.objects or sides.listing.refused),
    )


def _drop_triggers(sides: Sides, others: tuple[Other, ...]) -> None:
    """They would answer when rows that were set aside are taken out of the copy."""
    for other in others:
        if other.kind == "trigger":
            try:
                sides.source.ask(f"DROP TRIGGER main.{quoted(other.name)}")
            except apsw.Error:
                continue


def _unread(sides: Sides) -> list[Defect]:
    """Tables that SQLite cannot describe have to be listed."""
    listing = sides.listing
    return [
        Defect(table=name, what="unreadable, not listed", detail=why)
        for name, why in sides.source.unread.items()
        if not listing.refused and not listing.says_of_table(name)
    ]
