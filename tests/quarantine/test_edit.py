"""Values that people put in the place of a source's: on record for ever, and known to the proof."""

from __future__ import annotations

import math

import psycopg
import pytest

from core.errors import (
    EditDoesNotFit,
    QuarantineColumnUnknown,
    QuarantineRowAmbiguous,
    QuarantineRowUnknown,
    WrongUsage,
)
from core.transfer.edit import NULL, NewValue
from core.transfer.membership import who
from core.transfer.quarantine import Selection
from tests.quarantine.conftest import Make
from tests.quarantine.place import Migrated

FORTY = NewValue(text="40")


def test_an_edit_waits_for_its_replay(shop: Migrated) -> None:
    (entry,) = shop.edit("20", "age", FORTY)
    assert (entry.table, entry.key) == ("person", "20")
    assert len(shop.aside()) == 5
    shop.prove()
    report = shop.replay()
    assert (report.arrived, report.tables[0].edited, report.quarantined) == (1, 1, 4)
    assert shop.one("SELECT age FROM person WHERE id = 20") == 40


def test_who_put_what_in_place_of_what_when_and_why(shop: Migrated) -> None:
    shop.edit("20", "age", FORTY, reason="asked Ana")
    shop.edit("20", "age", NULL, reason="she would not say")
    first, second = shop.quarantine.edits()
    assert (first.before_class, first.before_raw) == ("text", b"forty")
    assert (first.after_class, first.after_raw) == ("integer", b"40")
    assert (second.before_class, second.before_raw) == ("integer", b"40")
    assert (second.after_class, second.after_raw) == ("null", b"")
    assert (first.reason, second.reason) == ("asked Ana", "she would not say")
    assert {first.edited_by, second.edited_by} == {who()}
    assert first.edited_at < second.edited_at
    shop.replay()
    assert shop.one("SELECT age FROM person WHERE id = 20") is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE mudanza.quarantine_edit SET reason = 'none'",
        "DELETE FROM mudanza.quarantine_edit",
        "TRUNCATE mudanza.quarantine_edit",
    ],
)
def test_what_was_put_down_stays(shop: Migrated, change: str) -> None:
    shop.edit("20", "age", FORTY)
    with pytest.raises(psycopg.errors.RaiseException):
        shop.do(change)
    assert len(shop.quarantine.edits()) == 1


def test_the_proof_counts_an_edited_row_as_such(shop: Migrated) -> None:
    shop.edit("20", "age", FORTY, reason="asked Ana")
    shop.replay()
    table = shop.prove().tables[0]
    assert (table.quarantined, table.edited, table.differences) == (4, 1, 0)
    (edit,) = table.edits
    assert (edit.key, edit.column, edit.source, edit.target) == ("20", "age", "forty", "40")
    assert (edit.by, edit.reason) == (who(), "asked Ana")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("UPDATE person SET age = 41 WHERE id = 20", "changed"),
        ("UPDATE person SET height = 2 WHERE id = 20", "changed"),
        (
            "SET session_replication_role = replica; DELETE FROM person WHERE id = 20",
            "missing",
        ),
        (
            "UPDATE mudanza.quarantine_past SET row = set_byte(row, length(row) - 1, 9)",
            "quarantine",
        ),
        ("DELETE FROM mudanza.quarantine_past", "missing"),
    ],
)
def test_the_proof_does_not_lie_about_an_edited_row(shop: Migrated, change: str, kind: str) -> None:
    """It must be what the source says, but for what the person said."""
    shop.edit("20", "age", FORTY)
    shop.replay()
    shop.do(change)
    report = shop.verify()
    assert not report.parity
    found = {(d.kind.value, d.key) for d in report.tables[0].samples if d.kind.value != "aggregate"}
    assert (kind, "20") in found


def test_an_edit_that_puts_the_sources_own_value_back_is_none(shop: Migrated) -> None:
    shop.edit("21", "height", NewValue(text="3"))
    shop.edit("21", "height", NewValue(text="2"))
    report = shop.replay(("person", "born", "timestamp", "iso|epoch:s"))
    assert (report.arrived, report.tables[0].edited) == (1, 0)
    assert shop.prove().tables[0].edited == 0


def test_a_new_key_is_compared_under_the_new_key(shop: Migrated) -> None:
    shop.edit("20", "age", FORTY)
    shop.edit("20", "id", NewValue(text="1000"))
    shop.replay()
    assert shop.one("SELECT age FROM person WHERE id = 1000") == 40
    assert shop.prove().tables[0].edited == 1
    shop.do("INSERT INTO person (name) VALUES ('next')")
    assert shop.one("SELECT max(id) FROM person") == 1001


def test_an_edit_mends_no_more_than_its_own_value(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER);",
        {"t": [(1, 1, 1), (2, "x", "y"), (3, 1, 1), (4, 2, 2)]},
    )
    shop.edit("2", "a", NewValue(text="7"))
    assert shop.replay().arrived == 0
    assert [c.column for c in shop.quarantine.entries()[0].cells] == ["b"]
    shop.edit("2", "b", NewValue(text="8"))
    assert shop.replay().exit_code == 0
    assert shop.all("SELECT * FROM t WHERE id = 2") == [(2, 7, 8)]
    shop.prove()


def test_what_a_person_puts_in_place_must_hold_everywhere(make: Make) -> None:
    """An orphan of the source goes in; one of an editor's making does not."""
    shop = make(
        "CREATE TABLE person (id INTEGER PRIMARY KEY);"
        "CREATE TABLE visit (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person);",
        {"person": [(1,)], "visit": [(1, 1), (2, "nobody"), (3, 1)]},
    )
    shop.edit("2", "person", NewValue(text="5"))
    assert shop.replay().arrived == 0
    assert shop.aside() == [("visit", "2", "refused_by_server")]
    shop.edit("2", "person", NewValue(text="1"))
    assert shop.replay().exit_code == 0
    shop.prove()


def test_a_duplicate_gets_a_key_of_its_own(make: Make) -> None:
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME UNIQUE);",
        {"t": [(1, "2001-01-01 00:00:00"), (2, "2001-01-01T00:00:00"), (3, "2001-01-02 00:00:00")]},
    )
    shop.edit("2", "at", NewValue(text="2001-01-02 00:00:00"))
    shop.replay()
    assert shop.aside() == [("t", "2", "duplicate_key")]
    shop.edit("2", "at", NewValue(text="2001-01-03 00:00:00"))
    assert shop.replay().exit_code == 0
    shop.prove()


# --- in bulk


def test_every_row_of_a_reason_gets_the_value(shop: Migrated) -> None:
    edited = shop.ask(
        selection=Selection(table="person", reason="not_a_moment"),
        column="born",
        value=NULL,
        reason="nobody knows",
        bulk=True,
    )
    assert [entry.key for entry in edited] == ["21", "22"]
    shop.replay()
    assert shop.all("SELECT id FROM person WHERE born IS NULL ORDER BY 1") == [(21,), (22,)]
    assert shop.prove().tables[0].edited == 2


def test_in_bulk_all_get_it_or_none(shop: Migrated) -> None:
    with pytest.raises(EditDoesNotFit):
        shop.ask(
            selection=Selection(table="person", reason="not_an_integer"),
            column="age",
            value=NewValue(text="old", storage_class="text"),
            reason="x",
            bulk=True,
        )
    assert shop.quarantine.edits() == []


# --- what is refused


@pytest.mark.parametrize(
    ("row", "column", "value", "error"),
    [
        ("99", "age", FORTY, QuarantineRowUnknown),
        ("1", "age", FORTY, QuarantineRowUnknown),
        ("20", "Age", FORTY, QuarantineColumnUnknown),
        ("20", "age", NewValue(text="40", storage_class="text"), EditDoesNotFit),
        ("20", "name", NULL, EditDoesNotFit),
        ("20", "age", NewValue(text="forty"), WrongUsage),
        ("20", "age", NewValue(text=str(2**63)), WrongUsage),
        ("20", "age", NewValue(raw=b"40"), EditDoesNotFit),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    shop: Migrated, row: str, column: str, value: NewValue, error: type[Exception]
) -> None:
    with pytest.raises(error):
        shop.edit(row, column, value)
    assert shop.quarantine.edits() == []


def test_a_key_that_two_rows_have_must_be_told_apart(make: Make) -> None:
    shop = make(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER);"
        "CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER);",
        {"a": [(1, 1), (2, "x")], "b": [(1, 1), (2, "x")]},
    )
    with pytest.raises(QuarantineRowAmbiguous):
        shop.edit("2", "n", FORTY)
    shop.edit("2", "n", FORTY, table="b")
    shop.replay()
    assert shop.aside() == [("a", "2", "not_an_integer")]
    shop.prove()


# --- what was typed


@pytest.mark.parametrize(
    ("declared", "good", "bad", "value", "stored"),
    [
        ("INTEGER", 1, "x", NewValue(text="-7"), -7),
        ("REAL", 1.5, "x", NewValue(text="0.1"), 0.1),
        ("REAL", 1.5, "x", NewValue(text="inf"), math.inf),
        ("DECIMAL(5,2)", 1.25, "x", NewValue(text="12.34"), "12.34"),
        ("TEXT", "a", b"\xff", NewValue(text="=ñ"), "=ñ"),
        ("TEXT", "a", b"\xff", NewValue(raw="ñ".encode(), storage_class="text"), "ñ"),
        ("BLOB", b"a", None, NewValue(raw=b"\x00\xff"), b"\x00\xff"),
        ("BOOLEAN", 1, "x", NewValue(text="0"), False),
        ("UUID", "00000000-0000-0000-0000-000000000001", "x", NULL, None),
    ],
)
def test_a_value_is_what_suits_the_column(
    make: Make, declared: str, good: object, bad: object, value: NewValue, stored: object
) -> None:
    shop = make(
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared}, n INTEGER);",
        {"t": [(1, good, 1), (2, bad, "x"), (3, good, 3), (4, good, 4)]},
    )
    shop.edit("2", "v", value)
    shop.edit("2", "n", NewValue(text="2"))
    shop.replay()
    found = shop.one("SELECT v FROM t WHERE id = 2")
    assert (str(found) if isinstance(stored, str) else found) == stored
    shop.prove()
