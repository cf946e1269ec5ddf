"""PostgreSQL's side: its objects and its rows, read with psycopg from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.scoreboard.comparer.meaning import KINDS, Value
from benchmarks.scoreboard.comparer.source import quoted

# What is printed must not depend on the server; a zone that is not UTC shows who relies on it.
_SETTINGS = "-c TimeZone=UTC -c DateStyle=ISO,YMD -c IntervalStyle=postgres -c search_path=public -c statement_timeout=30s"
ELSEWHERE = "Asia/Kolkata"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; ``kind`` as :mod:`.meaning` calls it."""

    name: str
    type: str
    not_null: bool
    default: str | None
    generated: bool
    identity: bool

    @property
    def kind(self) -> str:
        """What its values are."""
        return KINDS.get(self.type, "other")


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index; ``terms`` are (column, or None for an expression; descending)."""

    name: str
    unique: bool
    primary: bool
    terms: tuple[tuple[str | None, bool], ...]
    expressions: str
    predicate: str | None


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key."""

    columns: tuple[str, ...]
    parent: str
    to: tuple[str, ...]
    on_update: str
    on_delete: str
    deferrable: bool
    deferred: bool
    valid: bool


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A table or a view: ``kind`` is PostgreSQL's letter."""

    name: str
    oid: int
    kind: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    references: tuple[Reference, ...]
    checks: tuple[tuple[str, str], ...]
    triggers: tuple[str, ...]

    def column(self, name: str) -> Column | None:
        """Its column of exactly this name."""
        return next((c for c in self.columns if c.name == name), None)


ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

_RELATIONS = """
SELECT relname, oid::int8, relkind::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') ORDER BY oid"""
_COLUMNS = """
SELECT attname, typname, attnotnull, pg_get_expr(adbin, adrelid), attgenerated <> '', attidentity <> ''
FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_INDEXES = """
SELECT c.relname, indisunique, indisprimary, pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid),
  ARRAY(SELECT a.attname::text FROM unnest(indkey) WITH ORDINALITY k (n, at)
        LEFT JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.n AND k.n > 0
        WHERE k.at <= indnkeyatts ORDER BY k.at),
  ARRAY(SELECT (o & 1)::int FROM unnest(indoption) WITH ORDINALITY k (o, at) ORDER BY k.at)
FROM pg_index JOIN pg_class c ON c.oid = indexrelid
WHERE indrelid = %s AND indisvalid ORDER BY indexrelid"""
_REFERENCES = """
SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k (n, at)
             JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY at),
  (SELECT relname FROM pg_class WHERE oid = confrelid),
  ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k (n, at)
        JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY at),
  confupdtype::text, confdeltype::text, condeferrable, condeferred, convalidated
FROM pg_constraint WHERE conrelid = %s AND contype = 'f' ORDER BY oid"""
_CHECKS = "SELECT conname, pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conrelid = %s AND contype = 'c' ORDER BY oid"
_TRIGGERS = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal"


class Target:
    """One open database of PostgreSQL; nothing that is done to it stays."""

    def __init__(self, address: str) -> None:
        self.connection = psycopg.connect(address, autocommit=True, options=_SETTINGS)

    def close(self) -> None:
        """Be done with it."""
        self.connection.close()

    def relations(self) -> dict[str, Relation]:
        """The tables and views of the schema public, by name."""
        found = self._ask(_RELATIONS)
        return {name: self._relation(name, oid, kind) for name, oid, kind in found}

    def _relation(self, name: str, oid: int, kind: str) -> Relation:
        return Relation(
            name=name,
            oid=oid,
            kind=kind,
            columns=tuple(
                Column(name=n, type=t, not_null=nn, default=d, generated=g, identity=i)
                for n, t, nn, d, g, i in self._ask(_COLUMNS, oid)
            ),
            indexes=tuple(self._indexes(oid)),
            references=tuple(
                Reference(
                    columns=tuple(own), parent=parent, to=tuple(to), on_update=ACTIONS[up],
                    on_delete=ACTIONS[down], deferrable=may, deferred=does, valid=valid,
                )
                for own, parent, to, up, down, may, does, valid in self._ask(_REFERENCES, oid)
            ),
            checks=tuple(self._ask(_CHECKS, oid)),
            triggers=tuple(n for (n,) in self._ask(_TRIGGERS, oid)),
        )  # fmt: skip

    def _indexes(self, oid: int) -> Iterator[Index]:
        for name, unique, primary, predicate, expressions, columns, options in self._ask(
            _INDEXES, oid
        ):
            yield Index(
                name=name,
                unique=unique,
                primary=primary,
                terms=tuple((c, bool(o)) for c, o in zip(columns, options, strict=False)),
                expressions=expressions or "",
                predicate=predicate,
            )

    def rows(self, relation: str, columns: list[Column]) -> list[tuple[Value, ...]]:
        """All rows, these columns, in the form that :mod:`.meaning` reads."""
        terms = ", ".join(read_as(c) for c in columns) or "1"
        return self._ask(f"SELECT {terms} FROM public.{quoted(relation)}")  # type: ignore[return-value]

    def next_number(self, table: str, column: str) -> tuple[int, bool] | None:
        """What the column's sequence hands out next, and whether it is exhausted instead;
        None where it has no sequence."""
        name = self._one("SELECT pg_get_serial_sequence(%s, %s)", f"public.{quoted(table)}", column)
        if name is None:
            return None
        last, called = self._ask(f"SELECT last_value, is_called FROM {name}")[0]
        step, most = self._ask(
            "SELECT seqincrement, seqmax FROM pg_sequence WHERE seqrelid = %s::regclass", name
        )[0]
        return last + (step if called else 0), bool(called and last >= most)

    @contextmanager
    def undone(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction of which nothing stays, in another zone than UTC."""
        with self.connection.transaction(force_rollback=True):
            self.connection.execute(f"SET LOCAL TimeZone = '{ELSEWHERE}'")
            yield self.connection

    def _ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), parameters or None).fetchall()

    def _one(self, query: str, *parameters: object) -> Any:
        found = self.connection.execute(query.encode(), parameters or None).fetchone()
        return found[0] if found else None


def read_as(column: Column) -> str:
    """A column as SQL that loses nothing on the way to Python."""
    name = quoted(column.name)
    if column.type == "float4":
        return f"{name}::float8"
    plain = column.kind in ("integer", "double", "numeric", "boolean", "text", "bytea")
    return name if plain else f"{name}::text"
