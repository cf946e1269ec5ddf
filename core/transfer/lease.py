"""The run's lease: who coordinates it, and what only a coordinator may do.

One coordinator owns a run's epoch for as long as it shows its heartbeat. Whoever
takes the lease raises the epoch and, in the same transaction, the token of all that
is unfinished: what the members of the former epoch had in hand can no longer be
committed. Every clock here is the database's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from core.errors import ArrowRefused
from core.failpoints import failpoint
from core.server.connection import Connection
from core.transfer.ledger import Ledger
from core.transfer.states import Status, arrow


class LeaseLost(Exception):
    """Another coordinator raised the epoch. Never shown to people."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The lease of a run in the hands of ``member``; ``by`` says to people who that is."""

    run: UUID
    member: UUID
    epoch: int
    seconds: float
    by: str

    def beat(self, connection: Connection) -> None:
        """Show that the coordinator lives. Raises LeaseLost."""
        self._touch(
            connection, "lease_until = clock_timestamp() + %s * interval '1 second'", self.seconds
        )

    def release(self, connection: Connection) -> None:
        """Let the next one take the lease at once."""
        failpoint("release.before")
        connection.execute(
            "UPDATE mudanza.run SET coordinator = NULL, lease_until = NULL"
            " WHERE run = %s AND epoch = %s",
            (self.run, self.epoch),
        )

    def move(
        self,
        connection: Connection,
        end: Status,
        *,
        by: str = "",
        detail: str = "",
        exit_code: int | None = None,
    ) -> None:
        """Move the run along an arrow, and write the step down, in the caller's transaction
        or one of its own.

        Raises ArrowRefused when there is no such arrow from where the run stands, and
        LeaseLost.
        """
        with connection.transaction():
            start = self._status(connection)
            if arrow(start, end) is None:
                raise ArrowRefused(run=self.run, was=start, now=end)
            moved = connection.execute(
                "UPDATE mudanza.run SET status = %s, exit_code = %s,"
                " finished_at = CASE WHEN %s IN ('complete', 'cancelled') THEN clock_timestamp() END"
                " WHERE run = %s AND epoch = %s AND status = %s",
                (end, exit_code, end, self.run, self.epoch, start),
            )
            if moved.rowcount != 1:
                raise LeaseLost
            Ledger(connection).write_step(self.run, start, end, by=by or self.by, detail=detail)
            failpoint("move.written")
            if end is Status.CANCELLED:
                # Each chunk is either in or out: what is not in yet never will be.
                _raise_tokens(connection, self.run)

    def amend(
        self, connection: Connection, *, plan: str, document: str, sha256: str, exit_code: int
    ) -> None:
        """Give a complete run another plan and exit code: the fence, and so the last statement,
        of the transaction that brought its rows under them. Raises LeaseLost."""
        moved = connection.execute(
            "UPDATE mudanza.run SET plan = %s, plan_document = %s, plan_sha256 = %s, exit_code = %s"
            " WHERE run = %s AND epoch = %s AND status = 'complete'",
            (plan, document, sha256, exit_code, self.run, self.epoch),
        )
        if moved.rowcount != 1:
            raise LeaseLost

    def set_bounds(
        self,
        connection: Connection,
        *,
        chunk_rows: int | None = None,
        chunk_bytes: int | None = None,
    ) -> None:
        """Change how much a chunk may hold. Raises LeaseLost."""
        self._touch(
            connection,
            "chunk_rows = coalesce(%s, chunk_rows), chunk_bytes = coalesce(%s, chunk_bytes)",
            chunk_rows,
            chunk_bytes,
        )

    def set_pace(
        self, connection: Connection, rows_per_second: float | None, load_max: int | None
    ) -> None:
        """Throttle, or with None no longer. Raises LeaseLost."""
        self._touch(connection, "rows_per_second = %s, load_max = %s", rows_per_second, load_max)

    def reclaim(self, connection: Connection) -> int:
        """Hand over what the dead hold; how many members that were.

        Their sessions end first: one that stopped inside a COPY or between fence and
        COMMIT would hold its locks for long.
        """
        lost = _end_the_lost(connection, self.run, self.member)
        with connection.transaction():
            _see_off(connection, lost)
            _raise_tokens(connection, self.run, _UNHELD)
            failpoint("reclaim.freed")
        return len(lost)

    def _status(self, connection: Connection) -> Status:
        row = connection.execute(
            "SELECT status FROM mudanza.run WHERE run = %s AND epoch = %s", (self.run, self.epoch)
        ).fetchone()
        if row is None:
            raise LeaseLost
        return Status(str(row[0]))

    def _touch(self, connection: Connection, change: str, *values: object) -> None:
        touched = connection.execute(
            f"UPDATE mudanza.run SET {change} WHERE run = %s AND epoch = %s".encode(),
            (*values, self.run, self.epoch),
        )
        if touched.rowcount != 1:
            raise LeaseLost


def take(
    connection: Connection, run: UUID, member: UUID, *, seconds: float, by: str
) -> Lease | None:
    """Take the lease of a run if nobody living holds it; None while somebody does.

    The dead's sessions end first: what they hold would be waited for.
    """
    free = connection.execute(f"SELECT FROM mudanza.run WHERE {_FREE}".encode(), (run, member))
    if free.fetchone() is None:
        return None
    lost = _end_the_lost(connection, run, member)
    with connection.transaction():
        row = connection.execute(
            "UPDATE mudanza.run SET epoch = epoch + 1, coordinator = %s,"
            f" lease_until = clock_timestamp() + %s * interval '1 second' WHERE {_FREE}"
            " RETURNING epoch".encode(),
            (member, seconds, run, member),
        ).fetchone()
        if row is None:
            return None
        failpoint("take.epoch")
        _see_off(connection, lost)
        _raise_tokens(connection, run)
        failpoint("take.tokens")
    failpoint("take.committed")
    return Lease(run=run, member=member, epoch=int(str(row[0])), seconds=seconds, by=by)


@contextmanager
def momentary(
    connection: Connection, run: UUID, *, seconds: float, by: str
) -> Iterator[Lease | None]:
    """The lease for a moment, for one who only answers something; None when somebody
    holds it. Who loses it meanwhile has nothing more to say."""
    lease = take(connection, run, uuid4(), seconds=seconds, by=by)
    try:
        yield lease
    except LeaseLost:
        return
    finally:
        if lease is not None:
            lease.release(connection)


_FREE = (
    "run = %s AND (coordinator IS NULL OR coordinator = %s OR lease_until <= clock_timestamp()"
    " OR coordinator IN (SELECT member FROM mudanza.lost_member))"
)


def is_held(connection: Connection, run: UUID) -> bool:
    """Whether somebody living holds the lease of a run."""
    free = connection.execute(f"SELECT FROM mudanza.run WHERE {_FREE}".encode(), (run, None))
    return free.fetchone() is None


def lost_members(connection: Connection, run: UUID) -> list[UUID]:
    """The members of a run that count as dead and have not been seen off yet."""
    found = connection.execute("SELECT member FROM mudanza.lost_member WHERE run = %s", (run,))
    return [UUID(str(member)) for (member,) in found]


def _end_the_lost(connection: Connection, run: UUID, member: UUID) -> list[UUID]:
    """End the server's sessions of the dead, and wait until they are gone; who that was.

    ``member`` is not among them: awake after a long sleep, it would end its own. Their
    rows stay until the dead are seen off: without any they would count as living again.
    """
    lost = [m for m in lost_members(connection, run) if m != member]
    # All are told before one is waited for: the server looks ten times a second, and
    # for each of many in turn a heartbeat would come too late.
    for milliseconds in (0, 5000) if lost else ():
        connection.execute(
            "SELECT pg_terminate_backend(s.backend_pid, %s) FROM mudanza.session s"
            " JOIN pg_stat_activity a ON a.pid = s.backend_pid AND a.backend_start = s.backend_start"
            " WHERE s.member = ANY (%s)",
            (milliseconds, lost),
        )
    if lost:
        failpoint("reclaim.ended")
    return lost


def _see_off(connection: Connection, lost: list[UUID]) -> None:
    """Write down that they are dead; part of the transaction that takes what they hold.

    A session that one of them, back again, opened meanwhile keeps its row.
    """
    connection.execute(
        "UPDATE mudanza.member SET left_at = clock_timestamp(), left_why = 'lost'"
        " WHERE left_at IS NULL AND member = ANY (%s)",
        (lost,),
    )
    connection.execute(
        "DELETE FROM mudanza.session s WHERE member = ANY (%s) AND NOT EXISTS (SELECT"
        " FROM pg_stat_activity a WHERE a.pid = s.backend_pid AND a.backend_start = s.backend_start)",
        (lost,),
    )


# Owned by nobody who is there: a dead member's, or one claimed while it was declared dead.
_UNHELD = (
    " AND owner IS NOT NULL AND owner NOT IN (SELECT member FROM mudanza.member m"
    " WHERE m.run = {run} AND left_at IS NULL)"
)


def _raise_tokens(connection: Connection, run: UUID, condition: str = "") -> None:
    """Take what is unfinished out of all hands, in the order of its numbers.

    An UPDATE waits for a commit that is under way; a SELECT would pass it by.
    """
    for table, number, open_ in (
        ("range", "range", "NOT finished"),
        ("object", "object", "fate = 'planned'"),
    ):
        connection.execute(
            f"WITH held AS (SELECT {number} FROM mudanza.{table} WHERE run = %(run)s AND {open_}"
            f"{condition.format(run='%(run)s')} ORDER BY {number} FOR UPDATE)"
            f" UPDATE mudanza.{table} t SET owner = NULL, token = token + 1 FROM held"
            f" WHERE t.run = %(run)s AND t.{number} = held.{number}".encode(),
            {"run": run},
        )
