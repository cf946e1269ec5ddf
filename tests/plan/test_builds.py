"""What is built: conditions that keep what an index or a key may be used for."""

from __future__ import annotations

from core.plan import Fate, Plan
from tests.plan.planning import planned

PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT, gone BOOLEAN);"
CHILD = "CREATE TABLE c (code TEXT REFERENCES p (code));"


def lost(plan: Plan) -> dict[str, str]:
    """The reasons of what is not carried, by kind."""
    return {o.kind: o.reason for o in plan.objects if o.fate is Fate.NOT_CARRIED}


def test_a_unique_index_is_a_key_to_refer_to() -> None:
    plan = planned(PARENT + "CREATE UNIQUE INDEX i ON p (code);" + CHILD)
    assert lost(plan) == {}


def test_one_with_a_condition_is_none() -> None:
    plan = planned(PARENT + "CREATE UNIQUE INDEX i ON p (code) WHERE gone = 0;" + CHILD)
    assert lost(plan) == {"foreign_key": "parent_not_unique"}
    (index,) = (build for build in plan.builds if build.name == "i")
    assert index.sql.endswith('WHERE NOT "gone"')
    assert index.fate.fate is Fate.REWRITTEN
