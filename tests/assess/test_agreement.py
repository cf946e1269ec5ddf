"""What assessment says beforehand is what a run then does, in every hard case."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.plan import NO_CHOICES, Acceptance, Choices, overlaid, parse_document
from core.server.connection import parse_target
from core.source.opening import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from tests.assess.assessing import accepting, assessed, found
from tests.cases.reading import Aside, case_names, read_case


@pytest.mark.parametrize("name", case_names())
def test_findings_and_the_run_agree(name: str, tmp_path: Path, database: str) -> None:
    case = read_case(name)
    choices = NO_CHOICES if case.plan is None else parse_document(case.plan, "plan.toml")

    assessment = assessed(case.source, tmp_path, choices).assessment

    findings = found(assessment)
    for aside in case.expected.quarantined:
        assert any(f.counts and f.rows and f.object == _object(aside) for f in findings.values()), (
            aside
        )
    for fate in case.expected.fates:
        assert any(f.object == fate.name for f in findings.values()), fate
    if case.expected.exit_code == 3:
        assert assessment.decisions
    else:
        assert assessment.decisions == 0

    # With a word on everything that counts, nothing is left open.
    only_rows_tell = tuple(
        Acceptance(finding=f"object.{fate.reason}", object=fate.name, reason="agreed")
        for fate in case.expected.fates
        if fate.reason == "generated_differs"
    )
    all_agreed = overlaid(accepting(choices, assessment), Choices(accepted=only_rows_tell))
    request = Request(
        source=inspect(tmp_path / "source.db"),
        target=parse_target(database),
        home=tmp_path,
        choices=all_agreed,
    )
    report = migrate(request)
    assert report.exit_code == 0, [o for o in report.objects if o.counts]


def _object(aside: Aside) -> str:
    return f"{aside.table}.{aside.column}" if aside.column else aside.table
