"""The shop moves both ways, and nothing of it is lost without a word."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest

from tests.cli.command import Command
from tests.webapp.migrations.revisions import schema
from tests.webapp.move.moves import TABLES, Moved, by_table
from tests.webapp.world import upgrade
from webapp.seed.dirt import DIRT

LEGACY = {dirt.table for dirt in DIRT if dirt.id.startswith(("table.", "key.null"))}


def rows_in(file: Path, table: str) -> int:
    connection = sqlite3.connect(file)
    try:
        ((rows,),) = connection.execute(f'SELECT count(*) FROM "{table}"')
        return int(rows)
    finally:
        connection.close()


def test_a_clean_shop_loses_nothing_and_a_dirty_one_says_what(moved: Moved) -> None:
    assert moved.migrated.code == {"clean": 0, "dirty": 3}[moved.shop], moved.migrated.said
    quarantined = sum(table[3] for table in by_table(moved.migrated))
    assert (quarantined > 20) == (moved.shop == "dirty")


def test_every_row_is_in_the_target_or_in_quarantine(moved: Moved) -> None:
    found = {table[0]: table[1:] for table in by_table(moved.migrated)}
    wanted = {table.name for table in TABLES}
    if moved.way == "made":
        wanted |= {"alembic_version"} | (LEGACY if moved.shop == "dirty" else set())
    assert set(found) == wanted
    with psycopg.connect(moved.target) as connection:
        for table, (source, target, quarantined) in found.items():
            assert source == target + quarantined, table
            assert source == rows_in(moved.source, table) > 0, table
            counted = connection.execute(f'SELECT count(*) FROM "{table}"'.encode()).fetchone()
            assert counted == (target,), table


def test_parity_is_whole(moved: Moved) -> None:
    assert moved.verified.code == 0, moved.verified.said
    said = moved.verified.json
    assert (said["parity"], said["level"]) == (True, "full")
    assert said["values"] > 40_000
    assert all(relation["holds"] for relation in said["relations"])


def test_what_does_not_go_along_is_named(moved: Moved) -> None:
    left = {(o["kind"], o["name"]) for o in moved.migrated.json["objects"]["not_carried"]}
    if moved.way == "made":
        wanted = set()
        if moved.shop == "dirty":
            wanted = {("collation", "Users_Backup 2019.E-Mail")}
    else:
        wanted = {("table", "alembic_version"), ("column", "product.is_in_stock")}
        if moved.shop == "dirty":
            # PostgreSQL knows the small letter of Á, as SQLite does not: two names are one.
            wanted |= {("unique", "uq_user_account_username_lower")}
            wanted |= {("table", name) for name in LEGACY}
    assert left == wanted


def test_an_adopted_schema_is_what_the_revisions_made(moved: Moved, database: str) -> None:
    if moved.way == "made":
        return  # its types are Mudanza's to choose: what the shop reads is compared elsewhere
    upgrade(database)
    wanted, found = schema(database), schema(moved.target)
    if moved.shop == "clean":
        assert found == wanted
        return
    assert found["columns"] == wanted["columns"]
    lost = {index[1] for index in wanted["indexes"]} - {index[1] for index in found["indexes"]}
    assert lost == {"uq_user_account_username_lower"}
    names = [{c[:3] for c in made["constraints"]} for made in (wanted, found)]
    assert names[0] == names[1]


def test_a_column_that_follows_from_another_still_does(moved: Moved) -> None:
    with psycopg.connect(moved.target) as connection:
        row = connection.execute(
            "SELECT is_generated, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = 'is_in_stock'"
        ).fetchone()
    assert row == ("ALWAYS", "boolean")


@pytest.mark.parametrize("index", ["ix_product_listed", "uq_product_seller_sku", "product_search"])
def test_indexes_of_all_kinds_stand(moved: Moved, index: str) -> None:
    with psycopg.connect(moved.target) as connection:
        found = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname LIKE %s || '%%'", [index]
        ).fetchall()
    assert len(found) == 1
    assert {"i": "WHERE", "u": "lower(", "p": "USING gin"}[index[0]] in found[0][0]


def test_without_a_plan_a_dirty_shop_is_all_there_but_with_other_types(
    mudanza: Command, shops: dict[str, Path], database: str
) -> None:
    migrated = mudanza.run("migrate", shops["dirty"], "--target", database, "--json")
    assert migrated.code == 3
    assert all(s == t + q for _, s, t, q in by_table(migrated))
    rewritten = migrated.json["objects"]["rewritten"]
    retyped = {o["name"] for o in rewritten if o["reason"] == "retyped"}
    assert {"shop_order.id", "product.updated_at", "user_account.preferences"} <= retyped
    verified = mudanza.run("verify", shops["dirty"], "--target", database, "--json")
    assert (verified.code, verified.json["parity"]) == (0, True)


def test_naive_moments_need_a_zone_to_be_adopted(
    mudanza: Command, shops: dict[str, Path], database: str
) -> None:
    """Without one they are set aside; with one they are moments."""
    upgrade(database)
    adopt = ["migrate", shops["dirty"], "--target", database, "--adopt", "--dry-run", "--json"]
    rules = []
    for zone in ([], ["--zone", "UTC"]):
        answer = mudanza.run(*adopt, *zone)
        assert answer.code == 0, answer.said
        rules.append(
            {
                column["rule"]
                for table in answer.json["tables"]
                for column in table["columns"]
                if column["name"] == "updated_at"
            }
        )
    assert rules == [{"iso"}, {"zone:UTC"}]
