"""Read one schema of a PostgreSQL database, in one question for each kind of object.

Works from PostgreSQL 15 on. What an extension owns is not the application's and is
left out, and so are partitions: their rows are their parent's. Texts come from the
server's own printers, with ``search_path`` held to the schema that is read: what
belongs to it is named without it, whatever the session is set to. On demand it is named
with it: such texts mean the same in every session.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any, LiteralString

from psycopg import Connection, sql
from psycopg.rows import dict_row

from core.schema.model import (
    Check,
    Column,
    Database,
    Default,
    ForeignKey,
    Function,
    Generated,
    Index,
    IndexTerm,
    Sequence,
    Table,
    Trigger,
    View,
)
from core.source.rows import quoted

Row = dict[str, Any]

_GENERATED = {"s": Generated.STORED, "v": Generated.VIRTUAL}
_ORIGINS = {"u": "unique", "p": "primary"}
_ACTIONS = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}

_RELATIONS = """
SELECT c.oid::bigint AS oid, c.relname AS name, c.relkind IN ('v', 'm') AS is_view,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
       c.relkind = 'm' AS materialized, c.relpersistence = 'u' AS unlogged,
       obj_description(c.oid, 'pg_class') AS comment,
       ARRAY(SELECT DISTINCT u.relname::text FROM pg_rewrite w
             JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                             AND d.refclassid = 'pg_class'::regclass
             JOIN pg_class u ON u.oid = d.refobjid
             WHERE w.ev_class = c.oid AND u.oid <> c.oid AND u.relnamespace = c.relnamespace
               AND c.relkind IN ('v', 'm')
             ORDER BY 1) AS uses
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""

_COLUMNS = """
SELECT a.attrelid::bigint AS relation, a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
       a.attidentity <> '' AS identity, a.attgenerated AS generated,
       pg_get_expr(d.adbin, d.adrelid) AS expression, k.collname AS collation,
       a.attidentity = 'a' AS always, col_description(a.attrelid, a.attnum) AS comment,
       (SELECT s.relname FROM pg_depend o
        JOIN pg_class s ON s.oid = o.objid AND s.relkind = 'S'
        WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass
          AND o.refobjid = a.attrelid AND o.refobjsubid = a.attnum AND o.deptype IN ('a', 'i')
        ORDER BY 1 LIMIT 1) AS sequence
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation k ON k.oid = a.attcollation AND a.attcollation <> t.typcollation
WHERE a.attrelid = ANY(%(relations)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

# NOT NULL is a constraint of its own (contype n) since 18; attnotnull tells it everywhere.
_CONSTRAINTS = """
SELECT c.conrelid::bigint AS relation, c.conname AS name, c.contype AS kind,
       c.condeferrable AS deferrable, c.condeferred AS initially_deferred,
       c.convalidated AS validated, pg_get_expr(c.conbin, c.conrelid) AS expression,
       pg_get_constraintdef(c.oid) AS definition, c.confupdtype AS on_update, c.confdeltype AS on_delete,
       CASE WHEN p.relnamespace = r.relnamespace THEN p.relname
            ELSE n.nspname || '.' || p.relname END AS parent,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
             ORDER BY k.place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(number, place)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number
             ORDER BY k.place) AS parent_columns
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
LEFT JOIN pg_class p ON p.oid = c.confrelid
LEFT JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE c.conrelid = ANY(%(relations)s::oid[]) AND c.conparentid = 0 AND c.contype IN ('p', 'f', 'c')
ORDER BY c.conrelid, c.conname
"""

_INDEX_TERMS = """
SELECT i.indrelid::bigint AS relation, r.relname AS table, x.relname AS name,
       i.indisunique AS is_unique, c.contype AS constraint_kind, c.conname AS constraint,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       pg_get_indexdef(i.indexrelid) AS sql, i.indisvalid AS valid,
       coalesce(pg_get_constraintdef(c.oid),
                substr(pg_get_indexdef(i.indexrelid),
                       length(format('CREATE %%sINDEX %%I ON %%s%%I.%%I USING ',
                                     CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END, x.relname,
                                     CASE WHEN r.relkind = 'p' THEN 'ONLY ' ELSE '' END,
                                     n.nspname, r.relname)) + 1)) AS definition,
       a.attname AS column, pg_get_indexdef(i.indexrelid, k.place, false) AS expression,
       l.collname AS collation, i.indoption[k.place - 1] & 1 = 1 AS descending
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class r ON r.oid = i.indrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k(place)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place - 1]
                        AND a.attnum <> 0
LEFT JOIN pg_collation l ON l.oid = i.indcollation[k.place - 1] AND l.collname <> 'default'
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
                         AND c.contype IN ('p', 'u', 'x')
WHERE i.indrelid = ANY(%(relations)s::oid[])
ORDER BY i.indrelid, x.relname, k.place
"""

_TRIGGERS = """
SELECT t.tgname AS name, r.relname AS table, pg_get_triggerdef(t.oid) AS definition,
       p.proname AS function, t.tgenabled <> 'D' AS enabled
FROM pg_trigger t
JOIN pg_class r ON r.oid = t.tgrelid
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = ANY(%(relations)s::oid[]) AND NOT t.tgisinternal AND t.tgparentid = 0
ORDER BY r.relname, t.tgname
"""

_SEQUENCES = """
SELECT r.relname AS table, n.nspname AS schema, s.relname AS name,
       q.seqstart AS start, q.seqincrement AS increment
FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid
JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_class r ON r.oid = d.refobjid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid = ANY(%(relations)s::oid[]) AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
ORDER BY r.relname, s.relname
"""

# Aggregates have no text of their own.
_FUNCTIONS = """
SELECT p.proname AS name, pg_get_function_identity_arguments(p.oid) AS arguments,
       pg_get_functiondef(p.oid) AS definition
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %(schema)s AND p.prokind IN ('f', 'p')
  AND NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""


def read_postgres(connection: Connection[Any], schema: str, *, qualified: bool = False) -> Database:
    """What ``schema`` holds; an empty database when there is no such schema.

    Sequences are those that belong to a column, and have handed out a number.
    A foreign key's parent in another schema is named ``schema.table``. ``qualified``:
    in the server's texts, whatever is not PostgreSQL's own is named with its schema.

    Raises psycopg.Error. Leaves the session as it was.
    """
    # Rolled back, because a SET LOCAL would outlive a savepoint that is released.
    with connection.transaction(force_rollback=True):
        return _Reader(connection, schema, qualified=qualified).read()


class _Reader:
    def __init__(self, connection: Connection[Any], schema: str, *, qualified: bool) -> None:
        self._connection = connection
        self._schema = schema
        path = "pg_catalog" if qualified else quoted(schema)
        self._rows("SELECT set_config('search_path', %(path)s, true)", path=path)
        relations = self._rows(_RELATIONS, schema=schema)
        self._tables = [row for row in relations if not row["is_view"]]
        self._views = [row for row in relations if row["is_view"]]
        self._oids = [row["oid"] for row in relations]

    def read(self) -> Database:
        return Database(
            tables=self._read_tables(),
            views=tuple(_view(row) for row in self._views),
            triggers=tuple(_trigger(row) for row in self._of_relations(_TRIGGERS)),
            sequences=self._read_sequences(),
            functions=tuple(
                Function(name=row["name"], arguments=row["arguments"], sql=row["definition"])
                for row in self._rows(_FUNCTIONS, schema=self._schema)
            ),
        )

    def _rows(self, query: LiteralString | sql.Composed, **facts: object) -> list[Row]:
        # A query without facts goes as it stands: a % in a name is a % then.
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, facts or None).fetchall()

    def _of_relations(self, query: LiteralString) -> list[Row]:
        return self._rows(query, relations=self._oids)

    def _read_tables(self) -> tuple[Table, ...]:
        columns = _by_relation(self._of_relations(_COLUMNS))
        constraints = _by_relation(self._of_relations(_CONSTRAINTS))
        terms = _by_relation(self._of_relations(_INDEX_TERMS))
        return tuple(
            _table(row, *(facts.get(row["oid"], []) for facts in (columns, constraints, terms)))
            for row in self._tables
        )

    def _read_sequences(self) -> tuple[Sequence, ...]:
        owned = self._of_relations(_SEQUENCES)
        found = (
            (row["table"], _last_handed_out(row, state))
            for row, state in zip(owned, self._sequence_states(owned), strict=True)
        )
        return tuple(Sequence(table=table, last=last) for table, last in found if last is not None)

    def _sequence_states(self, sequences: list[Row]) -> list[Row]:
        """Each sequence is a relation of its own: one question that asks them all."""
        if not sequences:
            return []
        asked = [
            sql.SQL("SELECT {}::int AS place, last_value, is_called FROM {}").format(
                place, sql.Identifier(row["schema"], row["name"])
            )
            for place, row in enumerate(sequences)
        ]
        return self._rows(sql.SQL(" UNION ALL ").join(asked) + sql.SQL(" ORDER BY place"))


def _by_relation(rows: list[Row]) -> dict[int, list[Row]]:
    """The rows of each relation; they come sorted by it."""
    return {oid: list(group) for oid, group in groupby(rows, key=lambda row: row["relation"])}


def _last_handed_out(sequence: Row, state: Row) -> int | None:
    """The last number given, None if none was: ``setval(..., false)`` names the next one."""
    if state["is_called"]:
        return int(state["last_value"])
    if state["last_value"] == sequence["start"]:
        return None
    return int(state["last_value"] - sequence["increment"])


def _table(row: Row, columns: list[Row], constraints: list[Row], terms: list[Row]) -> Table:
    primary = next((row for row in constraints if row["kind"] == "p"), None)
    return Table(
        name=row["name"],
        columns=tuple(_column(row) for row in columns),
        primary_key=tuple(primary["columns"]) if primary else (),
        primary_key_name=primary["name"] if primary else None,
        indexes=tuple(
            _index(list(group)) for _, group in groupby(terms, key=lambda row: row["name"])
        ),
        foreign_keys=tuple(_foreign_key(row) for row in constraints if row["kind"] == "f"),
        checks=tuple(
            Check(
                name=row["name"],
                expression=row["expression"],
                validated=row["validated"],
                definition=_defined(row),
            )
            for row in constraints
            if row["kind"] == "c"
        ),
        unlogged=row["unlogged"],
        comment=row["comment"] or "",
    )


def _defined(constraint: Row) -> str:
    """What a constraint demands, whether or not its rows have been looked at."""
    return str(constraint["definition"]).removesuffix(" NOT VALID")


def _view(row: Row) -> View:
    return View(
        name=row["name"],
        sql=row["definition"],
        materialized=row["materialized"],
        uses=tuple(row["uses"]),
    )


def _trigger(row: Row) -> Trigger:
    return Trigger(
        name=row["name"],
        table=row["table"],
        sql=row["definition"],
        function=row["function"],
        enabled=row["enabled"],
    )


def _column(row: Row) -> Column:
    generated = _GENERATED.get(row["generated"])
    default = row["expression"] if generated is None else None
    return Column(
        name=row["name"],
        declared_type=row["type"],
        not_null=row["not_null"],
        default=None if default is None else Default(expression=default, literal=_literal(default)),
        collation=row["collation"],
        generated=generated,
        generation_expression=row["expression"] if generated else None,
        identity=row["identity"],
        always=row["always"],
        sequence=row["sequence"],
        comment=row["comment"] or "",
    )


def _index(terms: list[Row]) -> Index:
    first = terms[0]
    return Index(
        name=first["name"],
        table=first["table"],
        unique=first["is_unique"],
        origin=_ORIGINS.get(first["constraint_kind"], "index"),
        terms=tuple(
            IndexTerm(
                column=row["column"],
                expression=row["expression"] if row["column"] is None else None,
                collation=row["collation"],
                descending=row["descending"],
            )
            for row in terms
        ),
        where=first["predicate"],
        sql=first["sql"],
        constraint=first["constraint"],
        valid=first["valid"],
        definition=first["definition"],
    )


def _foreign_key(row: Row) -> ForeignKey:
    return ForeignKey(
        name=row["name"],
        columns=tuple(row["columns"]),
        parent=row["parent"],
        parent_columns=tuple(row["parent_columns"]),
        on_update=_ACTIONS[row["on_update"]],
        on_delete=_ACTIONS[row["on_delete"]],
        deferrable=row["deferrable"],
        initially_deferred=row["initially_deferred"],
        validated=row["validated"],
        definition=_defined(row),
    )


# As the server prints a constant: the value, and mostly the type it was cast to.
_NAME = r"""(?:"(?:[^"]|"")+"|\w+)"""
_LITERAL = re.compile(
    rf"""
    (?: \(?-?\d+(?:\.\d+)?(?:e[+-]?\d+)?\)? | true | false | NULL | [BX]?'(?:[^']|'')*' )
    (?: ::{_NAME}(?:\.{_NAME})?
        (?:[ ](?:varying|precision))? (?:\(-?\d+(?:,-?\d+)?\))?
        (?:[ ](?:with|without)[ ]time[ ]zone)? (?:\[\])* )?
    """,
    re.VERBOSE,
)


def _literal(expression: str) -> bool:
    return _LITERAL.fullmatch(expression) is not None
