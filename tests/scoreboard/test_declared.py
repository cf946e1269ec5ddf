"""What the judge reads in the text of a CREATE TABLE."""

from __future__ import annotations

from benchmarks.scoreboard.comparer.declared import after_where, checks, deferrals


def test_checks_are_found_whatever_stands_around_them() -> None:
    found = checks(
        """CREATE TABLE "t CHECK (x)" (a TEXT DEFAULT 'CHECK (no)' CHECK (a <> ')'), -- CHECK (b)
        [check] INT /* CHECK (c) */ CONSTRAINT "one ""two"" !" check(([check] > 1) OR 0),
        CHECK (length(a) > 1), d AS (a || 'CHECK (x)'))"""
    )
    assert [(c.name, c.expression) for c in found] == [
        ("", "a <> ')'"),
        ('one "two" !', "([check] > 1) OR 0"),
        ("", "length(a) > 1"),
    ]


def test_each_reference_has_its_own_deferral() -> None:
    assert deferrals(
        "CREATE TABLE t (a REFERENCES p, b REFERENCES p(x) DEFERRABLE INITIALLY DEFERRED, c REFERENCES p"
        " NOT DEFERRABLE, FOREIGN KEY (a, b) REFERENCES p(x, y) ON DELETE SET NULL DEFERRABLE)"
    ) == ((False, False), (True, True), (False, False), (True, False))


def test_the_condition_of_an_index_is_what_follows_its_where() -> None:
    assert after_where("CREATE INDEX \"WHERE\" ON t (a) where b = 'WHERE'") == "b = 'WHERE'"
    assert after_where("CREATE INDEX i ON t ((SELECT 1 WHERE 1))") == ""
