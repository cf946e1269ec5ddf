"""Whatever a database is like: after its run the plan is fulfilled, and a target that lacks
everything is mended by what `diff` says."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import psycopg
from hypothesis import given

from core.errors import MudanzaError
from core.plan.diff import Aspect, statements
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request as Migration
from core.transfer.migrate import migrate
from core.verify.schema import Request, compare_schema
from tests.property.generating import Draft, build, databases
from tests.property.profiles import profile

NUMBERS = count()


@given(draft=databases())
@profile(40)
def test_a_plan_does_not_differ_from_what_it_makes(database: str, draft: Draft) -> None:
    schema = f"d{next(NUMBERS)}"
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(database, autocommit=True) as pg:
        home = Path(folder)
        build(home / "t.db", draft)
        source, target = inspect(home / "t.db"), parse_target(database)
        try:
            migrate(Migration(source=source, target=target, home=home, schema=schema))
        except MudanzaError:
            return  # test_round_trip says which refusals there may be
        request = Request(source=source, target=target, schema=schema)
        try:
            assert compare_schema(request).differences == ()

            pg.execute(f"DROP SCHEMA {schema} CASCADE".encode())
            lost = compare_schema(request).differences
            assert {d.aspect for d in lost} <= {Aspect.MISSING, Aspect.BEHIND}
            for _, statement in statements(lost):
                pg.execute(statement.encode())
            assert compare_schema(request).differences == ()
        finally:
            pg.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
