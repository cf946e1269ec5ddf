"""Reading rows of one snapshot as columns, many at a time.

ADBC's SQLite driver reads for us, and guesses a column's type from what it sees:
an INTEGER among REALs loses its last digits, a REAL among texts becomes seven
digits of text, and nobody is told. So it is asked only for columns of which the
census has counted what they hold, and what comes back is looked at again by
:mod:`core.values.columns`.

It brings a SQLite of its own. Two such libraries in one process must never touch
a file that others write (closing a handle of the one drops the other's locks): a
snapshot is written by nobody.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import adbc_driver_sqlite
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as AdbcError

from core.source.rows import KeyKind, Row, SqliteValue, TableSource, origin, quoted, which

_SETTINGS = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA query_only = ON",
    "PRAGMA cell_size_check = ON",
    "PRAGMA mmap_size = 0",
    "PRAGMA cache_size = -8192",
)

_REFUSALS = (AdbcError, pa.ArrowException, OSError, UnicodeDecodeError)


class Unsure(Exception):
    """Only the exact path can read this. Never shown to people."""


@dataclass(frozen=True)
class Batch:
    """Some rows as columns. ``hi`` is the last one's key."""

    columns: tuple[pa.Array, ...]
    rows: int
    hi: Row

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""
        return sum(int(column.nbytes) for column in self.columns)


class BatchReader:
    """A snapshot, open for reading by columns; not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._database = adbc_driver_sqlite.connect(_uri(path))
        try:
            self._connection = AdbcConnection(self._database)
        except BaseException:
            self._database.close()
            raise
        try:
            for setting in _SETTINGS:
                for _ in self._stream(setting, 1):
                    pass
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> BatchReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._database.close()

    def batches(
        self,
        source: TableSource,
        after: Row | None,
        until: Row | None,
        batch_rows: int,
        extras: Sequence[str] = (),
    ) -> Generator[Batch, None, None]:
        """The rows past ``after`` (None: from the start) and up to ``until`` (None: to the
        end) in key order, ``batch_rows`` at a time; after the columns come ``extras``, SQL
        expressions of them. Raises Unsure for what it cannot read."""
        keys, places = _keys(source)
        while True:
            begun = False
            try:
                for batch in self._stream(_query(source, after, until, extras), batch_rows):
                    if batch.num_rows:
                        columns = batch.columns
                        after, begun = _last([columns[place] for place in places]), True
                        yield Batch(tuple(columns[len(keys) :]), batch.num_rows, after)
                return
            except _REFUSALS as refused:
                # The first batch settles the types for the whole statement; where it was
                # all NULL, or the next one is of another class, a new statement will do.
                if not begun:
                    raise Unsure(str(refused)) from refused

    def _stream(self, sql: str, batch_rows: int) -> Iterator[pa.RecordBatch]:
        with closing(AdbcStatement(self._connection)) as statement:
            statement.set_options(**{"adbc.sqlite.query.batch_rows": str(batch_rows)})
            statement.set_sql_query(sql)
            handle, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(handle) as reader:
                yield from reader


def readable(source: TableSource) -> bool:
    """Whether the table can be read by columns: SQLite's own way from UTF-16 joins lone
    surrogates, and a table without any key that can be named has no pages."""
    return source.encoding == "UTF-8" and source.key.kind is not KeyKind.POSITION


def _uri(path: Path) -> str:
    # Reserved in a URI: the path must not end early, nor mean another one.
    escaped = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{escaped}?mode=ro"


def _query(source: TableSource, after: Row | None, until: Row | None, extras: Sequence[str]) -> str:
    key = ", ".join(map(quoted, source.key.columns))
    edges = ((">", after), ("<=", until))
    bounds = [f"({key}) {sign} ({_literals(edge)})" for sign, edge in edges if edge is not None]
    selected = ", ".join([*map(quoted, (*_keys(source)[0], *source.columns)), *extras])
    return f"SELECT {selected} FROM {origin(source)}{which(source, *bounds)} ORDER BY {key}"


def _keys(source: TableSource) -> tuple[list[str], list[int]]:
    """The parts of the key to be read before the columns, because no column is one, and the
    places of all its parts in what is read then."""
    in_columns = {name: place for place, name in enumerate(source.columns)}
    if source.alias and source.key.kind is KeyKind.ROWID:
        in_columns[source.key.columns[0]] = in_columns[source.alias]
    alone = [name for name in source.key.columns if name not in in_columns]
    places = {name: len(alone) + place for name, place in in_columns.items()}
    places |= {name: place for place, name in enumerate(alone)}
    return alone, [places[name] for name in source.key.columns]


def _literals(key: Row) -> str:
    return ", ".join(map(_literal, key))


def _literal(value: SqliteValue) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and "\x00" not in value:
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    raise Unsure("a key that SQL has no certain words for")


def _last(keys: Sequence[pa.Array]) -> Row:
    """The last row's key. An INTEGER arrives as int64 only if the whole batch is INTEGER."""
    if not all(pa.types.is_int64(k.type) or pa.types.is_string(k.type) for k in keys):
        raise Unsure("a key of another type")
    return tuple(key[-1].as_py() for key in keys)
