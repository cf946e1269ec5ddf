"""A column becomes a generated one only where its rule computes what arrived."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from core.plan import Fate
from core.plan import generated as rules
from core.server.connection import parse_target
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.verify.parity import Request as VerifyRequest
from core.verify.parity import verify
from tests.cases.running import build_source

SOURCE = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER AS (a + 1), c TEXT AS ('x' || a) STORED,
        d TEXT AS (lower(c)));
    CREATE INDEX t_b ON t (b);
    INSERT INTO t (id, a) VALUES (1, 10), (2, NULL);"""


def carried(folder: Path, database: str) -> dict[str, str]:
    """The reason of each generated column, after a run that must prove out."""
    source, target = build_source(SOURCE, folder / "s.db"), parse_target(database)
    report = migrate(Request(source=source, target=target, home=folder))
    assert verify(VerifyRequest(source=source, target=target, home=folder)).parity
    generated = [o for o in report.objects if o.kind == "generated"]
    assert report.exit_code == (3 if any(o.fate is Fate.NOT_CARRIED for o in generated) else 0)
    return {o.name: o.reason for o in generated}


def kept(database: str) -> dict[str, str]:
    """How each column keeps its value: '' for a plain one."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT attname, attgenerated::text FROM pg_attribute"
            " WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped"
        ).fetchall()
    return dict(found)


def test_new_rows_are_computed(tmp_path: Path, database: str) -> None:
    assert set(carried(tmp_path, database).values()) == {"said_anew"}
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO t VALUES (3, 4)")
        row = connection.execute("SELECT b, c, d FROM t WHERE id = 3").fetchone()
        newest = connection.info.server_version >= 180_000
    assert row == (5, "x4", "x4")
    # No index takes a virtual column, so b is stored.
    assert kept(database) == {"id": "", "a": "", "b": "s", "c": "s", "d": "v" if newest else "s"}


def test_a_rule_that_computes_another_value_stays_out(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = rules.assigned

    def askew(*given: object) -> str:
        return said(*given).replace("1::numeric", "2::numeric")  # type: ignore[arg-type]

    monkeypatch.setattr(rules, "assigned", askew)
    assert carried(tmp_path, database)["t.b"] == "generated_differs"
    assert kept(database)["b"] == ""
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT b FROM t ORDER BY id").fetchall() == [(11,), (None,)]


def test_a_rule_that_the_server_refuses_costs_itself_alone(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rules.generated_builds

    def broken(site: rules.Site) -> object:
        for build in made(site):
            yield replace(build, differs="SELECT FROM nowhere") if ".c" in build.name else build

    monkeypatch.setattr("core.plan.builds.generated_builds", broken)
    reasons = carried(tmp_path, database)
    assert reasons == {"t.b": "said_anew", "t.c": "build_refused", "t.d": "said_anew"}
