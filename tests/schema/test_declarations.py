from __future__ import annotations

import pytest

from core.schema import Check, ConflictClause
from core.schema.declarations import (
    DeclaredForeignKey,
    DeclaredKey,
    TableDeclaration,
    bare,
    is_literal,
    parses,
    read_index_declaration,
    read_module,
    read_table_declaration,
)


def declared(sql: str, *columns: str) -> TableDeclaration:
    found = read_table_declaration(sql, columns)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "-1",
        "+ 1.5e3",
        "0x1F",
        "1_000",
        "'it''s'",
        '"word"',
        "word",
        "[a b]",
        "x'00ff'",
        "NULL",
        "TRUE",
        "false",
        "(1)",
        "((-1))",
        "( 'x' )",
        "1 -- one",
        "/* a */ 'x' /* b */",
    ],
)
def test_constants_written_out_are_literal(text: str) -> None:
    assert is_literal(text)


@pytest.mark.parametrize(
    "text",
    [
        "CURRENT_TIMESTAMP",
        "(current_date)",
        "abs(-3)",
        "1 + 1",
        "'a' || 'b'",
        "not 1",
        "~1",
        "random()",
        "datetime('now')",
        "CASE WHEN 1 THEN 2 END",
        "a.b",
        "",
    ],
)
def test_what_has_to_be_computed_is_not_literal(text: str) -> None:
    assert not is_literal(text)


def test_comments_around_an_expression_come_off_and_those_inside_stay() -> None:
    assert bare(" /* a */ 1 /* b */ + 2 -- c") == "1 /* b */ + 2"
    assert bare("-- nothing") == ""


def test_checks_keep_their_text_their_name_and_their_column() -> None:
    found = declared(
        "CREATE TABLE t(a INT CHECK(a > 0 /* ) */ AND a <> ')') CONSTRAINT pos CHECK (a <\n9),"
        ' b TEXT, CHECK ((a) or "b"), CONSTRAINT "two ""words""" CHECK(a IN (1,2)))',
        "a",
        "b",
    )
    assert found.checks == (
        Check(name=None, expression="a > 0 /* ) */ AND a <> ')'", column="a"),
        Check(name="pos", expression="a <\n9", column="a"),
        Check(name=None, expression='(a) or "b"'),
        Check(name='two "words"', expression="a IN (1,2)"),
    )


def test_a_constraint_name_belongs_to_one_constraint() -> None:
    found = declared(
        "CREATE TABLE t(a CONSTRAINT n NOT NULL CHECK(a), b CONSTRAINT d DEFAULT 1 CHECK(b),"
        " c CONSTRAINT lost, CHECK(c))",
        "a",
        "b",
        "c",
    )
    assert [check.name for check in found.checks] == [None, None, None]


def test_table_constraints_need_no_commas() -> None:
    found = declared("CREATE TABLE t(a, b, UNIQUE(a) CHECK(b) PRIMARY KEY(a, b))", "a", "b")
    assert [key.kind for key in found.keys] == ["UNIQUE", "PRIMARY KEY"]
    assert found.checks == (Check(name=None, expression="b"),)


def test_generation_rules_are_read_in_both_spellings() -> None:
    found = declared(
        "CREATE TABLE t(a, b INT GENERATED ALWAYS AS (a + (1)) STORED, [c d] AS (a||',') UNIQUE)",
        "a",
        "b",
        "c d",
    )
    assert found.generation == (("b", "a + (1)"), ("c d", "a||','"))
    assert found.keys == (DeclaredKey(kind="UNIQUE", name=None, terms=(("c d", None),)),)


def test_keys_keep_their_collations() -> None:
    found = declared(
        "CREATE TABLE t(a, b, CONSTRAINT k PRIMARY KEY(a COLLATE nocase DESC, 'b' ASC))", "a", "b"
    )
    assert found.keys == (
        DeclaredKey(kind="PRIMARY KEY", name="k", terms=(("a", "nocase"), ("b", None))),
    )


def test_foreign_keys_are_deferrable_as_written() -> None:
    found = declared(
        "CREATE TABLE t(a CONSTRAINT f REFERENCES p ON DELETE SET DEFAULT ON UPDATE SET NULL,"
        " b REFERENCES p(x) MATCH FULL DEFERRABLE INITIALLY DEFERRED,"
        " c REFERENCES p NOT DEFERRABLE INITIALLY DEFERRED, d REFERENCES p DEFERRABLE,"
        " CONSTRAINT g FOREIGN KEY(a, b) REFERENCES q(c, d) DEFERRABLE INITIALLY IMMEDIATE)",
        *"abcd",
    )
    assert found.foreign_keys == (
        DeclaredForeignKey(name="f"),
        DeclaredForeignKey(name=None, deferrable=True, initially_deferred=True),
        DeclaredForeignKey(name=None),
        DeclaredForeignKey(name=None, deferrable=True),
        DeclaredForeignKey(name="g", deferrable=True),
    )


def test_conflict_clauses_are_listed_with_what_they_stand_on() -> None:
    found = declared(
        "CREATE TABLE t(a INTEGER PRIMARY KEY DESC ON CONFLICT fail, b NOT NULL ON CONFLICT IGNORE"
        " UNIQUE, c NULL ON CONFLICT REPLACE, d REFERENCES p ON DELETE CASCADE,"
        " UNIQUE(b, c) ON CONFLICT REPLACE, CHECK(c) ON CONFLICT ROLLBACK)",
        *"abcd",
    )
    assert found.conflict_clauses == (
        ConflictClause(constraint="PRIMARY KEY", columns=("a",), action="FAIL"),
        ConflictClause(constraint="NOT NULL", columns=("b",), action="IGNORE"),
        ConflictClause(constraint="UNIQUE", columns=("b", "c"), action="REPLACE"),
        ConflictClause(constraint="CHECK", columns=(), action="ROLLBACK"),
    )


def test_words_that_are_names_are_not_taken_for_clauses() -> None:
    found = declared(
        """CREATE TABLE "check"("unique" TEXT DEFAULT 'CHECK(1)', [primary] "CHECK" (3),
        `foreign` KEY ACTION, generated always DEFAULT replace, 'constraint', İ\u00a0 int)""",
        *["unique", "primary", "foreign", "generated", "constraint", "İ\u00a0"],
    )
    assert found.checks == ()
    assert found.keys == ()


@pytest.mark.parametrize(
    "sql",
    ["", "CREATE TABLE t", "CREATE TABLE t(a", "CREATE TABLE t(b)", "CREATE TABLE t(a CHECK)"],
)
def test_text_that_does_not_fit_the_columns_is_not_believed(sql: str) -> None:
    assert read_table_declaration(sql, ["a"]) is None


def test_index_terms_lose_their_order_and_their_collation_only() -> None:
    found = read_index_declaration(
        'CREATE UNIQUE INDEX "i(" ON t(a DESC, lower(b) COLLATE nocase, a || b COLLATE rtrim ASC,'
        " (a, b) > (1, 2), coalesce(a, ',') -- last\n) WHERE a > ')' AND \"WHERE\" -- end",
        5,
    )
    assert found is not None
    assert found.terms == (
        "a",
        "lower(b)",
        "a || b COLLATE rtrim",
        "(a, b) > (1, 2)",
        "coalesce(a, ',')",
    )
    assert found.where == "a > ')' AND \"WHERE\""


def test_an_index_that_does_not_fit_is_not_believed() -> None:
    assert read_index_declaration("CREATE INDEX i ON t(a, b)", 1) is None
    assert read_index_declaration("CREATE INDEX i ON t", 1) is None


def test_the_module_of_a_virtual_table() -> None:
    assert read_module('CREATE VIRTUAL TABLE "using" USING "fts5"(a, using)') == "fts5"
    assert read_module("CREATE TABLE t(a)") is None


def test_one_statement_of_the_grammar_parses() -> None:
    assert parses("CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END")
    assert not parses("CREATE TRIGGER tr garbage")
