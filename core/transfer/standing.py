"""Where a run stands: all that its ledger says about it, for whoever looks."""

from __future__ import annotations

from dataclasses import dataclass

from core.server.connection import Connection
from core.transfer.forecast import WINDOW_SECONDS, Outlook, outlook
from core.transfer.ledger import Ledger
from core.transfer.model import Orders, Participant, Run, Step, TableProgress


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A run, how it is to go on, who is at it, how far it is and how it came there."""

    run: Run
    orders: Orders
    members: tuple[Participant, ...]
    tables: tuple[TableProgress, ...]
    building: tuple[str, ...]
    waits_for: tuple[str, ...]
    outlook: Outlook
    steps: tuple[Step, ...]
    seconds: float

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
        tables = tuple(ledger.tables(run.run))
        rates = ledger.rates(run.run, WINDOW_SECONDS)
        progress = ledger.progress(run.run)
        rows = sum(t.rows for t in tables)
        return Standing(
            run=ledger.run(run.run),
            orders=ledger.orders(run.run),
            members=tuple(ledger.members(run.run)),
            tables=tables,
            building=progress.building,
            waits_for=progress.waits_for,
            outlook=outlook(rows, progress.rows_done, whole=rates.whole, recent=rates.recent),
            steps=tuple(ledger.steps(run.run)),
            seconds=ledger.seconds(run.run),
        )
