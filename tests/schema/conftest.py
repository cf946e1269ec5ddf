from __future__ import annotations

from collections.abc import Callable, Iterator

import apsw
import pytest

from core.schema import Reading, Table, read_sqlite

Read = Callable[[str], Reading]


@pytest.fixture
def memory() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    yield connection
    connection.close()


@pytest.fixture
def read(memory: apsw.Connection) -> Read:
    """Run SQL in a new database and read its schema."""

    def run(sql: str) -> Reading:
        memory.execute(sql)
        return read_sqlite(memory)

    return run


@pytest.fixture
def table(read: Read) -> Callable[[str], Table]:
    """Run SQL that makes one table (or more) and read the last one; nothing may be noted."""

    def run(sql: str) -> Table:
        reading = read(sql)
        assert reading.notes == ()
        return reading.database.tables[-1]

    return run
