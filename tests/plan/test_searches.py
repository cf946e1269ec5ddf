"""Full-text searches: what each becomes, and that it finds what SQLite's MATCH finds."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from core.plan import BuildKind, Fate, Plan
from core.plan.ddl import script
from tests.dialect.both import Both
from tests.plan.planning import planned

BASE = """
    CREATE TABLE doc (id INTEGER PRIMARY KEY, title TEXT, body TEXT, n INTEGER);
    INSERT INTO doc VALUES (1, 'The Red Fox', 'runs', 1), (2, 'a dog', 'sleeps red', 2), (7, NULL, NULL, 3);
"""
OWN = """
    CREATE VIRTUAL TABLE five USING fts5(title, body, note UNINDEXED, tokenize = 'unicode61 remove_diacritics 2');
    INSERT INTO five (rowid, title, body, note) VALUES (3, 'The Red Fox', 'runs', 'zebra'), (9, 'a dog', NULL, 'x');
    CREATE VIRTUAL TABLE four USING fts4(title TEXT, body, notindexed=body, tokenize=porter);
    INSERT INTO four (docid, title, body) VALUES (4, 'red', 'fox'), (5, 'fox', 'red');
"""
EXTERNAL = """
    CREATE VIRTUAL TABLE found USING fts5(title, body, content='doc', content_rowid='id');
    INSERT INTO found (found) VALUES ('rebuild');
    CREATE TRIGGER doc_i AFTER INSERT ON doc BEGIN
      INSERT INTO found (rowid, title, body) VALUES (new.id, new.title, new.body); END;
    CREATE TRIGGER doc_d AFTER DELETE ON doc BEGIN
      INSERT INTO found (found, rowid, title, body) VALUES ('delete', old.id, old.title, old.body); END;
    CREATE TRIGGER doc_u AFTER UPDATE ON doc BEGIN
      INSERT INTO found (found, rowid, title, body) VALUES ('delete', old.id, old.title, old.body);
      INSERT INTO found (rowid, title, body) VALUES (new.id, new.title, new.body); END;
"""


@pytest.fixture(scope="module")
def target(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


def _fates(plan: Plan, kind: str) -> dict[str, tuple[Fate, str]]:
    every = [*plan.objects, *(build.fate for build in plan.builds)]
    return {fate.name: (fate.fate, fate.reason) for fate in every if fate.kind == kind}


def _found(both: Both, theirs: str, table: str, word: str, key: str) -> tuple[list[int], list[int]]:
    asked = f"SELECT {key} FROM {table} WHERE {table} MATCH ? ORDER BY 1"
    ours = [int(str(found)) for (found,) in both.source.execute(asked, (word,))]
    rows = both.target.execute(f"{theirs} @@ to_tsquery('simple', '{word}') ORDER BY 1".encode())
    return ours, [int(str(found)) for (found,) in rows]


def test_one_with_rows_of_its_own_is_a_table_with_their_words(target: psycopg.Connection) -> None:
    both = Both(OWN, target, "own")
    try:
        assert _fates(both.plan, "virtual_table") == {
            "five": (Fate.REWRITTEN, "fts_as_table"),
            "four": (Fate.REWRITTEN, "fts_as_table"),
        }
        assert _fates(both.plan, "search") == {
            "five": (Fate.REWRITTEN, "fts_index"),
            "four": (Fate.REWRITTEN, "fts_index"),
        }
        assert {reason for _, reason in _fates(both.plan, "shadow_table").values()} == {"shadow_of"}
        both.run("INSERT INTO five (title, body) VALUES ('new', 'red')")
        both.run("DELETE FROM four WHERE docid = 5")
        for name, source, held in both.rows():
            assert source == held, name
        for word in ("red", "fox", "dog", "zebra", "new"):
            said = "SELECT rowid FROM five WHERE tsv"
            ours, theirs = _found(both, said, "five", word, "rowid")
            assert ours == theirs, word
        assert _found(both, "SELECT docid FROM four WHERE tsv", "four", "fox", "docid") == ([], [])
    finally:
        both.close()


def test_one_of_another_tables_rows_is_an_index_that_needs_no_triggers(
    target: psycopg.Connection,
) -> None:
    both = Both(BASE + EXTERNAL, target, "external")
    try:
        assert _fates(both.plan, "virtual_table") == {"found": (Fate.REWRITTEN, "fts_index")}
        assert set(_fates(both.plan, "trigger").values()) == {(Fate.REWRITTEN, "fts_kept_by_index")}
        (build,) = (b for b in both.plan.builds if b.kind is BuildKind.SEARCH)
        words = build.sql.partition("USING gin ((")[2].removesuffix("))")
        both.run("INSERT INTO doc VALUES (8, 'another', 'red', 0)")
        both.run("UPDATE doc SET title = 'white' WHERE id = 1")
        both.run("DELETE FROM doc WHERE id = 2")
        for word in ("red", "fox", "white", "sleeps", "runs"):
            ours, theirs = _found(both, f"SELECT id FROM doc WHERE {words}", "found", word, "rowid")
            assert ours == theirs, word
    finally:
        both.close()


def test_triggers_fill_one_that_is_a_table(target: psycopg.Connection) -> None:
    triggers = """
        CREATE TRIGGER doc_i AFTER INSERT ON doc BEGIN
          INSERT INTO five (rowid, title, body) VALUES (new.id, new.title, new.body); END;
        CREATE TRIGGER doc_d AFTER DELETE ON doc BEGIN DELETE FROM four WHERE docid = old.id;
          DELETE FROM five WHERE rowid = old.id; END;
        CREATE TRIGGER doc_u AFTER UPDATE OF title ON doc BEGIN
          UPDATE five SET title = new.title WHERE rowid = old.id;
          UPDATE four SET title = new.title WHERE rowid = old.id; END;
    """
    both = Both(BASE + OWN + triggers, target, "filled")
    try:
        assert [b.name for b in both.plan.builds if b.kind is BuildKind.TRIGGER] == [
            "doc_i",
            "doc_d",
            "doc_u",
        ]
        for change in ("INSERT INTO doc VALUES (4, 'blue', 'x', 1)", "UPDATE doc SET title = 'green' WHERE id = 4",
                       "DELETE FROM doc WHERE id = 4"):  # fmt: skip
            assert both.run(change) == (None, None)
            for name, source, held in both.rows():
                assert source == held, (change, name)
    finally:
        both.close()


def test_the_plan_as_ddl_is_one_script(target: psycopg.Connection) -> None:
    """Bodies hold semicolons, and some objects take two statements."""
    triggers = "CREATE TRIGGER t AFTER INSERT ON doc BEGIN DELETE FROM five; INSERT INTO doc (title) VALUES (';'); END;"
    plan = planned(BASE + OWN + EXTERNAL + triggers)
    with target.transaction(force_rollback=True):
        target.execute("CREATE SCHEMA script; SET LOCAL search_path = script")
        target.execute(script(plan).replace('"public"', '"script"').encode())
        found = target.execute(
            "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
            " WHERE relnamespace = 'script'::regnamespace AND NOT tgisinternal"
        ).fetchall()
        assert found == [("t",)]
        assert target.execute("SELECT tsv FROM script.five").fetchall() == []


LISTED = {
    "CREATE VIRTUAL TABLE x USING fts5(a, content='')": "fts_contentless",
    "CREATE VIRTUAL TABLE x USING fts4(a, content=\"\")": "fts_contentless",
    "CREATE VIEW v AS SELECT id, title FROM doc; CREATE VIRTUAL TABLE x USING fts5(title, content='v')": "fts_content",
    "CREATE VIRTUAL TABLE x USING fts5(nothing, content='doc')": "fts_content",
    "CREATE VIRTUAL TABLE x USING rtree(id, a, b)": "rtree",
    "CREATE VIRTUAL TABLE words USING fts5(a); CREATE VIRTUAL TABLE x USING fts5vocab(words, row)": "fts_vocabulary",
    "CREATE VIRTUAL TABLE x USING dbstat": "virtual",
}  # fmt: skip


@pytest.mark.parametrize(("made", "reason"), LISTED.items())
def test_what_cannot_be_is_listed_by_its_own_reason(made: str, reason: str) -> None:
    plan = planned(f"{BASE}{made};")
    assert _fates(plan, "virtual_table")["x"] == (Fate.NOT_CARRIED, reason)
    shadows = {n: r for n, (_, r) in _fates(plan, "shadow_table").items() if n.startswith("x_")}
    assert set(shadows.values()) <= {"shadow"}


def test_a_trigger_that_does_more_than_fill_is_not_needless() -> None:
    more = (
        EXTERNAL
        + "CREATE TRIGGER more AFTER INSERT ON doc BEGIN DELETE FROM found; DELETE FROM doc; END;"
    )
    assert _fates(planned(BASE + more), "trigger")["more"] == (Fate.NOT_CARRIED, "trigger")
    refuse = (
        EXTERNAL
        + "CREATE TRIGGER no AFTER INSERT ON doc BEGIN DELETE FROM found; SELECT RAISE(ABORT, 'x'); END;"
    )
    assert _fates(planned(BASE + refuse), "trigger")["no"] == (Fate.NOT_CARRIED, "trigger")
