"""The shop's SQLite database, moved to PostgreSQL by the real command, in both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from sqlalchemy import Table, select, text

from tests.cli.command import Answer, Command
from tests.webapp.world import World, settings_for
from webapp import create_app
from webapp.database import Database
from webapp.models import Base
from webapp.seed.dirt import FIRST

WAYS = ("made", "adopted")
"""Into a schema that Mudanza makes, and into the one that the shop's revisions made."""

SHOPS = ("clean", "dirty")
TABLES = tuple(t for t in Base.metadata.sorted_tables if not t.info.get("is_view"))
VIEWS = tuple(t for t in Base.metadata.sorted_tables if t.info.get("is_view"))

DECLARED = {
    "TIMESTAMPTZ": ("timestamptz", "iso|zone:UTC"),
    "JSON": ("jsonb", "json"),
    "UUID": ("uuid", "uuid"),
    "DECIMAL(12, 2)": ("numeric(12,2)", "decimal"),
}
"""What whoever moves the shop answers where the census would rather have text."""

# By what the clean rows of a table without an id are told from the dirty ones.
_NUMBERED = {
    "product_image": "product_id",
    "favourite": "user_id",
    "review": "product_id",
    "cart_item": "user_id",
    "shop_order": "buyer_id",
    "order_item": "product_id",
    "product_rating": "product_id",
}


@dataclass(frozen=True)
class Moved:
    """One move that was made and verified. ``arrived``: what the shop's own types read in the
    target before anything was written there."""

    way: str
    shop: str
    source: Path
    target: str
    migrated: Answer
    verified: Answer
    arrived: dict[str, list[str]]

    @property
    def source_url(self) -> str:
        return f"sqlite:///{self.source}"


def planned(command: Command, source: Path, plan: Path) -> None:
    """A plan that keeps the shop's types, as whoever moves it would write it."""
    assert command.run("plan", source, "--out", plan).code == 0
    document = tomlkit.parse(plan.read_text(encoding="utf-8"))
    shops = {table.name for table in TABLES}
    for table in document["table"]:  # type: ignore[union-attr]
        if table["name"] in shops:
            _as_declared(table)
    plan.write_text(tomlkit.dumps(document), encoding="utf-8")


def _as_declared(table: Any) -> None:
    for column in table["columns"]:
        kind, rule = DECLARED.get(column["declared"], ("", ""))
        if kind and column["type"] != kind:
            column["type"], column["rule"] = kind, rule


def shop_on(url: str) -> World:
    """The shop itself, on that database. Close its database in the end."""
    app = create_app(settings_for(url))
    app.testing = False
    return World(app, url, url.partition(":")[0])


def clean_rows(database: Database) -> dict[str, list[str]]:
    """The rows that are not dirty, as the shop's own types read them, of each table and view."""
    with database.reading() as session:
        return {
            table.name: sorted(
                repr([_in_one_order(value) for value in row])
                for row in session.execute(select(table).where(_is_clean(table)))
            )
            for table in (*TABLES, *VIEWS)
        }


def _in_one_order(value: Any) -> Any:
    """A document whose keys may come in any order, for jsonb keeps none."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _is_clean(table: Table) -> Any:
    if table.name == "payment_event":
        return table.c.provider == "fake"
    column = _NUMBERED.get(table.name, "id")
    return table.c[column] < FIRST if column in table.c else text("true")


def by_table(answer: Answer) -> Iterator[tuple[str, int, int, int]]:
    """Of each table of a migration: its rows in the source, in the target, in quarantine."""
    for table in answer.json["tables"]:
        yield (
            table["name"],
            table["rows_source"],
            table["rows_target"],
            table["rows_quarantined"],
        )
