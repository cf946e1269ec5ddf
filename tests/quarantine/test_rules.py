"""Rules in turn: what the first does not take is tried by the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import PlanDoesNotFit
from core.plan import parse_document
from core.plan.amend import extends
from core.source.rows import InvalidText, SqliteValue
from core.transfer.model import Way
from core.values.columns import column_way
from core.values.exact import converter, known
from core.values.types import Altered, Conversion, Purity, Reject, parse_type
from tests.quarantine.conftest import Make
from tests.quarantine.place import choices


def conversion(kind: str, rule: str) -> Conversion:
    parsed = parse_type(kind)
    assert parsed is not None
    return Conversion(parsed, rule)


@pytest.mark.parametrize(
    ("kind", "rule", "value", "becomes"),
    [
        ("text", "text|replace", "a\x00b", Altered("a\u2400b".encode(), "nul_in_text")),
        (
            "text",
            "text|replace",
            InvalidText(b"a\xffb"),
            Altered("a\ufffdb".encode(), "invalid_text"),
        ),
        (
            "text",
            "text|replace",
            InvalidText(b"\xff\x00"),
            Altered("\ufffd\u2400".encode(), "invalid_text"),
        ),
        ("text", "text|replace", "plain", b"plain"),
        ("text", "text|replace", b"\x00", Reject("not_text", "text")),
        ("text", "text|latin-1", InvalidText(b"caf\xe9"), Altered("café".encode(), "invalid_text")),
        ("text", "text|latin-1", InvalidText(b"\xe9\x00"), Reject("invalid_text", "text")),
        (
            "text",
            "text|latin-1|replace",
            InvalidText(b"\xe9\x00"),
            Altered("\ufffd\u2400".encode(), "invalid_text"),
        ),
        ("varchar(2)", "text|replace", "abc", Reject("text_too_long", "text")),
        ("varchar(2)", "text|null", "abc", Altered(None, "text_too_long")),
        ("bigint", "integer|null", "x", Altered(None, "not_an_integer")),
        ("bigint", "integer|null", None, None),
        ("bigint", "integer|null", 1, b"\x00" * 7 + b"\x01"),
        ("boolean", "boolean:0/1|boolean:n/y", "y", b"\x01"),
        ("boolean", "boolean:0/1|boolean:n/y", "t", Reject("not_a_boolean", "boolean:0/1")),
        ("text", "text|spelled", 1.5, b"1.5"),
    ],
)
def test_each_rule_is_tried_in_its_turn(
    kind: str, rule: str, value: SqliteValue, becomes: object
) -> None:
    assert converter(conversion(kind, rule))(value) == becomes


def test_a_utf_16_text_is_replaced_in_its_own_encoding() -> None:
    raw = InvalidText("aé".encode("utf-16-le") + b"\x00\xd8")
    found = converter(conversion("text", "text|replace"), "UTF-16le")(raw)
    assert found == Altered("aé\ufffd".encode(), "invalid_text")
    latin = converter(conversion("text", "text|latin-1"), "UTF-16le")(raw)
    assert latin == Reject("invalid_text", "text")


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("text", "replace"),
        ("text", "null"),
        ("text", "text|"),
        ("text", "text|text"),
        ("text", "text|null|replace"),
        ("text", "text|integer"),
        ("bigint", "integer|replace"),
        ("bigint", "integer|latin-1"),
        ("timestamp", "iso|epoch"),
    ],
)
def test_what_is_no_rule_is_none(kind: str, rule: str) -> None:
    assert not known(conversion(kind, rule))


@pytest.mark.parametrize(
    ("was", "now", "holds"),
    [
        ("iso", "iso|epoch:s", True),
        ("iso|epoch:s", "iso|epoch:s|null", True),
        ("text", "spelled", True),
        ("text", "spelled|replace", True),
        ("iso", "epoch:s|iso", False),
        ("iso|null", "iso", False),
        ("iso|epoch:s", "iso|epoch:ms", False),
        ("spelled", "text", False),
        ("epoch:s", "epoch:ms", False),
    ],
)
def test_a_rule_extends_another_only_if_it_keeps_all_it_made(
    was: str, now: str, holds: bool
) -> None:
    assert extends(was, now) is holds


def test_no_two_rules_in_turn_are_taken_for_one_to_one() -> None:
    assert not conversion("boolean", "boolean:0/1|boolean:f/t").injective
    assert not conversion("text", "text|replace").injective


def test_the_arrow_path_goes_by_the_first_rule_or_not_at_all() -> None:
    assert column_way(conversion("text", "text|replace"), Purity.TEXT) is not None
    assert column_way(conversion("text", "text|replace"), Purity.MIXED) is None


SQL = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, at DATETIME, n INTEGER);"
ROWS = [
    *((n, f"text {n}", "2001-01-01 00:00:00", n) for n in range(1, 40)),
    (40, "nul \x00", "2001-01-01 00:00:00", 1),
    (41, "text", 86400, 1),
    (42, "text", "never", "x"),
]
RULES = (
    ("t", "a", "text", "text|replace"),
    ("t", "at", "timestamp", "iso|epoch:s|null"),
    ("t", "n", "bigint", "integer|null"),
)


@pytest.mark.parametrize("way", [Way.EXACT, Way.ARROW])
def test_planned_so_every_row_arrives_by_either_path(make: Make, way: Way) -> None:
    shop = make(SQL, {"t": ROWS}, choices=choices(*RULES), way=way)
    assert shop.aside() == []
    assert shop.report.exit_code == 3
    assert shop.all("SELECT a, at::text, n FROM t WHERE id >= 40 ORDER BY id") == [
        ("nul \u2400", "2001-01-01 00:00:00", 1),
        ("text", "1970-01-02 00:00:00", 1),
        ("text", None, None),
    ]
    kept = shop.all(
        "SELECT column_name, storage_class, raw, reason FROM mudanza.altered_cell ORDER BY 1"
    )
    assert kept == [
        ("a", "text", b"nul \x00", "nul_in_text"),
        ("at", "text", b"never", "not_a_moment"),
        ("n", "text", b"x", "not_an_integer"),
    ]
    assert shop.prove().tables[0].altered == 3


def test_altered_values_of_a_row_that_the_server_refuses_are_not_said_to_have_arrived(
    make: Make,
) -> None:
    """The row is in quarantine whole, and nothing of it counts twice."""
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, at DATETIME UNIQUE);"
    rows = [(1, "x", "2001-01-01 00:00:00"), (2, "\x00", "2001-01-01T00:00:00"), (3, "\x00", None)]
    shop = make(sql, {"t": rows}, choices=choices(("t", "a", "text", "text|replace")))
    assert shop.aside() == [("t", "2", "duplicate_key")]
    assert shop.one("SELECT count(*) FROM mudanza.altered_cell") == 1
    assert shop.prove().tables[0].altered == 1


def test_null_for_a_misfit_is_refused_before_anything_is_made(make: Make, database: str) -> None:
    with pytest.raises(PlanDoesNotFit) as refused:
        make(SQL, {"t": ROWS}, choices=choices(("t", "id", "bigint", "integer|null")))
    assert "t.id" in str(refused.value.facts["detail"])


def test_a_check_over_such_a_column_is_not_said_in_other_words(make: Make) -> None:
    """Its values may be others than SQLite compared."""
    shop = make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, flag BOOLEAN CHECK (flag = 0 OR flag = 1));",
        {"t": [(1, 0), (2, 1)]},
        choices=choices(("t", "flag", "boolean", "boolean:0/1|boolean:f/t")),
    )
    assert [(o.kind, o.reason) for o in shop.report.not_carried] == [("check", "check")]


def test_a_plan_on_paper_says_rules_in_turn(tmp_path: Path) -> None:
    document = (
        'mudanza_plan = 1\n[[table]]\nname = "t"\n'
        'columns = [{ name = "a", type = "text", rule = "text|latin-1|replace" }]\n'
    )
    found = parse_document(document, "p").column("t", "a").conversion
    assert found == conversion("text", "text|latin-1|replace")
