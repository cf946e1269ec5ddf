"""A plan's DDL as an Alembic revision: what a run makes, without its rows.

Where sequences go on is left out: that follows from the rows. So is every NOT VALID for
rows that break a condition: in a schema without rows none do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256

from core.plan.ddl import NEWEST, statements
from core.plan.document import digest, write_document
from core.plan.model import Plan

_FILE = '''\
"""A schema as Mudanza planned it.

The plan's SHA-256: {plan}
"""

from alembic import op
from sqlalchemy import DDL

revision = "{revision}"
down_revision = None  # the revision that this one follows, if there is one
branch_labels = None
depends_on = None

UP = [
{up}]

# What a server before PostgreSQL 18 is told instead, by place in UP.
BEFORE_18 = {{
{before}}}

DOWN = [
{down}]


def upgrade() -> None:
    version = getattr(op.get_context().dialect, "server_version_info", None)
    other = BEFORE_18 if version and version < (18,) else {{}}
    for place, statement in enumerate(UP):
        op.execute(_exactly(other.get(place, statement)))


def downgrade() -> None:
    for statement in DOWN:
        op.execute(_exactly(statement))


def _exactly(statement: str) -> DDL:
    """The statement as it stands: in plain text a colon may begin a parameter."""
    return DDL(statement.replace("%", "%%"))
'''


def revision_id(plan: Plan) -> str:
    """The id of a plan's revision: equal plans have the same."""
    text = "\n".join([digest(write_document(plan)), *_up(plan)])
    return sha256(text.encode()).hexdigest()[:12]


def revision_file(plan: Plan) -> str:
    """The name of its file, as Alembic makes it: the id and a word."""
    word = re.sub(r"[^a-z0-9]+", "_", plan.schema.lower()).strip("_")
    return "_".join(filter(None, (revision_id(plan), word))) + ".py"


def write_revision(plan: Plan) -> str:
    """The revision as Python; equal plans give equal text."""
    up = _up(plan)
    return _FILE.format(
        plan=digest(write_document(plan)),
        revision=revision_id(plan),
        up=_listed(up),
        before=_before(plan, up),
        down=_listed(_down(up)),
    )


def _up(plan: Plan, server_version: int = NEWEST) -> list[str]:
    return list(statements(plan, server_version, with_rows=False))


def _before(plan: Plan, up: list[str]) -> str:
    """The statements that an older server is told otherwise, by their place."""
    older = _up(plan, NEWEST - 1)
    pairs = enumerate(zip(up, older, strict=True))
    return "".join(f"    {n}: ({_lines(old)}),\n" for n, (new, old) in pairs if new != old)


_NAME = r'"(?:[^"]|"")*"'
_PLACE = rf"{_NAME}\.{_NAME}"
# What does not go with its table, in the order in which it goes. The schema stays: it may
# have been there before.
_UNDONE = (
    (re.compile(rf"CREATE (?:OR REPLACE )?VIEW ({_PLACE})"), "DROP VIEW {0}"),
    (
        re.compile(rf"ALTER TABLE ({_PLACE}) ADD CONSTRAINT ({_NAME}) FOREIGN KEY"),
        "ALTER TABLE {0} DROP CONSTRAINT {1}",
    ),
    (re.compile(rf"CREATE TABLE ({_PLACE})"), "DROP TABLE {0}"),
    (re.compile(rf"CREATE (?:OR REPLACE )?FUNCTION ({_PLACE}\(.*?\))"), "DROP FUNCTION {0}"),
)


def _down(up: list[str]) -> Iterator[str]:
    """What drops all that ``up`` made, and nothing else."""
    for pattern, undone in _UNDONE:
        for statement in reversed(up):
            if made := pattern.match(statement):
                yield undone.format(*made.groups())


def _listed(texts: Iterable[str]) -> str:
    """The texts as Python writes them, a line of theirs on a line of its own."""
    return "".join(f"    ({_lines(text)}),\n" for text in texts)


def _lines(text: str) -> str:
    return "\n     ".join(map(ascii, text.splitlines(keepends=True)))
