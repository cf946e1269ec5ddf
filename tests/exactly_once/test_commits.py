"""The connection is cut around a COMMIT: whether it took effect is found out, not guessed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.exactly_once.checker import check
from tests.exactly_once.proxy import Cut, Proxy
from tests.exactly_once.running import EXIT, Command
from tests.exactly_once.source import build


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize(("nth", "workers"), [(1, 1), (9, 3)])
def test_cut_at_the_commit_of_a_chunk(
    nth: int, workers: int, cut: Cut, database: str, tmp_path: Path
) -> None:
    proxy = cut_once(cut, nth, database, tmp_path, workers=workers, chunks=True)
    assert proxy.has_cut


@pytest.mark.parametrize("cut", Cut)
def test_cut_at_the_commit_that_begins_a_run(cut: Cut, database: str, tmp_path: Path) -> None:
    """The command ends; given again, it goes on with what is there or begins anew."""
    cut_once(cut, 1, database, tmp_path, workers=1, chunks=False)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("nth", range(2, 70))
def test_cut_at_any_commit_whatever_it_ends(
    nth: int, cut: Cut, database: str, tmp_path: Path
) -> None:
    """Beginning, lease, chunks, builds, the end; past the last one nothing is cut."""
    cut_once(cut, nth, database, tmp_path, workers=1, chunks=False)


def cut_once(cut: Cut, nth: int, database: str, home: Path, *, workers: int, chunks: bool) -> Proxy:
    source = build(home / "source.db", size=200)
    with psycopg.connect(database) as direct, Proxy(direct.info.port, cut, nth, chunks=chunks) as p:
        through = database.replace(f":{direct.info.port}/", f":{p.port}/")
        command = Command(source, through, home, workers=workers)
        with command.start() as started:
            code = started.end()
        # Nothing is there yet that could be gone on with: the command is given again.
        if code != EXIT and began_nothing(database):
            assert command.errors == ["target_lost"]
            with command.start() as again:
                code = again.end()
    assert code == EXIT, command.errors
    check(source, database)
    command.require_no_defect()
    return p


def began_nothing(database: str) -> bool:
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT to_regclass('mudanza.chunk') IS NULL").fetchone()
        if found == (True,):
            return True
        return connection.execute("SELECT FROM mudanza.chunk").fetchone() is None
