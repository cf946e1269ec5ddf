"""The shop's revisions as a release runs them, and a database's schema as its engine says it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.webapp.world import REPOSITORY

INI = REPOSITORY / "migrations/marketplace/alembic.ini"
SECONDS = 60
Schema = dict[str, list[Any]]


def begin(url: str | None, *words: str) -> subprocess.Popen[str]:
    """Alembic as a process of its own."""
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    if url is not None:
        environment["DATABASE_URL"] = url
    return subprocess.Popen(
        [sys.executable, "-m", "alembic", "-c", str(INI), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=REPOSITORY,
    )


def run(url: str | None, *words: str) -> subprocess.CompletedProcess[str]:
    """The same, and its end."""
    return ended(begin(url, *words))


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def schema(url: str) -> Schema:
    """Everything in a database but the revision that it is at, by kind."""
    return _of_sqlite(url) if url.startswith("sqlite") else _of_postgresql(url)


def tables(url: str) -> set[str]:
    """Of the shop."""
    return {column[0] for column in schema(url)["columns"]}


def version(url: str) -> list[str]:
    """The revisions that a database is at."""
    return [row[0] for row in asked(url, "SELECT version_num FROM alembic_version")]


def asked(url: str, statement: str) -> list[Any]:
    """The rows of a question."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url, autocommit=True) as postgresql:
        return postgresql.execute(statement.encode()).fetchall()


_POSTGRESQL = {
    "columns": """SELECT c.relname, a.attnum, a.attname, format_type(atttypid, atttypmod), attnotnull,
          attidentity, attgenerated, pg_get_expr(adbin, adrelid), co.collname
        FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
        LEFT JOIN pg_attrdef d ON adrelid = c.oid AND adnum = attnum
        LEFT JOIN pg_collation co ON co.oid = attcollation
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0
          AND NOT attisdropped AND relname <> 'alembic_version' ORDER BY 1, 2""",
    "constraints": """SELECT conrelid::regclass::text, conname, contype::text, convalidated,
          pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
          AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2""",
    "indexes": """SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2""",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
    "others": """SELECT relname, relkind::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i', 'v') ORDER BY 1""",
    "routines": """SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
        WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace ORDER BY 1""",
}


def _of_postgresql(url: str) -> Schema:
    return {kind: asked(url, statement) for kind, statement in _POSTGRESQL.items()}


def _of_sqlite(url: str) -> Schema:
    made = {
        kind: asked(
            url,
            f"SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = '{kind}'"
            " AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version' ORDER BY 1, 2",
        )
        for kind in ("table", "index", "view", "trigger")
    }
    columns = [
        (table, *column)
        for table, _, _ in made["table"]
        for column in asked(url, f"SELECT * FROM pragma_table_xinfo('{table}') ORDER BY cid")
    ]
    constraints = sorted((t, part) for t, _, sql in made["table"] for part in _parts(sql))
    return {
        "columns": columns,
        "constraints": constraints,
        "indexes": [(t, name, " ".join(sql.split())) for t, name, sql in made["index"]],
        "views": made["view"],
        "routines": made["trigger"],
    }


def _parts(statement: str) -> Iterator[str]:
    """What stands between the outermost commas of a CREATE TABLE, in one spelling."""
    depth, part = 0, ""
    body = statement[statement.index("(") + 1 : statement.rindex(")")]
    for letter in [*body, ","]:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            yield re.sub(r"\s+", " ", part).strip()
            part = ""
        else:
            part += letter
