"""Where a run stands and who is at it, read from its ledger for whoever looks."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from core.plan import Build
from core.server.connection import Connection
from core.transfer.adopting import still_down
from core.transfer.events import Progressed
from core.transfer.forecast import WINDOW_SECONDS, Outlook, outlook
from core.transfer.ledger import Ledger
from core.transfer.model import (
    Orders,
    Participant,
    Rates,
    Run,
    Step,
    TableProgress,
    process_name,
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A run, how it is to go on, who is at it, how far it is and how it came there.
    ``down``: what the application had made in the target and does not stand just now."""

    run: Run
    orders: Orders
    members: tuple[Participant, ...]
    tables: tuple[TableProgress, ...]
    building: tuple[str, ...]
    waits_for: tuple[str, ...]
    outlook: Outlook
    steps: tuple[Step, ...]
    seconds: float
    down: tuple[Build, ...] = ()

    @property
    def rows(self) -> int:
        """All rows of the run's tables."""
        return sum(t.rows for t in self.tables)

    @property
    def rows_done(self) -> int:
        """Rows that have their place."""
        return sum(t.rows_done for t in self.tables)

    @property
    def rows_quarantined(self) -> int:
        """Those of them that are in quarantine."""
        return sum(t.rows_quarantined for t in self.tables)

    @property
    def coordinator(self) -> Participant | None:
        """Who coordinates the run just now."""
        return next((m for m in self.members if m.coordinates and not m.lost), None)


def standing(connection: Connection, run: Run) -> Standing:
    """Where ``run`` stands now, as of one moment."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        ledger = Ledger(connection)
        tables = tuple(_tables(connection, run.run))
        rates = _rates(connection, run.run, WINDOW_SECONDS)
        seen = progress(connection, run.run)
        rows = sum(t.rows for t in tables)
        return Standing(
            run=ledger.run(run.run),
            orders=ledger.orders(run.run),
            members=tuple(_members(connection, run.run)),
            tables=tables,
            building=seen.building,
            waits_for=seen.waits_for,
            outlook=outlook(rows, seen.rows_done, whole=rates.whole, recent=rates.recent),
            steps=tuple(ledger.steps(run.run)),
            seconds=ledger.seconds(run.run),
            down=still_down(connection, run),
        )


# --- readings -----------------------------------------------------------------------------


def _members(connection: Connection, run: UUID) -> list[Participant]:
    """Who takes part in a run, in the order they came."""
    with connection.cursor(row_factory=class_row(Participant)) as cursor:
        cursor.execute(
            "SELECT m.member, m.host, m.pid, m.account, m.copies, m.joined_at, m.slowest_beat,"
            " m.waits_for, coalesce(m.member = r.coordinator, false) AS coordinates,"
            " extract(epoch FROM clock_timestamp() - m.beat_at)::float8 AS beat_seconds,"
            " m.member IN (SELECT member FROM mudanza.lost_member) AS lost"
            " FROM mudanza.member m JOIN mudanza.run r USING (run)"
            " WHERE run = %s AND m.left_at IS NULL ORDER BY m.joined_at, m.member",
            (run,),
        )
        return cursor.fetchall()


def _tables(connection: Connection, run: UUID) -> list[TableProgress]:
    """How far each table is, in the plan's order."""
    with connection.cursor(row_factory=class_row(TableProgress)) as cursor:
        cursor.execute(
            "SELECT source_name AS name, target_name AS target, max(table_rows) AS rows,"
            " sum(rows_read)::bigint AS rows_done,"
            " sum(rows_quarantined)::bigint AS rows_quarantined, bool_and(finished) AS finished"
            " FROM mudanza.range WHERE run = %s"
            " GROUP BY table_number, source_name, target_name ORDER BY table_number",
            (run,),
        )
        return cursor.fetchall()


def _rates(connection: Connection, run: UUID, window: float) -> Rates:
    """How fast those who are at work now have been, and were in the last ``window``
    seconds. Pauses, and the time that a run lay dead, do not count."""
    row = connection.execute(
        "WITH sitting AS (SELECT min(joined_at) AS began_at, clock_timestamp() AS now"
        " FROM mudanza.member m WHERE run = %(run)s AND left_at IS NULL"
        " AND member NOT IN (SELECT member FROM mudanza.lost_member)),"
        " span AS (SELECT began_at, greatest(began_at, now - %(window)s * interval '1 second')"
        " AS late_at, now FROM sitting)"
        " SELECT coalesce(sum(c.rows_read)"
        " / nullif(extract(epoch FROM min(s.now) - min(s.began_at)), 0), 0)::float8,"
        " coalesce(sum(c.rows_read) FILTER (WHERE c.committed_at >= s.late_at)"
        " / nullif(extract(epoch FROM min(s.now) - min(s.late_at)), 0), 0)::float8"
        " FROM span s JOIN mudanza.chunk c ON c.run = %(run)s AND c.committed_at >= s.began_at",
        {"run": run, "window": window},
    ).fetchone()
    assert row is not None
    return Rates(whole=float(str(row[0])), recent=float(str(row[1])))


def coordinator(connection: Connection, run: UUID) -> str:
    """Who coordinates a run just now, as people know a process; '' when nobody does."""
    row = connection.execute(
        "SELECT m.account, m.host, m.pid FROM mudanza.run r JOIN mudanza.member m"
        " ON m.member = r.coordinator WHERE r.run = %s",
        (run,),
    ).fetchone()
    return "" if row is None else process_name(str(row[0]), str(row[1]), row[2])


def silent(connection: Connection, run: UUID, host: str) -> frozenset[int]:
    """The numbers of a host's processes that take part in a run and have shown no life
    for longer than their lease."""
    found = connection.execute(
        "SELECT pid FROM (SELECT DISTINCT ON (pid) pid, lease_until FROM mudanza.member"
        " WHERE run = %s AND host = %s ORDER BY pid, joined_at DESC) m"
        " WHERE lease_until <= clock_timestamp()",
        (run, host),
    )
    return frozenset(int(str(pid)) for (pid,) in found)


def progress(connection: Connection, run: UUID) -> Progressed:
    """How many rows have their place, what is being built, and what members wait for."""
    done = connection.execute(
        "SELECT coalesce(sum(rows_read), 0)::bigint FROM mudanza.range WHERE run = %s", (run,)
    ).fetchone()
    assert done is not None
    waits = connection.execute(
        "SELECT DISTINCT waits_for FROM mudanza.member WHERE run = %s AND left_at IS NULL"
        " AND waits_for <> '' ORDER BY 1",
        (run,),
    )
    building = connection.execute(
        "SELECT name FROM mudanza.object WHERE run = %s AND fate = 'planned'"
        " AND owner IS NOT NULL ORDER BY object",
        (run,),
    )
    return Progressed(
        rows_done=int(str(done[0])),
        building=tuple(str(name) for (name,) in building),
        waits_for=tuple(str(reason) for (reason,) in waits),
    )
