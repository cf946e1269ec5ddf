"""A plan's statement said for another schema."""

from __future__ import annotations

import pytest

from core.plan.ddl import elsewhere


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ('CREATE TABLE "a"."t" ("a" bigint)', 'CREATE TABLE "b"."t" ("a" bigint)'),
        ('REFERENCES "a"."a" ("a")', 'REFERENCES "b"."a" ("a")'),
        ('SELECT "a"."a"."a" FROM "a"."a"', 'SELECT "b"."a"."a" FROM "b"."a"'),
        ('DEFAULT \'"a"."t"\'', 'DEFAULT \'"a"."t"\''),
        ("""DEFAULT 'it''s "a".' || "a"."f"()""", """DEFAULT 'it''s "a".' || "b"."f"()"""),
        (r"""DEFAULT E'\'"a".' || "a"."f"()""", r"""DEFAULT E'\'"a".' || "b"."f"()"""),
        ('AS $$ "a"."t" $$ ON "a"."t"', 'AS $$ "a"."t" $$ ON "b"."t"'),
        ('AS $q$ $$ "a"."t" $q$ ON "a"."t"', 'AS $q$ $$ "a"."t" $q$ ON "b"."t"'),
        ('"x""a"."t", "a"', '"x""a"."t", "a"'),
        ('"\'"."t", "a"."t"', '"\'"."t", "b"."t"'),
    ],
)
def test_names_change_and_data_stay(statement: str, said: str) -> None:
    assert elsewhere(statement, "a", "b") == said


def test_a_schema_of_any_name() -> None:
    assert elsewhere('"sa""y ."."t"', 'sa"y .', "b\\1") == '"b\\1"."t"'
