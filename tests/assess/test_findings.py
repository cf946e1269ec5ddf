"""Findings one by one: their facts, their severity, their remedies, the grade over all."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.assess import Finding, Severity
from core.assess.saying import facts_said, samples_said
from core.plan import Acceptance, Choices
from core.values.types import Conversion, TargetType
from tests.assess.assessing import assessed, found


def findings(statements: str, folder: Path) -> dict[tuple[str, str], Finding]:
    return found(assessed(statements, folder).assessment)


def filled(declared: str, clean: str, *odd: str) -> str:
    """A table of a column with 50 clean values, and then some."""
    return (
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {declared});"
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 50)"
        f" INSERT INTO t SELECT n, {clean} FROM r;"
        + "".join(f"INSERT INTO t (c) VALUES ({value});" for value in odd)
    )


@pytest.mark.parametrize(
    ("declared", "clean", "odd", "expected"),
    [
        ("INTEGER", "n", "'two'", "integer.text"),
        ("INTEGER", "n", "1.5", "integer.fraction"),
        ("INTEGER", "n", "9223372036854775808", "integer.beyond_bigint"),
        ("INTEGER", "n", "-9e999", "integer.beyond_bigint"),
        ("INTEGER", "n", "''", "value.empty"),
        ("INTEGER", "n", "x'00'", "value.bytes_in_typed"),
        ("INTEGER", "n", "CAST(x'ff' AS TEXT)", "text.invalid"),
        ("BOOLEAN", "n % 2", "2", "boolean.other_value"),
        ("BOOLEAN", "n % 2", "'t'", "boolean.spelled"),
        ("BOOLEAN", "n % 2", "0.5", "boolean.other_value"),
        ("DATE", "'2024-01-02'", "'2023-02-29'", "moment.impossible"),
        ("DATE", "'2024-01-02'", "'Infinity'", "moment.magic_word"),
        ("DATE", "'2024-01-02'", "'12:30'", "moment.other_shape"),
        ("DATETIME", "'2024-01-02 03:04'", "'2024-01-02 24:00'", "moment.beyond_a_day"),
        ("DATETIME", "'2024-01-02 03:04'", "'2024-01-02 03:71'", "moment.impossible"),
        ("DATETIME", "'2024-01-02 03:04'", "1700000000", "moment.epoch"),
        ("DATETIME", "'2024-01-02 03:04'", "2460000.5", "moment.julian"),
        ("TIME", "'03:04'", "'99:00'", "moment.beyond_a_day"),
        ("TEXT", "'a'", "char(0)", "text.nul"),
        ("TEXT", "'a'", "x'00'", "text.bytes"),
        ("BLOB", "x'00'", "1", "bytes.number"),
    ],
)
def test_a_few_misfits_are_set_aside_and_named(
    declared: str, clean: str, odd: str, expected: str, tmp_path: Path
) -> None:
    one = findings(filled(declared, clean, odd), tmp_path)[expected, "t.c"]

    assert (one.rows, one.sample_keys, one.counts) == (1, ("51",), True)
    assert one.severity is not Severity.BLOCKER
    assert one.effort_minutes > 0


@pytest.mark.parametrize("value", ["char(0)", "CAST(x'ff' AS TEXT)"])
def test_text_that_postgres_cannot_hold_blocks_when_there_is_much_of_it(
    value: str, tmp_path: Path
) -> None:
    made = assessed(filled("TEXT", "'a'", *[value] * 4), tmp_path)

    (blocker,) = [f for f in made.assessment.findings if f.severity is Severity.BLOCKER]
    assert blocker.rows == 4
    assert not blocker.counts  # the loss of the type is what counts
    assert made.assessment.blockers == 1
    assert str(made.assessment.grade) == "C-5"


def test_what_migrates_by_itself_is_graded_a_1(tmp_path: Path) -> None:
    assessment = assessed(filled("TEXT", "'a'"), tmp_path).assessment

    assert assessment.findings == ()
    assert str(assessment.grade) == "A-1"
    assert assessment.effort_minutes == 0


@pytest.mark.parametrize(
    ("more", "grade"),
    [
        ("INSERT INTO t (c) VALUES ('two');", "B-2"),
        ("CREATE TABLE u (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES gone (id));", "B-3"),
        ("CREATE TABLE u (id INTEGER PRIMARY KEY ON CONFLICT REPLACE);", "B-3"),
        ("CREATE VIRTUAL TABLE s USING rtree (id, a, b);", "B-4"),
    ],
)
def test_the_number_says_what_kind_of_work_it_is(more: str, grade: str, tmp_path: Path) -> None:
    assert str(assessed(filled("INTEGER", "n") + more, tmp_path).assessment.grade) == grade


# --- moments written as numbers ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "value", "conversion"),
    [
        ("DATETIME", "1700000000 + n", Conversion(TargetType("timestamp"), "epoch:s")),
        ("DATETIME", "1700000000.5 + n", Conversion(TargetType("timestamp"), "epoch:s")),
        ("DATETIME", "1700000000000 + n", Conversion(TargetType("timestamp"), "epoch:ms")),
        ("DATETIME", "1700000000000000 + n", Conversion(TargetType("timestamp"), "epoch:us")),
        ("DATETIME", "13344473600000000 + n", Conversion(TargetType("timestamp"), "epoch:webkit")),
        ("DATETIME", "720000000.25 + n", Conversion(TargetType("timestamp"), "epoch:apple")),
        ("DATETIME", "2460000.25 + n", Conversion(TargetType("timestamp"), "epoch:julian")),
        ("DATE", "20240100 + min(n, 31)", Conversion(TargetType("date"), "epoch:yyyymmdd")),
        ("DATE", "1700006400 + n * 86400", Conversion(TargetType("date"), "epoch:s")),
        ("DATE", "1700006401 + n * 86400", Conversion(TargetType("timestamp"), "epoch:s")),
        ("TIMESTAMPTZ", "1700000000 + n", Conversion(TargetType("timestamptz"), "epoch:s")),
        ("DATETIME", "n", None),
        ("DATETIME", "iif(n % 2, 1700000000, 1700000000000)", None),
        ("DATE", "20240200 + n", None),
        ("TIME", "1700000000 + n", None),
    ],
)
def test_the_unit_is_proposed_when_it_fits_every_number(
    declared: str, value: str, conversion: Conversion | None, tmp_path: Path
) -> None:
    found_ones = findings(filled(declared, value), tmp_path)

    numbered = [f for (i, _), f in found_ones.items() if i in ("moment.epoch", "moment.julian")]
    assert numbered
    assert {f.remedy.conversion for f in numbered} == {conversion}
    if conversion is not None:
        assert conversion.rule in numbered[0].remedy.plan
        assert facts_said(numbered[0], reveal=False)["rendered"] == "•••"
        assert facts_said(numbered[0], reveal=True)["rendered"].startswith(("19", "20"))


def test_formats_are_counted_and_show_no_letter_of_a_value(tmp_path: Path) -> None:
    rows = filled("DATETIME", "'2024-01-02 03:04:05'", "'2024-01-02T03:04:05+02:00'", "'secret'")

    one = findings(rows, tmp_path)["moment.mixed_offset", "t.c"]

    assert one.facts["formats"] == ("9999-99-99 99:99:99: 50, 9999-99-99T99:99:99±99:99: 1, …: 1")
    assert (one.rows, one.sample_keys) == (1, ("51",))


# --- values and secrets -------------------------------------------------------------------------


def test_values_are_masked_unless_asked_for(tmp_path: Path) -> None:
    one = findings(filled("INTEGER", "n", "'hunter2'"), tmp_path)["integer.text", "t.c"]

    assert samples_said(one, reveal=False) == ["text(7)"]
    assert samples_said(one, reveal=True) == ["hunter2"]


def test_a_handful_of_keys_stands_for_all(tmp_path: Path) -> None:
    one = findings(filled("INTEGER", "n", *["'x'"] * 30), tmp_path)["integer.text", "t.c"]

    assert one.rows == 30
    assert one.sample_keys == ("51", "52", "53", "54", "55")


def test_keys_of_other_tables_are_named_as_well(tmp_path: Path) -> None:
    statements = (
        "CREATE TABLE w (k TEXT, n INTEGER, c INTEGER, PRIMARY KEY (k, n)) WITHOUT ROWID;"
        "INSERT INTO w VALUES ('a', 1, 1), ('b', 2, 'x'), ('c', 3, 3);"
        "CREATE TABLE p (rowid, _rowid_, oid INTEGER);"
        "INSERT INTO p VALUES (1, 1, 1), (2, 2, 'y'), (3, 3, 3);"
    )
    made = findings(statements, tmp_path)

    assert made["integer.text", "w.c"].sample_keys == ("b, 2",)
    assert made["integer.text", "p.oid"].sample_keys == ("2",)


# --- limits ---------------------------------------------------------------------------------------


def test_huge_values_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.assess.columns.HUGE_BYTES", 1000)

    made = findings(filled("BLOB", "x'00'", "zeroblob(999)", "zeroblob(1000)"), tmp_path)

    assert made["value.huge", "t.c"].sample_keys == ("52",)


def test_an_index_that_lost_a_row_is_told_by_sqlite_itself(tmp_path: Path) -> None:
    statements = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, c INTEGER); INSERT INTO t VALUES (1, 1), (2, 2);"
        "CREATE INDEX i ON t (c);"
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t (id)' WHERE name = 'i';"
        "PRAGMA writable_schema = RESET; INSERT INTO t VALUES (5, 7);"
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t (c)' WHERE name = 'i';"
    )
    one = findings(statements, tmp_path)["source.integrity", "database"]

    assert one.rows > 0
    assert "index i" in one.facts["messages"]


def test_rows_that_refer_to_rows_set_aside_are_counted(tmp_path: Path) -> None:
    statements = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER);"
        "INSERT INTO p VALUES (1, 1), (2, 'x'), (3, 3);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, a REFERENCES p, b REFERENCES p);"
        "INSERT INTO c VALUES (1, 1, 3), (2, 2, 3), (3, NULL, 1), (4, 2, 1);"
    )
    made = findings(statements, tmp_path)

    assert made["reference.set_aside", "c_a_fkey"].sample_keys == ("2", "4")
    assert ("reference.set_aside", "c_b_fkey") not in made


# --- what a person said -----------------------------------------------------------------------------

_TWO = filled("INTEGER", "n", "'two'", "2.5")


def said(kind: str, *entries: tuple[str, str]) -> Choices:
    made = tuple(Acceptance(finding=f, object=o, reason="known") for f, o in entries)
    return Choices(accepted=made) if kind == "accept" else Choices(suppressed=made)


def test_what_is_accepted_stays_listed_with_its_reason(tmp_path: Path) -> None:
    choices = said("accept", ("integer.text", "t.c"))
    assessment = assessed(_TWO, tmp_path, choices).assessment

    made = found(assessment)
    assert made["integer.text", "t.c"].accepted == "known"
    assert not made["integer.text", "t.c"].wants_decision
    assert made["integer.fraction", "t.c"].wants_decision
    assert assessment.decisions == 1


def test_what_is_suppressed_is_counted_and_still_blocks(tmp_path: Path) -> None:
    statements = filled("TEXT", "'a'", *["char(0)"] * 4)
    assessment = assessed(statements, tmp_path, said("suppress", ("text.nul", ""))).assessment

    assert ("text.nul", "t.c") not in found(assessment)
    assert (assessment.suppressed, assessment.blockers) == (1, 1)
    assert str(assessment.grade) == "C-5"


def test_an_accepted_blocker_no_longer_blocks(tmp_path: Path) -> None:
    statements = filled("TEXT", "'a'", *["char(0)"] * 4)
    choices = said("accept", ("text.nul", "t.c"), ("object.retyped", "t.c"))

    assessment = assessed(statements, tmp_path, choices).assessment

    assert assessment.blockers == 0
    assert str(assessment.grade) == "A-1"


def test_an_acceptance_of_nothing_is_told(tmp_path: Path) -> None:
    choices = said("accept", ("moment.epoch", "t.c"), ("integer.text", "t.c"))
    made = found(assessed(_TWO, tmp_path, choices).assessment)

    assert made["plan.accepted_in_vain", "t.c"].facts["finding"] == "moment.epoch"
