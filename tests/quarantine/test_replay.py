"""Rows of the quarantine tried again under a mended plan, until the ledger closes."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import PlanChanged, PlanDoesNotFit, RuleChangesRows, SnapshotLost, TypeNotCastable
from core.plan import digest, parse_document
from core.transfer.edit import NewValue
from core.transfer.model import Bounds, Way
from core.transfer.replay import ReplayRequest, replay
from tests.quarantine.conftest import DIRT, PEOPLE, SQL, VISITS, Make
from tests.quarantine.place import Migrated, choices

FORTY = ("person", "20", "not_an_integer")
EPOCH = ("person", "21", "not_a_moment")
NEVER = ("person", "22", "not_a_moment")
NUL = ("person", "23", "nul_in_text")
HALF = ("person", "24", "not_an_integer")

MOMENTS = ("person", "born", "timestamp", "iso|epoch:s")
NOTES = ("person", "note", "text", "text|replace")


def test_before_a_replay_five_rows_wait(shop: Migrated) -> None:
    assert shop.aside() == [FORTY, EPOCH, NEVER, NUL, HALF]
    assert shop.report.exit_code == 3
    assert (
        shop.one("SELECT convalidated FROM pg_constraint WHERE conname = 'visit_person_fkey'")
        is False
    )
    shop.prove()


def test_without_a_change_nothing_arrives_and_all_reasons_stay(shop: Migrated) -> None:
    before = shop.all("SELECT * FROM mudanza.quarantine ORDER BY source_key")
    report = shop.replay()
    assert (report.arrived, report.quarantined, report.exit_code) == (0, 5, 3)
    assert shop.all("SELECT * FROM mudanza.quarantine ORDER BY source_key") == before
    shop.prove()


def test_a_further_rule_lets_in_what_it_takes(shop: Migrated) -> None:
    report = shop.replay(MOMENTS)
    assert (report.arrived, report.quarantined) == (1, 4)
    assert shop.aside() == [FORTY, NEVER, NUL, HALF]
    assert str(shop.one("SELECT born FROM person WHERE id = 21")) == "2001-02-03 04:05:06"
    proof = shop.prove()
    assert (proof.tables[0].quarantined, proof.tables[0].altered) == (4, 0)


def test_what_left_the_quarantine_is_in_its_history_whole(shop: Migrated) -> None:
    wanted = shop.all(
        "SELECT source_key, key_shown, reason, detail, row, quarantined_at, range"
        " FROM mudanza.quarantine WHERE key_shown = '21'"
    )
    raw = shop.one(
        "SELECT encode(raw, 'hex') FROM mudanza.quarantine_cell WHERE reason = 'not_a_moment' AND storage_class = 'integer'"
    )
    shop.replay(MOMENTS)
    assert wanted == shop.all(
        "SELECT source_key, key_shown, reason, detail, row, quarantined_at, range"
        " FROM mudanza.quarantine_past"
    )
    (cell,) = shop.one("SELECT cells::json FROM mudanza.quarantine_past")
    assert cell == {
        "column": "born",
        "storage_class": "integer",
        "raw": raw,
        "rule": "iso",
        "reason": "not_a_moment",
    }


def test_the_run_has_the_new_plan_and_the_old_one_is_kept(shop: Migrated) -> None:
    before = shop.all("SELECT plan, plan_document, plan_sha256 FROM mudanza.run")
    shop.replay(MOMENTS)
    assert shop.all("SELECT plan, plan_document, plan_sha256 FROM mudanza.replay") == before
    document = shop.one("SELECT plan_document FROM mudanza.run")
    assert shop.one("SELECT plan_sha256 FROM mudanza.run") == digest(document)
    found = parse_document(document, "ledger").column("person", "born").conversion
    assert found is not None
    assert found.rule == "iso|epoch:s"
    (change,) = shop.one("SELECT changes::json FROM mudanza.replay")
    assert (change["rule_before"], change["rule"]) == ("iso", "iso|epoch:s")


def test_migrate_again_follows_the_new_plan_and_refuses_the_old(shop: Migrated) -> None:
    shop.replay(MOMENTS)
    assert shop.again().exit_code == 3
    assert shop.again(choices=choices(MOMENTS)).repeated
    with pytest.raises(PlanChanged):
        shop.again(choices=choices(("person", "born", "timestamp", "iso")))


def test_until_the_ledger_closes(make: Make) -> None:
    """All that was wrong is mended by rules: the run ends as if nothing ever was."""
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME);",
        {"t": [(1, "2001-01-01 00:00:00"), (2, 86400), (3, "2001-01-02 00:00:00")]},
    )
    assert shop.report.exit_code == 3
    report = shop.replay(("t", "at", "timestamp", "iso|epoch:s"))
    assert (report.arrived, report.quarantined) == (1, 0)
    assert (report.exit_code_before, report.exit_code) == (3, 0)
    again = shop.again()
    assert (again.exit_code, again.repeated, again.moved) == (0, True, False)
    shop.prove()
    assert shop.all("SELECT id, at::text FROM t ORDER BY 1")[1] == (2, "1970-01-02 00:00:00")


# --- values that arrive as others


def test_a_replaced_nul_arrives_as_a_sign_and_is_kept_as_it_was(shop: Migrated) -> None:
    report = shop.replay(NOTES)
    assert report.arrived == 1
    assert shop.one("SELECT note FROM person WHERE id = 23") == "nul \u2400 here"
    assert shop.all(
        "SELECT column_name, storage_class, raw, rule, reason FROM mudanza.altered_cell"
    ) == [("note", "text", b"nul \x00 here", "text|replace", "nul_in_text")]
    proof = shop.prove()
    assert proof.tables[0].altered == 1
    assert report.exit_code == 3


def test_a_misfit_arrives_as_null_where_that_harms_nobody(shop: Migrated) -> None:
    shop.replay(("person", "born", "timestamp", "iso|null"))
    assert shop.aside() == [FORTY, NUL, HALF]
    assert shop.all("SELECT id, born FROM person WHERE born IS NULL ORDER BY 1") == [
        (21, None),
        (22, None),
    ]
    assert shop.prove().tables[0].altered == 2


@pytest.mark.parametrize(
    "rule",
    [
        ("person", "id", "bigint", "integer|null"),
        ("person", "name", "text", "text|null"),
        ("visit", "person", "bigint", "integer|null"),
    ],
    ids=["key", "not null", "foreign key"],
)
def test_null_is_refused_where_it_means_something(
    shop: Migrated, rule: tuple[str, str, str, str]
) -> None:
    with pytest.raises(PlanDoesNotFit):
        shop.replay(rule)


@pytest.mark.parametrize(
    "change", ["DELETE FROM mudanza.altered_cell", "UPDATE mudanza.altered_cell SET raw = 'other'"]
)
def test_an_altered_value_that_the_ledger_forgot_is_a_difference(
    shop: Migrated, change: str
) -> None:
    shop.replay(NOTES)
    shop.do(change)
    report = shop.verify()
    assert not report.parity
    assert {(d.kind.value, d.key, d.column) for d in report.tables[0].samples} == {
        ("quarantine", "23", "note")
    }


# --- other rules, other types


def test_a_rule_that_would_change_rows_that_are_there_is_refused(shop: Migrated) -> None:
    with pytest.raises(RuleChangesRows) as refused:
        shop.replay(("person", "born", "timestamp", "epoch:s"))
    assert (refused.value.facts["column"], refused.value.facts["rows"]) == ("person.born", 19)
    assert shop.aside() == [FORTY, EPOCH, NEVER, NUL, HALF]
    assert shop.one("SELECT count(*) FROM mudanza.replay") == 0


def test_a_rule_that_changes_no_row_that_is_there_is_taken(make: Make) -> None:
    """Not by the rule's own words, but each row of the snapshot was asked."""
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN);",
        {"t": [(1, 0), (2, 1), (3, "f"), (4, None)]},
    )
    assert shop.aside() == [("t", "3", "not_a_boolean")]
    report = shop.replay(("t", "flag", "boolean", "boolean:f/t|boolean:0/1"))
    assert report.quarantined == 0
    assert shop.all("SELECT id, flag FROM t ORDER BY 1") == [
        (1, False),
        (2, True),
        (3, False),
        (4, None),
    ]
    shop.prove()


def test_a_wider_type_is_given_where_every_value_stays(shop: Migrated) -> None:
    report = shop.replay(("person", "height", "numeric", "decimal"))
    assert report.arrived == 1
    assert str(shop.one("SELECT height FROM person WHERE id = 24")) == "170.5"
    assert shop.one("SELECT height FROM person WHERE id = 1") == 151
    shop.do("INSERT INTO person (id, name) VALUES (999, 'x')")
    assert shop.one("SELECT height FROM person WHERE id = 999") == 170
    shop.do("DELETE FROM person WHERE id = 999")
    shop.prove()
    assert shop.all(
        "SELECT reason, counts FROM mudanza.object WHERE name = 'person.height' AND kind = 'column'"
    ) == [("type_chosen", False)]


def test_numbers_and_words_become_text(shop: Migrated) -> None:
    shop.replay(("person", "age", "text", "spelled"))
    assert shop.all("SELECT id, age FROM person WHERE id IN (1, 20) ORDER BY 1") == [
        (1, "21"),
        (20, "forty"),
    ]
    shop.prove()


@pytest.mark.parametrize(
    ("kind", "rule"), [("boolean", "boolean:0/1"), ("text", "text"), ("date", "iso")]
)
def test_a_type_that_nothing_proves_is_refused_and_nothing_changes(
    shop: Migrated, kind: str, rule: str
) -> None:
    with pytest.raises(TypeNotCastable):
        shop.replay(("person", "age", kind, rule))
    assert shop.plan.table("person").column("age").type.name == "bigint"
    shop.prove()


def test_integers_that_a_double_would_round_stay_integers(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);",
        {"t": [(1, 2**53 + 1), (2, 5), (3, 0.5)]},
    )
    with pytest.raises(RuleChangesRows):
        shop.replay(("t", "n", "double precision", "real"))
    assert shop.one("SELECT n FROM t WHERE id = 1") == 2**53 + 1
    assert shop.replay(("t", "n", "numeric", "decimal")).quarantined == 0
    shop.prove()


def test_a_type_that_an_identity_cannot_have_is_refused_by_name(shop: Migrated) -> None:
    with pytest.raises(TypeNotCastable) as refused:
        shop.replay(("person", "id", "numeric", "decimal"))
    assert refused.value.facts["column"] == "person.id"
    shop.prove()


@pytest.mark.parametrize("name", ["other", "person"])
def test_a_plan_that_says_more_than_rules_is_refused(shop: Migrated, name: str) -> None:
    text = f'mudanza_plan = 1\n[[table]]\nname = "{name}"\ntarget = "people"\n'
    request = ReplayRequest(place=shop.place, choices=parse_document(text, "p"))
    with pytest.raises(PlanDoesNotFit):
        replay(request)


# --- which rows


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({"reason": "not_a_moment"}, [FORTY, NUL, HALF]),
        ({"reason": "nul_in_text"}, [FORTY, EPOCH, NEVER, HALF]),
        ({"table": "visit"}, [FORTY, EPOCH, NEVER, NUL, HALF]),
        ({"row": "22"}, [FORTY, EPOCH, NUL, HALF]),
        ({"table": "person", "row": "010000000000000017"}, [FORTY, EPOCH, NEVER, HALF]),
    ],
)
def test_only_the_rows_that_were_named_are_tried(
    shop: Migrated, which: dict[str, str], left: list[tuple[str, str, str]]
) -> None:
    shop.replay(("person", "born", "timestamp", "iso|epoch:s|null"), NOTES, **which)
    assert shop.aside() == left
    shop.prove()


def test_a_dry_run_says_what_would_be_and_changes_nothing(shop: Migrated) -> None:
    before = shop.all("SELECT plan_sha256, exit_code FROM mudanza.run")
    report = shop.replay(MOMENTS, NOTES, ("person", "height", "numeric", "decimal"), dry_run=True)
    assert (report.arrived, report.quarantined, report.dry_run) == (3, 2, True)
    assert shop.aside() == [FORTY, EPOCH, NEVER, NUL, HALF]
    assert shop.all("SELECT plan_sha256, exit_code FROM mudanza.run") == before
    assert shop.one("SELECT count(*) FROM mudanza.replay") == 0
    shop.prove()


def test_a_new_reason_replaces_the_old_one(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(5));",
        {"t": [(1, "ab"), (2, "abc\x00"), (3, "abcd")]},
    )
    assert shop.aside() == [("t", "2", "nul_in_text")]
    shop.do("ALTER TABLE t ADD CONSTRAINT short CHECK (char_length(a) < 4) NOT VALID")
    report = shop.replay(("t", "a", "varchar(5)", "text|replace"))
    assert report.arrived == 0
    assert shop.aside() == [("t", "2", "refused_by_server")]
    assert shop.one("SELECT detail FROM mudanza.quarantine") == "23514"
    assert shop.one("SELECT count(*) FROM mudanza.quarantine_cell") == 0
    shop.prove()


# --- what stands around the rows


def test_a_foreign_key_whose_rows_came_late_is_valid_again(make: Make) -> None:
    shop = make(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, born DATETIME);"
        "CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person);",
        {
            "person": [(1, "2001-01-01 00:00:00"), (2, 86400)],
            "visit": [(1, 1), (2, 2)],
        },
    )
    valid = "SELECT convalidated FROM pg_constraint WHERE conname LIKE '%_fkey' AND connamespace = 'public'::regnamespace"
    assert shop.one(valid) is False
    report = shop.replay(("person", "born", "timestamp", "iso|epoch:s"))
    assert [(o.name, o.fate.value) for o in report.objects] == [("visit_person_fkey", "carried")]
    assert shop.one(valid) is True
    assert report.exit_code == 0
    shop.prove()


def test_an_orphan_goes_in_as_it_would_have_and_its_foreign_key_says_so(make: Make) -> None:
    shop = make(
        "CREATE TABLE person (id INTEGER PRIMARY KEY);"
        "CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person, at DATETIME);",
        {
            "person": [(1,)],
            "visit": [(1, 1, "2001-01-01 00:00:00"), (2, 9, 86400)],
        },
    )
    valid = "SELECT convalidated FROM pg_constraint WHERE conname LIKE '%_fkey' AND connamespace = 'public'::regnamespace"
    assert shop.one(valid) is True
    report = shop.replay(("visit", "at", "timestamp", "iso|epoch:s"))
    assert report.quarantined == 0
    assert [(o.name, o.reason) for o in report.objects] == [("visit_person_fkey", "not_valid")]
    assert shop.one(valid) is False
    assert report.exit_code == 3
    shop.prove()


def test_a_child_before_its_parent_is_no_orphan(make: Make) -> None:
    """The tables refer to each other, so one of them must go first."""
    shop = make(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b, at DATETIME);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a, at DATETIME);",
        {
            "a": [(1, 1, "2001-01-01 00:00:00"), (2, 2, 5)],
            "b": [(1, 1, "2001-01-01 00:00:00"), (2, 2, 5)],
        },
    )
    report = shop.replay(
        ("a", "at", "timestamp", "iso|epoch:s"), ("b", "at", "timestamp", "iso|epoch:s")
    )
    assert (report.arrived, report.exit_code) == (2, 0)
    assert shop.all(
        "SELECT convalidated FROM pg_constraint WHERE conname LIKE '%_fkey' AND connamespace = 'public'::regnamespace"
    ) == [
        (True,),
        (True,),
    ]
    shop.prove()


def test_a_check_that_the_source_breaks_is_kept_for_new_rows(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, at DATETIME);"
        "INSERT INTO t VALUES (1, 5, '2001-01-01 00:00:00'), (2, -5, 86400);"
        "PRAGMA writable_schema = ON;"
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE t (id INTEGER PRIMARY KEY,"
        " n INTEGER CONSTRAINT positive CHECK (n > 0), at DATETIME)';"
        "PRAGMA writable_schema = RESET;",
        {},
    )
    assert shop.aside() == [("t", "2", "not_a_moment")]
    report = shop.replay(("t", "at", "timestamp", "iso|epoch:s"))
    assert [(o.name, o.reason) for o in report.objects] == [("positive", "check_broken")]
    assert (report.quarantined, report.exit_code) == (0, 3)
    shop.prove()


def test_a_duplicate_goes_in_when_the_row_in_its_way_is_gone(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME UNIQUE);",
        {"t": [(1, "2001-01-01 00:00:00"), (2, "2001-01-01T00:00:00"), (3, "2001-01-02 00:00:00")]},
    )
    assert shop.aside() == [("t", "2", "duplicate_key")]
    assert shop.replay().arrived == 0
    assert shop.aside() == [("t", "2", "duplicate_key")]
    shop.do("UPDATE t SET at = '2009-01-01' WHERE id = 1")
    report = shop.replay(reason="duplicate_key")
    assert (report.arrived, report.exit_code) == (1, 0)
    shop.do("UPDATE t SET at = '2001-01-03' WHERE id = 2")


def test_numbers_that_the_server_gives_stay_past_the_rows(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);",
        {"t": [(1, 1), (2, 2), (70, "x")]},
    )
    shop.replay(("t", "n", "bigint", "integer|null"))
    shop.do("INSERT INTO t (n) VALUES (9)")
    assert shop.one("SELECT max(id) FROM t") == 71
    shop.do("DELETE FROM t WHERE id = 71")
    shop.prove()


def test_an_undisturbed_second_replay_finds_nothing_to_do(shop: Migrated) -> None:
    shop.replay(MOMENTS)
    report = shop.replay(MOMENTS)
    assert (report.arrived, report.changes, report.quarantined) == (0, (), 4)
    shop.prove()


def test_the_same_plan_from_the_beginning_gives_the_same_rows(make: Make, shop: Migrated) -> None:
    """Two roads meet: mended afterwards, or planned so."""
    rules = (
        ("person", "born", "timestamp", "iso|epoch:s|null"),
        NOTES,
        ("person", "age", "bigint", "integer|null"),
        ("person", "height", "bigint", "integer|null"),
    )
    shop.replay(*rules)
    assert shop.aside() == []
    fresh = make(SQL, {"person": [*PEOPLE, *DIRT], "visit": VISITS}, choices=choices(*rules))
    assert fresh.aside() == []
    for query in (
        "SELECT * FROM person ORDER BY id",
        "SELECT * FROM visit ORDER BY id",
        "SELECT column_name, storage_class, raw, rule, reason FROM mudanza.altered_cell ORDER BY 1, 3",
        "SELECT conname, convalidated FROM pg_constraint WHERE conname LIKE '%_fkey' AND connamespace = 'public'::regnamespace",
        "SELECT exit_code FROM mudanza.run",
        "SELECT kind, name, fate, reason, facts, counts FROM mudanza.object ORDER BY 1, 2, 4",
    ):
        assert shop.all(query) == fresh.all(query)
    fresh.prove()
    shop.prove()


# --- tables of every kind


KINDS = {
    "rowid": "CREATE TABLE t (a TEXT, at DATETIME)",
    "keyed": "CREATE TABLE t (a TEXT PRIMARY KEY, at DATETIME)",
    "without rowid": "CREATE TABLE t (a TEXT PRIMARY KEY, at DATETIME) WITHOUT ROWID",
    "nocase": "CREATE TABLE t (a TEXT COLLATE NOCASE, at DATETIME, PRIMARY KEY (a)) WITHOUT ROWID",
    "two columns": "CREATE TABLE t (a TEXT, at DATETIME, PRIMARY KEY (a, at)) WITHOUT ROWID",
    "hidden rowid": "CREATE TABLE t (a TEXT, at DATETIME, rowid TEXT, oid TEXT, _rowid_ TEXT)",
}
SHORT = [(f"k{n}", "2001-02-03 04:05:06") for n in range(9)]
SECONDS = [("Ä1", 981173106), ("z1", 5), ("z1\U0001f600", 6)]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_any_table_come_back(kind: str, encoding: str, make: Make) -> None:
    more = (None,) * 3 if kind == "hidden rowid" else ()
    rows = [(*row, *more) for row in (*SHORT, *SECONDS)]
    shop = make(f"PRAGMA encoding = '{encoding}'; {KINDS[kind]};", {"t": rows})
    first, second, _ = (entry.source_key.hex() for entry in shop.quarantine.entries())
    assert shop.replay(("t", "at", "timestamp", "iso|epoch:s"), row=first).arrived == 1
    shop.prove()
    shop.edit(second, "a", NewValue(text="ß"))
    report = shop.replay()
    assert (report.arrived, report.quarantined, report.exit_code) == (2, 0, 0)
    assert shop.prove().tables[0].edited == 1


@pytest.mark.parametrize("way", [Way.EXACT, Way.ARROW])
def test_rows_come_back_to_a_table_of_many_ranges(way: Way, make: Make) -> None:
    rows = [(n, "x" if n in (3, 77, 199) else n) for n in range(-50, 201)]
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);",
        {"t": rows},
        way=way,
        bounds=Bounds(rows=3),
    )
    assert shop.one("SELECT count(*) FROM mudanza.range") > 5
    for row in ("3", "199"):
        shop.edit(row, "n", NewValue(text="1"))
    assert shop.replay().arrived == 2
    shop.prove()
    assert shop.replay(("t", "n", "bigint", "integer|null")).quarantined == 0
    shop.prove()


def test_without_the_snapshot_only_a_rule_that_adds_is_taken(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN);",
        {"t": [(1, 0), (2, 1), (3, "f")]},
    )
    Path(shop.one("SELECT snapshot_path FROM mudanza.run")).unlink()
    with pytest.raises(SnapshotLost):
        shop.replay(("t", "flag", "boolean", "boolean:f/t|boolean:0/1"))
    assert shop.replay(("t", "flag", "boolean", "boolean:0/1|boolean:f/t")).quarantined == 0
    shop.prove()


# --- columns that the server computes


def test_a_row_that_comes_late_gets_its_generated_columns_from_the_server(make: Make) -> None:
    shop = make(
        "CREATE TABLE word (id INTEGER PRIMARY KEY, note TEXT, n INTEGER, low TEXT AS (lower(note)),"
        " twice INTEGER AS (n * 2) STORED); CREATE INDEX word_low ON word (low)",
        {"word (id, note, n)": [(1, "A", 5), (2, "B\x00", 6)]},
    )
    assert shop.aside() == [("word", "2", "nul_in_text")]
    replaced = [("word", column, "text", "text|replace") for column in ("note", "low")]
    report = shop.replay(*replaced)
    assert (report.arrived, report.quarantined) == (1, 0)
    ((low, twice),) = shop.all("SELECT low, twice FROM word WHERE id = 2")
    assert (low, twice) == ("b\u2400", 12)
    shop.prove()


def test_no_trigger_fires_for_a_row_that_comes_late(make: Make) -> None:
    """It fired in the source, and what it did there was carried."""
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME); CREATE TABLE log (id INTEGER);"
        "CREATE TRIGGER seen AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id); END;"
        "CREATE TRIGGER unseen AFTER INSERT ON t BEGIN INSERT INTO log VALUES (-NEW.id); END;",
        {"t": [(1, "2001-01-01 00:00:00"), (2, 86400), (3, "2001-01-02 00:00:00")]},
    )
    shop.do("ALTER TABLE t DISABLE TRIGGER unseen")
    logged = shop.all("SELECT id FROM log ORDER BY 1")
    assert len(logged) == 6
    assert shop.replay(("t", "at", "timestamp", "iso|epoch:s")).arrived == 1
    assert shop.all("SELECT id FROM log ORDER BY 1") == logged
    shop.do("INSERT INTO t (at) VALUES (now())")
    assert shop.all("SELECT id FROM log ORDER BY 1") == [*logged, (4,)]
