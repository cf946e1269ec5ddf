"""Findings about schema objects and the database as a whole: each fate that is not plain
has one, so that findings and fates agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from core.assess.catalogue import CATALOGUE
from core.assess.looking import Seen
from core.assess.making import finding
from core.assess.model import Finding
from core.plan import Fate, ObjectFate, Plan
from core.plan.names import NAME_BYTES_MAX, SYSTEM_COLUMNS
from core.schema.model import Database
from core.schema.notes import NoteReason, SchemaNote

_LIKE = re.compile(r"\bLIKE\b", re.IGNORECASE)
_NOTED = {
    NoteReason.VIEW_BROKEN: "source.view_broken",
    NoteReason.MODULE_MISSING: "source.module_missing",
}
# What the census says of NULLs by row needs no second telling by table.
_KNOWN_BY_CENSUS = "NULL value in "
_MESSAGES_MAX = 5


def object_findings(plan: Plan) -> Iterator[Finding]:
    """One finding for each object that is not simply carried."""
    for fate in (*plan.objects, *(build.fate for build in plan.builds)):
        if fate.fate is not Fate.CARRIED:
            yield fate_finding(fate)


def fate_finding(fate: ObjectFate) -> Finding:
    """The finding that speaks of an object's fate."""
    facts = dict(fate.facts)
    if fate.original:
        facts["original"] = fate.original
    return finding(
        _id_of(fate),
        fate.kind,
        fate.name,
        table=fate.table,
        column=fate.name.removeprefix(f"{fate.table}.") if fate.kind == "column" else "",
        facts=facts,
        counts=fate.counts or "accepted" in fate.facts,
    )


def _id_of(fate: ObjectFate) -> str:
    if fate.reason == "renamed":
        return f"name.{_why_renamed(fate)}"
    named = f"object.{fate.reason}"
    if named in CATALOGUE:
        return named
    return next(e.id for e in CATALOGUE.values() if e.fate == fate.reason)


def _why_renamed(fate: ObjectFate) -> str:
    name = fate.name if fate.kind == "table" else fate.name.removeprefix(f"{fate.table}.")
    if not name:
        return "empty"
    if len(name.encode()) > NAME_BYTES_MAX:
        return "too_long"
    if fate.kind == "column" and name in SYSTEM_COLUMNS:
        return "system_column"
    # The planner's own names are a piece of the source's and a digest.
    is_ours = re.search(r"_[0-9a-f]{8}$", fate.facts.get("target", ""))
    return "taken" if is_ours else "chosen"


# --- the source as a whole ---------------------------------------------------------------


def source_findings(
    database: Database, notes: Iterable[SchemaNote], messages: Sequence[str]
) -> Iterator[Finding]:
    """What is to be known of the file itself. ``messages``: SQLite's own check's."""
    for note in notes:
        if note.reason_id in _NOTED:
            kind = "view" if note.reason_id is NoteReason.VIEW_BROKEN else "virtual_table"
            facts = {"detail": note.detail}
            yield finding(_NOTED[note.reason_id], kind, note.object, facts=facts)
    yield from _numbers(database)
    yield from _case(database)
    told = [m for m in messages if not m.startswith(_KNOWN_BY_CENSUS)]
    if told:
        facts = {"messages": "; ".join(told[:_MESSAGES_MAX])}
        seen = Seen(rows=len(told))
        yield finding("source.integrity", "database", "database", seen=seen, facts=facts)


def _numbers(database: Database) -> Iterator[Finding]:
    for name, number in (
        ("user_version", database.user_version),
        ("application_id", database.application_id),
    ):
        if number:
            facts = {"number": str(number)}
            yield finding(f"source.{name}", "database", name, facts=facts)


def _case(database: Database) -> Iterator[Finding]:
    """Where LIKE stands, which takes a for A in SQLite and not in PostgreSQL."""
    speaking = [
        *(("view", v.name, "", v.sql) for v in database.views),
        *(("trigger", t.name, t.table, t.sql) for t in database.triggers),
        *(
            ("index", i.name, i.table, i.sql or "")
            for table in database.tables
            for i in table.indexes
        ),
        *(
            ("check", c.name or f"{t.name}: {c.expression}", t.name, c.expression)
            for t in database.tables
            for c in t.checks
        ),
    ]
    for kind, name, table, sql in speaking:
        if _LIKE.search(sql):
            yield finding("text.like_case", kind, name, table=table)
