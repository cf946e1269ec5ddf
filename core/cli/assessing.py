"""``mudanza assess``: what is read for it, and the files that it writes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import apsw

from core import __version__
from core.assess import Assessment, Evidence
from core.assess import assess as look_over
from core.assess.acceptances import settled
from core.assess.assessing import proposed
from core.assess.page import Letterhead, page
from core.cli.speaking import err, tell
from core.errors import ReportUnwritable
from core.plan import (
    Acceptance,
    Choices,
    Plan,
    make_plan,
    overlaid,
    parse_document,
    write_document,
)
from core.source import SourceFile
from core.source.integrity import check_integrity
from core.source.rows import Row
from core.transfer.collisions import find_collisions
from core.transfer.events import Event
from core.transfer.prepare import Narrow, prepare, snapshot_connection
from core.values.storage import unpack


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """A source's plan and its assessment; ``remedied``, when it was asked for: the plan with
    all that the findings propose, types and rules, and an acceptance without a reason yet for
    what still counts then."""

    plan: Plan
    assessment: Assessment
    remedied: Plan | None


def assess_source(
    source: SourceFile,
    choices: Choices,
    path: str,
    narrow: Narrow | None,
    tell_of: Callable[[Event], None],
    *,
    remedies: bool = False,
) -> Assessed:
    """Assess a snapshot that is gone when it is done. ``path`` names the choices in errors."""
    with tempfile.TemporaryDirectory(prefix="mudanza-") as folder:
        snapshot = Path(folder) / "snapshot.sqlite"
        made = prepare(
            source,
            snapshot,
            schema="public",
            choices=choices,
            choices_path=path,
            narrow=narrow,
            tell=tell_of,
        )
        with snapshot_connection(snapshot) as connection:
            evidence = Evidence(
                database=made.reading.database,
                notes=tuple(made.reading.notes),
                census=made.census,
                plan=made.plan,
                messages=check_integrity(connection, source.path),
                duplicates=_duplicates(connection, made.plan),
            )
            assessment = look_over(evidence, connection)
            remedied = _remedied(evidence, assessment, connection) if remedies else None
    return Assessed(plan=made.plan, assessment=assessment, remedied=remedied)


def _duplicates(connection: apsw.Connection, plan: Plan) -> dict[int, dict[Row, str]]:
    found = find_collisions(connection, plan)
    return {number: {unpack(k): name for k, name in keys.items()} for number, keys in found.items()}


def _remedied(evidence: Evidence, assessment: Assessment, connection: apsw.Connection) -> Plan:
    """The plan under what is proposed; what then still counts is looked for again, since one
    remedy may bring another matter to light."""
    choices = overlaid(_as_read_back(evidence.plan), proposed(assessment))
    plan = settled(
        make_plan(
            evidence.database,
            evidence.census,
            schema=evidence.plan.schema,
            choices=choices,
            notes=evidence.notes,
        )
    )
    under_it = replace(evidence, plan=plan, duplicates=_duplicates(connection, plan))
    again = look_over(under_it, connection)
    open_ones = tuple(
        Acceptance(finding=f.id, object=f.object, reason="")
        for f in again.findings
        if f.wants_decision
    )
    return replace(plan, accepted=(*plan.accepted, *dict.fromkeys(open_ones)))


def _as_read_back(plan: Plan) -> Choices:
    """The plan as the choices that its own document makes."""
    return parse_document(write_document(plan), "")


def write_page(path: Path, source: str, assessment: Assessment, *, reveal: bool) -> None:
    """Write the report as HTML. Raises ReportUnwritable."""
    head = Letterhead(source=source, version=__version__, at=datetime.now(UTC), reveal=reveal)
    try:
        path.write_text(page(assessment, head), encoding="utf-8")
    except OSError as refused:
        detail = refused.strerror or str(refused)
        raise ReportUnwritable(path=path, detail=detail) from refused
    err.print(tell("result.page_written", path=path), markup=False, soft_wrap=True)
