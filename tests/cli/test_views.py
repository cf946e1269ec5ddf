"""What the command says of views."""

from __future__ import annotations

from pathlib import Path

import apsw
import psycopg
import pytest

from tests.cli.command import Command

SOURCE = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, price DECIMAL(6,2));
    INSERT INTO t VALUES (1, 'hidden', 0.1), (2, 'b', 0.2);
    CREATE VIEW words AS SELECT word FROM t;
    CREATE VIEW total AS SELECT sum(price) AS price FROM t;
    CREATE VIEW dice AS SELECT random() AS r;
    CREATE VIEW odd AS SELECT id, count(*) FROM t GROUP BY word;
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "views.db"
    apsw.Connection(str(path)).execute(SOURCE)
    return path


def test_views_are_proven_and_named_where_they_differ(
    command: Command, source: Path, database: str
) -> None:
    moved = command.run("migrate", source, "--target", database, "--json")
    assert moved.code == 3, moved.said
    (odd,) = [o for o in moved.json["objects"]["not_carried"] if o["kind"] == "view"]
    assert odd["name"] == "odd"
    assert "a bare column beside GROUP BY" in str(odd)

    proof = command.run("verify", source, "--target", database, "--json")
    assert proof.code == 0, proof.said
    assert [(v["name"], v["outcome"], v["reason"], v["rounded"]) for v in proof.json["views"]] == [
        ("words", "equal", "", False),
        ("total", "equal", "", True),
        ("dice", "unproven", "random", False),
    ]
    shown = command.run("verify", source, "--target", database)
    assert "unproven: it asks for chance" in " ".join(shown.out.split())
    assert "Views that nothing is proven of: 1." in shown.out

    with psycopg.connect(database) as connection:
        connection.execute("CREATE OR REPLACE VIEW words AS SELECT word FROM t WHERE id > 1")
    broken = command.run("verify", source, "--target", database)
    assert broken.code == 4
    assert "1 views differ" in " ".join(broken.out.split())
    assert "hidden" not in broken.said
