"""What a member may do: claim a range or a build, commit to it, hand it back.

The fence is one compare-and-set, the last statement before COMMIT: it moves the
watermark only where it stood, and only under the token that the claim gave. It is
an UPDATE, because an UPDATE waits for whoever is just committing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from core.failpoints import failpoint
from core.plan import ObjectFate
from core.server.connection import Connection
from core.transfer.model import AlteredCell, BuildClaim, ChunkLine, Quarantined, RangeClaim
from core.transfer.quarantine import Quarantine

UNHURRIED = "SET LOCAL synchronous_commit = off"
"""What is committed so need not be on disk at once: a server that crashes may forget it,
but then its rows and its line together. The run's own last step waits for all of it."""

_CLAIM = "range, table_number, hi, done_to, finished, token"


class FenceLost(Exception):
    """What was claimed is in other hands by now. Never shown to people."""


@dataclass(frozen=True)
class Claims:
    """The claims of one member, through one connection (in autocommit mode)."""

    connection: Connection
    run: UUID
    member: UUID

    # --- ranges

    def claim_range(self) -> RangeClaim | None:
        """A range that nobody holds, of the largest table first; None when there is none.

        One of the member's own comes before: it holds one at a time, so that is a claim
        whose answer was lost.
        """
        claim = self._claim(
            "UPDATE mudanza.range SET owner = %(me)s, token = token + 1,"
            " started_at = coalesce(started_at, clock_timestamp()) WHERE run = %(run)s"
            " AND range = (SELECT range FROM mudanza.range WHERE run = %(run)s AND NOT finished"
            " AND (owner IS NULL OR owner = %(me)s) ORDER BY owner IS NULL, table_rows DESC, range"
            " LIMIT 1 FOR UPDATE SKIP LOCKED)"
            f" RETURNING {_CLAIM}"
        )
        failpoint("claim.range")
        return claim

    def claim_again(self, claim: RangeClaim) -> RangeClaim | None:
        """The same range under a new token, after a commit whose outcome is unknown: this
        waits for it, then says where the watermark stands. None: it is in other hands."""
        return self._claim(
            "UPDATE mudanza.range SET token = token + 1 WHERE run = %(run)s AND range = %(range)s"
            f" AND owner = %(me)s RETURNING {_CLAIM}",
            claim,
        )

    def hand_back(self, claim: RangeClaim) -> None:
        """Let another member take the range."""
        self.connection.execute(
            "UPDATE mudanza.range SET owner = NULL, token = token + 1"
            " WHERE run = %s AND range = %s AND owner = %s AND token = %s",
            (self.run, claim.range, self.member, claim.token),
        )

    def checkpoint(
        self,
        claim: RangeClaim,
        line: ChunkLine,
        quarantined: Sequence[Quarantined],
        altered: Sequence[AlteredCell] = (),
    ) -> None:
        """Write a chunk's line, its quarantined rows and the new watermark; part of the
        transaction that wrote its rows. Raises FenceLost; the caller rolls back."""
        try:
            self._write(claim, line, quarantined)
            Quarantine(self.connection, self.run).add_altered(claim.table_number, altered)
        except psycopg.errors.UniqueViolation as written:
            # By whoever holds the range now: the fence would refuse us as well.
            raise FenceLost from written
        failpoint("chunk.lined")
        self._fence(claim, line, len(quarantined))
        failpoint("chunk.fenced")

    def _write(
        self, claim: RangeClaim, line: ChunkLine, quarantined: Sequence[Quarantined]
    ) -> None:
        Quarantine(self.connection, self.run).add(claim, quarantined)
        self.connection.execute(
            "INSERT INTO mudanza.chunk (run, range, chunk, lo, hi, rows_read, rows_written,"
            " rows_quarantined, bytes, path, member)"
            " SELECT run, range, chunks + 1, %s, %s, %s, %s, %s, %s, %s, %s"
            " FROM mudanza.range WHERE run = %s AND range = %s",
            (
                line.lo,
                line.hi,
                line.rows_read,
                line.rows_written,
                len(quarantined),
                line.bytes,
                line.path,
                self.member,
                self.run,
                claim.range,
            ),
        )

    def _fence(self, claim: RangeClaim, line: ChunkLine, quarantined: int) -> None:
        moved = self.connection.execute(
            "UPDATE mudanza.range SET done_to = coalesce(%(hi)s, done_to), chunks = chunks + 1,"
            " rows_read = rows_read + %(read)s, rows_written = rows_written + %(written)s,"
            " rows_quarantined = rows_quarantined + %(aside)s, finished = %(last)s,"
            " owner = CASE WHEN %(last)s THEN NULL ELSE owner END,"
            " finished_at = CASE WHEN %(last)s THEN clock_timestamp() END"
            " WHERE run = %(run)s AND range = %(range)s AND NOT finished"
            " AND owner = %(me)s AND token = %(token)s"
            " AND done_to IS NOT DISTINCT FROM %(lo)s",
            {
                "hi": line.hi,
                "read": line.rows_read,
                "written": line.rows_written,
                "aside": quarantined,
                "last": line.last,
                "run": self.run,
                "range": claim.range,
                "me": self.member,
                "token": claim.token,
                "lo": line.lo,
            },
        )
        if moved.rowcount != 1:
            raise FenceLost

    def anything_left(self) -> bool:
        """Whether a row has no place yet or a build no fate, whoever is at it."""
        return bool(self.unfinished_tables() or self.open_builds())

    def unfinished_tables(self) -> set[int]:
        """Numbers of the tables of which not every row has its place yet."""
        found = self.connection.execute(
            "SELECT DISTINCT table_number FROM mudanza.range WHERE run = %s AND NOT finished",
            (self.run,),
        )
        return {int(str(number)) for (number,) in found}

    # --- builds

    def open_builds(self) -> dict[int, bool]:
        """The numbers of the builds that have no fate yet, and whether somebody else is at it."""
        found = self.connection.execute(
            "SELECT object, owner IS NOT NULL AND owner <> %s FROM mudanza.object"
            " WHERE run = %s AND fate = 'planned' ORDER BY object",
            (self.member, self.run),
        )
        return {int(str(number)): bool(held) for number, held in found}

    def claim_build(self, number: int) -> BuildClaim | None:
        """The build ``number``, unless somebody was faster."""
        with self.connection.cursor(row_factory=class_row(BuildClaim)) as cursor:
            cursor.execute(
                "UPDATE mudanza.object SET owner = %s, token = token + 1 WHERE run = %s"
                " AND object = %s AND fate = 'planned' AND (owner IS NULL OR owner = %s)"
                " RETURNING object AS number, token, added",
                (self.member, self.run, number, self.member),
            )
            claim = cursor.fetchone()
        failpoint("claim.build")
        return claim

    def hand_back_build(self, claim: BuildClaim) -> None:
        """Let another member take the build."""
        self.connection.execute(
            "UPDATE mudanza.object SET owner = NULL, token = token + 1"
            " WHERE run = %s AND object = %s AND owner = %s AND token = %s",
            (self.run, claim.number, self.member, claim.token),
        )

    def mark_added(self, claim: BuildClaim) -> None:
        """Record that a foreign key stands, its rows not yet looked at; part of the
        transaction that added it, and its fence. Raises FenceLost."""
        self._fenced(claim, "added = true", ())

    def set_fate(
        self,
        claim: BuildClaim,
        fate: ObjectFate,
        *,
        seconds: float,
        sqlstate: str | None = None,
    ) -> None:
        """Record what became of a build; part of the transaction that made it, and its
        fence. Raises FenceLost."""
        self._fenced(
            claim,
            "owner = NULL, fate = %s, reason = %s, facts = %s, counts = %s, seconds = %s,"
            " sqlstate = %s",
            (
                fate.fate.value,
                fate.reason,
                json.dumps(fate.facts),
                fate.counts,
                seconds,
                sqlstate,
            ),
        )

    def _fenced(self, claim: BuildClaim, change: str, values: Sequence[object]) -> None:
        moved = self.connection.execute(
            f"UPDATE mudanza.object SET {change} WHERE run = %s AND object = %s"
            " AND fate = 'planned' AND owner = %s AND token = %s".encode(),
            (*values, self.run, claim.number, self.member, claim.token),
        )
        if moved.rowcount != 1:
            raise FenceLost
        failpoint("build.fenced")

    def _claim(self, sql: str, claim: RangeClaim | None = None) -> RangeClaim | None:
        with self.connection.cursor(row_factory=class_row(RangeClaim), binary=True) as cursor:
            cursor.execute(
                sql.encode(),
                {
                    "run": self.run,
                    "me": self.member,
                    "range": claim.range if claim else None,
                },
            )
            return cursor.fetchone()
