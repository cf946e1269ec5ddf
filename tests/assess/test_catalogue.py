"""The catalogue is whole: every reason has a finding, every finding has words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.assess import CATALOGUE, Severity
from core.assess.eyes import rejected_as
from core.words import LANGUAGES, catalogue

REPOSITORY = Path(__file__).resolve().parents[2]


def reasons(of: str) -> set[str]:
    return {key.removeprefix(f"{of}.") for key in catalogue() if re.fullmatch(rf"{of}\.\w+", key)}


def test_every_fate_has_a_finding() -> None:
    told = {entry.fate for entry in CATALOGUE.values()}

    assert reasons("fate") - told == set(), "add a line to core/assess/catalogue.py"


def test_every_reason_to_set_a_row_aside_has_a_finding() -> None:
    for reason in reasons("reject"):
        assert CATALOGUE[rejected_as(reason)].reject == reason


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.id)
def test_every_finding_says_what_it_means_and_what_to_do(entry) -> None:  # type: ignore[no-untyped-def]
    for sentence in (entry.sentence_id, entry.remedy_id):
        assert set(catalogue()[sentence]) == set(LANGUAGES)
    # Only the words of a fate have facts; what is general has none.
    own = entry.sentence_id.startswith("finding.")
    assert not own or "{" not in catalogue()[entry.sentence_id]["en"]


def test_an_id_is_two_words() -> None:
    assert [i for i in CATALOGUE if not re.fullmatch(r"[a-z]+\.[a-z0-9_]+", i)] == []


def test_no_sentence_of_a_finding_is_left_over() -> None:
    used = {i for e in CATALOGUE.values() for i in (e.sentence_id, e.remedy_id)}
    spoken = {key for key in catalogue() if key.startswith("finding.")}
    assert spoken - used == set()


def test_a_blocker_costs_time() -> None:
    grave = [e for e in CATALOGUE.values() if e.severity is Severity.BLOCKER]
    assert grave
    assert all(e.minutes for e in grave)


# --- the page about it ---------------------------------------------------------------------


def test_the_table_in_the_documentation_is_the_catalogue() -> None:
    text = (REPOSITORY / "docs/assessment.md").read_text(encoding="utf-8")
    table = text.partition("<!-- catalogue -->\n")[2].partition("<!-- /catalogue -->")[0]

    assert table.splitlines() == written()


def written() -> list[str]:
    """The catalogue as the documentation has it."""
    head = [
        "| finding | severity | minutes | what it means | what to do |",
        "|---|---|---|---|---|",
    ]
    return head + [
        f"| `{e.id}` | {_severity(e)} | {_minutes(e)} | {_said(e.sentence_id)}"
        f" | {_said(e.remedy_id)} |"
        for e in CATALOGUE.values()
    ]


def _severity(entry) -> str:  # type: ignore[no-untyped-def]
    return f"{entry.severity}, {entry.worse} if many" if entry.worse else entry.severity.value


def _minutes(entry) -> str:  # type: ignore[no-untyped-def]
    each = f" + {entry.per_thousand} per 1,000 rows" if entry.per_thousand else ""
    return f"{entry.minutes}{each}"


def _said(sentence: str) -> str:
    return catalogue()[sentence]["en"].replace("|", "\\|")


if __name__ == "__main__":  # what to put into the documentation
    print("\n".join(written()))  # noqa: T201
