"""How hard it will be: minutes of a person's work, a letter and a number.

In the manner of Ora2Pg's estimate: units of work by object, a letter for whether it moves
by itself, a number for what kind of work it is. docs/assessment.md has the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.assess.catalogue import Severity
from core.assess.model import Finding, Grade, Letter

DAYS_MOST = 5
"""Beyond so many days of work the letter is C."""
MINUTES_A_DAY = 8 * 60
_BY_HAND = 20
_CODE = ("view", "trigger", "virtual_table", "generated")
_VALUES = ("column", "database")


def minutes_by_kind(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Minutes of work by the kind of object, the most first; what is accepted costs none."""
    sums: dict[str, int] = {}
    for found in findings:
        if found.effort_minutes and not found.accepted:
            sums[found.kind] = sums.get(found.kind, 0) + found.effort_minutes
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def grade(findings: Sequence[Finding], minutes: int) -> Grade:
    """The grade of all findings, those out of sight included."""
    open_ones = [f for f in findings if f.wants_decision]
    return Grade(letter=_letter(open_ones, minutes), difficulty=_difficulty(open_ones))


def _letter(open_ones: Sequence[Finding], minutes: int) -> Letter:
    if any(f.severity is Severity.BLOCKER for f in open_ones):
        return Letter.C
    if not open_ones:
        return Letter.A
    return Letter.C if minutes > DAYS_MOST * MINUTES_A_DAY else Letter.B


def _difficulty(open_ones: Sequence[Finding]) -> int:
    by_hand = sum(f.kind in _CODE for f in open_ones)
    if by_hand > _BY_HAND or any(f.severity is Severity.BLOCKER for f in open_ones):
        return 5
    if by_hand:
        return 4
    if any(f.kind not in _VALUES for f in open_ones):
        return 3
    return 2 if open_ones else 1
