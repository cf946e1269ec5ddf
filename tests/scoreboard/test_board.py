"""A small board from end to end, by Mudanza alone; and the judge knows nothing of it."""

from __future__ import annotations

import ast
from pathlib import Path

from benchmarks.process import REPOSITORY
from benchmarks.scoreboard import board, report
from benchmarks.scoreboard.roster import CASES, Database, build_case
from benchmarks.scoreboard.tools import pgloader
from benchmarks.scoreboard.tools.tools import installed

COMPARER = REPOSITORY / "benchmarks" / "scoreboard" / "comparer"
SLICE = ("orphans_stay", "nul_in_text", "names_that_meet")


def test_three_cases_are_clean_and_written_down(reachable_folder: Path) -> None:
    databases = [
        Database(section="cases", name=name, path=build_case(CASES / name / "source.sql", reachable_folder))
        for name in SLICE
    ]  # fmt: skip
    tools = installed(frozenset({"mudanza"}))

    done = board.play(databases, tools, reachable_folder, at_once=2)

    for entry in done.entries:
        assert entry.is_clean("Mudanza"), entry
        assert entry.played["Mudanza"].verdict is not None
    page = report.page(done)
    assert all(f"| {name} |" in page for name in SLICE)
    assert str(reachable_folder) not in page
    assert str(REPOSITORY) not in page


def test_the_judge_imports_nothing_of_what_it_judges() -> None:
    imported = {
        name
        for file in COMPARER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in _names(node)
    }
    ours = {name for name in imported if name.split(".")[0] in ("core", "benchmarks", "tests")}
    assert all(name.startswith("benchmarks.scoreboard.comparer") for name in ours), ours


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


LOG = """\
2026-01-01T00:00:00.1Z LOG pgloader version "3.6.7~devel"
2026-01-01T00:00:00.2Z ERROR PostgreSQL Database error 42601: syntax error at or near ")"
QUERY: ALTER TABLE child ADD FOREIGN KEY(pid) REFERENCES p() ON UPDATE NO ACTION
2026-01-01T00:00:00.3Z ERROR PostgreSQL Database error 23505: could not create unique index
QUERY: CREATE UNIQUE INDEX idx_16400_mail_nc ON mail (addr);
2026-01-01T00:00:00.4Z LOG report summary reset
"""


def test_what_pgloader_says_of_its_errors_counts_as_listed() -> None:
    found = {(each.kind, each.table, each.name) for each in pgloader.listed(LOG)}
    assert ("foreign_key", "child", "child_pid_fkey") in found
    assert ("unique", "mail", "mail_nc") in found
