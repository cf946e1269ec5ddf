"""What ADBC reads from a real file is counted as what the scan reads from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pyarrow as pa
import pytest
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement
from adbc_driver_sqlite import _driver_path

from core.census import take_census
from core.census.columns import ColumnCounter
from core.census.scan import _wanted_kinds
from core.sample import build_sample
from core.schema import read_sqlite
from core.source.rows import InvalidText, SqliteValue, quoted
from core.values.declared import Kind
from tests.census.arrays import arrays_of, counted_exactly, same


def test_the_sample_is_counted_as_by_the_scan(tmp_path: Path) -> None:
    path = tmp_path / "sample.db"
    build_sample(path, rows=5_000, dirt=True)
    source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    database = read_sqlite(source).database
    wanted = _wanted_kinds(database, {})
    counted = 0
    for name, table in take_census(source, database).tables.items():
        for column, census in table.columns.items():
            # Any two classes but these two are the caller's to keep apart.
            if sum(map(bool, (census.integers + census.reals, census.texts, census.blobs))) > 1:
                continue
            counter = ColumnCounter(wanted[name, column])
            for batch in read(path, name, column):
                counter.add_array(batch.column(0), batch.column(1))
            same(counter.result(), census)
            counted += 1
    assert counted > 95


def read(path: Path, table: str, column: str) -> Iterator[pa.RecordBatch]:
    value = quoted(column)
    selected = f"{value}, CASE typeof({value}) WHEN 'integer' THEN {value} END"
    with (
        AdbcDatabase(driver=_driver_path(), uri=str(path)) as database,
        AdbcConnection(database) as connection,
        AdbcStatement(connection) as statement,
    ):
        statement.set_options(**{"adbc.sqlite.query.batch_rows": "700"})
        statement.set_sql_query(f"SELECT {selected} FROM {quoted(table)}")
        yield from pa.RecordBatchReader.from_stream(statement.execute_query()[0])


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "é\x00", "n\x00\x00"])
def test_a_text_with_nul_arrives_whole(text: str, tmp_path: Path) -> None:
    path = tmp_path / "nul.db"
    with apsw.Connection(str(path)) as connection:
        connection.execute("CREATE TABLE t (c TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (text,))
    batches = [batch.column(0).to_pylist() for batch in read(path, "t", "c")]

    assert batches == [[text]]


def test_batches_of_values_and_of_arrays_may_take_turns() -> None:
    spellings: list[SqliteValue] = ["1" * n + "-x" for n in range(20)]
    batches = [
        spellings[5:9],
        spellings[:7],
        [b"", 5, "t"],
        [1, 2.5],
        spellings,
        [InvalidText(b"\xff")],
    ]
    wanted = frozenset({Kind.DATE, Kind.BOOLEAN, Kind.DECIMAL})
    counter = ColumnCounter(wanted)
    for at, batch in enumerate(batches):
        if at in (0, 3, 4):
            counter.add_array(*arrays_of(batch))
        else:
            counter.add(batch)

    same(counter.result(), counted_exactly(batches, wanted))
    assert len(counter.result().spellings) == 12


def test_a_type_that_sqlite_has_not_is_no_column_of_it() -> None:
    with pytest.raises(TypeError, match="date32"):
        ColumnCounter(frozenset()).add_array(pa.array(["2024-01-02"]).cast(pa.date32()))
