"""A shop with two databases of its own, one of which is live, and a mover's tools."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, insert, select, text

from tests.webapp.world import World, settings_for
from webapp import create_app
from webapp.models import Base

PATIENT = {"pool_size": 8, "pool_timeout": 30, "lock_timeout": 30, "statement_timeout": 30}


@dataclass(frozen=True)
class Pair:
    """Two empty shops, and the file that says which one is live."""

    sqlite: str
    postgresql: str
    route: Path

    def live(self, backend: str) -> None:
        """Say so, as a mover does: written beside, then renamed."""
        beside = self.route.with_suffix(".new")
        beside.write_text(json.dumps({"backend": backend}), encoding="utf-8")
        os.replace(beside, self.route)  # noqa: PTH105 - its name says what matters here

    @contextmanager
    def shop(self, **settings: Any) -> Iterator[World]:
        """The shop on both, SQLite's first."""
        given = PATIENT | {"DATABASE_URL_NEXT": self.postgresql, "DATABASE_ROUTE_FILE": self.route}
        with opened(self.sqlite, "sqlite", **(given | settings)) as world:
            yield world

    @contextmanager
    def engine(self, backend: str) -> Iterator[Engine]:
        """One of the databases, beside the shop."""
        url = self.sqlite if backend == "sqlite" else self.postgresql
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        try:
            yield engine
        finally:
            engine.dispose()

    def copy(self) -> None:
        """All rows of SQLite's into PostgreSQL's, which holds none."""
        with (
            self.engine("sqlite") as left,
            self.engine("postgresql") as right,
            left.connect() as source,
            right.begin() as target,
        ):
            for table in Base.metadata.sorted_tables:
                if not table.info.get("is_view", False):
                    _copy(table, source, target)


def _copy(table: Table, source: Connection, target: Connection) -> None:
    columns = [column for column in table.columns if column.computed is None]
    found = [dict(row) for row in source.execute(select(*columns)).mappings()]
    if found:
        target.execute(insert(table), found)
    if _numbered(table):
        target.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
                f" (SELECT coalesce(max(id), 0) + 1 FROM {table.name}), false)"
            )
        )


def _numbered(table: Table) -> bool:
    column = table.autoincrement_column
    return column is not None and column.name == "id"


@contextmanager
def opened(url: str, backend: str, **settings: Any) -> Iterator[World]:
    """A shop of its own on a database."""
    made: list[World] = []
    app = create_app(settings_for(url, **settings), clock=lambda: made[0].now)
    app.config["WTF_CSRF_ENABLED"] = False
    made.append(World(app, url, backend))
    try:
        yield made[0]
    finally:
        made[0].database.close()
