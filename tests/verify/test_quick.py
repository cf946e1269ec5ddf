"""The quick proof says yes only where every value is the same; whatever else there is, it
leaves to the comparison of rows."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import apsw
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plan import Plan, TablePlan, from_json
from core.server.connection import connect, parse_target
from core.source import inspect
from core.transfer.begin import Request as Migration
from core.transfer.ledger import Ledger
from core.transfer.migrate import migrate
from core.transfer.model import Run, Way
from core.values.documents import Standing, standing
from core.values.jsonb import jsonb_text, jsonb_texts
from core.verify import parity
from core.verify.model import ParityReport
from core.verify.streams import QuickProof
from tests.property import generating as g
from tests.property.profiles import profile
from tests.property.test_values import JSON_TEXTS
from tests.verify.sites import Site
from tests.verify.test_power import CHANGES, KEYED, Place

PLACES = [pytest.param(kind, place, id=f"{kind}: {place.table}.{place.column}: {place.expression}") for kind, places in CHANGES.items() for place in places]  # fmt: skip


class Prover:
    """A quick proof of the site's tables, as often as needed."""

    def __init__(self, site: Site) -> None:
        self._site = site
        with connect(site.request.target, autocommit=True) as connection:
            run = Ledger(connection).live_run("public")
        assert run is not None
        self.run: Run = run
        self.tables: Mapping[str, TablePlan] = {t.name: t for t in from_json(Plan, run.plan).tables}

    def rows(self, table: str) -> int | None:
        """What it says of a table."""
        with connect(self._site.request.target, autocommit=True) as connection:
            quick = QuickProof(Path(self.run.snapshot_path), connection, "public")
            with connection.transaction():
                return quick.rows(self.tables[table])


@pytest.fixture(scope="module")
def prover(site: Site) -> Prover:
    return Prover(site)


def test_it_proves_every_clean_table(site: Site, prover: Prover) -> None:
    for name, table in prover.tables.items():
        assert prover.rows(name) == table.rows, name
        assert prover.rows(name) == site.one(f"SELECT count(*) FROM {name}")


@pytest.mark.parametrize(("kind", "place"), PLACES)
def test_it_proves_nothing_with_a_changed_value(
    kind: str, place: Place, site: Site, prover: Prover
) -> None:
    chance = random.Random(kind)
    ids = site.all(f"SELECT id FROM {place.table} WHERE {place.where} ORDER BY 1")
    one = chance.choice(ids)
    with site.undone(place.table, f"id = {one}"):
        changed = place.expression.replace("{at}", "2")
        site.run(f"UPDATE {place.table} SET {place.column} = {changed} WHERE id = {one}")
        assert prover.rows(place.table) is None


@pytest.mark.parametrize("table", KEYED)
def test_it_proves_nothing_with_a_row_too_few_or_too_many(
    table: str, site: Site, prover: Prover
) -> None:
    key = site.one(f"SELECT min({KEYED[table]}) FROM {table}")
    with site.undone(table, "true"):
        site.run(f"DELETE FROM {table} WHERE {KEYED[table]} = '{key}'")
        assert prover.rows(table) is None
    if table == "heap":
        with site.undone(table, "true"):
            site.run("INSERT INTO heap VALUES (NULL, NULL)")
            assert prover.rows(table) is None


@pytest.mark.parametrize("table", ["users", "product_tags", "sessions", "favourites"])
def test_the_order_in_which_rows_lie_does_not_matter(
    table: str, site: Site, prover: Prover
) -> None:
    site.run(f"CREATE TEMP TABLE mixed AS SELECT * FROM {table} ORDER BY random()")
    site.run(f"DELETE FROM {table}")
    site.run(f"INSERT INTO {table} SELECT * FROM mixed")
    site.run("DROP TABLE mixed")
    assert prover.rows(table) == prover.tables[table].rows


def test_both_ways_say_the_same_of_a_whole_target(site: Site) -> None:
    def said(way: Way) -> ParityReport:
        return replace(site.verify(way=way), seconds=0.0)

    assert said(Way.ARROW).parity
    assert said(Way.ARROW) == said(Way.EXACT)
    with site.undone("users", "id = 7"):
        site.run("UPDATE users SET full_name = full_name || '!' WHERE id = 7")
        assert not said(Way.ARROW).parity
        assert said(Way.ARROW) == said(Way.EXACT)


def test_of_a_source_that_has_moved_it_says_nothing(database: str, tmp_path: Path) -> None:
    """The census, on which the Arrow path relies, was taken of another state: read beside
    reals, an integer that no double holds looks like the one that was there."""
    path = tmp_path / "moved.db"
    with apsw.Connection(str(path)) as source:
        source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        source.execute("INSERT INTO t (v) VALUES (0.5), (9007199254740992)")
    file, target = inspect(path), parse_target(database)
    migrate(Migration(source=file, target=target, home=tmp_path))
    with apsw.Connection(str(path)) as source:
        source.execute("UPDATE t SET v = 9007199254740993 WHERE id = 2")
    report = parity.verify(
        parity.Request(source=inspect(path), target=target, home=tmp_path, way=Way.ARROW)
    )
    assert report.moved
    assert not report.parity


# --- documents as the server prints them -------------------------------------------------


def check_printing(server: psycopg.Connection, texts: list[str | None]) -> None:
    import pyarrow as pa

    sound = [t for t in texts if t is None or standing(t) is Standing.JSONB]
    printed = [
        text
        for (text,) in server.execute(
            "SELECT t::jsonb::text FROM unnest(%s::text[]) WITH ORDINALITY u(t, n) ORDER BY n",
            (sound,),
        )
    ]
    assert [t and jsonb_text(t) for t in sound] == printed
    assert jsonb_texts(pa.array(sound, pa.string())).to_pylist() == printed


FORMS = st.tuples(
    st.sampled_from(
        ['{"b": %s, "a": %s}', '[%s, {"k": %s}]', '{"é":%s,"ab":[],"a:b":%s}', '{"x, y": {"1": %s}, "": [%s]}']
    ),
    st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["-0", "-0.0", "0.10", "1E3", "1.50e1", "true", "null", '""', '"a b"', '"ñ:,{}"', '"\\n"', '"\\u00e9"'])),
    st.one_of(st.integers(), st.sampled_from(["false", '"z"', "[]", "{}", "0.0"])),
).map(lambda form: form[0] % (form[1], form[2]))  # fmt: skip


@given(texts=st.lists(st.one_of(st.none(), FORMS, FORMS, JSON_TEXTS, g.DOCUMENTS), max_size=40))
@profile(150)
def test_documents_are_printed_as_the_server_prints_them(
    site: Site, texts: list[str | None]
) -> None:
    check_printing(site.connection, texts)


@pytest.mark.soak
@pytest.mark.timeout(0)
@given(texts=st.lists(st.one_of(st.none(), FORMS, FORMS, JSON_TEXTS, g.DOCUMENTS), max_size=40))
@profile(20_000, soak=True)
def test_documents_are_printed_as_the_server_prints_them_at_length(
    site: Site, texts: list[str | None]
) -> None:
    check_printing(site.connection, texts)
