"""What people read, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import bench, results, table
from benchmarks.bars import judged
from benchmarks.results import Report
from tests.bench.results_made_up import report, share


def line(text: str, start: str) -> str:
    return next(each for each in text.splitlines() if each.strip().startswith(start))


def test_a_line_has_time_rate_value_bar_and_verdict() -> None:
    words = line(table.text(report({"pgloader.data": 6.0})), "data phase").split()
    assert words[2:8] == ["6.00", "166,667", "6.00x", ">=", "5.00x", "reached"]


def test_a_missed_bar_says_missed() -> None:
    text = table.text(report({"duckdb.data": 0.5}))
    assert " missed " in line(text, "INSERT")
    assert text.count(" missed ") == 1


def test_who_is_missing_has_a_line_that_says_so() -> None:
    said = {"pgloader": ("not installed: apt install pgloader",)}
    text = table.text(report({"pgloader": 0, "pgloader.data": 0}, remarks=said))
    assert "not measured" in line(text, "data phase")
    assert "pgloader: not installed: apt install pgloader" in text


def test_columns_are_aligned() -> None:
    rows = [("", "seconds"), ("a", "1.00"), ("long", "100.00")]
    assert list(table.aligned(rows)) == ["      seconds", "a        1.00", "long   100.00"]


def test_a_table_off_the_arrow_path_is_named() -> None:
    text = table.text(report(shares=(share("users", 100, 100), share("orders", 100, 12))))
    assert "users 100.0%, orders 12.0%" in text
    assert "FAILED: orders has less than 95 %" in text


def test_a_ledger_that_does_not_know_the_path_shows_a_dash() -> None:
    text = table.text(report(shares=(share("users", 100, None),)))
    assert "users -" in text
    assert "FAILED" not in text


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (report(), 0),
        (report({"duckdb.data": 0.5}), 0),
        (report(shares=(share("orders", 100, 94),)), 1),
        (report(failures={"duckdb": "exit 1"}), 0),
        (report(failures={"ceiling": "exit 1"}), 1),
    ],
    ids=["all is well", "a missed bar", "off the Arrow path", "a peer failed", "a ceiling failed"],
)
def test_only_our_own_failures_fail_the_benchmark(
    found: Report,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = tmp_path / "kept.json"
    words = ["bench", "--dir", str(tmp_path), "--json", str(kept)]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr(bench, "_measured", lambda asked: None)
    monkeypatch.setattr(bench, "_report", lambda session: found)
    assert bench.main() == code
    assert table.text(found) in capsys.readouterr().out
    assert json.loads(kept.read_text(encoding="utf-8"))["rows"] == found.rows


def test_the_latest_result_of_the_default_size_is_found(tmp_path: Path) -> None:
    for date, seconds in (("2026-01-02", 7.0), ("2026-01-01", 9.0)):
        found = report({"mudanza": seconds})
        bars = [bar.document() for bar in judged(found)]
        results.write(tmp_path / f"{date}-1000000.json", results.document(found, date, bars))
    assert results.time_at_default_size(tmp_path) == 7.0
    assert results.time_at_default_size(tmp_path / "nothing") is None
