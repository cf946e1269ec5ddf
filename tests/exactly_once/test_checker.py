"""The checker sees each kind of damage that these tests are about."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.server.embedded import Cluster
from core.transfer.migrate import migrate
from core.transfer.model import Bounds
from tests.exactly_once.checker import check
from tests.exactly_once.source import build
from tests.transfer.running import asked

DAMAGES = {
    "a row lost": "DELETE FROM picture WHERE id = 5",
    "a row twice": "INSERT INTO visit (SELECT * FROM visit LIMIT 1)",
    "a row extra": "INSERT INTO part VALUES ('none', 1)",
    "a value changed": "UPDATE purchase SET note = note || ' ' WHERE id = 7",
    "a blob changed": "UPDATE picture SET body = 'x' WHERE id = 7",
    "a quarantined row lost": "DELETE FROM mudanza.quarantine WHERE key_shown = '17'",
    "a quarantined row in the target too": "INSERT INTO reading VALUES (17, 1, NULL)",
    "a key lost": "ALTER TABLE part DROP CONSTRAINT part_pkey",
    "an index lost": "DROP INDEX purchase_customer",
    "a foreign key that was never looked at": "ALTER TABLE purchase DROP CONSTRAINT"
    " purchase_customer_id_fkey, ADD FOREIGN KEY (customer_id) REFERENCES customer NOT VALID",
    "a sequence behind its rows": "SELECT setval('reading_id_seq', 5)",
    "a chunk's line lost": "DELETE FROM mudanza.chunk WHERE (range, chunk) = (1, 2)",
    "a chunk's line twice": "INSERT INTO mudanza.chunk SELECT run, range, chunk + 1, lo, hi,"
    " rows_read, rows_written, rows_quarantined, bytes, path, member FROM mudanza.chunk"
    " WHERE (run, range, chunk) IN (SELECT run, range, max(chunk) FROM mudanza.chunk"
    " GROUP BY 1, 2 LIMIT 1)",
    "a sum that is wrong": "UPDATE mudanza.range SET rows_read = rows_read + 1 WHERE range = 1",
    "a range in somebody's hands": "UPDATE mudanza.range SET owner = gen_random_uuid()"
    " WHERE range = 1",
    "a build without fate": "UPDATE mudanza.object SET fate = 'planned' WHERE object = 1",
}


@pytest.fixture(scope="module")
def moved(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A source, and the name of its target after a run that nobody disturbed."""
    home, name = tmp_path_factory.mktemp("moved"), f"t_{secrets.token_hex(6)}"
    source = build(home / "source.db", size=200)
    cluster.ensure_database(name)
    migrate(asked(source, cluster.url(name), home, bounds=Bounds(rows=20)))
    yield source, name
    cluster.drop_database(name)


def test_an_undisturbed_run_is_exact(moved: tuple[Path, str], cluster: Cluster) -> None:
    source, name = moved
    check(source, cluster.url(name))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_seen(damage: str, moved: tuple[Path, str], cluster: Cluster) -> None:
    source, name = moved
    damaged = f"{name}_damaged"
    cluster.clone_database(damaged, name)
    try:
        with psycopg.connect(cluster.url(damaged)) as connection:
            connection.execute(DAMAGES[damage].encode())
        with pytest.raises(AssertionError):
            check(source, cluster.url(damaged))
    finally:
        cluster.drop_database(damaged)
