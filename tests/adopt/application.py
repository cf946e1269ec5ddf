"""An application with a schema of its own on both sides: what its migrations made."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from core.plan import Choices
from core.server.connection import parse_target
from core.source import inspect
from core.transfer.begin import Request
from core.transfer.model import Bounds
from tests.conftest import binaries_under_test
from tests.transfer.running import source_of

THERE = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN email AS varchar(40) CHECK (VALUE LIKE '%@%');
CREATE TABLE alembic_version
  (version_num varchar(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY);
INSERT INTO alembic_version VALUES ('ab12');
CREATE TABLE users (
  id serial PRIMARY KEY, name varchar(20) NOT NULL, mail email, active boolean NOT NULL DEFAULT true,
  mood mood, token uuid, doc jsonb, made timestamptz NOT NULL, score real, rank smallint,
  price numeric(8,2), raw bytea, code char(4), born date, best_post integer,
  note text DEFAULT 'none', upper_name text GENERATED ALWAYS AS (upper(name)) STORED,
  CONSTRAINT users_name_key UNIQUE (name) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT rank_low CHECK (rank >= 0));
CREATE TABLE posts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id integer NOT NULL,
  title text NOT NULL, hidden boolean NOT NULL,
  CONSTRAINT posts_user_fk FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
ALTER TABLE users ADD CONSTRAINT users_best_fk
  FOREIGN KEY (best_post) REFERENCES posts (id) DEFERRABLE;
CREATE INDEX users_made_ix ON users (made DESC) INCLUDE (name) WITH (fillfactor = 70);
CREATE UNIQUE INDEX users_mail_ix ON users (lower((mail)::text)) WHERE active;
ALTER INDEX users_mail_ix ALTER COLUMN 1 SET STATISTICS 500;
CREATE UNIQUE INDEX users_token_ix ON users (token);
ALTER TABLE users CLUSTER ON users_made_ix;
ALTER TABLE posts ADD CONSTRAINT posts_titles EXCLUDE USING hash (title WITH =);
COMMENT ON INDEX users_made_ix IS 'for the front page''s list';
COMMENT ON CONSTRAINT rank_low ON users IS 'no one is below';
CREATE TABLE audit (id serial PRIMARY KEY, said text);
CREATE FUNCTION note_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO public.audit (said) VALUES (NEW.name);
  NEW.name := upper(NEW.name); RETURN NEW; END $$;
CREATE TRIGGER noting BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note_user();
CREATE TRIGGER "At all times" BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION note_user();
ALTER TABLE users ENABLE ALWAYS TRIGGER "At all times";
CREATE TRIGGER resting BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note_user();
ALTER TABLE users DISABLE TRIGGER resting;
CREATE TABLE outside (id serial PRIMARY KEY, user_id integer CONSTRAINT outside_fk REFERENCES users);
CREATE VIEW grumpy AS SELECT id, name FROM users WHERE mood = 'sad' GROUP BY id;
"""

HERE = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('ab12');
CREATE TABLE "Users" (
  id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, mail VARCHAR(40), active BOOLEAN NOT NULL,
  mood VARCHAR(5), token CHAR(32), doc TEXT, made DATETIME NOT NULL, score FLOAT, rank SMALLINT,
  price NUMERIC(8, 2), raw BLOB, code TEXT, born DATE, best_post INTEGER REFERENCES posts (id),
  CONSTRAINT uq_name UNIQUE (name));
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES "Users" (id),
  title VARCHAR NOT NULL, hidden INTEGER NOT NULL);
CREATE INDEX ix_made ON "Users" (made);
CREATE VIEW grumpy AS SELECT id FROM "Users";
"""

_TOKEN = "0" * 31
ROWS: dict[str, Sequence[Sequence[Any]]] = {
    '"Users"': [
        (
            n,
            f"name {n}",
            f"n{n}@x.org",
            n % 2,
            ("sad", "ok", "happy")[n % 3],
            f"{_TOKEN}{n}",
            f'{{"n": {n}}}',
            f"2024-07-0{n} 12:00:00",
            n / 4,
            n,
            n + 0.25,
            bytes([n]),
            "abcd",
            f"1990-01-0{n}",
            10 + n,
        )
        for n in range(1, 8)
    ],
    "posts": [(10 + n, n, f"title {n}", n % 2) for n in range(1, 8)],
}
ADOPT = Choices(adopt=True, zone="Europe/Madrid")


def source_in(folder: Path, more: str = "") -> Path:
    """The application's SQLite database, with ``more`` done to it."""
    path = source_of(folder / "app.db", HERE, ROWS)
    return source_of(path, more) if more else path


def made_in(database: str, more: str = "") -> None:
    """The schema that the application's migrations make in PostgreSQL, and ``more``."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute((THERE + more).encode())


def asked(source: Path, database: str, home: Path, **more: Any) -> Request:
    """To adopt it, in small chunks."""
    more.setdefault("choices", ADOPT)
    more.setdefault("bounds", Bounds(rows=3))
    return Request(source=inspect(source), target=parse_target(database), home=home, **more)


def dump(database: str) -> list[str]:
    """All that pg_dump says of the schema, the ledger's own apart."""
    said = subprocess.run(
        [binaries_under_test().tool("pg_dump"), "-s", "-N", "mudanza", "-d", database],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Newer ones fence their script with a random word.
    return [line for line in said.splitlines() if not line.startswith(("\\", "--"))]


def fetched(database: str, question: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database, autocommit=True, options="-c TimeZone=UTC") as connection:
        return connection.execute(question.encode()).fetchall()


def done(database: str, statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(statements.encode())
