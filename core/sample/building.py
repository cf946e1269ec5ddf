"""Building the sample database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import apsw

from core.sample.counts import row_counts
from core.sample.dirt import Misfit, plant_misfits
from core.sample.tables import Market


@dataclass(frozen=True, kw_only=True)
class SampleFacts:
    """What a sample holds. ``rows`` has each table and its number of rows, in the order of
    the schema; ``objects`` has kind and name of what only a dirty sample has."""

    rows: tuple[tuple[str, int], ...]
    misfits: tuple[Misfit, ...]
    objects: tuple[tuple[str, str], ...]
    seed: int


PLANTED_OBJECTS = (
    ("view", "best_sellers"),
    ("trigger", "products_touch"),
    ("check", "reviews"),
    ("index", "ix_products_published"),
    ("virtual table", "product_search"),
)


def build_sample(
    path: Path, *, rows: int = 200_000, seed: int = 1, dirt: bool = False
) -> SampleFacts:
    """Make a marketplace database of ``rows`` rows in 15 tables at ``path``.

    The same arguments give the same bytes, as long as the SQLite library is the
    same. ``dirt`` plants misfits and objects that need a decision. Raises
    FileExistsError, and ValueError for fewer than 300 rows; then no file remains.
    """
    counts = row_counts(rows)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            return _fill(connection, counts, seed, dirt=dirt)
        finally:
            connection.close()
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _fill(
    connection: apsw.Connection, counts: dict[str, int], seed: int, *, dirt: bool
) -> SampleFacts:
    # Without a journal and without waiting for the disk: a half-made sample is thrown away.
    settings = "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"
    connection.execute(f"{settings}; PRAGMA cache_size = -65536").fetchall()
    with connection:
        connection.execute(_sql("marketplace"))
        for table, rows in Market(counts, seed).tables():
            places = ", ".join("?" * _columns(connection, table))
            connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
        connection.execute(_sql("indexes"))
        misfits = _spoil(connection) if dirt else ()
    order = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return SampleFacts(
        rows=tuple((str(table), counts[str(table)]) for (table,) in order if table in counts),
        misfits=misfits,
        objects=PLANTED_OBJECTS if dirt else (),
        seed=seed,
    )


def _spoil(connection: apsw.Connection) -> tuple[Misfit, ...]:
    misfits = plant_misfits(connection)
    connection.execute(_sql("planted"))
    return misfits


def _columns(connection: apsw.Connection, table: str) -> int:
    return len(connection.execute(f"PRAGMA table_info({table})").fetchall())


def _sql(name: str) -> str:
    return resources.files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
