"""The marketplace that everything is measured on: built once, kept, always the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw

import core.sample
from core.sample import build_sample
from core.sample.counts import row_counts

_ORDER_ITEMS_IN_A_THOUSAND = 207


@dataclass(frozen=True, kw_only=True)
class Market:
    """A built database: its file and the rows of each table."""

    path: Path
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """The rows of all tables."""
        return sum(self.rows.values())


def rows_for(order_lines: int) -> int:
    """The smallest sample that has exactly so many order lines (rows of order_items)."""
    rows = max(300, order_lines * 1000 // _ORDER_ITEMS_IN_A_THOUSAND - 1000)
    while row_counts(rows)["order_items"] < order_lines:
        rows += 1  # which adds one order line at most: none is stepped over
    return rows


def market(folder: Path, order_lines: int) -> Market:
    """The database of so many order lines in ``folder``, built unless it is there.

    The file's name holds a digest of what makes the sample, so that a change of the
    sample's code is another file; what older code made of this size is removed.
    """
    rows = rows_for(order_lines)
    path = folder / f"market-{order_lines}-{_digest()}.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(f"market-{order_lines}-*"):
            stale.unlink()
        unfinished = path.with_suffix(".new")
        build_sample(unfinished, rows=rows)
        unfinished.rename(path)
    return Market(path=path, rows=row_counts(rows))


def warm(path: Path) -> None:
    """Read the file once, so that the first to be measured finds it in memory, as all do."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def _digest() -> str:
    whole = hashlib.sha256(apsw.sqlite_lib_version().encode())
    for file in _makers():
        whole.update(file.read_bytes())
    return whole.hexdigest()[:12]


def _makers() -> Iterator[Path]:
    """The files that decide what is in a sample."""
    (folder,) = core.sample.__path__
    yield from sorted(f for f in Path(folder).iterdir() if f.suffix in (".py", ".sql"))
