"""Foreign keys and checks under rows that come late.

Rows of the source stay even where they break one: it is then there for new rows alone,
NOT VALID, as it is after a copy. And what was left so is proven again, for the row that
was missing may have come.
"""

from __future__ import annotations

import json
from uuid import UUID

import psycopg

from core.plan import Build, BuildKind, Fate, ObjectFate, Plan
from core.plan.ddl import qualified
from core.server.connection import Connection
from core.source.rows import quoted
from core.transfer.build import broken_fate
from core.transfer.ledger import Ledger

_PROVEN = (BuildKind.FOREIGN_KEY, BuildKind.CHECK)


class Constraints:
    """The foreign keys and checks of a run that stand in its target, within one transaction."""

    def __init__(self, connection: Connection, run: UUID, plan: Plan) -> None:
        self._connection = connection
        self._run = run
        self._plan = plan
        self._taken_away: set[int] = set()
        fates = Ledger(connection).build_fates(run, len(plan.builds))
        self._fates = {
            number: fate
            for number, fate in fates.items()
            if fate.fate is not Fate.NOT_CARRIED and plan.builds[number - 1].kind in _PROVEN
        }

    def give_way(self, refused: psycopg.Error) -> bool:
        """Take away what the server refused a row for, until :meth:`settle`; False when that
        is none of these."""
        name = refused.diag.constraint_name
        for number in self._fates:
            build = self._plan.builds[number - 1]
            if (
                name == build.name
                and self._is_on(build, refused)
                and number not in self._taken_away
            ):
                self._connection.execute(
                    f"ALTER TABLE {self._table(build)} DROP CONSTRAINT {quoted(build.name)}".encode()
                )
                self._taken_away.add(number)
                return True
        return False

    def settle(self, arrived: set[str]) -> tuple[ObjectFate, ...]:
        """Put back what was taken away, and prove again what ``arrived``, the tables with new
        rows, may have made true; the fates that are others now."""
        changed: list[ObjectFate] = []
        for number, was in self._fates.items():
            build = self._plan.builds[number - 1]
            if number in self._taken_away:
                self._connection.execute(build.sql.encode())
            elif not (
                was.reason in ("not_valid", "not_valid_by_letters", "check_broken")
                and arrived & {build.table, build.parent}
            ):
                continue
            now = self._proven(build)
            if now != was:
                self._write(number, now)
                changed.append(now)
        return tuple(changed)

    def _proven(self, build: Build) -> ObjectFate:
        try:
            with self._connection.transaction():
                self._connection.execute(build.validate.encode())
            return build.fate
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation) as broken:
            return broken_fate(build, broken)

    def _write(self, number: int, fate: ObjectFate) -> None:
        self._connection.execute(
            "UPDATE mudanza.object SET fate = %s, reason = %s, facts = %s, counts = %s"
            " WHERE run = %s AND object = %s",
            (
                fate.fate.value,
                fate.reason,
                json.dumps(fate.facts),
                fate.counts,
                self._run,
                number,
            ),
        )

    def _is_on(self, build: Build, refused: psycopg.Error) -> bool:
        return refused.diag.table_name == self._plan.table(build.table).target

    def _table(self, build: Build) -> str:
        return qualified(self._plan.schema, self._plan.table(build.table).target)
