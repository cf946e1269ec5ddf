"""The processes of the quick proof: what they say is used, and their death costs nothing but time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from core.plan import Plan, from_json
from core.server.connection import connect
from core.source import snapshot
from core.transfer.ledger import Ledger
from core.transfer.model import Run, Way
from core.verify import parity, provers, rows
from core.verify.model import Level
from core.verify.provers import Provers, Standstill
from tests.verify.sites import Site


@contextmanager
def standing_still(site: Site) -> Iterator[tuple[Standstill, Run]]:
    target = site.request.target
    with connect(target, autocommit=True) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        run = Ledger(connection).live_run("public")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert run is not None
        assert row is not None
        yield (
            Standstill(
                snapshot=run.snapshot_path,
                conninfo=target.conninfo,
                shown=target.shown,
                schema="public",
                view=str(row[0]),
            ),
            run,
        )


def test_they_prove_every_clean_table(site: Site) -> None:
    with standing_still(site) as (still, run), Provers() as quick:
        tables = from_json(Plan, run.plan).tables
        quick.begin(still, tables)
        assert {t.name: quick.rows(t) for t in tables} == {t.name: t.rows for t in tables}


def test_they_see_what_the_verification_sees(site: Site) -> None:
    """A change that is committed after it began is not seen by them either."""
    with site.undone("users", "id = 7"), standing_still(site) as (still, run), Provers() as quick:
        site.run("UPDATE users SET full_name = full_name || '!' WHERE id = 7")
        users = next(t for t in from_json(Plan, run.plan).tables if t.name == "users")
        quick.begin(still, [users])
        assert quick.rows(users) == users.rows


def test_one_that_dies_is_replaced(site: Site) -> None:
    with standing_still(site) as (still, run), Provers() as quick:
        tables = from_json(Plan, run.plan).tables
        for process in quick._processes:
            assert process._process is not None
            os.kill(process._process.pid, signal.SIGKILL)
        quick.begin(still, tables)
        found = [quick.rows(t) for t in sorted(tables, key=lambda t: -t.rows)]
        assert found[: provers.PROCESSES] == [None] * provers.PROCESSES
        assert found[provers.PROCESSES :] == [
            t.rows for t in sorted(tables, key=lambda t: -t.rows)[provers.PROCESSES :]
        ]


def test_a_verification_whose_processes_die_says_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = replace(site.verify(way=Way.EXACT), seconds=0.0)
    monkeypatch.setattr(provers, "_tell", lambda process, _what: process.kill())
    assert replace(site.verify(way=Way.ARROW), seconds=0.0) == wanted
    assert wanted.parity


def test_rows_that_are_proven_are_not_compared_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("compared row by row")

    monkeypatch.setattr(parity, "compare_rows", never)
    assert rows.compare_rows is not never
    assert site.verify(level=Level.ROWS, way=Way.ARROW).parity


def test_a_source_that_stands_still_is_not_copied(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("copied")

    monkeypatch.setattr(parity, "take_snapshot", never)
    assert snapshot.take_snapshot is not never
    report = site.verify()
    assert report.parity
    assert not report.moved
