"""What a person accepts by name, with a reason, no longer makes a run end with 3; all that
nobody accepted still does."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import AcceptanceNowhere, AcceptanceRefused, AcceptanceUnknown, PlanUnreadable
from core.plan import Acceptance, Choices, Plan, from_json, overlaid, parse_document, to_json
from core.plan.document import digest, write_document
from core.server.connection import parse_target
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import RunReport
from tests.assess.assessing import assessed
from tests.cases.running import build_source

SOURCE = """
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, at DATETIME UNIQUE, s TEXT);
INSERT INTO t VALUES (1, 1, '2024-01-01T00:00:00Z', 'a'), (2, 'two', '2024-01-02T00:00:00Z', 'b'),
  (3, 3.5, '2024-01-03T00:00:00Z', 'c'), (4, 4, '2024-01-01T01:00:00+01:00', 'd'),
  (5, 5, '2024-01-05T00:00:00Z', x'00'), (6, 'six', '2024-01-06T00:00:00Z', 'f' || char(0));
CREATE TABLE c (id INTEGER PRIMARY KEY, t_id INTEGER CONSTRAINT c_t REFERENCES t, gone REFERENCES u);
INSERT INTO c VALUES (1, 1, NULL), (2, 99, NULL);
"""
ALL = (
    ("integer.text", "t.n"),
    ("integer.fraction", "t.n"),
    ("key.duplicate", "t"),
    ("text.bytes", "t.s"),
    ("text.nul", "t.s"),
    ("reference.orphans", "c_t"),
    ("object.parent_missing", "c_gone_fkey"),
)


def accepted(*entries: tuple[str, str], reason: str = "agreed") -> Choices:
    return Choices(
        accepted=tuple(Acceptance(finding=f, object=o, reason=reason) for f, o in entries)
    )


def carried(choices: Choices, folder: Path, database: str) -> RunReport:
    source = build_source(SOURCE, folder / "source.db")
    return migrate(
        Request(source=source, target=parse_target(database), home=folder, choices=choices)
    )


def test_a_run_of_which_all_is_accepted_ends_with_0(tmp_path: Path, database: str) -> None:
    report = carried(accepted(*ALL), tmp_path, database)

    assert report.exit_code == 0
    assert sum(t.rows_quarantined for t in report.tables) == 5  # they are there all the same
    facts = {o.name: o.facts.get("accepted") for o in report.objects if o.reason}
    assert facts["c_t"] == facts["c_gone_fkey"] == "agreed"


@pytest.mark.parametrize("left_out", ALL)
def test_whatever_is_not_accepted_counts(
    left_out: tuple[str, str], tmp_path: Path, database: str
) -> None:
    choices = accepted(*(entry for entry in ALL if entry != left_out))

    assert carried(choices, tmp_path, database).exit_code == 3


def test_a_finding_accepted_of_one_column_is_not_accepted_of_another(
    tmp_path: Path, database: str
) -> None:
    others = (("integer.text", "t.id"), *(entry for entry in ALL if entry != ALL[0]))

    assert carried(accepted(*others), tmp_path, database).exit_code == 3


def test_an_object_accepted_by_name_is_not_another(tmp_path: Path, database: str) -> None:
    others = (("object.parent_missing", "c_t"), *ALL[:-1])

    assert carried(accepted(*others), tmp_path, database).exit_code == 3


def test_suppressing_changes_no_exit_code(tmp_path: Path, database: str) -> None:
    suppressed = Choices(suppressed=accepted(*ALL).accepted)

    assert carried(suppressed, tmp_path, database).exit_code == 3


# --- the plan -------------------------------------------------------------------------------


def test_they_survive_the_document_and_the_ledger(tmp_path: Path) -> None:
    choices = overlaid(
        accepted(*ALL, reason='says "so"\nand so'),
        Choices(suppressed=(Acceptance(finding="table.no_key", object="", reason="logs"),)),
    )
    plan = assessed(SOURCE, tmp_path, choices).plan

    read = parse_document(write_document(plan), "plan.toml")

    assert (read.accepted, read.suppressed) == (choices.accepted, choices.suppressed)
    assert from_json(Plan, to_json(plan)) == plan
    plain = assessed(SOURCE, _folder(tmp_path)).plan
    assert digest(write_document(plain)) != digest(write_document(plan))


def _folder(path: Path) -> Path:
    below = path / "plain"
    below.mkdir()
    return below


@pytest.mark.parametrize("word", ["accept", "suppress"])
@pytest.mark.parametrize("reason", ["", 'reason = ""', 'reason = "  "'])
def test_without_a_reason_nothing_is_accepted(word: str, reason: str) -> None:
    with pytest.raises(AcceptanceRefused) as refused:
        parse_document(
            f'mudanza_plan = 1\n[[{word}]]\nfinding = "text.nul"\nobject = "t.s"\n{reason}', "p"
        )
    assert refused.value.facts["missing"] == "reason"


@pytest.mark.parametrize(
    "written",
    [
        "accept = 1",
        "[[accept]]\nfinding = 1",
        '[[accept]]\nfinding = "text.nul"\nobject = "t.s"\nreason = "r"\nrows = 3',
    ],
)
def test_what_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises((PlanUnreadable, AcceptanceRefused)):
        parse_document(f"mudanza_plan = 1\n{written}", "p")


def test_an_acceptance_names_its_object() -> None:
    with pytest.raises(AcceptanceRefused) as refused:
        parse_document('mudanza_plan = 1\n[[accept]]\nfinding = "text.nul"\nreason = "r"', "p")
    assert refused.value.facts["missing"] == "object"


def test_a_finding_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AcceptanceUnknown):
        assessed(SOURCE, tmp_path, accepted(("text.null", "t.s")))


@pytest.mark.parametrize("name", ["t.x", "x", "T", "t.s "])
def test_an_object_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(AcceptanceNowhere) as refused:
        assessed(SOURCE, tmp_path, accepted(("text.nul", name)))
    assert refused.value.facts["object"] == name
