"""``mudanza assess``: what it prints, writes and ends with."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tests.cli.command import Command

DOCUMENT = {
    *("source", "plan_sha256", "tables", "objects", "findings", "suppressed", "grade"),
    *("effort_minutes", "effort_by_kind", "estimate"),
}
FINDING = {
    *("id", "severity", "kind", "object", "says", "rows", "sample_keys", "samples", "facts"),
    *("effort_minutes", "remedy", "plan", "counts", "accepted"),
}


def test_its_document_has_the_shape_that_is_promised(command: Command, sample: Path) -> None:
    answer = command.run("assess", sample, "--json")

    assert answer.code == 0
    document = answer.json
    assert set(document) == DOCUMENT
    assert {frozenset(f) for f in document["findings"]} == {frozenset(FINDING)}
    assert {frozenset(t) for t in document["tables"]} == {
        frozenset(("name", "rows", "bytes", "target_bytes"))
    }
    assert set(document["estimate"]) == {"seconds", "target_bytes"}
    assert set(document["objects"]) == {"carried", "rewritten", "not_carried"}
    assert document["grade"].startswith("B-")
    assert sum(t["rows"] for t in document["tables"]) == 2_000
    # More than what is stored now, less than ten times as much.
    stored = sum(t["bytes"] for t in document["tables"])
    assert stored < document["estimate"]["target_bytes"] < 10 * stored
    assert command.snapshots() == []


def test_findings_and_objects_agree(command: Command, sample: Path) -> None:
    document = command.run("assess", sample, "--json").json

    for fate in (*document["objects"]["rewritten"], *document["objects"]["not_carried"]):
        named = [f for f in document["findings"] if f["object"] == fate["name"]]
        assert any(f["counts"] == fate["counts"] for f in named), fate


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("Grade B-", "to decide")), ("es", ("Nota B-", "por decidir"))]
)
def test_people_are_told_in_their_language(
    command: Command, sample: Path, language: str, words: tuple[str, ...]
) -> None:
    answer = command.run("assess", sample, language=language, extra={"COLUMNS": "200"})

    assert answer.code == 0
    for word in (*words, "integer.text", "products.stock", "3; 7"):
        assert word in answer.out
    assert "12 pairs" not in answer.said
    assert "12 pairs" in command.run("assess", sample, "--reveal", extra={"COLUMNS": "200"}).out


def test_a_blocker_ends_with_4(command: Command, tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "wide.db"))
    connection.execute(f"CREATE TABLE t ({', '.join(f'c{n}' for n in range(1601))})")
    connection.close()

    answer = command.run("assess", tmp_path / "wide.db", "--json")

    assert answer.code == 4
    assert answer.json["findings"][0]["id"] == "object.too_many_columns"
    # A blocker may be gone around: the table is left out by name.
    assert command.run("assess", tmp_path / "wide.db", "--skip", "t").code == 0


@pytest.mark.parametrize("option", ["--html", "--plan-out"])
def test_a_file_that_cannot_be_written_is_said(
    command: Command, clean: Path, option: str, tmp_path: Path
) -> None:
    answer = command.run("assess", clean, option, tmp_path / "no" / "such" / "folder", "--json")

    assert answer.code == 1
    assert answer.json["error"]["id"] in ("report_unwritable", "plan_unwritable")


def test_the_page_is_written(command: Command, clean: Path, tmp_path: Path) -> None:
    answer = command.run("assess", clean, "--html", tmp_path / "page.html", "--json")

    assert (answer.code, answer.json["grade"]) == (0, "A-1")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "It moves by itself" in html
    assert "Se muda sola" in html
    assert "secret title" not in html


def test_a_plan_that_accepts_what_is_not_there_is_refused(
    command: Command, clean: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    entry = '[[accept]]\nfinding = "{}"\nobject = "{}"\nreason = "because"\n'
    for finding, name, error in (
        ("text.nul", "book.titel", "acceptance_nowhere"),
        ("text.nil", "book.title", "acceptance_unknown"),
    ):
        plan.write_text("mudanza_plan = 1\n" + entry.format(finding, name))
        for order in ("assess", "plan"):
            answer = command.run(order, clean, "--plan", plan, "--json")
            assert (answer.code, answer.json["error"]["id"]) == (1, error)
