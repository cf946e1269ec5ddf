"""Views, triggers, functions, generated columns and comments: two schemas of one server,
the one as planned, the other as found."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from core.plan import Plan
from core.plan.diff import Difference, Facts, differences, statements
from core.schema import read_postgres
from core.verify.schema import restated

Connection = psycopg.Connection[tuple[object, ...]]

PLANNED = """
CREATE TABLE t (a bigint PRIMARY KEY, b text, c bigint GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE log (a bigint, b text);
CREATE VIEW base AS SELECT a, b FROM t WHERE a > 0;
CREATE VIEW above AS SELECT a FROM base;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN INSERT INTO log VALUES (NEW.a, 'planned'); RETURN NULL; END $$;
CREATE TRIGGER tell AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN INSERT INTO t (a) VALUES (NEW.a); RETURN NEW; END $$;
CREATE TRIGGER put INSTEAD OF INSERT ON above FOR EACH ROW EXECUTE FUNCTION put();
COMMENT ON TABLE t IS 'it''s a \\ table';
COMMENT ON COLUMN t.b IS 'said';
"""


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A server with the schema in ``planned`` and, once more, in ``public``."""
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute("CREATE SCHEMA planned")
        for schema in ("planned", "public"):
            opened.execute(f"SET search_path = {schema}; {PLANNED}".encode())
        yield opened


def found(connection: Connection) -> list[Difference]:
    plan = Plan(schema="public", encoding="UTF-8", tables=(), builds=(), objects=())
    wanted = read_postgres(connection, "planned", qualified=True)
    here = read_postgres(connection, "public", qualified=True)
    wanted = restated(wanted, "planned.", "public.")
    return list(differences(plan, wanted, here, Facts()))


def test_what_was_made_alike_does_not_differ(connection: Connection) -> None:
    assert found(connection) == []


@pytest.mark.parametrize(
    ("drift", "expected"),
    [
        ("DROP VIEW above", ["above view missing", "above.put trigger missing"]),
        (
            "DROP VIEW base CASCADE",
            ["base view missing", "above view missing", "above.put trigger missing"],
        ),
        (
            "CREATE OR REPLACE VIEW above AS SELECT a FROM base WHERE a < 10",
            ["above view definition"],
        ),
        ("CREATE OR REPLACE VIEW base AS SELECT a, b FROM t", ["base view definition"]),
        (
            "DROP VIEW above; CREATE VIEW above AS SELECT a, b FROM base",
            ["above view definition", "above.put trigger missing"],
        ),
        ("DROP TRIGGER tell ON t", ["t.tell trigger missing"]),
        (
            "CREATE OR REPLACE TRIGGER tell BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()",
            ["t.tell trigger definition"],
        ),
        ("ALTER TABLE t DISABLE TRIGGER tell", ["t.tell trigger disabled"]),
        ("DROP FUNCTION note() CASCADE", ["note() function missing", "t.tell trigger missing"]),
        (
            """CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql
               AS 'BEGIN RETURN NULL; END'""",
            ["note() function definition"],
        ),
        ("ALTER TABLE t DROP COLUMN c", ["t.c column missing"]),
        (
            "ALTER TABLE t DROP COLUMN c, ADD COLUMN c bigint GENERATED ALWAYS AS (a * 3) STORED",
            ["t.c column generated"],
        ),
        ("ALTER TABLE t ALTER COLUMN c DROP EXPRESSION", ["t.c column generated"]),
        ("COMMENT ON TABLE t IS NULL", ["t table comment"]),
        ("COMMENT ON COLUMN t.b IS 'otherwise'", ["t.b column comment"]),
        ("DROP TABLE log", ["log table missing"]),
        (
            """DROP VIEW base CASCADE; ALTER TABLE t ALTER COLUMN b TYPE varchar(9);
               CREATE VIEW base AS SELECT a, b FROM t; CREATE VIEW mine AS SELECT b FROM base""",
            [
                "mine view extra",
                "t.b column type",
                "base view definition",
                "above view missing",
                "above.put trigger missing",
            ],
        ),
    ],
)
def test_a_drift_is_found_and_mended(
    drift: str, expected: list[str], connection: Connection
) -> None:
    connection.execute(drift.encode())

    differing = found(connection)

    assert [f"{d.object} {d.kind} {d.aspect}" for d in differing] == expected
    for _, statement in statements(differing):
        connection.execute(statement.encode())
    assert found(connection) == []
