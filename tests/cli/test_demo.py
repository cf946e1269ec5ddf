"""The demo on a machine where an earlier version has told its story already."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from core.cli import demo
from core.cli.places import Place
from core.errors import LedgerVersion
from core.server.connection import connect, parse_target
from core.server.embedded import Cluster
from core.transfer.ledger import Ledger


@pytest.fixture
def place(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, database: str) -> Place:
    """A database of the demo's, with a ledger that is not of this version."""
    name = database.rsplit("/", 1)[1].partition("?")[0]
    monkeypatch.setattr(demo, "DATABASE", name)
    target = parse_target(database)
    with connect(target, autocommit=True) as connection:
        Ledger(connection).ensure()
        connection.execute("UPDATE mudanza.ledger SET version = 1")
        connection.execute("CREATE TABLE kept ()")
    return Place(target=target, cluster=cluster, database=name)


def told_of(database: str, source: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO mudanza.run (run, target_schema, source_path, snapshot_path,"
            " snapshot_sha256, snapshot_bytes, plan, plan_document, plan_sha256, status, version,"
            " started_by, chunk_rows, chunk_bytes)"
            " VALUES (gen_random_uuid(), %s, %s, '', '', 0, '', '', '', 'complete', '', '', 1, 1)",
            (source.stem, str(source)),
        )


def kept(database: str) -> bool:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone()
    return row == (True,)


def test_its_own_older_ledger_goes(place: Place, database: str, tmp_path: Path) -> None:
    told_of(database, tmp_path / "marketplace.db")
    demo._forget_older(place, tmp_path / "marketplace.db")
    assert not kept(database)


def test_somebody_elses_stays(place: Place, database: str, tmp_path: Path) -> None:
    told_of(database, tmp_path / "marketplace.db")
    told_of(database, tmp_path / "another.db")
    with pytest.raises(LedgerVersion):
        demo._forget_older(place, tmp_path / "marketplace.db")
    assert kept(database)
