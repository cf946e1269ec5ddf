"""One database of the twenty: drawn by its number and the seed, and by nothing else.

The seed was set down before any of the twenty had been migrated; what becomes of them is
reported as it is. Change neither the seed nor the drawing to improve a result.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw

from benchmarks.scoreboard.unseen.naming import Namer, quoted
from benchmarks.scoreboard.unseen.others import (
    draw_indexes,
    draw_triggers,
    draw_views,
    draw_virtual,
)
from benchmarks.scoreboard.unseen.tables import Table, draw_rows, draw_table

SEED = 20_261_124
COUNT = 20


def build(number: int, path: Path, seed: int = SEED) -> None:
    """Make the database of this number at ``path``, where nothing may be yet."""
    chance = Random(f"{seed}/{number}")
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA encoding = '{chance.choice(('UTF-8', 'UTF-8', 'UTF-16le'))}'")
    with connection:
        tables = _tables(connection, chance)
        _beside(connection, chance, tables)
    connection.close()


def _tables(connection: apsw.Connection, chance: Random) -> list[Table]:
    namer, tables = Namer(chance), list[Table]()
    for _ in range(chance.randint(2, 7)):
        table = draw_table(chance, namer, tables)
        connection.execute(table.sql)
        _fill(connection, chance, table)
        tables.append(table)
    connection.execute("CREATE TABLE tally (id INTEGER PRIMARY KEY, what TEXT, n INTEGER)")
    connection.execute("INSERT INTO tally VALUES (1, 'all', 0)")
    return tables


def _fill(connection: apsw.Connection, chance: Random, table: Table) -> None:
    """Row by row: SQLite passes over what breaks a rule of the table."""
    columns = ", ".join(quoted(c.name) for c in table.filled)
    marks = ", ".join("?" for _ in table.filled)
    insert = f"INSERT OR IGNORE INTO {quoted(table.name)} ({columns}) VALUES ({marks})"
    for row in draw_rows(chance, table, chance.choice((0, 5, 30, 60, 200))):
        try:
            connection.execute(insert, row)
        except apsw.Error:  # a type that STRICT does not take, malformed JSON in a rule
            continue


def _beside(connection: apsw.Connection, chance: Random, tables: list[Table]) -> None:
    """Indexes, views, triggers and virtual tables; what SQLite refuses is not there."""
    statements = [s for table in tables for s in draw_indexes(chance, table)]
    statements += [sql for _, sql in draw_views(chance, tables)]
    statements += draw_triggers(chance, tables)
    statements += draw_virtual(chance)
    for statement in statements:
        try:
            connection.execute(statement)
        except apsw.Error:  # a unique index over rows that are not, JSON that is none
            continue
