"""Whether a finished run left anything that nobody accepted: what its exit code says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from uuid import UUID

from core.assess.acceptances import RowAcceptance
from core.plan import Plan
from core.server.connection import Connection
from core.transfer.ledger import Ledger
from core.transfer.quarantine import Blamed, Quarantine
from core.values.storage import from_raw


def anything_open(connection: Connection, run: UUID, plan: Plan) -> bool:
    """Whether some object counts, or some row is in quarantine, or some value arrived as
    another one, without a person's leave."""
    ledger = Ledger(connection)
    if any(fate.counts for fate in ledger.objects(run)):
        return True
    quarantine = ledger.quarantine(run)
    if not plan.accepted:
        return bool(quarantine.counts() or quarantine.altered_counts())
    covers = _Covered(plan)
    return not all(map(covers, chain(quarantine.blamed(), _altered(quarantine, plan))))


def _altered(quarantine: Quarantine, plan: Plan) -> Iterator[Blamed]:
    """Each value that arrived as another one, as if it were its row's only one to blame."""
    for table, _, cell in quarantine.altered_cells():
        blamed = ((cell.column, cell.storage_class, cell.raw),)
        yield Blamed(plan.table(table).number, cell.reason, blamed)


class _Covered:
    """Whether a row in quarantine is accepted, by the values that the ledger keeps."""

    def __init__(self, plan: Plan) -> None:
        self._acceptance = RowAcceptance(plan)
        self._encodings = {t.number: t.source.encoding for t in plan.tables}

    def __call__(self, row: Blamed) -> bool:
        encoding = self._encodings[row.table_number]
        cells = [(name, from_raw(kind, raw, encoding)) for name, kind, raw in row.cells]
        return self._acceptance.covers(row.table_number, row.reason, cells)
