"""Triggers of any small shape: the same changes leave the same rows on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from core.plan import BuildKind
from tests.dialect.both import Both
from tests.property.profiles import profile

TABLES = """
    CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER, flag BOOLEAN, word TEXT);
    CREATE TABLE c (id INTEGER PRIMARY KEY, n INTEGER, flag BOOLEAN, word TEXT);
    CREATE TABLE log (n INTEGER, flag BOOLEAN, word TEXT UNIQUE);
    INSERT INTO p VALUES (1, 10, 1, 'a'), (2, NULL, 0, 'B'), (3, -3, NULL, NULL);
    INSERT INTO c VALUES (1, 1, 0, 'x'), (2, 1, 1, NULL), (3, 2, NULL, 'a');
    INSERT INTO log VALUES (0, 0, 'begun');
"""
VERBS = ("INSERT", "UPDATE", "DELETE")
COLUMNS = ("n", "flag", "word")
INTEGERS = ("{row}.id", "{row}.n", "{row}.n + 1", "1", "-7", "NULL", "length({row}.word)", "abs({row}.n)",
            "coalesce({row}.n, 5)", "(SELECT count(*) FROM c WHERE c.n = {row}.n)", "CASE WHEN {row}.flag THEN 1 ELSE {row}.n END")  # fmt: skip
VALUES = {
    "n": INTEGERS,
    "flag": ("{row}.flag", "0", "1", "NULL", "{row}.n > 1", "NOT {row}.flag", "{row}.word = 'a'"),
    "word": ("{row}.word", "'said'", "NULL", "{row}.word || '!'", "{row}.n", "upper({row}.word)", '"text"'),
}  # fmt: skip
CONDITIONS = ("{row}.flag", "{row}.flag = 0", "{row}.n IS NULL", "{row}.n > 0", "{row}.word = 'a'", "{row}.word LIKE 'A%'",
              "{row}.id IN (1, 2)", "NOT EXISTS (SELECT 1 FROM c WHERE c.id = {row}.n)", "{row}.n IN (SELECT id FROM p)",
              "{row}.id <> 2 OR {row}.flag IS NULL")  # fmt: skip


def _value(draw: st.DrawFn, column: str, row: str) -> str:
    return draw(st.sampled_from(VALUES[column])).format(row=row)


def _where(draw: st.DrawFn, row: str) -> str:
    return draw(st.sampled_from(CONDITIONS)).format(row=row)


@st.composite
def statements(draw: st.DrawFn, row: str) -> str:
    """One statement of a body, whose own row is called ``row``: it changes one row at most,
    because PostgreSQL runs the triggers of several at the end."""
    kind = draw(st.sampled_from(["UPDATE", "DELETE", "INSERT", "INSERT", "RAISE"]))
    table, column = draw(st.sampled_from(["p", "c"])), draw(st.sampled_from(COLUMNS))
    key = draw(st.sampled_from(INTEGERS)).format(row=row)
    if kind == "UPDATE":
        own = draw(st.sampled_from([row, table]))
        return f"UPDATE {table} SET {column} = {_value(draw, column, own)} WHERE id = {key}"
    if kind == "DELETE":
        return f"DELETE FROM {table} WHERE id = {key} AND {_where(draw, row)}"
    if kind == "RAISE":
        return f"SELECT RAISE(ABORT, 'no {table}') WHERE {_where(draw, row)}"
    given = ", ".join(_value(draw, name, row) for name in COLUMNS)
    how = draw(st.sampled_from(["INSERT", "INSERT OR IGNORE"]))
    source = draw(st.sampled_from(["VALUES ({})", "SELECT {} WHERE " + _where(draw, row)]))
    return f"{how} INTO log (n, flag, word) {source.format(given)}"


@st.composite
def triggers(draw: st.DrawFn) -> str:
    """Up to three triggers, no two of one table, event and time: their order is nobody's."""
    places = st.tuples(
        st.sampled_from(["BEFORE", "AFTER"]), st.sampled_from(VERBS), st.sampled_from(["p", "c"])
    )
    made = []
    for number, (timing, verb, table) in enumerate(
        draw(st.lists(places, min_size=1, max_size=3, unique=True))
    ):
        row = "OLD" if verb == "DELETE" or (verb == "UPDATE" and draw(st.booleans())) else "NEW"
        body = draw(st.lists(statements(row), min_size=1, max_size=3))
        when = f" WHEN {_where(draw, row)}" if draw(st.booleans()) else ""
        made.append(
            f"CREATE TRIGGER t{number} {timing} {verb} ON {table}{when} BEGIN {'; '.join(body)}; END;"
        )
    return "".join(made)


CHANGES = st.lists(
    st.sampled_from(
        ["UPDATE p SET n = 5 WHERE id = 1", "UPDATE p SET word = 'A', flag = FALSE WHERE id = 2",
         "UPDATE c SET n = NULL WHERE id = 1", "UPDATE c SET id = 9 WHERE id = 3", "DELETE FROM c WHERE id = 2",
         "DELETE FROM p WHERE id = 1", "INSERT INTO c VALUES (7, 2, TRUE, 'w')", "INSERT INTO p VALUES (8, NULL, NULL, 'a')",
         "UPDATE p SET flag = TRUE WHERE id = 3"]
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def target(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


def check(target: psycopg.Connection, made: str, changes: list[str]) -> None:
    both = Both(TABLES + made, target, "generated")
    try:
        said = [build for build in both.plan.builds if build.kind is BuildKind.TRIGGER]
        event(f"said: {len(said)} of {made.count('CREATE')}")
        for fate in both.plan.objects:
            if fate.kind == "trigger":  # refused, and so on neither side
                both.source.execute(f"DROP TRIGGER {fate.name}")
                event(fate.facts["detail"])
        for change in changes:
            ours, theirs = both.run(change)
            assert (ours is None) == (theirs is None), (change, ours, theirs)
            for name, source, held in both.rows():
                assert source == held, (change, name)
    finally:
        both.close()


@given(made=triggers(), changes=CHANGES)
@profile(120)
def test_the_same_rows_are_left(target: psycopg.Connection, made: str, changes: list[str]) -> None:
    check(target, made, changes)


@pytest.mark.soak
@pytest.mark.timeout(0)
@given(made=triggers(), changes=CHANGES)
@profile(5_000, soak=True)
def test_the_same_rows_are_left_at_length(
    target: psycopg.Connection, made: str, changes: list[str]
) -> None:
    check(target, made, changes)
