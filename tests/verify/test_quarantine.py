"""The quarantine is part of the proof: what is in it must be the source's, and all of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from core.server.embedded import Cluster
from core.verify.model import DifferenceKind
from tests.verify.sites import Site, build_source, carry, differences, site_of


@pytest.fixture(scope="module")
def dirty(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("dirty")
    build_source(home / "shop.db", dirt=True)
    name = f"q_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    report = carry(home / "shop.db", cluster.url(name), home)
    with site_of(home / "shop.db", cluster.url(name), home, report) as site:
        yield site
    cluster.drop_database(name)


@pytest.fixture(autouse=True)
def restored(dirty: Site) -> Iterator[None]:
    """The quarantine as it was, afterwards."""
    tables = ("mudanza.quarantine_cell", "mudanza.quarantine")
    for table in tables:
        dirty.run(f"CREATE TEMP TABLE {table.replace('.', '_')} AS SELECT * FROM {table}")
    yield
    for table in tables:
        dirty.run(f"DELETE FROM {table}")
        dirty.run(f"INSERT INTO {table} SELECT * FROM {table.replace('.', '_')}")
        dirty.run(f"DROP TABLE {table.replace('.', '_')}")
    assert dirty.verify().parity


def test_a_dirty_database_has_parity(dirty: Site) -> None:
    report = dirty.verify()
    assert report.parity
    assert {t.name: t.quarantined for t in report.tables if t.quarantined} == {
        t.name: t.rows_quarantined for t in dirty.report.tables if t.rows_quarantined
    }
    assert sum(t.quarantined for t in report.tables) > 0


@pytest.mark.parametrize("place", range(5))
def test_a_row_deleted_from_quarantine_is_missing(place: int, dirty: Site) -> None:
    key = _key(dirty, place)
    row = f"FROM mudanza.quarantine WHERE key_shown = '{key}'"
    number = dirty.one(f"SELECT min(table_number) {row}")
    table = str(
        dirty.one(f"SELECT source_name FROM mudanza.range WHERE table_number = {number} LIMIT 1")
    )
    dirty.run(
        f"DELETE FROM mudanza.quarantine WHERE key_shown = '{key}' AND table_number = {number}"
    )
    found = differences(dirty.verify(), table)
    assert [(d.kind, d.key) for d in found] == [(DifferenceKind.MISSING, key)]


def test_a_byte_changed_in_quarantine_is_a_difference(dirty: Site) -> None:
    dirty.run(
        "UPDATE mudanza.quarantine SET row = set_byte(row, length(row) - 1,"
        " (get_byte(row, length(row) - 1) + 1) % 256) WHERE reason = 'not_an_integer'"
        " AND source_key = (SELECT source_key FROM mudanza.quarantine"
        " WHERE reason = 'not_an_integer' ORDER BY source_key LIMIT 1)"
    )
    found = differences(dirty.verify(), "products")
    assert [(d.kind, d.key) for d in found] == [(DifferenceKind.QUARANTINE, "3")]


def test_a_row_in_quarantine_that_the_source_has_not_is_a_difference(dirty: Site) -> None:
    dirty.run(
        "INSERT INTO mudanza.quarantine SELECT run, range, table_number, '\\x010000000000ffffff', 'x',"
        " reason, detail, row FROM mudanza.quarantine WHERE reason = 'not_an_integer' LIMIT 1"
    )
    found = differences(dirty.verify(), "products")
    assert [(d.kind, d.key) for d in found] == [(DifferenceKind.QUARANTINE, "16777215")]


def test_a_row_both_in_quarantine_and_in_the_target_is_a_difference(dirty: Site) -> None:
    """The row arrived after all: it is one too many."""
    dirty.run(
        "INSERT INTO mudanza.quarantine SELECT q.run, r.range, r.table_number, '\\x010000000000000001', '1',"
        " 'not_an_integer', '', q.row FROM mudanza.quarantine q JOIN mudanza.range r"
        " ON r.run = q.run AND r.source_name = 'orders' LIMIT 1"
    )
    kinds = {d.kind for d in differences(dirty.verify(), "orders")}
    assert kinds == {DifferenceKind.QUARANTINE, DifferenceKind.EXTRA}


def _key(site: Site, place: int) -> str:
    keys = site.all("SELECT key_shown FROM mudanza.quarantine ORDER BY table_number, source_key")
    return str(keys[place * 2 % len(keys)])
