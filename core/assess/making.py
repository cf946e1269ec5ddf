"""How a finding is made: its severity and its minutes come from the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from core.assess.catalogue import CATALOGUE
from core.assess.looking import Seen
from core.assess.model import Finding, Remedy
from core.plan.choices import Acceptance
from core.plan.document import acceptance_lines, conversion_lines
from core.values.types import Conversion

_NOTHING = Seen()


def finding(
    finding_id: str,
    kind: str,
    name: str,
    *,
    table: str = "",
    column: str = "",
    seen: Seen = _NOTHING,
    rows: int | None = None,
    facts: Mapping[str, str] | None = None,
    counts: bool = False,
    has_lost_type: bool = False,
    conversion: Conversion | None = None,
) -> Finding:
    """A finding about the object ``name``, with the rows ``seen``. ``has_lost_type``: its
    column became another type because of such values."""
    entry = CATALOGUE[finding_id]
    concerned = seen.rows if rows is None else rows
    severity = entry.worse if has_lost_type and entry.worse else entry.severity
    wants_word = counts or severity == entry.worse
    return Finding(
        id=finding_id,
        severity=severity,
        kind=kind,
        object=name,
        table=table,
        column=column,
        rows=concerned,
        sample_keys=tuple(seen.keys),
        samples=tuple(seen.values),
        facts=dict(facts or {}),
        effort_minutes=entry.minutes + entry.per_thousand * ceil(concerned / 1000),
        remedy=_remedy(finding_id, name, table, column, conversion, wants_word=wants_word),
        counts=counts,
    )


def _remedy(
    finding_id: str,
    name: str,
    table: str,
    column: str,
    conversion: Conversion | None,
    *,
    wants_word: bool,
) -> Remedy:
    if conversion is not None:
        lines = conversion_lines(table, column, conversion)
        return Remedy(conversion=conversion, plan="\n".join(lines))
    if not wants_word:
        return Remedy()
    acceptance = Acceptance(finding=finding_id, object=name, reason="")
    return Remedy(plan="\n".join(acceptance_lines("accept", acceptance)))
