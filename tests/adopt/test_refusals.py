"""What cannot be adopted is refused by name, and nothing is touched."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from core import errors
from core.plan import Choices, ColumnChoice, TableChoice
from core.transfer.migrate import check_target, migrate
from core.values.types import Conversion, TargetType
from tests.adopt.application import ADOPT, asked, done, dump, fetched, made_in, source_in

CHOSEN = Choices(
    adopt=True,
    zone="UTC",
    tables={
        "Users": TableChoice(
            columns={"rank": ColumnChoice(conversion=Conversion(TargetType("text"), "spelled"))}
        )
    },
)


DJANGO_THERE = """
CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz);
INSERT INTO django_migrations (app, name) VALUES ('auth', '0001'), ('auth', '0002');
"""
DJANGO_HERE = """
CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app, name, applied);
INSERT INTO django_migrations (app, name) VALUES ('auth', '0001'), ('blog', '0001');
"""


@pytest.mark.parametrize(
    ("there", "here", "choices", "refusal", "facts"),
    [
        (
            "INSERT INTO users (id, name, made) VALUES (1, 'seed', now());",
            "",
            ADOPT,
            errors.AdoptNotEmpty,
            {"names": "users"},
        ),
        (
            "UPDATE alembic_version SET version_num = 'cd34';",
            "",
            ADOPT,
            errors.AdoptVersionsDiffer,
            {"table": "alembic_version", "source": "ab12", "target": "cd34"},
        ),
        (
            DJANGO_THERE,
            DJANGO_HERE,
            ADOPT,
            errors.AdoptVersionsDiffer,
            {"table": "django_migrations", "source": "blog.0001", "target": "auth.0002"},
        ),
        (
            "ALTER TABLE posts ADD COLUMN slug text NOT NULL;",
            "",
            ADOPT,
            errors.AdoptColumnNeedsValue,
            {"names": "posts.slug"},
        ),
        (
            "",
            "",
            Choices(adopt=True),
            errors.AdoptTypeRefused,
            {"names": "users.made (timestamptz)"},
        ),
        (
            "",
            "UPDATE \"Users\" SET mood = 'grim', rank = 100000",
            ADOPT,
            errors.AdoptTypeRefused,
            {"names": "users.mood (mood), users.rank (smallint)"},
        ),
        (
            "ALTER TABLE users ALTER COLUMN born TYPE interval USING NULL;",
            "",
            ADOPT,
            errors.AdoptTypeRefused,
            {"names": "users.born (interval)"},
        ),
        (
            "",
            "",
            CHOSEN,
            errors.AdoptTypeChosen,
            {"column": "users.rank", "wanted": "text", "found": "smallint"},
        ),
        ("", "", Choices(adopt=True, zone="Mars/Base"), errors.ZoneUnknown, {"zone": "Mars/Base"}),
        (
            "CREATE TABLE parts (id integer) PARTITION BY LIST (id);",
            "CREATE TABLE parts (id INTEGER PRIMARY KEY);",
            ADOPT,
            errors.AdoptNotPlain,
            {"names": "parts"},
        ),
    ],
)
def test_refused_by_name(
    there: str,
    here: str,
    choices: Choices,
    refusal: type[errors.MudanzaError],
    facts: dict[str, str],
    database: str,
    tmp_path: Path,
) -> None:
    made_in(database, there)
    before = dump(database)
    with pytest.raises(refusal) as refused:
        migrate(asked(source_in(tmp_path, here), database, tmp_path, choices=choices))

    assert facts.items() <= refused.value.facts.items()
    assert dump(database) == before
    assert fetched(database, "SELECT to_regclass('mudanza.run')") == [(None,)]


def test_an_empty_schema_cannot_be_adopted(database: str, tmp_path: Path) -> None:
    with pytest.raises(errors.AdoptNothing):
        migrate(asked(source_in(tmp_path), database, tmp_path))


def test_tables_of_another_owner_are_refused(database: str, tmp_path: Path) -> None:
    """Also one that only refers to a table that is to be filled."""
    made_in(database, "CREATE ROLE other_owner; ALTER TABLE outside OWNER TO other_owner;")
    try:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("CREATE ROLE app_owner LOGIN PASSWORD 'for a test'")
            for name in ("users", "posts"):
                connection.execute(f"ALTER TABLE {name} OWNER TO app_owner".encode())
            connection.execute("GRANT ALL ON SCHEMA public TO app_owner")
            connection.execute("GRANT SELECT ON alembic_version TO app_owner")
            database_name = connection.info.dbname
            connection.execute(f'GRANT CREATE ON DATABASE "{database_name}" TO app_owner'.encode())
        as_owner = re.sub(r"//.*@", "//app_owner:for%20a%20test@", database)
        with pytest.raises(errors.AdoptNotOwned) as refused:
            migrate(asked(source_in(tmp_path), as_owner, tmp_path))
        assert refused.value.facts["names"] == "users"
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP TABLE outside")
        migrate(asked(tmp_path / "app.db", as_owner, tmp_path))
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP OWNED BY other_owner, app_owner CASCADE")
            connection.execute("DROP ROLE other_owner, app_owner")


def test_a_schema_that_changes_meanwhile_is_not_taken_apart(database: str, tmp_path: Path) -> None:
    made_in(database)

    def tell(_: object) -> None:
        done(database, "DROP INDEX IF EXISTS users_made_ix")

    with pytest.raises(errors.AdoptMoved):
        migrate(asked(source_in(tmp_path), database, tmp_path), tell)
    assert fetched(database, "SELECT to_regclass('users_token_ix')::text") == [("users_token_ix",)]


def test_what_would_be_refused_of_a_target_is_looked_at_without_a_trace(
    database: str, tmp_path: Path
) -> None:
    made_in(database)
    seen = check_target(asked(source_in(tmp_path), database, tmp_path))

    assert seen is not None
    assert {t.name for t in seen.found.tables} >= {"users", "posts"}
    assert fetched(database, "SELECT to_regclass('mudanza.run')") == [(None,)]
