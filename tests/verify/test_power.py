"""The verifier's power: 13 kinds of injected differences, 20 of each, all found and located.

Each injection is done in the target by plain SQL at places drawn by a seed,
verified, and undone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from core.plan import ColumnPlan, TablePlan
from core.source.rows import KeyKind, RowKey, TableSource
from core.transfer.convert import copy_tuple
from core.values.types import TargetType
from core.verify.model import DifferenceKind
from core.verify.rows import compare_rows
from core.verify.sides import Comparable
from tests.verify.sites import Site, differences

TIMES = 20


@dataclass(frozen=True)
class Place:
    """A column to break: which rows will do, and SQL that makes another value of one.
    ``{at}`` stands for a random number from 1 to 3."""

    table: str
    column: str
    expression: str
    where: str = "true"


TEXTS = [
    ("users", "full_name"),
    ("addresses", "street"),
    ("products", "name"),
    ("products", "sku"),
    ("categories", "slug"),
    ("orders", "status"),
]
CHANGES: dict[str, list[Place]] = {
    "a changed byte": [
        Place(t, c, f"overlay({c} placing '~' from {{at}} for 1)", f"length({c}) > 3")
        for t, c in TEXTS
    ],
    "NULL for ''": [
        Place("notes", "word", "NULL", "word = ''"),
        Place("notes", "word", "''", "word IS NULL"),
        Place("products", "description", "description || '.'", "description = ''"),
    ],
    "0 and false": [
        Place("notes", "word", "'false'", "word = '0'"),
        Place("notes", "word", "'0'", "word = 'false'"),
        Place("users", "is_active", "NOT is_active"),
        Place("payments", "succeeded", "NOT succeeded"),
        Place("products", "is_published", "NOT is_published"),
    ],
    "a trailing blank": [Place(t, c, f"{c} || ' '") for t, c in TEXTS],
    "one hour": [
        Place("products", "created_at", "created_at + interval '1 hour'"),
        Place("orders", "placed_at", "placed_at + interval '1 hour'"),
        Place(
            "payments", "captured_at", "captured_at - interval '1 hour'", "captured_at IS NOT NULL"
        ),
        Place("users", "birth_date", "birth_date + 1", "birth_date IS NOT NULL"),
    ],
    "another case": [
        Place(t, c, f"CASE WHEN upper({c}) <> {c} THEN upper({c}) ELSE lower({c}) END")
        for t, c in TEXTS
    ],
    "a truncated blob": [
        Place(
            "product_images",
            "body",
            "substring(body from 1 for length(body) - 1)",
            "length(body) > 0",
        )
    ],
    "reordered keys": [
        Place("notes", "doc", "('{\"b\": 2, \"a\": ' || id || ', \"a\": ' || id || '}')::json"),
        Place("notes", "raw", "'{\"b\": 2, \"a\": ' || id || '}'"),
        Place("notes", "bin", "jsonb_set(bin, '{b,0}', '1.51')"),
    ],
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_value_is_located(kind: str, site: Site) -> None:
    chance = random.Random(kind)
    for _ in range(TIMES):
        place = chance.choice(CHANGES[kind])
        id_ = _some_id(site, chance, place.table, place.where)
        expression = place.expression.replace("{at}", str(chance.randint(1, 3)))
        _inject(site, place.table, place.column, id_, f"{place.column} = {expression}")
    assert site.verify().parity


def test_one_ulp_of_a_double_is_located(site: Site) -> None:
    chance = random.Random("ulp")
    for _ in range(TIMES):
        table, column = chance.choice(
            [("addresses", "latitude"), ("addresses", "longitude"), ("products", "weight_kg")]
        )
        id_ = _some_id(site, chance, table, f"{column} IS NOT NULL")
        was = float(str(site.one(f"SELECT {column} FROM {table} WHERE id = {id_}")))
        _inject(site, table, column, id_, f"{column} = %s", math.nextafter(was, math.inf))
    assert site.verify().parity


def test_two_rows_values_swapped_are_located(site: Site) -> None:
    chance = random.Random("swap")
    for _ in range(TIMES):
        table, column = chance.choice(
            [("users", "full_name"), ("products", "price"), ("orders", "total")]
        )
        one = _some_id(site, chance, table, "true")
        here = f"(SELECT {column} FROM {table} WHERE id = {one})"
        other = _some_id(site, chance, table, f"{column} <> {here}")
        with site.undone(table, f"id IN ({one}, {other})"):
            site.run(
                f"UPDATE {table} t SET {column} ="
                f" (SELECT {column} FROM {table} s WHERE s.id = {one} + {other} - t.id)"
                f" WHERE id IN ({one}, {other})"
            )
            found = differences(site.verify(), table)
        assert {(d.kind, d.key, d.column) for d in found} == {
            (DifferenceKind.CHANGED, str(one), column),
            (DifferenceKind.CHANGED, str(other), column),
        }
        assert (found[0].source, found[0].target) == (found[1].target, found[1].source)
    assert site.verify().parity


# Tables and SQL that shows a row's key as the verifier does.
KEYED = {
    "users": "id::text",
    "order_items": "id::text",
    "product_tags": "product_id || ', ' || tag",
    "favourites": "user_id || ', ' || product_id",
    "sessions": "token",
    "heap": "a || ', ' || b",
}


def test_a_missing_row_is_located(site: Site) -> None:
    chance = random.Random("missing")
    for _ in range(TIMES):
        table = chance.choice(list(KEYED))
        key = chance.choice(site.all(f"SELECT {KEYED[table]} AS k FROM {table} ORDER BY 1"))
        where = f"{KEYED[table]} = '{key}'"
        with site.undone(table, where):
            site.run(f"DELETE FROM {table} WHERE {where}")
            found = differences(site.verify(), table)
        assert [(d.kind, d.key) for d in found] == [(DifferenceKind.MISSING, key)]
    assert site.verify().parity


def test_an_extra_row_is_located(site: Site) -> None:
    chance = random.Random("extra")
    makers: list[Callable[[int], tuple[str, str, str]]] = [
        lambda n: (
            "product_tags",
            f"INSERT INTO product_tags VALUES (1, 'extra {n}')",
            f"1, extra {n}",
        ),
        lambda n: ("heap", f"INSERT INTO heap VALUES (NULL, {n})", f"NULL, {n}"),
        lambda n: (
            "notes",
            f"INSERT INTO notes (id) VALUES ({10_000 + n})",
            f"{10_000 + n}",
        ),
    ]
    for n in range(TIMES):
        table, insert, key = chance.choice(makers)(n)
        with site.undone(table, "true"):
            site.run(insert)
            if table == "notes":  # the number is past the sequence, which is a difference too
                site.run("SELECT setval(pg_get_serial_sequence('notes', 'id'), 20000)")
            found = differences(site.verify(), table)
        assert [(d.kind, d.key) for d in found] == [(DifferenceKind.EXTRA, key)]
    assert site.verify().parity


def test_a_pair_of_equal_extra_rows_does_not_cancel(site: Site) -> None:
    chance = random.Random("pair")
    for n in range(TIMES):
        # Half of them equal to each other, half to a row that is there.
        a, b = ("twice", n) if n % 2 else (f"h{(k := chance.randrange(50))}", k)
        with site.undone("heap", "true"):
            site.run(f"INSERT INTO heap VALUES ('{a}', {b}), ('{a}', {b})")
            found = differences(site.verify(), "heap")
        assert [(d.kind, d.key) for d in found] == [(DifferenceKind.EXTRA, f"{a}, {b}")] * 2
    assert site.verify().parity


def test_one_of_a_pair_of_equal_rows_lost_for_another_is_located(clone: Site) -> None:
    clone.run("UPDATE heap SET a = 'h1', b = 1 WHERE b = 2")
    found = [(d.kind, d.key) for d in differences(clone.verify(), "heap")]
    assert sorted(found) == [(DifferenceKind.EXTRA, "h1, 1"), (DifferenceKind.MISSING, "h2, 2")]


def test_reordered_keys_of_a_jsonb_are_no_difference(site: Site) -> None:
    """The server keeps its own order; a document that is equal stays equal."""
    with site.undone("notes", "id = 7"):
        site.run("""UPDATE notes SET bin = '{"b": [1.5, "x"], "a": 7.0}' WHERE id = 7""")
        assert site.verify().parity


def test_values_are_masked_unless_asked_for(site: Site) -> None:
    secret = "sesame-open"
    with site.undone("products", "id = 1"):
        was = str(site.one("SELECT description FROM products WHERE id = 1"))
        site.run("UPDATE products SET description = %s WHERE id = 1", secret)
        hidden = str(site.verify(reveal=False))
        assert secret not in hidden
        assert not was or was not in hidden
        assert secret in str(site.verify())


def test_counting_goes_on_past_the_samples(clone: Site) -> None:
    clone.run("UPDATE products SET name = name || '.' WHERE id <= 50")
    table = next(t for t in clone.verify(samples=5).tables if t.name == "products")
    assert table.differences == 50
    assert len(table.samples) == 5


def _some_id(site: Site, chance: random.Random, table: str, where: str) -> int:
    return int(str(chance.choice(site.all(f"SELECT id FROM {table} WHERE {where} ORDER BY id"))))


def _inject(site: Site, table: str, column: str, id_: int, change: str, *values: object) -> None:
    """Change one value: the report names the table, the row, the column and both values."""
    with site.undone(table, f"id = {id_}"):
        was = site.one(f"SELECT {column}::text FROM {table} WHERE id = {id_}")
        site.run(f"UPDATE {table} SET {change} WHERE id = {id_}", *values)
        now = site.one(f"SELECT {column}::text FROM {table} WHERE id = {id_}")
        assert was != now
        found = differences(site.verify(), table)
    assert [(d.kind, d.key, d.column) for d in found] == [
        (DifferenceKind.CHANGED, str(id_), column)
    ]
    if column == "bin":  # shown in the canonical form of a document
        assert found[0].source != found[0].target
    else:
        assert (found[0].source, found[0].target) == (_shown(was), _shown(now))


def _shown(text: object) -> str:
    return "NULL" if text is None else str(text).removesuffix("+00")


def test_a_pair_for_another_pair_in_one_bucket_does_not_cancel() -> None:
    """Two equal rows lost and two others come: in a XOR, and in a count, both are nothing."""
    one = Comparable(b"\x00\x07" + bytes(14), b"a" * 16, copy_tuple([b"a"]))
    two = Comparable(b"\x00\x07" + bytes(13) + b"\x01", b"b" * 16, copy_tuple([b"b"]))
    column = ColumnPlan(source="c", target="c", declared="", type=TargetType("text"), rule="text")
    key = RowKey(kind=KeyKind.ROWID, columns=("rowid",))
    source = TableSource(table="t", columns=("c",), key=key)
    plan = TablePlan(number=1, source=source, target="t", columns=(column,), rows=2)
    count, found = compare_rows(plan, [one, one], [two, two], samples=9)
    assert count == 4
    assert {d.kind for d in found} == {DifferenceKind.MISSING, DifferenceKind.EXTRA}
