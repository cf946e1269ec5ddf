"""A source in SQL, assessed in this process."""

from __future__ import annotations

from pathlib import Path

from core.assess import Assessment, Finding
from core.cli.assessing import Assessed, assess_source
from core.plan import NO_CHOICES, Acceptance, Choices, overlaid
from tests.cases.running import build_source


def assessed(statements: str, folder: Path, choices: Choices = NO_CHOICES) -> Assessed:
    path = folder / "source.db"
    source = build_source(statements, path)
    return assess_source(source, choices, "plan.toml", None, lambda _: None)


def found(assessment: Assessment) -> dict[tuple[str, str], Finding]:
    """The findings by id and object, which are unique."""
    by_name = {(f.id, f.object): f for f in assessment.findings}
    assert len(by_name) == len(assessment.findings)
    return by_name


def accepting(choices: Choices, assessment: Assessment) -> Choices:
    """The choices, with everything accepted that wants a decision."""
    accepted = tuple(
        Acceptance(finding=f.id, object=f.object, reason="agreed")
        for f in assessment.findings
        if f.wants_decision
    )
    return overlaid(choices, Choices(accepted=accepted))
