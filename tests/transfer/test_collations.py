"""A collation that only the source's application knows costs no row and no other table."""

from __future__ import annotations

from pathlib import Path

import apsw
import psycopg

from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import Bounds
from core.verify import parity


def backwards(one: str, other: str) -> int:
    return (other > one) - (other < one)


def build_source(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.create_collation("backwards", backwards)
    connection.execute(
        "CREATE TABLE w (a TEXT COLLATE backwards PRIMARY KEY) WITHOUT ROWID;"
        "CREATE TABLE r (a TEXT COLLATE backwards PRIMARY KEY);"
        "CREATE TABLE good (id INTEGER PRIMARY KEY);"
        "INSERT INTO w VALUES ('b'), ('a'), ('d'), ('c'), ('é');"
        "INSERT INTO r SELECT a FROM w; INSERT INTO good VALUES (1)"
    )
    connection.close()


def test_rows_under_an_unknown_collation_all_arrive(database: str, tmp_path: Path) -> None:
    build_source(tmp_path / "own.db")
    source, target = inspect(tmp_path / "own.db"), parse_target(database)
    bounds = Bounds(rows=2)
    report = migrate(Request(source=source, target=target, home=tmp_path, bounds=bounds))
    assert {t.name: t.rows_target for t in report.tables} == {"w": 5, "r": 5, "good": 1}
    lost = {(o.kind, o.name, o.reason) for o in report.not_carried}
    assert lost == {("collation", "w.a", "collation"), ("collation", "r.a", "collation")}
    assert report.exit_code == 3
    proof = parity.verify(parity.Request(source=source, target=target, home=tmp_path))
    assert proof.parity, proof


def test_sqlites_own_collation_orders_the_keys_of_a_utf_16_database(
    database: str, tmp_path: Path
) -> None:
    """Paged by the wrong order, keys between the letters' cases would be passed over."""
    connection = apsw.Connection(str(tmp_path / "wide.db"))
    connection.execute("PRAGMA encoding = 'UTF-16le'").fetchall()
    connection.execute(
        "CREATE TABLE w (a TEXT COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;"
        "INSERT INTO w VALUES ('a'), ('B'), ('c'), ('D'), (CAST(x'c32800d8' AS TEXT))"
    )
    connection.close()
    source, target = inspect(tmp_path / "wide.db"), parse_target(database)
    bounds = Bounds(rows=1)
    (table,) = migrate(Request(source=source, target=target, home=tmp_path, bounds=bounds)).tables
    assert (table.rows_source, table.rows_target, table.rows_quarantined) == (5, 4, 1)


def test_the_embedded_servers_own_tables_come_first(database: str) -> None:
    """The ledger's schema is called as the role is: it must not hide an application's tables."""
    with psycopg.connect(database) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("public",)
