"""Every folder here is a hard case: ``source.sql`` goes in, ``expected.toml`` comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.transfer.model import Way
from tests.cases.reading import CASES, MisreadCase, case_names, read_case, read_outcome
from tests.cases.running import run_case

# The traps about values, keys, names, sequences and expressions; the others are about
# capture.
TRAPS = {*range(1, 37), 40}


@pytest.mark.parametrize("way", [Way.EXACT, Way.ARROW])
@pytest.mark.parametrize("name", case_names())
def test_the_case_comes_out_exactly(name: str, way: Way, tmp_path: Path, database: str) -> None:
    case = read_case(name)
    expected = case.expected

    ran = run_case(case, tmp_path, database, way)

    assert list(ran.outcome.tables) == list(expected.tables)
    for table, state in expected.tables.items():
        found = ran.outcome.tables[table]
        assert list(found.columns.items()) == list(state.columns.items())
        assert found == state
    assert ran.outcome.quarantined == expected.quarantined
    assert ran.outcome.fates == expected.fates
    assert ran.outcome.next == expected.next
    for view, seen in expected.views.items():
        assert ran.outcome.views[view] == seen
    assert ran.outcome == expected
    assert [t for t in ran.parity.tables if t.differences] == []
    assert [r for r in ran.parity.relations if not r.holds] == []
    assert ran.parity.parity
    assert not ran.parity.moved


def test_every_trap_has_a_case() -> None:
    claimed = {trap for name in case_names() for trap in read_case(name).traps}

    assert claimed == TRAPS


@pytest.mark.parametrize("name", case_names())
def test_every_case_says_why(name: str) -> None:
    why = (CASES / name / "why.md").read_text(encoding="utf-8")

    assert 100 < len(why) < 1500
    assert "docs/values.md" in why or "docs/conversion.md" in why


@pytest.mark.parametrize(
    "document",
    [
        {"table": {}},
        {"exit_code": 0},
        {"exit_code": 0, "table": {}, "tables": {}},
        {"exit_code": 0, "table": {"t": {"columns": {"a": "text"}}}},
        {"exit_code": 0, "table": {"t": {"columns": {"a": "text"}, "rows": [], "row": []}}},
        {"exit_code": 0, "table": {"t": {"columns": {"a": "text"}, "rows": [["1", "2"]]}}},
        {"exit_code": 0, "table": {"t": {"columns": {"a": "bigint"}, "rows": [[1]]}}},
        {"exit_code": 0, "table": {}, "fates": [{"kind": "table", "name": "t"}]},
        {"exit_code": 0, "table": {}, "quarantined": [{"table": "t", "key": "1"}]},
        {
            "exit_code": 0,
            "table": {},
            "quarantined": [{"table": "t", "key": "1", "reason": "not_text", "column": "a"}],
        },
    ],
)
def test_a_case_that_checks_nothing_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(MisreadCase):
        read_outcome("case", document)
