"""Reading rows of one table in key order, a chunk at a time.

This is the only place that turns a SQLite row into Python values. It never
guesses: what SQLite stores as text arrives as :class:`str`, and text that is not
valid in the database's own encoding arrives as :class:`InvalidText` with its raw
bytes, never as an error and never repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import apsw


@dataclass(frozen=True, slots=True)
class InvalidText:
    """A TEXT value whose bytes are not valid in the database's encoding."""

    raw: bytes


SqliteValue = int | float | str | bytes | InvalidText | None
Row = tuple[SqliteValue, ...]


class KeyKind(StrEnum):
    """How the rows of a table are addressed, in the order SQLite stores them."""

    ROWID = "rowid"
    COLUMNS = "columns"
    POSITION = "position"


@dataclass(frozen=True, kw_only=True)
class RowKey:
    """What addresses one row. ``columns`` are the names to select for the key:
    the rowid's spelling, or a WITHOUT ROWID table's primary key. A table that
    hides its rowid behind columns of all three spellings is read by POSITION,
    which is stable on a snapshot."""

    kind: KeyKind
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableSource:
    """A table as the reader needs it: its name, the columns to read, its key. ``alias``:
    which of the columns is the rowid under another name, '' if none is."""

    table: str
    columns: tuple[str, ...]
    key: RowKey
    encoding: str = "UTF-8"
    alias: str = ""


@dataclass(frozen=True, kw_only=True)
class RowChunk:
    """Rows with ``lo < key <= hi``; ``keys[i]`` addresses ``rows[i]``.

    ``last`` is true when no row follows; ``size`` is bytes of text and blobs.
    """

    keys: list[Row]
    rows: list[Row]
    last: bool
    size: int

    @property
    def hi(self) -> Row | None:
        """The key of the last row, None for an empty chunk."""
        return self.keys[-1] if self.keys else None


def quoted(name: str) -> str:
    """``name`` as an identifier that SQLite and PostgreSQL both read back exactly."""
    return '"' + name.replace('"', '""') + '"'


def origin(source: TableSource) -> str:
    """What to select from: the table itself, never an index, which may lack rows."""
    table = quoted(source.table)
    # A WITHOUT ROWID table paged by its key is that key's own index.
    return table if source.key.kind is KeyKind.COLUMNS else f"{table} NOT INDEXED"


def count_rows(connection: apsw.Connection, source: TableSource) -> int:
    """How many rows the table has, counted on the table itself."""
    row = connection.execute(f"SELECT count(*) FROM {origin(source)}").fetchone()
    return int(str(row[0])) if row else 0


def read_chunk(
    connection: apsw.Connection,
    source: TableSource,
    after: Row | None,
    *,
    until: Row | None = None,
    max_rows: int,
    max_bytes: int,
) -> RowChunk:
    """The next rows past ``after`` (None: from the start), bounded by rows and bytes.

    None lies past ``until`` (None: the end); a table read by POSITION has no such
    bound. At least one row is returned when one exists, however large it is.
    """
    page = _Page(source, after, until, max_rows)
    if source.encoding == "UTF-8":
        try:
            return _collect(_plain_rows(connection, page), page, max_bytes)
        except UnicodeDecodeError:
            pass
    # UTF-16 is decoded here as well: SQLite's own conversion joins a lone
    # surrogate with its neighbour and would change the text silently.
    return _collect(_raw_rows(connection, page), page, max_bytes)


def scan(
    connection: apsw.Connection,
    source: TableSource,
    *,
    max_rows: int = 10_000,
    max_bytes: int = 16 << 20,
) -> Iterator[RowChunk]:
    """All chunks of a table, in key order."""
    after: Row | None = None
    while True:
        chunk = read_chunk(connection, source, after, max_rows=max_rows, max_bytes=max_bytes)
        yield chunk
        if chunk.last:
            return
        after = chunk.hi


def answers(connection: apsw.Connection, query: str, width: int, encoding: str) -> Iterator[Row]:
    """The rows that a query answers with, ``width`` values each, in the order it gives them."""
    columns = [f"c{number}" for number in range(width)]
    sql = f"WITH answer ({', '.join(columns)}) AS MATERIALIZED ({query}) SELECT {_raw_list(columns)} FROM answer"
    for pairs in connection.execute(sql):
        yield _decode(pairs, encoding)


def read_row(connection: apsw.Connection, source: TableSource, key: Row) -> Row | None:
    """The row at exactly ``key``, or None."""
    where, bindings = _equal_to(source, key)
    sql = f"SELECT {_raw_list(source.columns)} FROM {origin(source)} {where}"
    found = connection.execute(sql, bindings).fetchone()
    return None if found is None else _decode(found, source.encoding)


@dataclass(frozen=True)
class _Page:
    """Which rows to read: past ``after``, up to ``until``, at most ``rows`` of them."""

    source: TableSource
    after: Row | None
    until: Row | None
    rows: int


def _collect(rows: Iterator[Row], page: _Page, max_bytes: int) -> RowChunk:
    key = page.source.key
    width = 0 if key.kind is KeyKind.POSITION else len(key.columns)
    position = _position(page.after)
    keys: list[Row] = []
    values: list[Row] = []
    size = 0
    for row in rows:
        position += 1
        keys.append(row[:width] if width else (position,))
        values.append(row[width:])
        for value in row:
            if type(value) is str or type(value) is bytes:
                size += len(value)
        if size >= max_bytes:
            return RowChunk(keys=keys, rows=values, last=keys[-1] == page.until, size=size)
    last = len(values) < page.rows or keys[-1] == page.until
    return RowChunk(keys=keys, rows=values, last=last, size=size)


def _position(after: Row | None) -> int:
    return after[0] if after and isinstance(after[0], int) else 0


def _plain_rows(connection: apsw.Connection, page: _Page) -> Iterator[Row]:
    source = page.source
    selected = ", ".join(quoted(c) for c in (*_key_columns(source), *source.columns))
    tail, bindings = _past(page)
    yield from connection.execute(f"SELECT {selected} FROM {origin(source)} {tail}", bindings)


def _raw_rows(connection: apsw.Connection, page: _Page) -> Iterator[Row]:
    source = page.source
    selected = _raw_list((*_key_columns(source), *source.columns))
    tail, bindings = _past(page)
    cursor = connection.execute(f"SELECT {selected} FROM {origin(source)} {tail}", bindings)
    for pairs in cursor:
        yield _decode(pairs, source.encoding)


def _key_columns(source: TableSource) -> tuple[str, ...]:
    return () if source.key.kind is KeyKind.POSITION else source.key.columns


def _raw_list(columns: Sequence[str]) -> str:
    """Each column twice: its storage class, and its value with text as raw bytes."""
    return ", ".join(
        f"typeof({c}), CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) ELSE {c} END"
        for c in map(quoted, columns)
    )


# Python's names of SQLite's encodings.
CODECS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


def _decode(pairs: Row, encoding: str) -> Row:
    codec = CODECS[encoding]
    values: list[SqliteValue] = []
    for i in range(0, len(pairs), 2):
        value = pairs[i + 1]
        if pairs[i] == "text" and isinstance(value, bytes):
            value = _text(value, codec)
        values.append(value)
    return tuple(values)


def _text(raw: bytes, codec: str) -> str | InvalidText:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return InvalidText(raw)


def _past(page: _Page) -> tuple[str, list[SqliteValue]]:
    """WHERE, ORDER BY and LIMIT of a page, with their bindings."""
    key = page.source.key
    if key.kind is KeyKind.POSITION:
        return "LIMIT ? OFFSET ?", [page.rows, _position(page.after)]
    columns = ", ".join(quoted(c) for c in key.columns)
    bounds: list[str] = []
    bindings: list[SqliteValue] = []
    for comparison, edge in ((">", page.after), ("<=", page.until)):
        if edge is not None:
            marks, values = bound(edge)
            bounds.append(f"({columns}) {comparison} ({', '.join(marks)})")
            bindings.extend(values)
    where = f"WHERE {' AND '.join(bounds)} " if bounds else ""
    return f"{where}ORDER BY {columns} LIMIT ?", [*bindings, page.rows]


def _equal_to(source: TableSource, key: Row) -> tuple[str, list[SqliteValue]]:
    if source.key.kind is KeyKind.POSITION:
        return "LIMIT 1 OFFSET ?", [_position(key) - 1]
    marks, bindings = bound(key)
    equal = " AND ".join(
        f"{quoted(c)} = {m}" for c, m in zip(source.key.columns, marks, strict=True)
    )
    return f"WHERE {equal}", bindings


def bound(key: Row) -> tuple[list[str], list[SqliteValue]]:
    """Placeholders and bindings: text that is not text is bound as its bytes."""
    marks = ["CAST(? AS TEXT)" if isinstance(v, InvalidText) else "?" for v in key]
    return marks, [v.raw if isinstance(v, InvalidText) else v for v in key]
