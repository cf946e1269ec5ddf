"""Trying an object out: in tables of their own on both sides, of which nothing stays."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import apsw
import psycopg

from benchmarks.scoreboard.comparer import source
from benchmarks.scoreboard.comparer.declared import Check, after_where, raw_words_of, words_of
from benchmarks.scoreboard.comparer.meaning import (
    UNLIKE,
    Stored,
    Text,
    Value,
    arrived,
    same,
    wanted,
)
from benchmarks.scoreboard.comparer.sides import Sides
from benchmarks.scoreboard.comparer.source import Table, quoted
from benchmarks.scoreboard.comparer.target import Column, Relation, read_as

_CLOCKS = re.compile(
    r"current_|'now'|now|strftime|julianday|unixepoch|date\(|time\(", re.IGNORECASE
)
_CHANCE = re.compile(r"random", re.IGNORECASE)
_PATIENCE = timedelta(minutes=5)

Connection = psycopg.Connection[Any]


def words(sql: str) -> list[str]:
    """The tokens of a statement, names without their quotes."""
    return words_of(sql)


def condition_of(index_sql: str) -> str:
    """The condition of a CREATE INDEX: what follows its last WHERE outside brackets."""
    return after_where(index_sql)


def count_where(sides: Sides, relation: str, condition: str) -> int | None:
    """For how many rows of the target a condition holds."""
    try:
        with sides.target.undone() as connection:
            connection.execute("SET LOCAL TimeZone = 'UTC'")
            query = f"SELECT count(*) FROM public.{quoted(relation)} WHERE {condition}"
            row = connection.execute(query.encode()).fetchone()
            return int(row[0]) if row else None
    except psycopg.Error:
        return None


def speaks_of(expression: str, column: str) -> bool:
    """Whether an expression of the target has the column in it."""
    return quoted(column) in expression or column in words(expression)


def twelve_digits(meaning: Hashable) -> Hashable:
    """A number to twelve significant digits."""
    if isinstance(meaning, bytes):
        return f"{struct.unpack('>d', meaning)[0]:.12g}"
    return f"{float(meaning):.12g}" if isinstance(meaning, Decimal) else meaning


# --- an empty table like the target's ----------------------------------------------------------


def _like(connection: Connection, relation: Relation, including: str) -> None:
    """A table ``probe`` with the columns of ``relation``, all of which may be left out."""
    connection.execute(
        f"CREATE TEMP TABLE probe (LIKE public.{quoted(relation.name)} {including})".encode()
    )
    keys = "SELECT conname FROM pg_constraint WHERE conrelid = 'pg_temp.probe'::regclass AND contype = 'p'"
    for (name,) in connection.execute(keys).fetchall():
        connection.execute(f"ALTER TABLE pg_temp.probe DROP CONSTRAINT {quoted(name)}".encode())
    for column in relation.columns:
        name = quoted(column.name)
        connection.execute(f"ALTER TABLE pg_temp.probe ALTER {name} DROP NOT NULL".encode())
        if column.default and "nextval" in column.default:  # a number once given is gone
            connection.execute(f"ALTER TABLE pg_temp.probe ALTER {name} DROP DEFAULT".encode())


# --- defaults ------------------------------------------------------------------------------------


def defaults(sides: Sides, table: Table, relation: Relation) -> dict[str, str]:
    """For each column with a default: why it does not count as carried, '' when it does."""
    named = [c for c in table.columns if c.default is not None]
    if not named:
        return {}
    found = _stored_by_target(sides, relation)
    return {c.name: _default_wrong(sides, table, c, found) for c in named}


def _stored_by_target(sides: Sides, relation: Relation) -> dict[str, tuple[Column, Value]]:
    """What an INSERT of nothing stores; {} where the server refuses it."""
    columns = [c for c in relation.columns if not c.generated and not c.identity]
    terms = ", ".join(map(read_as, columns))
    try:
        with sides.target.undone() as connection:
            _like(connection, relation, "INCLUDING DEFAULTS")
            connection.execute("INSERT INTO pg_temp.probe DEFAULT VALUES")
            row = connection.execute(f"SELECT {terms} FROM pg_temp.probe".encode()).fetchone()
    except psycopg.Error:
        return {}
    return {c.name: (c, value) for c, value in zip(columns, row or (), strict=False)}


def _default_wrong(
    sides: Sides, table: Table, column: source.Column, found: dict[str, tuple[Column, Value]]
) -> str:
    name = sides.column_name(table.name, column.name)
    if name not in found:
        return "no default can be tried"
    here, value = found[name]
    stored = _stored_by_source(sides, column)
    if stored is _REFUSED:
        return "SQLite itself refuses it"
    if same(stored, here.kind, value) or _nearly(column.default or "", stored, here.kind, value):
        return ""
    return "no default" if value is None else "another value"


class _Refused:
    pass


_REFUSED: Any = _Refused()


def _stored_by_source(sides: Sides, column: source.Column) -> Stored:
    """What the default stores in SQLite."""
    ask = sides.source.ask
    for declared in (column.declared, ""):
        for default in (column.default, f"({column.default})"):
            try:
                ask("DROP TABLE IF EXISTS temp.probe")
                ask(f"CREATE TEMP TABLE probe (c {declared} DEFAULT {default}, d)")
                ask("INSERT INTO temp.probe (d) VALUES (1)")
                kind, value = ask("SELECT typeof(c), c FROM temp.probe")[0]
            except apsw.Error:
                continue
            finally:
                ask("DROP TABLE IF EXISTS temp.probe")
            return Text(str(value).encode()) if kind == "text" else value  # type: ignore[return-value]
    return _REFUSED  # type: ignore[no-any-return]


def _nearly(default: str, stored: Stored, kind: str, found: Value) -> bool:
    """Whether two readings of a clock, or two throws of dice, are as equal as they can be."""
    if found is None or stored is None:
        return False
    if _CHANCE.search(default):
        return _as_long(stored, kind, found)
    if not _CLOCKS.search(default):
        return False
    if isinstance(stored, int | float):
        if not isinstance(found, int | float | Decimal | str):
            return False
        try:
            apart = abs(float(found) - float(stored))
        except ValueError:
            return False
        return apart <= (300 if stored > 1e8 else 0.01)
    return isinstance(stored, Text) and _same_time(stored.decode(), kind, str(found))


def _as_long(stored: Stored, kind: str, found: Value) -> bool:
    if isinstance(stored, Text):
        return kind == "text" and len(str(found)) == len(stored.decode())
    if isinstance(stored, bytes):
        return kind == "bytea" and isinstance(found, bytes) and len(found) == len(stored)
    return isinstance(found, int | float | Decimal)


def _same_time(stored: str, kind: str, found: str) -> bool:
    """Within five minutes; a text must also look the same, digit for digit."""
    if kind == "text" and re.sub(r"\d", "0", stored) != re.sub(r"\d", "0", found):
        return False
    if kind == "date":
        return stored[:10] == found
    one, other = _read_time(stored), _read_time(found)
    if one is None or other is None:
        return False
    apart = abs(one - other)
    return (
        min(apart, timedelta(days=1) - apart if apart < timedelta(days=1) else apart) <= _PATIENCE
    )


def _read_time(text: str) -> datetime | None:
    """A day, a clock or both, as UTC unless the text has an offset."""
    if re.fullmatch(r"\d\d:\d\d(:\d\d(\.\d+)?)?", text):
        text = f"2000-01-01 {text}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    offset = found.utcoffset() or timedelta()
    return found.replace(tzinfo=None) - offset


# --- collations ----------------------------------------------------------------------------------

_EQUAL = {"NOCASE": ("Probe", "pROBE"), "RTRIM": ("Probe", "Probe  ")}


def collation(sides: Sides, relation: Relation, column: Column, name: str) -> str:
    """Whether two spellings that the collation calls equal are equal in the target too: to
    the column itself, or by the expression of one of its indexes."""
    one, other = _EQUAL[name]
    expressions = [i.expressions for i in relation.indexes if speaks_of(i.expressions, column.name)]
    try:
        with sides.target.undone() as connection:
            _like(connection, relation, "")
            for spelled in (one, other):
                connection.execute(
                    f"INSERT INTO pg_temp.probe ({_marked(column.name)}) VALUES (%s)".encode(),
                    (spelled,),
                )
            for term in (quoted(column.name), *expressions):
                counted = connection.execute(
                    f"SELECT count(DISTINCT ({term})) FROM pg_temp.probe".encode()
                ).fetchone()
                if counted == (1,):
                    return ""
    except psycopg.Error:
        return "cannot be tried"
    return "tells apart what the source calls equal"


def nocase_unique(sides: Sides, table: Table, relation: Relation, index: source.Index) -> str:
    """'' when the target refuses a row that differs from another in case alone."""
    names = [sides.column_name(table.name, n) for n, _, _ in index.terms if n]
    columns = [c for c in (relation.column(n) for n in names) if c is not None]
    marks = ", ".join("%s" for _ in columns)
    insert = f"INSERT INTO pg_temp.probe ({', '.join(_marked(c.name) for c in columns)}) VALUES ({marks})"
    try:
        with sides.target.undone() as connection:
            _like(connection, relation, "INCLUDING INDEXES")
            own = [collation == "NOCASE" for name, _, collation in index.terms if name]
            for spelled in ("Probe", "pROBE"):
                words = [spelled if by_nocase else "Probe" for by_nocase in own]
                row = [_sample(c, word) for c, word in zip(columns, words, strict=True)]
                connection.execute(insert.encode(), row)
    except psycopg.errors.UniqueViolation:
        return ""
    except psycopg.Error:
        return "cannot be tried"
    return "takes a row that differs in case alone"


def _marked(name: str) -> str:
    """A name in a statement that has parameters."""
    return quoted(name).replace("%", "%%")


def _sample(column: Column, text: str) -> Value:
    return {"text": text, "bytea": b"probe", "boolean": True, "uuid": "0" * 32}.get(column.kind, "2000-01-01" if column.kind in ("date", "timestamp", "timestamptz") else 1)  # fmt: skip


# --- checks ----------------------------------------------------------------------------------------

_SAMPLES: dict[str, tuple[Any, ...]] = {
    "integer": (None, -(10**12), -2, -1, 0, 1, 2, 3, 5, 7, 10, 13, 50, 100, 101, 1000, 10**12),
    "double": (None, -1e9, -1.5, -1.0, 0.0, 0.5, 1.0, 2.5, 13.13, 99.5, 100.0, 1e9),
    "numeric": (None, -1, 0, 1, 0.5, 13.13, 100, 10**6),
    "boolean": (None, 0, 1),
    "text": (
        None,
        "",
        "a",
        "A",
        "abc",
        "ABC",
        "x" * 60,
        "a@b.co",
        "12",
        "1234",
        "forbidden",
        " a ",
    ),
    "bytea": (None, b"", b"\x00", b"text", b"x" * 60),
}
_ROWS = 250


def checks(sides: Sides, table: Table, relation: Relation) -> list[str]:
    """For each CHECK of the source: '' when one of the target's answers as it does on rows
    made up of samples, of what is stored, and of what stands near the CHECK's own constants.
    One that the tool names as left behind is not looked for."""
    columns = [(c, sides.column(table.name, c.name)) for c in table.columns if not c.generated]
    both = [(c, found) for c, found in columns if found is not None and not found.generated]
    rows = list(_made_up(sides, table, both))
    theirs, accepted = _answers_of_target(sides, relation, [f for _, f in both], rows)
    ours = _answers_of_source(sides, table, [c for c, _ in both], [rows[n] for n in accepted])
    return [
        "left behind" if _is_left(sides, table, check) else _alike(answers, theirs)
        for check, answers in zip(table.checks, ours, strict=True)
    ]


def _is_left(sides: Sides, table: Table, check: Check) -> bool:
    shown = check.name or f"{table.name}: {check.expression}"
    said = sides.listing.says(("check",), table.name, shown)
    return said is not None and not said.rewritten


def _alike(answers: list[Any] | None, theirs: list[list[Any]]) -> str:
    if answers is None:
        return "SQLite itself cannot try it"
    if answers in theirs:
        theirs.remove(answers)
        return ""
    return "no check that says the same"


def _made_up(
    sides: Sides, table: Table, both: Sequence[tuple[source.Column, Column]]
) -> Iterator[tuple[Stored, ...]]:
    chance = Random(table.name)
    stored = sides.source.rows(table)[:200]
    places = {c.name: n for n, c in enumerate(table.columns)}
    near = _near([check.expression for check in table.checks])
    pools = []
    for column, found in both:
        some = chance.sample(stored, min(len(stored), 8))
        own = [row.values[places[column.name]] for row in some]
        pools.append(
            [*map(_as_stored, (*_SAMPLES.get(found.kind, (None,)), *near(found.kind))), *own]
        )
    for _ in range(_ROWS):
        yield tuple(chance.choice(pool) for pool in pools)


def _as_stored(sample: Any) -> Stored:
    return Text(sample.encode()) if isinstance(sample, str) else sample


def _near(expressions: list[str]) -> Callable[[str], list[Any]]:
    """For a kind of column, what stands near the constants of these expressions."""
    said = [word for expression in expressions for word in raw_words_of(expression)]
    texts = [word[1:-1].replace("''", "'") for word in said if word.startswith("'")]
    numbers = [int(word) for word in said if word.isascii() and word.isdigit() and len(word) < 15]
    lengths = ["x" * (n + more) for n in numbers if n <= 2000 for more in (-1, 0, 1)]

    def near(kind: str) -> list[Any]:
        match kind:
            case "integer" | "double" | "numeric":
                return [sign * n + more for n in numbers for more in (-1, 0, 1) for sign in (1, -1)]
            case "text":
                return [*texts, *lengths, *(text.upper() for text in texts)]
            case "bytea":
                return [text.encode() for text in lengths]
            case "date" | "timestamp" | "timestamptz" | "time":
                return texts
        return []

    return near


def _answers_of_source(
    sides: Sides, table: Table, columns: list[source.Column], rows: list[tuple[Stored, ...]]
) -> list[list[Any] | None]:
    """Each CHECK's answers: True unless it is false. None where SQLite cannot try it."""
    ask = sides.source.ask
    name = f"temp.{quoted(table.name)}"
    ask(f"DROP TABLE IF EXISTS {name}")
    try:
        listed = ", ".join(_declared(c) for c in columns)
        ask(f"CREATE TEMP TABLE {quoted(table.name)} ({listed})")
        marks = ", ".join("?" for _ in columns)
        for row in rows:
            bound = [_bound(value) for value in row]
            ask(f"INSERT INTO {name} VALUES ({marks})", *bound)
        return [_tried(sides, name, check.expression) for check in table.checks]
    except (apsw.Error, UnicodeDecodeError):
        return [None] * len(table.checks)
    finally:
        ask(f"DROP TABLE IF EXISTS {name}")


def _declared(column: source.Column) -> str:
    collated = f" COLLATE {column.collation}" if column.collation in ("NOCASE", "RTRIM") else ""
    return f"{quoted(column.name)} {column.declared}{collated}"


def _tried(sides: Sides, name: str, expression: str) -> list[Any] | None:
    query = f"SELECT NOT coalesce(NOT ({expression}), 0) FROM {name} ORDER BY rowid"
    try:
        return [bool(answer) for (answer,) in sides.source.ask(query)]
    except apsw.Error:
        return None


def _bound(value: Stored) -> Any:
    return value.decode() if isinstance(value, Text) else value


def _answers_of_target(
    sides: Sides, relation: Relation, columns: list[Column], rows: list[tuple[Stored, ...]]
) -> tuple[list[list[Any]], list[int]]:
    """Each CHECK's answers, and the numbers of the rows that the column types take."""
    names = ", ".join(_marked(c.name) for c in columns)
    marks = ", ".join(f"%s::{c.type}" for c in columns)
    insert = f"INSERT INTO pg_temp.probe ({names}) VALUES ({marks})".encode()
    try:
        with sides.target.undone() as connection:
            connection.execute("SET LOCAL TimeZone = 'UTC'")
            _like(connection, relation, "")
            connection.execute("ALTER TABLE pg_temp.probe ADD probe_number serial")
            accepted = [n for n, row in enumerate(rows) if _takes(connection, insert, columns, row)]
            return [_asked(connection, text) for _, text in relation.checks], accepted
    except psycopg.Error:
        return [], []


def _takes(
    connection: Connection, insert: bytes, columns: list[Column], row: tuple[Stored, ...]
) -> bool:
    """Whether the target stores the row, and stores what it means."""
    values = [_for_target(value, column) for value, column in zip(row, columns, strict=True)]
    if any(v is _REFUSED for v in values):
        return False
    try:
        with connection.transaction():
            connection.execute(insert, values)
    except (psycopg.Error, ValueError):
        return False
    return True


def _for_target(value: Stored, column: Column) -> Any:
    if value is None:
        return None
    if wanted(value, column.kind) is UNLIKE:
        return _REFUSED
    if column.kind == "boolean":
        return bool(value) if value in (0, 1) else _REFUSED
    if isinstance(value, Text):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return _REFUSED
        if column.kind == "bytea":
            return bytes(value)
        return text if _stays(value, column, text) else _REFUSED
    if isinstance(value, bytes):
        return value if column.kind == "bytea" else _REFUSED
    if column.kind in ("text", "bytea"):
        return _REFUSED
    return str(value) if column.kind == "numeric" else value


def _stays(stored: Text, column: Column, text: str) -> bool:
    if column.kind == "text":
        return "\0" not in text
    if column.kind in ("integer", "double", "numeric", "json", "other"):
        return False
    return arrived(text, column.kind) is not None and same(stored, column.kind, text)


def _asked(connection: Connection, expression: str) -> list[Any]:
    query = f"SELECT coalesce(({expression}), true) FROM pg_temp.probe ORDER BY probe_number"
    try:
        with connection.transaction():
            return [bool(answer) for (answer,) in connection.execute(query.encode()).fetchall()]
    except psycopg.Error:
        return ["cannot be tried"]
