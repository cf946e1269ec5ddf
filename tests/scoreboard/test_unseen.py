"""The twenty databases: the same from one day to the next, and of every kind."""

from __future__ import annotations

from pathlib import Path

import apsw

from benchmarks.scoreboard.unseen import COUNT, build


def schema(path: Path) -> list[tuple[str, str]]:
    connection = apsw.Connection(str(path))
    found = connection.execute(
        "SELECT type, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    ).fetchall()
    connection.close()
    return found  # type: ignore[return-value]


def test_a_number_and_a_seed_make_one_database(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        build(3, tmp_path / name, seed=seed)
    assert schema(tmp_path / "one") == schema(tmp_path / "same")
    assert schema(tmp_path / "one") != schema(tmp_path / "other")


def test_the_drawing_knows_every_kind_of_object(tmp_path: Path) -> None:
    """On another seed: nobody looks at the twenty."""
    texts = list[str]()
    for number in range(1, COUNT + 1):
        build(number, tmp_path / str(number), seed=1)
        texts += [sql for _, sql in schema(tmp_path / str(number))]
    drawn = "\n".join(texts)
    for word in (
        "WITHOUT ROWID", "STRICT", "AUTOINCREMENT", "CHECK", "DEFAULT", "COLLATE NOCASE", "COLLATE RTRIM",
        "REFERENCES", "DEFERRABLE", "GENERATED ALWAYS", "STORED", "VIRTUAL", "UNIQUE", " WHERE ", " DESC",
        "CREATE VIEW", "CREATE TRIGGER", "USING fts", "lower(", "strftime(",
    ):  # fmt: skip
        assert word in drawn, word
