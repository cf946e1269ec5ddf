"""The two roads meet: Alembic with a plan's revision, and a run, make one schema."""

from __future__ import annotations

import ast
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from core.plan import NO_CHOICES, Plan, parse_document
from core.plan.revision import revision_file, revision_id, write_revision
from core.schema import Database, read_postgres
from core.server.connection import parse_target
from core.source.opening import SourceFile
from core.transfer.begin import Request as Migration
from core.transfer.migrate import migrate
from core.transfer.prepare import prepare
from core.verify.schema import Request, compare_schema
from tests.cases.reading import case_names, read_case
from tests.cases.running import build_source

ENVIRONMENT = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection, version_table_schema="kept")
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""
TRICKY = """
CREATE TABLE "50% :off" ("a:b" TEXT DEFAULT ':c \\:d %s %(x)s {braces} ''q'' \\n', n INTEGER CHECK (n % 2 = 0));
CREATE TABLE two (id INTEGER PRIMARY KEY, one INTEGER REFERENCES one (id));
CREATE TABLE one (id INTEGER PRIMARY KEY, two INTEGER REFERENCES two (id), word TEXT DEFAULT '
two lines "quoted" \\');
CREATE TABLE orphan (id INTEGER PRIMARY KEY, of INTEGER REFERENCES one (id));
CREATE UNIQUE INDEX nocase ON one (word COLLATE NOCASE);
INSERT INTO orphan VALUES (1, 99);
"""


@pytest.fixture
def empty(cluster: Any) -> Iterator[str]:
    """A second database."""
    name = f"t_{secrets.token_hex(6)}"
    cluster.ensure_database(name)
    yield cluster.url(name)
    cluster.drop_database(name)


def planned(source: SourceFile, folder: Path, text: str | None, schema: str) -> Plan:
    choices = NO_CHOICES if text is None else parse_document(text, "plan.toml")
    path = folder / f"{secrets.token_hex(6)}.sqlite"
    return prepare(source, path, schema=schema, choices=choices).plan


def alembic(folder: Path, database: str) -> Config:
    """An environment of Alembic's around the revisions in ``folder``."""
    (folder / "env.py").write_text(ENVIRONMENT, encoding="utf-8")
    config = Config()
    config.set_main_option("script_location", str(folder))
    address = database.replace("postgresql://", "postgresql+psycopg://")
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS kept")  # for Alembic's own table
    return config


def write(plan: Plan, folder: Path) -> Path:
    versions = folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    path = versions / revision_file(plan)
    path.write_text(write_revision(plan), encoding="utf-8")
    return path


def schema_of(database: str, schema: str) -> Database:
    with psycopg.connect(database, autocommit=True) as connection:
        return read_postgres(connection, schema)


def check_roads_meet(
    source: SourceFile, plan: Plan, text: str | None, folder: Path, by_run: str, by_alembic: str
) -> None:
    write(plan, folder)
    config = alembic(folder / "alembic", by_alembic)
    command.upgrade(config, "head")
    choices = None if text is None else parse_document(text, "plan.toml")
    target = parse_target(by_run)
    report = migrate(
        Migration(source=source, target=target, home=folder, choices=choices, schema=plan.schema)
    )
    # Where a row says that a rule computes another value, only a run can know.
    plain = {o.name for o in report.objects if o.reason == "generated_differs"}

    one, other = schema_of(by_alembic, plan.schema), schema_of(by_run, plan.schema)
    assert one.tables
    assert without_rows(one, plain) == without_rows(other, plain)
    request = Request(
        source=source, target=parse_target(by_alembic), schema=plan.schema, choices=choices
    )
    assert compare_schema(request).differences == ()

    command.downgrade(config, "base")
    assert schema_of(by_alembic, plan.schema) == Database(tables=())


def without_rows(database: Database, plain: Collection[str] = ()) -> dict[str, Any]:
    """All of it but what follows from the rows: how far sequences are, what is NOT VALID
    because rows break it, and the columns ``plain``. With the texts that equality leaves out."""
    return {
        table.name: (
            [column for column in table.columns if f"{table.name}.{column.name}" not in plain],
            [column.sequence for column in table.columns if column.sequence],
            table.primary_key,
            [(index, index.definition, index.valid) for index in table.indexes],
            [(check.name, check.definition) for check in table.checks],
            [(key.name, key.definition) for key in table.foreign_keys],
        )
        for table in database.tables
    } | {"views": (database.views, database.triggers, database.functions)}


@pytest.mark.parametrize("name", case_names())
def test_both_roads_make_one_schema(name: str, tmp_path: Path, database: str, empty: str) -> None:
    case = read_case(name)
    source = build_source(case.source, tmp_path / "source.db")
    plan = planned(source, tmp_path, case.plan, "public")

    check_roads_meet(source, plan, case.plan, tmp_path, database, empty)


@pytest.mark.parametrize("schema", ["public", 'We "like" :odd %s names'])
def test_text_stays_as_it_is(schema: str, tmp_path: Path, database: str, empty: str) -> None:
    source = build_source(TRICKY, tmp_path / "source.db")
    plan = planned(source, tmp_path, None, schema)

    check_roads_meet(source, plan, None, tmp_path, database, empty)


def test_equal_plans_give_equal_files_and_others_another_id(tmp_path: Path) -> None:
    source = build_source(TRICKY, tmp_path / "source.db")
    plan, again = (planned(source, tmp_path, None, "public") for _ in range(2))
    assert write_revision(plan) == write_revision(again)
    assert revision_file(plan) == f"{revision_id(plan)}_public.py"

    more = build_source(TRICKY + "CREATE INDEX i ON one (two)", tmp_path / "other.db")
    assert revision_id(planned(more, tmp_path, None, "public")) != revision_id(plan)


def test_a_revision_is_plain_python_that_says_every_statement(tmp_path: Path) -> None:
    source = build_source(TRICKY, tmp_path / "source.db")
    plan = planned(source, tmp_path, None, "public")

    tree = ast.parse(write_revision(plan))

    said = {
        node.targets[0].id: ast.literal_eval(node.value)  # type: ignore[attr-defined]
        for node in tree.body
        if isinstance(node, ast.Assign)
    }
    assert said["revision"] == revision_id(plan)
    assert said["UP"][0] == 'CREATE SCHEMA IF NOT EXISTS "public"'
    builds = [b.sql for b in plan.builds if b.kind != "sequence"]
    assert [s for s in said["UP"] if s in builds] == builds
    assert not any("setval" in statement for statement in said["UP"])
    assert said["DOWN"][-4:] == [
        f'DROP TABLE "public".{t}' for t in ('"orphan"', '"one"', '"two"', '"50% :off"')
    ]
