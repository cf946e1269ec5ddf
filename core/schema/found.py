"""What is found in a PostgreSQL schema, word for word: its tables, what type
each column really has, and everything that hangs on them and would hinder the rows.

:mod:`core.schema.postgres` says what a schema means; here it is taken down and put up
again, so the server's own texts count. Every name in them is qualified.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import class_row, dict_row

from core.source.rows import quoted

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FoundColumn:
    """A column. ``type`` is as the server prints it, ``stored`` the type under a domain
    (the same for any other), ``labels`` those of an enum. ``fills_itself``: it has a
    default, or is numbered. ``sequence``: what numbers it, qualified, '' for nothing."""

    table: str
    name: str
    type: str
    stored: str
    labels: tuple[str, ...]
    is_enum: bool
    not_null: bool
    fills_itself: bool
    generated: bool
    sequence: str


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """A constraint, an index or a trigger. ``definition`` is the server's own text, which
    must be the same again, and ``asks`` the question that it answers, asked with an empty
    ``search_path``; ``drop``, ``add`` and ``validate`` ('' where there is nothing to prove)
    are statements. ``columns`` are those of a key that compares them as they are;
    ``parent`` is the table that a foreign key refers to, ``table`` the one that it is on;
    '' where they are not in the schema."""

    kind: str
    name: str
    table: str
    definition: str
    asks: str
    drop: str
    add: str
    validate: str = ""
    parent: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FoundTable:
    """A table. ``plain``: neither partitioned nor part of an inheritance. ``owned``: the
    session's role may alter it and all that refers to it. ``filled``: it has rows.
    ``primary_key``: its columns."""

    name: str
    columns: tuple[FoundColumn, ...]
    plain: bool
    owned: bool
    filled: bool = False
    primary_key: tuple[str, ...] = ()
    primary_key_name: str = ""

    def column(self, name: str) -> FoundColumn:
        """The column called ``name``."""
        return next(c for c in self.columns if c.name == name)


@dataclass(frozen=True, kw_only=True)
class FoundSchema:
    """All of it. ``views``: their names."""

    name: str
    tables: tuple[FoundTable, ...]
    objects: tuple[Fitting, ...]
    views: tuple[str, ...] = ()


def read_found(connection: Connection[Any], schema: str) -> FoundSchema:
    """What stands in ``schema``; nothing where there is no such schema. Raises psycopg.Error.
    Leaves the session as it was."""
    # Rolled back, because a SET LOCAL would outlive a savepoint that is released.
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('search_path', %s, true)", (quoted(schema),))
        columns = _columns(connection, schema)
        connection.execute("SELECT set_config('search_path', '', true)")
        rows = _rows(connection, _TABLES, schema)
        filled = _filled(connection, schema, [row["name"] for row in rows if row["readable"]])
        tables = tuple(_table(row, columns, filled) for row in rows)
        objects = [
            _fitting(kind, row)
            for kind, query in (
                ("constraint", _CONSTRAINTS),
                ("index", _INDEXES),
                ("trigger", _TRIGGERS),
            )
            for row in _rows(connection, query, schema)
        ]
        views = tuple(row["name"] for row in _rows(connection, _VIEWS, schema))
    return FoundSchema(name=schema, tables=tables, objects=tuple(objects), views=views)


def _rows(connection: Connection[Any], query: LiteralString, schema: str) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, {"schema": schema}).fetchall()


def _columns(connection: Connection[Any], schema: str) -> dict[str, tuple[FoundColumn, ...]]:
    with connection.cursor(row_factory=class_row(_Column)) as cursor:
        found = cursor.execute(_COLUMNS, {"schema": schema}).fetchall()
    return {
        table: tuple(column.found() for column in group)
        for table, group in groupby(found, key=attrgetter("table"))
    }


@dataclass
class _Column:
    table: str
    name: str
    type: str
    stored: str
    labels: list[str]
    is_enum: bool
    not_null: bool
    fills_itself: bool
    generated: bool
    sequence: str

    def found(self) -> FoundColumn:
        return FoundColumn(**(vars(self) | {"labels": tuple(self.labels)}))


def _filled(connection: Connection[Any], schema: str, tables: list[str]) -> set[str]:
    """Which of the tables have rows."""
    asked = [
        f"SELECT {_text(name)} AS name WHERE EXISTS (SELECT FROM {qualified})"
        for name in tables
        for qualified in (f"{quoted(schema)}.{quoted(name)}",)
    ]
    if not asked:
        return set()
    return {str(name) for (name,) in connection.execute(" UNION ALL ".join(asked).encode())}


def _table(row: Row, columns: dict[str, tuple[FoundColumn, ...]], filled: set[str]) -> FoundTable:
    return FoundTable(
        name=row["name"],
        columns=columns.get(row["name"], ()),
        plain=row["plain"],
        owned=row["owned"],
        filled=row["name"] in filled,
        primary_key=tuple(row["primary_key"]),
        primary_key_name=row["primary_key_name"],
    )


def _fitting(kind: str, row: Row) -> Fitting:
    made = _MAKERS[kind](row)
    return Fitting(
        kind=row["kind"],
        name=row["name"],
        table=row["table"],
        definition=row["definition"],
        parent=row.get("parent") or "",
        columns=tuple(row.get("columns") or ()),
        **made,
    )


def _constraint(row: Row) -> dict[str, str]:
    on, name = f"ALTER TABLE {row['on']}", quoted(row["name"])
    provable = row["kind"] in ("foreign_key", "check") and row["validated"]
    add = [
        *_tablespace(row),
        f"{on} ADD CONSTRAINT {name} {row['definition']}{' NOT VALID' if provable else ''}",
        *_afterwards(row),
    ]
    if row["comment"] is not None:
        add.append(f"COMMENT ON CONSTRAINT {name} ON {row['on']} IS {row['comment']}")
    asks = f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE {_is(row, 'conname', 'conrelid')}"
    return {
        "asks": asks,
        "drop": f"{on} DROP CONSTRAINT {name}",
        "add": ";\n".join(add),
        "validate": f"{on} VALIDATE CONSTRAINT {name}" if provable else "",
    }


def _index(row: Row) -> dict[str, str]:
    add = [*_tablespace(row), row["definition"], *_afterwards(row)]
    asks = f"SELECT pg_get_indexdef(to_regclass({_text(row['qualified'])}))"
    return {
        "asks": asks,
        "drop": f"DROP INDEX {row['qualified']}",
        "add": ";\n".join(add),
    }


def _trigger(row: Row) -> dict[str, str]:
    on, name = f"ALTER TABLE {row['on']}", quoted(row["name"])
    state = " ALWAYS" if row["state"] == "A" else ""
    return {
        "asks": f"SELECT {_TRIGGER} FROM pg_trigger t WHERE {_is(row, 'tgname', 'tgrelid')}",
        "drop": f"{on} DISABLE TRIGGER {name}",
        "add": f"{on} ENABLE{state} TRIGGER {name}",
    }


# Whether it fires is no part of the server's text.
_TRIGGER: LiteralString = "pg_get_triggerdef(t.oid) || ' -- ' || t.tgenabled::text"


def _is(row: Row, name: str, relation: str) -> str:
    return f"{name} = {_text(row['name'])} AND {relation} = to_regclass({_text(row['on'])})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_MAKERS = {"constraint": _constraint, "index": _index, "trigger": _trigger}


def _tablespace(row: Row) -> Iterator[str]:
    """Where the index is to lie: its definition does not say."""
    if row["qualified"]:
        yield f"SET LOCAL default_tablespace = {_text(row['tablespace'] or '')}"


def _afterwards(row: Row) -> Iterator[str]:
    """What else is known of an index, and not in its definition."""
    if not row["qualified"]:
        return
    if row["index_comment"] is not None:
        yield f"COMMENT ON INDEX {row['qualified']} IS {row['index_comment']}"
    if row["clustered"]:
        yield f"ALTER TABLE {row['on']} CLUSTER ON {quoted(row['index'])}"
    if row["identifies"]:
        yield f"ALTER TABLE {row['on']} REPLICA IDENTITY USING INDEX {quoted(row['index'])}"
    for place, target in row["statistics"] or ():
        yield f"ALTER INDEX {row['qualified']} ALTER COLUMN {place} SET STATISTICS {target}"


# --- questions ---------------------------------------------------------------------------

_OURS = """
WITH ours AS (
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relhassubclass,
           format('%%I.%%I', n.nspname, c.relname) AS qualified
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                      AND d.objid = c.oid AND d.deptype = 'e'))
"""

_TABLES: LiteralString = (
    _OURS
    + """
SELECT o.relname AS name, has_table_privilege(o.oid, 'SELECT') AS readable,
       o.relkind = 'r' AND NOT o.relhassubclass
         AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = o.oid) AS plain,
       pg_has_role(o.relowner, 'USAGE')
         AND NOT EXISTS (SELECT FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
                         WHERE c.confrelid = o.oid AND NOT pg_has_role(r.relowner, 'USAGE')) AS owned,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
             JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = u.number
             ORDER BY u.place) AS primary_key,
       coalesce(k.conname, '') AS primary_key_name
FROM ours o LEFT JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype = 'p'
ORDER BY o.relname
"""
)

# A domain may be over a domain; the last one's NOT NULL and default count as well.
_COLUMNS: LiteralString = (
    _OURS
    + """
SELECT o.relname AS "table", a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type,
       format_type(b.oid, b.modifier) AS stored,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid
             ORDER BY e.enumsortorder) AS labels,
       b.is_enum, a.attnotnull OR b.not_null AS not_null,
       a.atthasdef OR a.attidentity <> '' OR b.has_default AS fills_itself,
       a.attgenerated <> '' AS generated,
       coalesce(pg_get_serial_sequence(o.qualified, a.attname), (
         SELECT format('%%I.%%I', sn.nspname, s.relname) FROM pg_attrdef f
         JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
                         AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
         JOIN pg_namespace sn ON sn.oid = s.relnamespace
         WHERE f.adrelid = o.oid AND f.adnum = a.attnum LIMIT 1), '') AS sequence
FROM ours o
JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (
  WITH RECURSIVE under AS (
    SELECT t.oid, a.atttypmod AS modifier, false AS not_null, false AS has_default,
           t.typtype, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault, 0 AS depth
    FROM pg_type t WHERE t.oid = a.atttypid
    UNION ALL
    SELECT t.oid, u.typtypmod, u.not_null OR u.typnotnull,
           u.has_default OR u.typdefault IS NOT NULL,
           t.typtype, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault, u.depth + 1
    FROM under u JOIN pg_type t ON t.oid = u.typbasetype WHERE u.typtype = 'd')
  SELECT oid, modifier, not_null, has_default, typtype = 'e' AS is_enum
  FROM under ORDER BY depth DESC LIMIT 1) b
ORDER BY o.relname, a.attnum
"""
)

_ABOUT_INDEX = """
       i.indexrelid IS NOT NULL AND i.indisclustered AS clustered,
       i.indexrelid IS NOT NULL AND i.indisreplident AS identifies,
       x.relname AS index, p.spcname AS tablespace,
       CASE WHEN x.oid IS NOT NULL THEN format('%%I.%%I', xn.nspname, x.relname) END AS qualified,
       quote_literal(obj_description(x.oid, 'pg_class')) AS index_comment,
       (SELECT array_agg(ARRAY[s.attnum::int, s.attstattarget::int] ORDER BY s.attnum)
        FROM pg_attribute s WHERE s.attrelid = x.oid AND s.attstattarget >= 0) AS statistics
"""

# Their triggers, which a foreign key brings along, come and go with it.
_CONSTRAINTS: LiteralString = (
    _OURS
    + """
SELECT CASE c.contype WHEN 'f' THEN 'foreign_key' WHEN 'c' THEN 'check' WHEN 'u' THEN 'unique'
                      ELSE 'exclusion' END AS kind,
       c.conname AS name, coalesce(o.relname, '') AS "table", coalesce(f.relname, '') AS parent,
       format('%%I.%%I', rn.nspname, r.relname) AS "on",
       pg_get_constraintdef(c.oid) AS definition, c.convalidated AS validated,
       quote_literal(obj_description(c.oid, 'pg_constraint')) AS comment,
       CASE WHEN c.contype = 'u' THEN
         ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY u(number, place)
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.number
               ORDER BY u.place) END AS columns,
"""
    + _ABOUT_INDEX
    + """
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace rn ON rn.oid = r.relnamespace
LEFT JOIN ours o ON o.oid = c.conrelid
LEFT JOIN ours f ON f.oid = c.confrelid
LEFT JOIN pg_index i ON i.indexrelid = c.conindid AND c.contype IN ('u', 'x')
LEFT JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_namespace xn ON xn.oid = x.relnamespace
LEFT JOIN pg_tablespace p ON p.oid = x.reltablespace
WHERE (o.oid IS NOT NULL OR f.oid IS NOT NULL) AND c.contype IN ('f', 'c', 'u', 'x')
  AND c.conparentid = 0 AND c.conislocal AND c.coninhcount = 0
ORDER BY c.contype <> 'f', c.conname, r.relname
"""
)

# One that is not valid hinders nobody who reads, and would be made valid by making it anew.
_INDEXES: LiteralString = (
    _OURS
    + """
SELECT CASE WHEN i.indisunique THEN 'unique' ELSE 'index' END AS kind,
       x.relname AS name, o.relname AS "table", o.qualified AS "on",
       pg_get_indexdef(x.oid) AS definition,
       CASE WHEN i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL THEN
         ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(number, place)
               JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = u.number
               WHERE u.place <= i.indnkeyatts ORDER BY u.place) END AS columns,
"""
    + _ABOUT_INDEX
    + """
FROM ours o
JOIN pg_index i ON i.indrelid = o.oid AND i.indisvalid
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace xn ON xn.oid = x.relnamespace
LEFT JOIN pg_tablespace p ON p.oid = x.reltablespace
WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.oid AND c.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = x.oid AND d.deptype = 'e')
ORDER BY x.relname
"""
)

_TRIGGERS: LiteralString = (
    _OURS
    + """
SELECT 'trigger' AS kind, t.tgname AS name, o.relname AS "table", o.qualified AS "on",
       t.tgenabled::text AS state, """
    + _TRIGGER
    + """ AS definition
FROM pg_trigger t JOIN ours o ON o.oid = t.tgrelid
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ('O', 'A')
ORDER BY t.tgname, o.relname
"""
)

_VIEWS: LiteralString = """
SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('v', 'm') ORDER BY 1
"""
