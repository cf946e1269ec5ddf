"""What the libraries of the Arrow path do without a word, and what keeps us from it.

Each test sees the trap first: it is there, and without our guard we would fall into
it. Then it sees the guard.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw
import pgpq
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from core.server.connection import parse_target
from core.source import batches, inspect
from core.source.batches import BatchReader, Unsure, readable
from core.source.rows import InvalidText, KeyKind, RowKey, SqliteValue, TableSource
from core.transfer.begin import Request
from core.transfer.migrate import migrate
from core.transfer.model import Way
from core.values import columns, types
from core.values.columns import column_way
from core.values.types import Conversion, Purity, TargetType
from core.values.wire import Wire
from core.verify import parity
from tests.two_paths.columns import SOURCE, by_columns, by_rows, counted, stored

INTEGER = Conversion(TargetType(types.BIGINT), "integer")
REAL = Conversion(TargetType(types.DOUBLE), "real")
TEXT = Conversion(TargetType(types.TEXT), "text")
SPELLED = Conversion(TargetType(types.TEXT), "spelled")
BYTES = Conversion(TargetType(types.BYTEA), "bytes:spelled")
MONEY = Conversion(TargetType(types.NUMERIC, precision=10, scale=2), "decimal")
TRUTH = Conversion(TargetType(types.BOOLEAN), "boolean:0/1")
SHORT = Conversion(TargetType(types.VARCHAR, length=3), "text")


def read(path: Path, values: Sequence[SqliteValue]) -> pa.Array:
    """The values as ADBC reads them, all in one batch."""
    with stored(path, values) as reader, closing(reader.batches(SOURCE, None, None, 100)) as all_:
        return next(all_).columns[0]


def exact(conversion: Conversion, values: Sequence[SqliteValue]) -> bytes:
    return b"".join(o for o in by_rows(conversion, values) if isinstance(o, bytes))


def ours(path: Path, conversion: Conversion, values: Sequence[SqliteValue]) -> list[bytes | None]:
    """What our Arrow path makes of them; [] or None: nothing, they go the exact path."""
    with stored(path, values) as reader:
        return by_columns(reader, conversion, counted(conversion, values), 100)


def careless(
    path: Path, conversion: Conversion, values: Sequence[SqliteValue], purity: Purity
) -> bytes:
    """What would come of them if the census had not looked."""
    way = column_way(conversion, purity)
    assert way is not None
    with stored(path, values) as reader, closing(reader.batches(SOURCE, None, None, 100)) as all_:
        return b"".join(Wire([conversion.type], [way]).tuples(b.columns for b in all_))


# --- what ADBC makes of mixed columns ----------------------------------------------------


def test_an_integer_among_reals_loses_its_last_digits(tmp_path: Path) -> None:
    values = [0.5, 2**53 + 1]
    assert read(tmp_path / "t.db", values).to_pylist() == [0.5, float(2**53)]
    # One path refuses the row, the other would have carried another number.
    assert careless(tmp_path / "t.db", REAL, values, Purity.NUMBER) != exact(REAL, values)
    assert ours(tmp_path / "t.db", REAL, values) == []


def test_a_real_among_texts_keeps_seven_digits(tmp_path: Path) -> None:
    values = ["a", 0.1 + 0.2]
    assert read(tmp_path / "t.db", values).to_pylist() == ["a", "3.000000e-01"]
    assert careless(tmp_path / "t.db", SPELLED, values, Purity.TEXT) != exact(SPELLED, values)
    assert ours(tmp_path / "t.db", SPELLED, values) == []


def test_a_real_is_not_spelled_as_sqlite_would(tmp_path: Path) -> None:
    """Fifteen digits in all but the newest versions, and never the shortest spelling."""
    ((text,),) = apsw.Connection(":memory:").execute("SELECT CAST(? AS TEXT)", (5e-324,))
    assert exact(SPELLED, [5e-324]).endswith(b"5e-324")
    assert text != "5e-324"
    assert column_way(SPELLED, Purity.REAL) is None
    assert column_way(SPELLED, Purity.NUMBER) is None


def test_an_integer_among_blobs_becomes_its_digits(tmp_path: Path) -> None:
    values = [b"\x00", 49]
    assert read(tmp_path / "t.db", values).to_pylist() == [b"\x00", b"49"]
    assert counted(BYTES, values) is Purity.MIXED
    assert ours(tmp_path / "t.db", BYTES, values) == []


def test_a_column_of_nulls_is_called_int64(tmp_path: Path) -> None:
    values = [None, None]
    assert read(tmp_path / "t.db", values).type == pa.int64()
    for conversion in (TEXT, REAL, MONEY, TRUTH, INTEGER):
        assert ours(tmp_path / "t.db", conversion, values) == [exact(conversion, values)]


def test_the_first_batch_settles_the_type_of_all(tmp_path: Path) -> None:
    values = [None, None, "word", "x", 7]
    with stored(tmp_path / "t.db", values[:4]) as reader:
        stream = reader._stream("SELECT c FROM t ORDER BY id", 2)
        with pytest.raises(OSError, match="Type mismatch"), closing(stream):
            list(stream)
        assert by_columns(reader, TEXT, Purity.TEXT, 2) == [
            exact(TEXT, values[:2]),
            exact(TEXT, values[2:4]),
        ]
    with (
        stored(tmp_path / "t.db", values[2:]) as reader,
        closing(reader._stream("SELECT c FROM t ORDER BY id", 2)) as stream,
    ):
        # After a first batch of texts a number is a text: no error at all.
        assert [v for batch in stream for v in batch.column(0).to_pylist()] == ["word", "x", "7"]
    assert ours(tmp_path / "t.db", TEXT, values) == []


# --- texts -------------------------------------------------------------------------------


def test_invalid_utf8_arrives_as_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ["good", InvalidText(b"f\xffo")]
    assert read(tmp_path / "t.db", values).type == pa.string()
    assert counted(TEXT, values) is Purity.MIXED
    with pytest.raises(Unsure):
        careless(tmp_path / "t.db", TEXT, values, Purity.TEXT)
    monkeypatch.setattr(columns, "_sound", lambda _: pc.utf8_length)
    assert b"f\xffo" in careless(tmp_path / "t.db", TEXT, values, Purity.TEXT)


def test_a_nul_arrives_inside_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ["a\x00b"]
    assert read(tmp_path / "t.db", values).to_pylist() == values
    with pytest.raises(Unsure):
        careless(tmp_path / "t.db", TEXT, values, Purity.TEXT)
    monkeypatch.setattr(columns, "_sound", lambda _: pc.utf8_length)
    assert b"a\x00b" in careless(tmp_path / "t.db", TEXT, values, Purity.TEXT)


def test_the_server_cuts_blanks_that_are_too_many(tmp_path: Path, database: str) -> None:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT CAST('abc  ' AS varchar(3))").fetchone()
    assert row == ("abc",)
    with pytest.raises(Unsure):
        careless(tmp_path / "t.db", SHORT, ["abc  "], Purity.TEXT)


def test_sqlite_joins_lone_surrogates_on_its_way_from_utf16(tmp_path: Path) -> None:
    raw = "\ud83d".encode("utf-16-le", "surrogatepass") + "a".encode("utf-16-le")
    path = tmp_path / "wide.db"
    with apsw.Connection(str(path)) as connection:
        connection.execute(
            "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, c)"
        )
        connection.execute("INSERT INTO t (c) VALUES (CAST(? AS TEXT))", (raw,))
    with BatchReader(path) as reader, closing(reader.batches(SOURCE, None, None, 1)) as all_:
        text = next(all_).columns[0]
        text.validate(full=True)  # as if nothing had happened
        assert text[0].as_py().encode("utf-16-le", "surrogatepass") != raw
    key = RowKey(kind=KeyKind.ROWID, columns=("id",))
    assert not readable(TableSource(table="t", columns=("c",), key=key, encoding="UTF-16le"))


# --- pyarrow -----------------------------------------------------------------------------


def test_a_real_is_rounded_to_the_scale_of_a_decimal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 12.345
    cast = pc.cast(pa.array([number]), pa.decimal128(10, 2), safe=True)
    assert str(cast[0].as_py()) in ("12.34", "12.35")
    with pytest.raises(Unsure):
        careless(tmp_path / "t.db", MONEY, [number], Purity.REAL)
    monkeypatch.setattr(columns, "_require", lambda *_: None)
    assert careless(tmp_path / "t.db", MONEY, [number], Purity.REAL) != exact(MONEY, [number])


def test_every_number_but_zero_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pc.cast(pa.array([2]), pa.bool_()).to_pylist() == [True]
    with pytest.raises(Unsure):
        careless(tmp_path / "t.db", TRUTH, [2], Purity.INTEGER)
    monkeypatch.setattr(columns, "_require", lambda *_: None)
    assert careless(tmp_path / "t.db", TRUTH, [2], Purity.INTEGER) != exact(TRUTH, [2])


# --- pgpq --------------------------------------------------------------------------------


def test_an_encoder_keeps_rows_back(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("0", pa.int64())])
    encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
    encoder.write_header()
    assert encoder.write_batch(pa.record_batch([pa.array([1])], schema)) == b""
    values = list(range(10))
    with stored(tmp_path / "t.db", values) as reader:
        assert b"".join(filter(None, by_columns(reader, INTEGER, Purity.INTEGER, 3))) == exact(
            INTEGER, values
        )


# --- two SQLite libraries in one process -------------------------------------------------


def test_closing_the_one_library_drops_the_locks_of_the_other(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    with stored(path, [1]):
        pass
    ours_, theirs = apsw.Connection(str(path)), apsw.Connection(str(path))
    ours_.execute("BEGIN IMMEDIATE")
    assert _locks(path)
    with BatchReader(path) as reader, closing(reader.batches(SOURCE, None, None, 1)) as all_:
        next(all_)
    # The kernel forgets all locks of a process on a file when it closes one handle of it.
    assert not _locks(path)
    theirs.close()
    ours_.close()


def test_the_second_library_never_opens_the_source(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    connect = batches.adbc_driver_sqlite.connect

    def seen(uri: str) -> object:
        opened.append(Path(uri.removeprefix("file:").partition("?")[0]))
        return connect(uri)

    monkeypatch.setattr(batches.adbc_driver_sqlite, "connect", seen)
    source = tmp_path / "live.db"
    with stored(source, ["a", "b"]):
        pass
    opened.clear()
    file, target = inspect(source), parse_target(database)
    migrate(Request(source=file, target=target, home=tmp_path, way=Way.ARROW))
    parity.verify(parity.Request(source=file, target=target, home=tmp_path, way=Way.ARROW))
    assert opened
    assert source not in opened


def _locks(path: Path) -> list[str]:
    """The locks that the kernel holds on a file."""
    inode = f":{path.stat().st_ino} "
    return [line for line in Path("/proc/locks").read_text().splitlines() if inode in line]
